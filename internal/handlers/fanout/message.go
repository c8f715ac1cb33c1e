package fanout

import (
	"hash/fnv"
	"strconv"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// message is the event as it is sent to an endpoint: a webhook's message.
func (f *fan) message(to string) waiting.Outgoing {
	m := waiting.Outgoing{Body: string(f.event.To(to)), Group: Group(f.event.Tenant, to)}
	if trace := f.trace(); len(trace) > 0 && len(m.Body)+sizeOf(trace) <= message.MaxSize {
		m.Attributes = trace
	}
	return m
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
