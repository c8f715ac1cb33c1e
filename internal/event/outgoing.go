package event

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// Text is the event as a message of the queue events, in Efferent's own shape.
func (e Event) Text() []byte { return e.text(`{"id":"` + e.ID) }

// To is the event as a message of the queue webhooks, to an endpoint.
func (e Event) To(endpoint string) []byte {
	return e.text(`{"endpoint":"` + endpoint + `","id":"` + e.ID)
}

func (e Event) text(begin string) []byte {
	b := make([]byte, 0, len(begin)+len(e.Tenant)+2*len(e.Type)+len(e.Body)+50)
	b = append(append(append(b, begin...), `","tenant":"`...), e.Tenant...)
	b = append(b, `","event_type":`...)
	b, _ = jsontext.AppendQuote(b, e.Type) // its letters are ASCII's
	return append(append(append(b, `,"body":`...), e.Body...), '}')
}

// anEndpoint is as long as the id of every endpoint.
var anEndpoint = "ep_" + strings.Repeat("0", 22)

// Size is how many bytes a message to an endpoint has.
func (e Event) Size() int {
	rest := e
	rest.Body = nil
	return len(rest.To(anEndpoint)) + len(e.Body)
}

// Fits says why the event can't be sent to any endpoint, by a *message.FieldError: with
// an endpoint's id, and its own, its message may be longer than it was itself.
func (e Event) Fits() error {
	if over := e.Size() - message.MaxSize; over > 0 {
		return &message.FieldError{Field: "body", Problem: fmt.Sprintf(
			"is %d bytes too long: with what an endpoint's message has beside it SQS does not take it (1 MiB)", over)}
	}
	return nil
}
