package fanout

import (
	"fmt"
	"hash/fnv"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// message is the event as it is sent to an endpoint: a webhook's message.
func (f *fan) message(to string) waiting.Outgoing {
	m := waiting.Outgoing{Body: string(append(append(f.head(to), f.event.Body...), '}')), Group: Group(f.event.Tenant, to)}
	if trace := f.trace(); len(trace) > 0 && len(m.Body)+sizeOf(trace) <= message.MaxSize {
		m.Attributes = trace
	}
	return m
}

// head is what stands before the body.
func (f *fan) head(to string) []byte {
	const before = `{"endpoint":"","id":"","tenant":"","event_type":"","body":`
	b := make([]byte, 0, len(before)+len(to)+len(f.ID)+len(f.event.Tenant)+2*len(f.event.Type)+len(f.event.Body)+1)
	b = append(append(b, `{"endpoint":"`...), to...)
	b = append(append(b, `","id":"`...), f.ID...)
	b = append(append(b, `","tenant":"`...), f.event.Tenant...)
	b = append(b, `","event_type":`...)
	b, _ = jsontext.AppendQuote(b, f.event.Type) // its letters are ASCII's
	return append(b, `,"body":`...)
}

// size is how long a message is.
func (f *fan) size() int { return len(f.head(longestID)) + len(f.event.Body) + 1 }

// longestID stands for an endpoint's: they are all as long.
var longestID = endpoint.NewID()

// fits says why the event can't be sent to any endpoint. With an endpoint's id, and its
// own, it may be longer than it was.
func (f *fan) fits() error {
	if over := f.size() - message.MaxSize; over > 0 {
		return &message.FieldError{Field: "body", Problem: fmt.Sprintf(
			"is %d bytes too long: with what an endpoint's message must have beside it SQS does not take it (1 MiB)", over)}
	}
	return nil
}

// trace are the attributes by which the event's trace goes on.
func (f *fan) trace() map[string]message.Attribute {
	if !f.Trace.Has() {
		return nil
	}
	all := map[string]message.Attribute{message.TraceParent: message.Text(f.Trace.Parent())}
	if state := f.Msg.MessageAttributes[message.TraceState].StringValue; state != nil && *state != "" {
		all[message.TraceState] = message.Text(*state)
	}
	return all
}

func sizeOf(attributes map[string]message.Attribute) (size int) {
	for name, a := range attributes {
		size += a.Size(name)
	}
	return size
}

// shares is over how many message groups a tenant's endpoints are spread: one that is
// dead takes as large a part of its tenant's turn, and a tenant at most so many turns.
const shares = 8

// Group is the message group of what goes to an endpoint of a tenant ("Amazon SQS fair
// queues").
func Group(tenant, endpoint string) string {
	h := fnv.New32a()
	h.Write([]byte(endpoint))
	return tenant + "/" + strconv.FormatUint(uint64(h.Sum32()%shares), 10)
}
