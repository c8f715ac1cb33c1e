package notify

import (
	"context"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/waiting"
)

// Why a message waits, or is given up on a channel, that nobody has refused.
const (
	inLine = "waits for its turn at the provider's pace"
	noTurn = "it has no turn at the provider's pace by the message's deadline"
)

// patient is the policy on the last channel that there is, for a message that names
// none: nobody takes it after that.
const patient = "patient"

// maxLimited is how long a message waits in all for a provider's limit on the last
// channel.
const maxLimited = 24 * time.Hour

// lineUp takes the message's turn on its channel, together with others of the batch,
// before anything is announced: who has to wait is not. What fails here is looked at
// again when it is sent.
func (n *notice) lineUp(ctx context.Context) {
	on := n.current()
	s, out, err := n.reach(ctx, on)
	switch {
	case n.listed.err != nil:
		n.Trouble(n.listed.err.Error())
		return
	case err != nil || out.Class != "" || !n.takeTurn(ctx, on, s):
		return
	}
	if at := n.turn.At; !n.turn.Go && !at.IsZero() {
		n.Later(func() { n.wait(n.record(on), at, inLine) })
	}
}

// takeTurn asks for the message's turn on a channel, and reports whether it was
// answered.
func (n *notice) takeTurn(ctx context.Context, on channel.Name, s channel.Sender) bool {
	l := channel.LimitOf(s, on, n.message.Address(on))
	wish := pace.Wish{Back: n.refused || n.Held[string(waiting.Limit)] > 0, Until: n.until(on)}
	turn, err := n.needs.Pace.Turn(ctx, l.Key, l.Rate, wish)
	if err != nil {
		return false
	}
	n.turn, n.turnOn = turn, on
	return true
}

// hasTurn waits for the message's turn on a channel, once it is announced, and reports
// whether that is now. Otherwise out and asked are as handOver has them.
func (n *notice) hasTurn(ctx context.Context, on channel.Name, s channel.Sender, r *attempt.Record, announced bool) (
	out channel.Outcome, asked, now bool) {
	switch {
	case n.turnOn != on && !n.takeTurn(ctx, on, s):
		n.comeBack()
	case n.turn.At.IsZero():
		n.FailedBy(string(channel.Limited))
		return channel.Failed(channel.Limited, 0, noTurn), true, false
	case !n.turn.Go:
		n.wait(r, n.turn.At, inLine)
	case !announced && !n.Announce():
	case n.needs.Pace.Await(ctx, n.turn.At) != nil:
		r.Class = string(channel.Limited)
		n.Tell(n.Outcome(*r))
		n.comeBack()
	default:
		return out, false, true
	}
	return out, false, false
}

// limited is after a provider has refused to take so much: everybody slows down, and
// the message goes to the end of the line. It is no attempt.
func (n *notice) limited(ctx context.Context, on channel.Name, s channel.Sender, r *attempt.Record, out channel.Outcome) {
	tell(r, out)
	n.unclaim(on)
	n.Tell(n.Outcome(*r))
	var until time.Time
	if out.RetryAfter > 0 {
		until = n.Now().Add(out.RetryAfter)
	}
	l := channel.LimitOf(s, on, n.message.Address(on))
	n.needs.Pace.Slow(l.Key, l.Rate, until)
	again := !n.refused
	n.refused = true
	switch {
	case !n.takeTurn(ctx, on, s):
		n.wait(r, n.Now().Add(max(out.RetryAfter, time.Second)), out.Reason)
	case n.turn.At.IsZero():
		r.Reason = batch.Because(r.Reason, noTurn)
		n.over(r)
	case !n.turn.Go || !again:
		n.wait(r, n.turn.At, out.Reason)
	default:
		n.Log.InfoContext(n.Writes(), "the provider takes no more just now", n.Names(), "channel", on, "status", out.Status, "reason", out.Reason)
	}
}

// wait leaves the message until its turn: in its queue up to two minutes, in the
// waiting room beyond.
func (n *notice) wait(r *attempt.Record, at time.Time, why string) {
	r.Class, r.FailedChannels = string(channel.Limited), n.failures
	n.HoldFor(*r, batch.Hold{Why: why, Reason: waiting.Limit, Wait: max(at.Sub(n.Now()), time.Second)})
}

// until is how long the message may wait for a channel: up to its deadline while there
// is another, but for what it can be kept in hand.
func (n *notice) until(on channel.Name) time.Time {
	if n.only(on) {
		return n.begun().Add(maxLimited)
	}
	if soon := n.Now().Add(Patience); soon.After(n.deadline()) {
		return soon
	}
	return n.deadline()
}

// deadline is when the message goes on to its next channel, if there is one.
func (n *notice) deadline() time.Time { return n.begun().Add(n.message.TimeLeft()) }

// begun is when somebody sent the message: its producer, or who replayed it.
func (n *notice) begun() time.Time {
	if sent := message.SentAt(n.Msg.Attributes); n.Carried.Anew() && !sent.IsZero() && !sent.After(n.Now()) {
		return sent
	}
	return n.First
}

// policyOn is the retry policy on a channel.
func (n *notice) policyOn(on channel.Name) retry.Policy {
	named := n.message.Retry
	if named == "" && n.only(on) {
		named = patient
	}
	p, _ := n.Policy(named) // Prepare has looked it up
	return p
}

// worthIt reports whether a channel is tried again after a wait rather than the next
// one now.
func (n *notice) worthIt(on channel.Name, wait time.Duration) bool {
	switch {
	case n.only(on):
		return true
	case n.message.Retry == "" && wait > retry.InQueue:
		return false
	}
	return !n.Now().Add(wait).After(n.deadline())
}
