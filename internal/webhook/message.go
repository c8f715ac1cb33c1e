// Package webhook holds the facts of sending one webhook: the message as its
// producer writes it, the signatures, and one guarded POST. It knows no
// policy: whether and when to try again is for others to say.
package webhook

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// Message is one webhook to send, as it stands on the queue.
type Message struct {
	// ID becomes webhook-id: 1 to 128 of [A-Za-z0-9_-]. Empty where the
	// producer gave none.
	ID string
	// URL is percent-encoded where the producer's was not.
	URL string
	// Secret names the signing secret, by name or ARN, with #key for one key
	// of a JSON secret. It is never the secret itself.
	Secret    string
	EventType string
	// EndpointID is that of a registered endpoint, which has the URL and the Secret:
	// those are empty then. Either is there, or the two.
	EndpointID string
	// Body is the JSON value to send, byte for byte as in the message. It
	// shares memory with what was decoded.
	Body []byte
	// Tenant, Headers and Retry are optional. The names of Headers are in
	// canonical form, each with one value. An empty Retry is the default
	// policy.
	Tenant  string
	Headers http.Header
	Retry   string
	// Timeout of each exchange, from MinTimeout to MaxTimeout; 0 where the
	// producer named none.
	Timeout time.Duration

	// Signature is that of the registered endpoint that the message goes to.
	Signature *Signature

	target *url.URL // URL, parsed
}

// Request is one attempt at delivering m, under a webhook-id, signed by secrets
// as of a time.
func (m Message) Request(id string, secrets []Secret, at time.Time) Request {
	return Request{
		URL: m.URL, ID: id, EventType: m.EventType, Headers: m.Headers, Body: m.Body,
		Secrets: secrets, At: at, Timeout: m.Timeout, Signature: m.Signature, target: m.target,
	}
}

// Decode reads a message strictly: unknown, repeated or differently cased
// keys, wrong types, a missing field and trailing data are all a *message.FieldError,
// which names the first problem. Decode goes on past a bad field, so that the
// Message it returns beside an error has what was good of it: a failure can
// be recorded under its id.
//
// The Message's Body is a part of data: do not change data afterwards.
func Decode(data []byte) (Message, error) {
	r := readers.Get().(*reader)
	defer r.release()
	p := parsing{Object: message.Object{Decoder: r.over(data), Data: data, Required: fields[:required]}, utf8: utf8.Valid(data)}
	if !p.utf8 {
		p.Fail("", "is not valid UTF-8")
	}
	if p.Read(p.member) {
		p.missing()
	}
	return p.m, p.Err()
}

// reader is a decoder that can be used again, and the buffer that it reads
// from without copying.
type reader struct {
	dec jsontext.Decoder
	buf bytes.Buffer
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// over starts anew. Repeated keys, and halves of surrogate pairs, may stand
// inside a body, which is the receiver's business; parsing looks at the rest.
func (r *reader) over(data []byte) *jsontext.Decoder {
	r.buf = *bytes.NewBuffer(data)
	r.dec.Reset(&r.buf, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return &r.dec
}

// release lets go of the message before the reader waits in the pool.
func (r *reader) release() {
	r.buf = bytes.Buffer{}
	r.dec.Reset(nothing)
	readers.Put(r)
}

var nothing = strings.NewReader("")

// fields are the keys of a message. The first ones are required; of one to a
// registered endpoint, only those that come after the direct ones are.
var fields = [...]string{"url", "secret", "event_type", "body", "endpoint", "id", "tenant", "headers", "retry", "timeout"}

const required, direct = 4, 2

func fieldIndex(name []byte) int {
	for i, f := range fields {
		if string(name) == f {
			return i
		}
	}
	return -1
}

// parsing is one message half read.
type parsing struct {
	message.Object
	utf8 bool // the data as a whole is valid UTF-8
	m    Message
	seen [len(fields)]bool
}

// member reads one key and its value.
func (p *parsing) member() bool {
	raw, err := p.Decoder.ReadValue()
	if err != nil {
		return p.Syntax("", err)
	}
	name, _ := unquote(raw)
	i := fieldIndex(name)
	label := ""
	if i >= 0 {
		label = fields[i]
	} else {
		label = message.Shorten(string(name), 64) // before the next read, which ends name's life
	}
	value, err := p.Decoder.ReadValue()
	if err != nil {
		return p.Syntax(label, err)
	}
	switch {
	case i < 0:
		p.Fail(label, "unknown"+message.Suggestion(label, fields[:]))
	case p.seen[i]:
		p.Fail(label, "appears more than once")
	default:
		p.seen[i] = true
		p.field(label, value)
	}
	return true
}

// field takes in one known field; a bad value is reported and left out.
func (p *parsing) field(name string, value jsontext.Value) {
	switch name {
	case "body":
		end := int(p.Decoder.InputOffset())
		p.m.Body = p.Data[end-len(value) : end : end]
		return
	case "headers":
		headers, problem := decodeHeaders(value)
		if problem != "" {
			p.Fail(name, problem)
			return
		}
		p.m.Headers = headers
		return
	}
	text, problem := p.text(value)
	switch {
	case problem != "":
	case name == "url":
		text, p.m.target, problem = parseURL(text)
	case name == "timeout":
		p.m.Timeout, problem = parseTimeout(text)
	default:
		problem = checks[name](text)
	}
	if problem != "" {
		p.Fail(name, problem)
		return
	}
	switch name {
	case "id":
		p.m.ID = text
	case "url":
		p.m.URL = text
	case "secret":
		p.m.Secret = text
	case "endpoint":
		p.m.EndpointID = text
	case "event_type":
		p.m.EventType = text
	case "tenant":
		p.m.Tenant = text
	case "retry":
		p.m.Retry = text
	}
}

// Endpoint is where the message goes, without the query, and the scheme, host and
// port of that. Of a message that was refused they are empty.
func (m Message) Endpoint() (endpoint, host string) {
	if m.target == nil {
		return "", ""
	}
	host = m.target.Scheme + "://" + strings.ToLower(m.target.Host)
	return host + m.target.EscapedPath(), host
}

// EndpointOf is what Endpoint is of a message to a URL. Its error says what is wrong
// with that.
func EndpointOf(rawURL string) (endpoint, host string, err error) {
	_, u, problem := parseURL(rawURL)
	if problem != "" {
		return "", "", errors.New(problem)
	}
	endpoint, host = Message{target: u}.Endpoint()
	return endpoint, host, nil
}

func (p *parsing) missing() {
	registered := p.seen[required]
	for i, name := range fields[:required] {
		switch {
		case registered && i < direct:
			if p.seen[i] {
				p.Fail(name, "may not stand beside endpoint, which has its own")
			}
		case !p.seen[i]:
			p.Fail(name, "missing")
		}
	}
}

// text is a JSON string's value. What has no escapes, nearly all, is copied
// without a closer look.
func (p *parsing) text(value jsontext.Value) (text, problem string) {
	if p.utf8 && value.Kind() == jsontext.KindString && bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), ""
	}
	return message.StringOf(value)
}

// unquote is a key without its quotes. An invalid one matches no field.
func unquote(raw jsontext.Value) ([]byte, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	return jsontext.AppendUnquote(nil, raw)
}
