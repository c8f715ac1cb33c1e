package event

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// Text is the event as a message of the queue events, in Efferent's own shape.
func (e Event) Text() []byte { return e.text("{") }

// To is the event as a message of the queue webhooks, to an endpoint.
func (e Event) To(endpoint string) []byte { return e.text(`{"endpoint":"` + endpoint + `",`) }

func (e Event) text(begin string) []byte {
	b := make([]byte, 0, len(begin)+len(e.ID)+len(e.Tenant)+2*len(e.Type)+len(e.Body)+50)
	b = append(b, begin...)
	if e.ID != "" {
		b = append(quoted(b, `"id":`, e.ID), ',')
	}
	b = quoted(b, `"tenant":`, e.Tenant)
	b = quoted(b, `,"event_type":`, e.Type)
	return append(append(append(b, `,"body":`...), e.Body...), '}')
}

func quoted(b []byte, name, text string) []byte {
	b, _ = jsontext.AppendQuote(append(b, name...), text) // what is no UTF-8 becomes U+FFFD
	return b
}

// anEndpoint is as long as the id of every endpoint.
var anEndpoint = "ep_" + strings.Repeat("0", 22)

// Size is how many bytes a message to an endpoint has.
func (e Event) Size() int {
	rest := e
	rest.Body = nil
	return len(rest.To(anEndpoint)) + len(e.Body)
}

// room is what is left of SQS's 1 MiB for what a message carries along once it has been
// received, as attributes, which count ("Amazon SQS message quotas"): without it what
// waits could not be sent again, nor what died be replayed.
const room = 4 << 10

// Fits says why the event can't be sent to any endpoint, by a *message.FieldError: with
// an endpoint's id, and its own, its message may be longer than it was itself.
func (e Event) Fits() error {
	if over := e.Size() - (message.MaxSize - room); over > 0 {
		return &message.FieldError{Field: "body", Problem: fmt.Sprintf("is %d bytes too long: an event has 1 MiB less 4 KiB at most, "+
			"with an endpoint's id, so that SQS takes it again when it waits or is replayed", over)}
	}
	return nil
}
