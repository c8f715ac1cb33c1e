package batch

import (
	"context"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/waiting"
)

// inQueue reports whether a wait is spent in SQS: it is short, and there is a
// receive for the next try, and one for a crash.
func (i *Item) inQueue(wait time.Duration) bool {
	return wait <= retry.InQueue && i.Receives <= i.MaxReceives-2
}

// Wait keeps the record of a try that another one follows after a wait, has the
// message wait for that one, and reports whether it does. Where there is neither
// a place in the waiting room nor a receive left for it the message is exhausted.
func (i *Item) Wait(r attempt.Record, wait time.Duration, why waiting.Reason) bool {
	return i.wait(r, Hold{Wait: wait, Reason: why})
}

// WaitFor is Wait, for a circuit where the Hold names one. Its Why and its Most say
// nothing here.
func (i *Item) WaitFor(r attempt.Record, h Hold) bool { return i.wait(r, h) }

// wait is Wait, for a circuit where one is named: a message that does not stay in
// its queue then waits for that, however long it takes. What it is held for so is
// counted when it comes out.
func (i *Item) wait(r attempt.Record, h Hold) bool {
	var item waiting.Item
	r.NextAt, r.Held = i.Now().Add(h.Wait), i.Held.String()
	if h.Circuit != "" && (h.Leave || !i.inQueue(h.Wait)) {
		r.Circuit, r.Paused = h.Circuit, h.Reason == waiting.Paused
		if item = i.roomItem(&r); item.Fits() {
			r.Waiting = true
			return i.keepWaiting(r, item, h.Wait)
		}
		r.Circuit, r.Paused = "", false
	}
	if h.Reason != waiting.Delay {
		i.Held = i.Held.With(string(h.Reason), h.Wait)
		r.Held = i.Held.String()
	}
	if h.Circuit == "" && !i.inQueue(h.Wait) {
		item = i.roomItem(&r)
		r.Waiting = item.Fits()
	}
	return i.keepWaiting(r, item, h.Wait)
}

// keepWaiting keeps the record of what waits, as an item in the room or in its
// queue.
func (i *Item) keepWaiting(r attempt.Record, item waiting.Item, wait time.Duration) bool {
	if !r.Waiting && i.Receives >= i.MaxReceives {
		return i.noReceive(r)
	}
	if !i.Keep(r) {
		return false
	}
	if r.Waiting {
		return i.enter(item)
	}
	i.Hide(wait)
	return true
}

// noReceive ends a message that could be tried again, but won't be received.
func (i *Item) noReceive(r attempt.Record) bool {
	if r.Verdict == attempt.Held {
		i.FailedBy(metric.Overdue)
	}
	r.Verdict, r.NextAt = attempt.Exhausted, time.Time{}
	r.Reason = Because(r.Reason, "receive budget used up, and the message is too large for the waiting room")
	i.End(r)
	return false
}

// enter moves the message into the waiting room. Where that can't be done its
// record has the next receive do it.
func (i *Item) enter(item waiting.Item) bool {
	ctx, stop := i.times.write()
	defer stop()
	if _, err := i.enterRoom(ctx, item); err != nil {
		i.Log.ErrorContext(i.Writes(), "the waiting room can't be entered, so the message waits in its queue", i.Names(), "error", err)
		i.Blind()
		return false
	}
	i.moved()
	return true
}

// moved says that the message is in the room.
func (i *Item) moved() {
	i.State, i.recorded = Moved, true
	i.note(metric.RoomEntered, 1, metric.Labels{})
}

// enterRoom puts an item there, once whoever lets it out knows that it is to be
// looked for.
func (i *Item) enterRoom(ctx context.Context, item waiting.Item) (waiting.State, error) {
	if item.Circuit != "" {
		if err := i.Await(ctx, &item); err != nil {
			return "", err
		}
	}
	return i.Room.Enter(ctx, item)
}

// moveAgain repeats the move of a message into the waiting room that is received
// once more, and reports whether its attempt is due here and now: where it had
// never come into the room before it was due, it need not.
func (i *Item) moveAgain(ctx context.Context, last attempt.Record) bool {
	item := i.roomItem(&last)
	if item.Circuit == "" && !i.Now().Before(item.Due) {
		item = item.Settled(waiting.Kept)
	}
	state, err := i.enterRoom(ctx, item)
	switch {
	case err != nil:
		i.Log.ErrorContext(i.Writes(), "the waiting room can't be entered, so the message waits in its queue", i.Names(), "error", err)
		i.Blind()
		return false
	case state == waiting.Kept:
		return true
	}
	i.moved()
	return false
}

// roomItem is the message as it waits for what follows a record.
func (i *Item) roomItem(r *attempt.Record) waiting.Item {
	due := r.NextAt
	if r.Circuit != "" {
		due = i.First
	}
	return waiting.Item{
		Queue: i.kind.Queue, MessageID: i.Msg.MessageId, Attempt: r.Attempt, Due: due, Circuit: r.Circuit, State: waiting.Waiting,
		Body: i.Msg.Body, Group: i.Msg.Attributes["MessageGroupId"], Attributes: i.attributes(), Carried: i.carried(r),
		WebhookID: i.ID, Tenant: i.Tenant, URL: withoutQuery(r.URL), Channel: r.Channel, Reason: reasonOf(r), Why: r.Reason, Since: i.Now(),
	}
}

// reasonOf is why a message waits after an attempt.
func reasonOf(r *attempt.Record) waiting.Reason {
	switch {
	case r.Paused:
		return waiting.Paused
	case r.Circuit != "":
		return waiting.Circuit
	case r.Verdict == attempt.Held && r.Class != "":
		return waiting.Limit
	case r.Verdict == attempt.Held:
		return waiting.Trouble
	case r.Uncounted:
		return waiting.Asked
	}
	return waiting.Delay
}

// carried is what the message takes along into its next life in SQS.
func (i *Item) carried(r *attempt.Record) message.Carried {
	c := message.Carried{
		ID: i.ID, Origin: i.Origin, Attempts: r.Attempt, Base: i.baseAfter(r), First: i.First, Retry: i.Carried.Retry,
		Held: message.ParseHeld(r.Held), Trace: i.carriedTrace, Claim: i.Carried.Claim,
	}
	if r.Verdict == attempt.Held { // it is still to be made
		c.Attempts--
	}
	return c
}

// baseAfter is how many of the attempts do not count, the one of the record
// included, which may be in the history already. What is recalled says by itself
// whether it counts.
func (i *Item) baseAfter(r *attempt.Record) int {
	base := i.Base
	if i.kind.Recalls {
		return base
	}
	for _, h := range i.History {
		if h.Uncounted && h.Attempt != r.Attempt {
			base++
		}
	}
	if r.Uncounted {
		base++
	}
	return base
}

// Onward is the message as it goes on, in a message of its own, after an attempt that
// was taken and came back. Who goes on then is still to be claimed.
func (i *Item) Onward(r attempt.Record) waiting.Item {
	item := i.roomItem(&r)
	item.Carried.Claim = ""
	return item
}

// Part is what a part of the message goes on as, in a message of its own: in the
// same group, with its producer's attributes, its policy and its trace.
func (i *Item) Part(body string) waiting.Outgoing {
	attributes := map[string]message.Attribute{}
	for name, a := range i.attributes() {
		if !message.IsCarried(name) {
			attributes[name] = a
		}
	}
	for name, text := range (message.Carried{Retry: i.Carried.Retry, Trace: i.carriedTrace}).Attributes() {
		attributes[name] = message.Text(text)
	}
	return waiting.Outgoing{Body: body, Group: i.Msg.Attributes["MessageGroupId"], Attributes: attributes}
}

// Replaced says that the message goes on in others, its parts or its twin: it is done
// with.
func (i *Item) Replaced() { i.State, i.recorded = Moved, true }

// attributes are the message's own.
func (i *Item) attributes() map[string]message.Attribute {
	var all map[string]message.Attribute
	for name, a := range i.Msg.MessageAttributes {
		if all == nil {
			all = map[string]message.Attribute{}
		}
		one := message.Attribute{Type: a.DataType, Binary: a.BinaryValue}
		if a.StringValue != nil {
			one.Text = *a.StringValue
		}
		all[name] = one
	}
	return all
}

func withoutQuery(url string) string {
	for n := range len(url) {
		if url[n] == '?' || url[n] == '#' {
			return url[:n]
		}
	}
	return url
}
