package batch

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/trace"
	"github.com/efferent/efferent/internal/waiting"
)

// State is how far a message has come in this invocation.
type State int

// The states. Only Done and Moved messages are deleted from the queue.
const (
	Fresh    State = iota
	Ready          // to be sent once it is announced
	Refused        // it can't be sent: to be settled without being announced
	Troubled       // it can't be sent now: to be held
	Left           // not done with, and its visibility is right as it is
	Moved          // it waits in the waiting room
	Done           // sent
)

// Item is one message in one invocation. It is used by one goroutine at a time.
type Item struct {
	*batch
	Msg   *events.SQSMessage
	State State
	// Carried is what the message took along when it was sent anew.
	Carried message.Carried
	// ID is what it is known by: its producer's id, the one that it was first
	// tried under, or its SQS id.
	ID string
	// Origin is the SQS id under which it was first received, First when that was.
	Origin string
	First  time.Time
	// Tenant is whose it is, empty where it is nobody's.
	Tenant string
	// Receives counts this receive too; after a redrive that kept the message's
	// id, those since.
	Receives int
	// Number is that of the attempt to come. Attempts up to the number Base do
	// not count: those before a redrive or a replay.
	Number, Base int
	// Held is how long it has been held so far, by the reason.
	Held message.Held
	// Await tells the circuit of an item that messages wait for it, before that enters
	// the room. Who waits for circuits sets it before Resume.
	Await func(ctx context.Context, item *waiting.Item) error

	// Trace is where the message is in its producer's trace, or in the one of the spans
	// that are made of it; none where there is neither.
	Trace trace.Context

	// History are the attempts since Base, in order, as far as they were read:
	// those under its present SQS id, and those that were kept in this
	// invocation.
	History []attempt.Record

	job      Job
	receipts []string
	// later is what is done with a message that is Troubled.
	later func()
	// sent is the attempt that a Done message was sent by; recorded says that
	// it is kept, or what moved it.
	sent     attempt.Record
	recorded bool
	// dead says that its end is recorded.
	dead    bool
	reports []report
	// carriedTrace is the trace that it carries from now on, span what is made of it.
	carriedTrace string
	span         trace.Span
	end          end
	// try is the attempt at hand; events are what the batch is to tell of.
	try    try
	events []metric.Event
}

// Identify finds out what the message is known by; id and tenant are its
// producer's, empty where there is none.
func (i *Item) Identify(id, tenant string) {
	i.Tenant = tenant
	i.Carried = carriedBy(i.Msg)
	i.ID = cmp.Or(id, i.Carried.ID, i.Msg.MessageId)
	i.Origin = cmp.Or(i.Carried.Origin, i.Msg.MessageId)
	i.First = i.Carried.FirstReceived(i.Msg.Attributes, i.Now())
	i.Receives = message.ReceiveCount(i.Msg.Attributes)
	i.Number, i.Base, i.Held = i.Carried.Attempts+1, i.Carried.Base, i.Carried.Held
	i.follow()
}

// Policy is the message's retry policy: the one that it carries, or else the
// one that it names. One that it carries and nobody knows is passed over: a
// producer can set it, and that must not keep the message from being sent.
func (i *Item) Policy(named string) (retry.Policy, error) {
	if carried := i.Carried.Retry; carried != "" {
		if p, err := i.Policies.Lookup(carried); err == nil {
			return p, nil
		}
	}
	return i.Policies.Lookup(named)
}

// Trouble says that the message can't be sent now, by trouble of our own: it is
// to be held.
func (i *Item) Trouble(why string) {
	i.Later(func() { i.Hold(i.job.Record(), why) })
}

// Later says that the message can't be sent now, and what is to be done with it
// once those that can be were announced.
func (i *Item) Later(do func()) { i.State, i.later = Troubled, do }

// Begin is the record of the attempt to come, with what it is known by.
func (i *Item) Begin() attempt.Record {
	return attempt.Record{WebhookID: i.ID, MessageID: i.Msg.MessageId, Origin: i.Origin, Attempt: i.Number, TraceID: i.Trace.ID()}
}

// Made is how many attempts count, the one at hand included.
func (i *Item) Made() int { return i.Number - i.Base - i.uncounted() }

// uncounted is how many attempts of the history use up none of the policy's.
func (i *Item) uncounted() (n int) {
	for _, r := range i.History {
		if r.Uncounted {
			n++
		}
	}
	return n
}

// LastEnded is when the last attempt had ended, zero where there is none. One that
// is not recalled had by the time when its message came out of the waiting room.
func (i *Item) LastEnded() time.Time {
	switch tried := len(i.History); {
	case tried > 0:
		return i.History[tried-1].Ended()
	case !i.Carried.Anew():
		return i.Carried.Released
	}
	return time.Time{}
}

// Writes is the context for what must be written down: it outlives the sending.
func (i *Item) Writes() context.Context { return i.times.tells }

// Names is how every log line names its message.
func (i *Item) Names() slog.Attr {
	if !i.Trace.Has() {
		return slog.Group("", i.kind.IDName, i.ID, "message_id", i.Msg.MessageId)
	}
	return slog.Group("", i.kind.IDName, i.ID, "message_id", i.Msg.MessageId, "trace_id", i.Trace.ID())
}

// Redactor is that of entries of a time.
func (i *Item) Redactor(at time.Time) *ledger.Redactor {
	return i.Redactors.Redactor(i.times.tells, at)
}

// Entry is a line for the ledger about one of the message's attempts.
func (i *Item) Entry(action string, attempt int, resource string, at time.Time) ledger.Entry {
	return ledger.Entry{
		Action: action, Actor: i.kind.Actor, Attempt: attempt,
		ID:        i.Msg.MessageId + "#" + strconv.Itoa(attempt),
		MessageID: i.Msg.MessageId, Resource: resource, Tenant: i.Tenant, Timestamp: at, WebhookID: i.ID,
	}
}
