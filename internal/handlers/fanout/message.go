package fanout

import (
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// message is the event as it is sent to an endpoint: a webhook's message.
func (f *fan) message(to string) waiting.Outgoing {
	m := waiting.Outgoing{Body: string(f.event.To(to)), Group: event.Group(f.event.Tenant, to)}
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
