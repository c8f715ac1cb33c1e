package notify

import (
	"cmp"
	"log/slog"
	"slices"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/retry"
)

// state is how far a notification has come in this invocation.
type state int

const (
	fresh  state = iota
	ready        // to be handed over once it is announced
	failed       // it can't be: to be settled without a hand-over
	left         // not done with, and its visibility is right as it is
	done         // sent: to be deleted from the queue
)

// notice is one message in one invocation.
type notice struct {
	*batch
	msg      *events.SQSMessage
	state    state
	n        channel.Notification
	carried  message.Carried
	id       string
	policy   retry.Policy
	receives int
	// number is that of the next attempt. Base is how many do not count: those
	// before a redrive that kept the message's id.
	number, base int
	// tries are the attempts on each channel; failures the channels that are
	// done with, in order.
	tries    map[channel.Name]int
	failures []string
	// announced says that the ledger knows of the hand-over to come; recorded
	// that the last attempt is kept.
	announced, recorded bool
	// why is what refuse says; held is the claim on the SMS.
	why      string
	held     claim.Claim
	outcomes []ledger.Entry
}

// prepare decides what is to be done with the message, short of doing it.
func (n *notice) prepare() {
	var malformed error
	n.n, malformed = channel.Decode([]byte(n.msg.Body))
	n.carried = message.CarriedBy(func(name string) *string { return n.msg.MessageAttributes[name].StringValue })
	// A message without an id keeps the one that it was first tried under.
	n.id = cmp.Or(n.n.ID, n.carried.ID, n.msg.MessageId)
	n.receives, n.number, n.tries = message.ReceiveCount(n.msg.Attributes), 1, map[channel.Name]int{}
	if n.receives > 1 && !n.resume() {
		return
	}
	n.state = ready
	if malformed == nil {
		n.policy, malformed = n.Policies.Lookup(n.carried.Retry)
	}
	if malformed != nil {
		n.state, n.why = failed, malformed.Error()
	}
}

// resume goes on where the message's history ends and reports whether a new
// attempt is due now.
func (n *notice) resume() bool {
	history, err := n.Attempts.OfMessage(n.writes, n.id, n.msg.MessageId)
	if err != nil {
		n.Log.Error("the attempts so far can't be read, so the message waits", n.names(), "error", err)
		n.state = left
		return false
	}
	if len(history) == 0 {
		return true
	}
	last := history[len(history)-1]
	n.number, n.base = last.Attempt+1, attempt.LastBefore(history, message.RedrivenAt(n.msg.Attributes))
	if n.base == last.Attempt {
		n.receives = 1
		return true
	}
	for _, r := range history {
		if r.Attempt > n.base {
			n.tries[channel.Name(r.Channel)]++
		}
	}
	n.failures = last.FailedChannels
	switch {
	case last.Verdict == attempt.Delivered:
		// The invocation that sent it ended before the queue knew, and perhaps before the ledger did.
		n.state, n.recorded = done, true
		n.outcomes = append(n.outcomes, n.outcome(last))
		return false
	case last.Verdict.Final():
		n.drain()
		return false
	}
	if wait := retry.Remaining(n.Now(), last.NextAt); wait > 0 {
		n.hide(wait)
		return false
	}
	return true
}

// current is the channel that is next; empty when every one has failed.
func (n *notice) current() channel.Name {
	for _, on := range n.n.Chain() {
		if !slices.Contains(n.failures, string(on)) {
			return on
		}
	}
	return ""
}

// run hands the notification over, channel after channel, until it is sent or
// has to wait.
func (n *notice) run() {
	if n.state == failed {
		n.refuse()
	}
	for n.state == ready {
		if n.late() {
			n.hide(0)
			return
		}
		n.try(n.current())
	}
}

// late reports whether the invocation has no time for another hand-over.
func (n *notice) late() bool {
	return n.sends.Err() != nil || !n.last.IsZero() && n.Now().After(n.last)
}

// try makes one attempt on a channel.
func (n *notice) try(on channel.Name) {
	r := n.record(on)
	out, sent := n.handOver(on, r)
	if !sent {
		return
	}
	if out.Paced && n.mayQueue() {
		n.queueUp(r, out)
		return
	}
	n.settle(r, out)
}

// handOver asks the channel's provider, once. It reports false when nothing was
// decided: the message comes back, or is settled already.
func (n *notice) handOver(on channel.Name, r *attempt.Record) (channel.Outcome, bool) {
	announced := n.announced
	n.announced = false
	address := n.n.Address(on)
	sender, out := n.sender(on, address)
	if out.Class != "" {
		return out, true
	}
	if !announced && !n.announceNext() {
		return out, false
	}
	if on == channel.SMS && !n.claim(r) {
		return out, false
	}
	r.At = n.Now()
	out = sender.Send(n.sends, n.n.Handover(n.id, address))
	r.DurationMS = n.Now().Sub(r.At).Milliseconds()
	if n.sends.Err() != nil && !out.Sent() && out.Class != channel.Unknown {
		n.Log.Warn("the invocation ended before the hand-over did; the message comes back", n.names(), "channel", on)
		n.unclaim(on)
		n.state = left
		return out, false
	}
	return out, true
}

// announceNext tells the ledger of a hand-over that the batch's intents did not
// tell of: one that follows another.
func (n *notice) announceNext() bool {
	if err := n.Audit.Append(n.writes, n.key, []ledger.Entry{n.intent()}); err != nil {
		n.Log.Error("not sent: the audit queue can't be written", n.names(), "error", err)
		n.state = left
		return false
	}
	return true
}

func (n *notice) record(on channel.Name) *attempt.Record {
	return &attempt.Record{
		Notification: true, WebhookID: n.id, MessageID: n.msg.MessageId, Attempt: n.number, At: n.Now(), Tenant: n.n.Tenant,
		Channel: string(on), Recipient: n.n.Address(on), Origin: cmp.Or(n.carried.Origin, n.msg.MessageId),
	}
}

// names is how every log line names its message.
func (n *notice) names() slog.Attr {
	return slog.Group("", "notification_id", n.id, "message_id", n.msg.MessageId)
}
