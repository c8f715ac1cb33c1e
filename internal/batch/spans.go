package batch

import (
	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/trace"
)

// What a span says of a message ("Semantic conventions for messaging spans").
const (
	system      = "messaging.system"
	destination = "messaging.destination.name"
	operation   = "messaging.operation.name"
	operating   = "messaging.operation.type"
	messageID   = "messaging.message.id"
)

// The attributes of spans that are Efferent's own.
const (
	SpanAttempt = "efferent.attempt"
	SpanVerdict = "efferent.verdict"
)

// TraceOf is the trace of a message's producer, and what the message must carry of it
// when it is sent anew: nothing where an attribute of its own says it.
func TraceOf(m *events.SQSMessage, c message.Carried) (of trace.Context, carry string) {
	from := trace.Message{Parent: m.MessageAttributes[message.TraceParent].StringValue,
		State: m.MessageAttributes[message.TraceState].StringValue, Carried: c.Trace}
	if !c.Resent() {
		from.XRay = m.Attributes[message.TraceHeader]
	}
	of, own := from.Trace()
	if of.Has() && !own {
		carry = of.Parent()
	}
	return of, carry
}

// TracesOf are the traces of received messages, those that have one.
func TracesOf(messages []events.SQSMessage) (all []trace.Context) {
	for n := range messages {
		m := &messages[n]
		if of, _ := TraceOf(m, carriedBy(m)); of.Has() {
			all = append(all, of)
		}
	}
	return all
}

func carriedBy(m *events.SQSMessage) message.Carried {
	return message.CarriedBy(func(name string) *string { return m.MessageAttributes[name].StringValue }, message.SentAt(m.Attributes))
}

// follow finds out which trace the message belongs to, and begins its span there.
func (i *Item) follow() {
	i.Trace, i.carriedTrace = TraceOf(i.Msg, i.Carried)
	if i.Tracer == nil {
		return
	}
	i.span = i.Tracer.Start(trace.Start{Name: "process " + i.kind.Queue, Kind: trace.Consumer, Parent: i.Trace,
		Attributes: []trace.Attribute{trace.Text(system, "aws_sqs"), trace.Text(destination, i.kind.Queue), trace.Text(operation, "process"),
			trace.Text(operating, "process"), trace.Text(messageID, i.Msg.MessageId), trace.Text("efferent."+i.kind.IDName, i.ID)}})
	i.Trace = i.span.Context()
}

// end is what came of a message in this invocation.
type end struct {
	attempt         int
	verdict, reason string
}

// endSpan ends the message's span, once nothing more is done with it but writing down
// what was.
func (i *Item) endSpan() {
	if i.span == nil {
		return
	}
	if i.end.verdict == "" { // it drains, or waits out its time
		i.span.End("")
		return
	}
	i.span.End(i.end.reason, trace.Number(SpanAttempt, i.end.attempt), trace.Text(SpanVerdict, i.end.verdict))
}

// Exchange is the place in the message's trace of an exchange that is about to be made;
// none where there is no trace. Whoever asked for it must end it, with why it failed.
func (i *Item) Exchange(name string, attributes func() []trace.Attribute) (
	place trace.Context, end func(failure string, more ...trace.Attribute)) {
	switch {
	case i.span != nil:
		s := i.Tracer.Start(trace.Start{Name: name, Kind: trace.Client, Parent: i.Trace, Attributes: attributes()})
		return s.Context(), s.End
	case i.Trace.Has():
		place = i.Trace.Next()
	}
	return place, func(string, ...trace.Attribute) {}
}
