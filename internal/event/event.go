// Package event is what a producer publishes: something that happened to a tenant,
// for those of its endpoints that subscribe to it. It says how an event is read, and
// what is kept of it. It has no clock and no store of its own.
package event

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// Event is one event, whichever of the shapes it was published in.
type Event struct {
	// ID becomes the webhook-id: 1 to 128 of [A-Za-z0-9_-]. Empty where the producer
	// gave none.
	ID string
	// Tenant is whose endpoints get it.
	Tenant string
	// Type are names with dots between them.
	Type string
	// Body is the JSON value to send, byte for byte as it was published. It shares
	// memory with what was decoded.
	Body []byte
}

// Decode reads an event strictly, in one of three shapes: Efferent's own, the
// structured JSON of CloudEvents 1.0, and an event of EventBridge. Unknown, repeated
// or differently cased keys, wrong types, a missing field and trailing data are all a
// *message.FieldError, which names the first problem. The Event that is returned beside
// an error has what was good of it, so that a failure can be recorded under its id.
//
// The Event's Body is a part of data: do not change data afterwards.
func Decode(data []byte) (Event, error) {
	p := parsing{}
	p.Object = message.Object{Data: data, Required: required, Decoder: jsontext.NewDecoder(bytes.NewBuffer(data),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	if !utf8.Valid(data) {
		p.Fail("", "is not valid UTF-8")
	}
	whole := p.Read(p.member)
	p.shape().read(&p, whole)
	return p.e, p.Err()
}

// field is a key of the message and its value.
type field struct {
	name  string
	value jsontext.Value
}

// parsing is one event half read.
type parsing struct {
	message.Object
	all []field
	e   Event
}

// maxMembers is how many keys are looked at: none of the shapes has as many.
const maxMembers = 100

// member reads one key and its value.
func (p *parsing) member() bool {
	raw, err := p.Decoder.ReadToken()
	if err != nil {
		return p.Syntax("", err)
	}
	name := raw.String() // before the next read, which ends raw's life
	value, err := p.Decoder.ReadValue()
	if err != nil {
		return p.Syntax(message.Shorten(name, 64), err)
	}
	if len(p.all) == maxMembers {
		p.Fail("", "has more than 100 keys")
		return false
	}
	end := int(p.Decoder.InputOffset())
	p.all = append(p.all, field{name, p.Data[end-len(value) : end : end]})
	return true
}

// get is the value of a key; nil where there is none, and of one that stands there
// twice, the first.
func (p *parsing) get(name string) jsontext.Value {
	for _, f := range p.all {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

// known refuses every key twice, and those that a shape does not have.
func (p *parsing) known(has func(name string) bool, suggest []string) {
	seen := map[string]bool{}
	for _, f := range p.all {
		label := message.Shorten(f.name, 64)
		switch {
		case seen[f.name]:
			p.Fail(label, "appears more than once")
		case !has(f.name):
			p.Fail(label, "unknown"+message.Suggestion(label, suggest))
		}
		seen[f.name] = true
	}
}

// text is the text of a key, where it has one that passes the check.
func (p *parsing) text(name string, value jsontext.Value, check func(string) string) string {
	text, problem := message.StringOf(value)
	if problem == "" {
		problem = check(text)
	}
	if problem != "" {
		p.Fail(name, problem)
		return ""
	}
	return text
}

// need is the text of a key that must be there. Where the end was not reached, it may
// be further on.
func (p *parsing) need(name string, whole bool, check func(string) string) string {
	value := p.get(name)
	if value == nil {
		if whole {
			p.Fail(name, "missing")
		}
		return ""
	}
	return p.text(name, value, check)
}

// body is the value of a key that must be there.
func (p *parsing) body(name string, whole bool) {
	if p.e.Body = p.get(name); p.e.Body == nil && whole {
		p.Fail(name, "missing")
	}
}
