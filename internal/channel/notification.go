package channel

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrMalformed is what every *FieldError unwraps to.
var ErrMalformed = errors.New("malformed notification")

// FieldError says which field of a notification is wrong, and how. It never
// holds a field's value: that may be an address, or a text.
type FieldError struct {
	// Field is the key as it stands in the message; empty when the message as
	// a whole is wrong.
	Field   string
	Problem string
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return "message: " + e.Problem
	}
	return "field " + strconv.Quote(e.Field) + ": " + e.Problem
}

func (e *FieldError) Unwrap() error { return ErrMalformed }

// Notification is one message to somebody, as it stands on the queue.
type Notification struct {
	// ID is 1 to 128 of [A-Za-z0-9_-]; empty where the producer gave none.
	ID        string
	Channel   Name
	Recipient string // on Channel
	Subject   string // optional
	Body      string
	// Recipients are the addresses on other channels.
	Recipients map[Name]string
	// Fallback are the channels to use when Channel fails, in order. It is nil
	// where the message has none: Chain gives the default then. An empty one
	// that is not nil means no fallback.
	Fallback []Name
	// FallbackOnOptOut: use the other channels even when the recipient has
	// opted out of one.
	FallbackOnOptOut bool
	Tenant           string // optional
	// ListUnsubscribe is an https or mailto URL for the email's header of that
	// name; optional.
	ListUnsubscribe string
}

var defaultFallback = map[Name][]Name{Email: {Slack}, Slack: {Email}, SMS: {Email}}

// Chain is every channel to try, in order, each once.
func (n Notification) Chain() []Name {
	rest := n.Fallback
	if rest == nil {
		rest = defaultFallback[n.Channel]
	}
	return append([]Name{n.Channel}, rest...)
}

// Address is where n goes on a channel: its entry of recipients, or recipient
// on the message's own channel. It is empty where there is none.
func (n Notification) Address(on Name) string {
	if a, ok := n.Recipients[on]; ok {
		return a
	}
	if on == n.Channel {
		return n.Recipient
	}
	return ""
}

// maxMessage is as much as SQS takes ("Amazon SQS message quotas").
const maxMessage = 1 << 20

// Decode reads a notification strictly: unknown, repeated or differently cased
// keys, wrong types, a missing field, a malformed address and trailing data
// are all a *FieldError, which names the first problem. Decode goes on past a
// bad field, so that the Notification that it returns beside an error has what
// was good of it: a failure can be recorded under its id.
func Decode(data []byte) (Notification, error) {
	p := parsing{data: data, seen: map[string]bool{}}
	if len(data) > maxMessage {
		p.fail("", "must be at most 1 MiB long")
		return p.n, p.first
	}
	// Repeated keys and invalid UTF-8 are reported by field, below.
	p.dec = jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	whole := p.object()
	p.checkTogether(whole)
	if p.first != nil { // a nil *FieldError in an error would not be nil
		return p.n, p.first
	}
	return p.n, nil
}

// parsing is one notification half read.
type parsing struct {
	dec   *jsontext.Decoder
	data  []byte
	n     Notification
	seen  map[string]bool
	first *FieldError
}

func (p *parsing) fail(field, problem string) {
	if p.first == nil {
		p.first = &FieldError{Field: field, Problem: problem}
	}
}

// object reads the whole message. It reports whether it came to its end, past
// any bad fields.
func (p *parsing) object() bool {
	if kind := p.dec.PeekKind(); kind != jsontext.KindBeginObject {
		if err := p.dec.SkipValue(); err != nil {
			return p.syntax("", err)
		}
		p.fail("", "must be a JSON object, not "+kindName(kind))
		return false
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return p.syntax("", err)
	}
	for p.dec.PeekKind() != jsontext.KindEndObject {
		if !p.member() {
			return false
		}
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return p.syntax("", err)
	}
	if len(bytes.TrimLeft(p.data[p.dec.InputOffset():], " \t\r\n")) > 0 {
		p.fail("", "has something after the JSON object")
	}
	return true
}

// member reads one key and its value.
func (p *parsing) member() bool {
	key, err := p.dec.ReadToken()
	if err != nil {
		return p.syntax("", err)
	}
	name := shorten(key.String(), 64) // before the next read, which ends key's life
	value, err := p.dec.ReadValue()
	if err != nil {
		return p.syntax(name, err)
	}
	f, known := fields[name]
	switch {
	case !known:
		p.fail(name, unknownField(name))
	case p.seen[name]:
		p.fail(name, "appears more than once")
	case value.Kind() != f.kind && !(f.kind == jsontext.KindTrue && value.Kind() == jsontext.KindFalse):
		p.fail(name, "must be "+kindName(f.kind)+", not "+kindName(value.Kind()))
	default:
		p.take(name, f, value)
	}
	p.seen[name] = true
	return true
}

// take puts one known field into the notification; a bad value is reported and
// left out.
func (p *parsing) take(name string, f field, value jsontext.Value) {
	before := p.n
	problem := ""
	if err := json.Unmarshal(value, f.target(&p.n)); err != nil {
		problem = f.wrong
	} else if f.check != nil {
		problem = f.check(&p.n)
	}
	if problem != "" {
		p.n = before
		p.fail(name, problem)
	}
}

// syntax reports where the JSON ends being JSON. It leaves out the library's
// JSON pointer, which would quote the message.
func (p *parsing) syntax(field string, err error) bool {
	problem := "is not valid JSON"
	var at *jsontext.SyntacticError
	if errors.As(err, &at) {
		problem += " at byte " + strconv.FormatInt(at.ByteOffset, 10) + ": " + strings.TrimPrefix(at.Err.Error(), "jsontext: ")
	} else {
		problem += ": it ends too early"
	}
	p.fail(field, problem)
	return false
}

func kindName(kind jsontext.Kind) string {
	switch kind {
	case jsontext.KindNull:
		return "null"
	case jsontext.KindTrue, jsontext.KindFalse:
		return "a boolean"
	case jsontext.KindNumber:
		return "a number"
	case jsontext.KindString:
		return "a string"
	case jsontext.KindBeginObject:
		return "an object"
	case jsontext.KindBeginArray:
		return "an array"
	}
	return "nothing"
}
