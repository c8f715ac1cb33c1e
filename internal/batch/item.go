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
	"github.com/efferent/efferent/internal/retry"
)

// State is how far a message has come in this invocation.
type State int

// The states. Only Done messages are deleted from the queue.
const (
	Fresh   State = iota
	Ready         // to be sent once it is announced
	Refused       // it can't be sent: to be settled without being announced
	Left          // not done with, and its visibility is right as it is
	Done          // sent
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
	// Origin is the SQS id under which it was first received.
	Origin string
	// Tenant is whose it is, empty where it is nobody's.
	Tenant string
	// Receives counts this receive too; after a redrive that kept the message's
	// id, those since.
	Receives int
	// Number is that of the attempt to come. Attempts up to the number Base do
	// not count: those before such a redrive.
	Number, Base int
	// History are the attempts since Base, in order, those that Keep has kept in
	// this invocation too.
	History []attempt.Record

	job      Job
	receipts []string
	// sent is the attempt that a Done message was sent by; recorded says that
	// it is kept.
	sent     attempt.Record
	recorded bool
	outcomes []outcome
}

// Identify finds out what the message is known by; id and tenant are its
// producer's, empty where there is none.
func (i *Item) Identify(id, tenant string) {
	i.Tenant = tenant
	i.Carried = message.CarriedBy(func(name string) *string { return i.Msg.MessageAttributes[name].StringValue },
		message.SentAt(i.Msg.Attributes))
	i.ID = cmp.Or(id, i.Carried.ID, i.Msg.MessageId)
	i.Origin = cmp.Or(i.Carried.Origin, i.Msg.MessageId)
	i.Receives, i.Number = message.ReceiveCount(i.Msg.Attributes), 1
}

// Policy is the message's retry policy: the one that it carries, or else the
// one that it names.
func (i *Item) Policy(named string) (retry.Policy, error) {
	return i.Policies.Lookup(cmp.Or(i.Carried.Retry, named))
}

// Resume goes on where the message's history ends and reports whether a new
// attempt is due now. Otherwise the message is done with: it was sent, drains,
// waits out the rest of its delay, or can't be known to be any of that. The
// first receive of a message reads nothing.
func (i *Item) Resume(ctx context.Context) bool {
	if i.Receives <= 1 {
		return true
	}
	history, err := i.Attempts.OfMessage(ctx, i.ID, i.Msg.MessageId)
	if err != nil {
		i.Log.Error("the attempts so far can't be read, so the message waits", i.Names(), "error", err)
		i.State = Left
		return false
	}
	if len(history) == 0 {
		return true
	}
	last := history[len(history)-1]
	i.Number = last.Attempt + 1
	i.tellLate(history)
	if i.startAfresh(history) {
		return true
	}
	switch {
	case last.Verdict == attempt.Delivered:
		// The invocation that sent it ended before the queue knew, and perhaps before the ledger did.
		i.State, i.recorded = Done, true
		i.tellOf(&last)
		return false
	case last.Verdict.Final():
		i.Drain()
		return false
	}
	if wait := retry.Remaining(i.Now(), last.NextAt); wait > 0 {
		i.Hide(wait)
		return false
	}
	return true
}

// startAfresh reports whether the message was redriven since its last attempt,
// under its old id.
func (i *Item) startAfresh(history []attempt.Record) bool {
	i.Base = attempt.LastBefore(history, message.RedrivenAt(i.Msg.Attributes))
	if i.Base > 0 {
		i.Receives = i.Number - i.Base
	}
	for n, r := range history {
		if r.Attempt > i.Base {
			i.History = history[n:]
			return false
		}
	}
	return true
}

// Begin is the record of the attempt to come, with what it is known by.
func (i *Item) Begin() attempt.Record {
	return attempt.Record{WebhookID: i.ID, MessageID: i.Msg.MessageId, Origin: i.Origin, Attempt: i.Number}
}

// Made is how many attempts count, the one at hand included.
func (i *Item) Made() int {
	made := i.Number - i.Base
	for _, r := range i.History {
		if r.Uncounted {
			made--
		}
	}
	return made
}

// LastEnded is when the last attempt of the history ended, zero where there is
// none.
func (i *Item) LastEnded() time.Time {
	if len(i.History) == 0 {
		return time.Time{}
	}
	return i.History[len(i.History)-1].Ended()
}

// Writes is the context for what must be written down: it outlives the sending.
func (i *Item) Writes() context.Context { return i.writes }

// Names is how every log line names its message.
func (i *Item) Names() slog.Attr {
	return slog.Group("", i.kind.IDName, i.ID, "message_id", i.Msg.MessageId)
}

// Redactor is that of entries of a time.
func (i *Item) Redactor(at time.Time) *ledger.Redactor { return i.Redactors.Redactor(i.writes, at) }

// Entry is a line for the ledger about one of the message's attempts.
func (i *Item) Entry(action string, attempt int, resource string, at time.Time) ledger.Entry {
	return ledger.Entry{
		Action: action, Actor: i.kind.Actor, Attempt: attempt,
		ID:        i.Msg.MessageId + "#" + strconv.Itoa(attempt),
		MessageID: i.Msg.MessageId, Resource: resource, Tenant: i.Tenant, Timestamp: at, WebhookID: i.ID,
	}
}
