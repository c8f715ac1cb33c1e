package notify

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/retry"
)

// sender is the channel's; where there is none the outcome says why.
func (n *notice) sender(on channel.Name, address string) (channel.Sender, channel.Outcome) {
	s, err := n.Senders.Sender(n.writes, on, time.Time{})
	switch {
	case errors.Is(err, channel.ErrNotConfigured):
		return nil, channel.Outcome{Class: channel.Configuration, Reason: err.Error()}
	case err != nil:
		return nil, channel.Outcome{Class: channel.Transient, Reason: err.Error()}
	case address == "" && !addressless(s):
		return nil, channel.Outcome{Class: channel.Configuration, Reason: "the message has no address for " + string(on)}
	}
	return s, channel.Outcome{}
}

// addressless reports whether a sender has its one recipient by itself: a Slack
// webhook posts to its own channel.
func addressless(s channel.Sender) bool {
	a, ok := s.(interface{ Addressless() bool })
	return ok && a.Addressless()
}

// settle decides by the class what comes next, and writes the record first.
//
//	permanent, configuration  the next channel, now
//	transient                 the channel's retries, then the next channel
//	unknown                   the same for email and Slack; an SMS is parked
//	opted out                 the end, unless the message wants the others
func (n *notice) settle(r *attempt.Record, out channel.Outcome) {
	on := channel.Name(r.Channel)
	r.Class, r.Reason, r.Status, r.ProviderID = string(out.Class), out.Reason, out.Status, out.ProviderID
	r.Response = out.Response
	n.tries[on]++
	if out.Class == channel.Configuration {
		n.Misconfigured(on)
	}
	switch {
	case out.Sent():
		n.sent(r)
		return
	case on == channel.SMS && out.Class == channel.Unknown:
		n.end(r, attempt.Exhausted, "an SMS whose outcome is unknown is not sent again, nor anywhere else")
		return
	}
	n.unclaim(on)
	if out.Class == channel.OptedOut && !n.n.FallbackOnOptOut {
		n.end(r, attempt.Permanent, "the recipient has opted out, and the message does not want another channel")
		return
	}
	if out.Class == channel.Transient || out.Class == channel.Unknown {
		step := retry.Next(retry.Tried{
			Policy: n.policy, Attempt: n.tries[on], Verdict: attempt.Retryable, RetryAfter: out.RetryAfter,
			Receives: n.receives, MaxReceives: n.MaxReceives,
		}, n.Jitter)
		if step.Verdict == attempt.Retryable && (step.Delay <= retry.MaxDelay || n.only(on)) {
			n.again(r, step.Delay)
			return
		}
		r.Reason = joinReasons(r.Reason, step.Reason)
	}
	n.over(r)
}

// only reports whether a channel is the last one there is.
func (n *notice) only(on channel.Name) bool {
	return len(n.n.Chain()) == len(n.failures)+1 && n.current() == on
}

// sent records that a provider took it. It is done with even if that fails: a
// gap in the history beats a second message.
func (n *notice) sent(r *attempt.Record) {
	r.Verdict, r.FailedChannels = attempt.Delivered, n.failures
	n.state, n.recorded = done, true
	n.settleClaim(r)
	if err := n.Attempts.Put(n.writes, []attempt.Record{*r}); err != nil {
		n.recorded = false
		n.Log.Error("a sent notification was not recorded", n.names(), "error", err)
	}
	n.outcomes = append(n.outcomes, n.outcome(*r))
	n.Log.Info("sent", n.names(), "channel", r.Channel, "failed_channels", n.failures, "recipient", r.Recipient, "provider_id", r.ProviderID)
}

// again records a failure that the same channel is tried after.
func (n *notice) again(r *attempt.Record, delay time.Duration) {
	r.Verdict, r.NextAt, r.FailedChannels = attempt.Retryable, n.Now().Add(delay), n.failures
	if n.keep(r) {
		n.hide(delay)
	}
}

// mayQueue reports whether the message may wait for a channel's turn once more:
// half of its receives are kept for attempts.
func (n *notice) mayQueue() bool { return n.receives <= n.MaxReceives/2 }

// queueUp waits for the turn of a channel that has too much to do: no attempt
// was made. The waits grow and differ, so that a queue that is longer than one
// invocation can work off is asked for less and less often.
func (n *notice) queueUp(r *attempt.Record, out channel.Outcome) {
	r.Class = string(out.Class)
	n.outcomes = append(n.outcomes, n.outcome(*r))
	wait := min(max(out.RetryAfter, time.Second<<min(n.receives, 7)), retry.MaxDelay)
	wait += time.Duration(n.Jitter() * float64(wait))
	n.Log.Info("the message waits for its turn", n.names(), "channel", r.Channel, "wait", wait.String())
	n.hide((wait + time.Second - 1).Truncate(time.Second))
}

// over records that a channel is done with. Where there is another one it is
// next, at once; otherwise every channel has failed.
func (n *notice) over(r *attempt.Record) {
	n.failures = append(slices.Clone(n.failures), r.Channel)
	if n.current() == "" {
		verdict := attempt.Permanent
		if r.Class == string(channel.Transient) || r.Class == string(channel.Unknown) {
			verdict = attempt.Exhausted
		}
		n.end(r, verdict, fmt.Sprintf("every channel has failed: %s", strings.Join(n.failures, ", ")))
		return
	}
	r.Verdict, r.NextAt, r.FailedChannels = attempt.Retryable, n.Now(), n.failures
	if n.keep(r) {
		n.state = ready
		n.number++
	}
}

// end records that no channel is left, or none may be used, and sends the
// message on its way to the dead-letter queue.
func (n *notice) end(r *attempt.Record, v attempt.Verdict, why string) {
	r.Verdict, r.Reason, r.FailedChannels = v, joinReasons(r.Reason, why), n.failures
	if !slices.Contains(r.FailedChannels, r.Channel) && r.Channel != "" {
		r.FailedChannels = append(slices.Clone(n.failures), r.Channel)
	}
	if !n.keep(r) {
		return
	}
	if r.Class == string(channel.Unknown) {
		n.parkClaim(r)
	}
	n.drain()
}

// refuse settles a message that can't be sent anywhere.
func (n *notice) refuse() {
	r := n.record(n.n.Channel)
	r.Reason = n.why
	n.end(r, attempt.Permanent, "")
}

// keep writes a failure's record now. Where that fails the message is left as
// it is: it comes back minutes later, and its history then says what was kept.
func (n *notice) keep(r *attempt.Record) bool {
	n.state = left
	n.outcomes = append(n.outcomes, n.outcome(*r))
	n.Log.Info("a hand-over failed", n.names(), "attempt", r.Attempt, "channel", r.Channel, "class", r.Class, "status", r.Status,
		"verdict", r.Verdict, "reason", r.Reason, "failed_channels", r.FailedChannels)
	if err := n.Attempts.Put(n.writes, []attempt.Record{*r}); err != nil {
		n.Log.Error("the attempt was not recorded, so the message waits", n.names(), "error", err)
		return false
	}
	return true
}

// drain sends the message on its way to the dead-letter queue: it is shown at
// once, again and again, until the queue's redrive policy moves it.
func (n *notice) drain() { n.hide(0) }

func (n *notice) hide(wait time.Duration) {
	n.state = left
	if err := n.Queue.ChangeVisibility(n.writes, n.msg.ReceiptHandle, wait); err != nil {
		n.Log.Warn("the visibility was not changed; the message comes back when its timeout ends", n.names(), "error", err)
	}
}

func (n *notice) intent() ledger.Entry {
	on := string(n.current())
	return n.entry(ledger.NotificationAttempt, n.number, ledger.OnChannel(on, ""), n.Now(), n.failures)
}

func (n *notice) outcome(r attempt.Record) ledger.Entry {
	action := ledger.NotificationFailed
	if r.Verdict == attempt.Delivered {
		action = ledger.NotificationSent
	}
	end := r.At.Add(time.Duration(r.DurationMS) * time.Millisecond)
	return n.entry(action, r.Attempt, ledger.OnChannel(r.Channel, r.Class), end, r.FailedChannels)
}

func (n *notice) entry(action string, number int, resource string, at time.Time, failures []string) ledger.Entry {
	return ledger.Entry{
		Action: action, Actor: actor, Attempt: number, FailedChannels: failures,
		ID:        n.msg.MessageId + "#" + strconv.Itoa(number),
		MessageID: n.msg.MessageId, Resource: resource, Timestamp: at, WebhookID: n.id,
	}
}

func joinReasons(what, then string) string {
	if what == "" || then == "" {
		return what + then
	}
	return what + "; " + then
}
