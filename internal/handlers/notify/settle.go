package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/waiting"
)

// sender is the channel's; where there is none for good the outcome says why. An
// error may pass.
func (n *notice) sender(ctx context.Context, on channel.Name, address string) (channel.Sender, channel.Outcome, error) {
	s, err := n.needs.Senders.Sender(ctx, on, n.since)
	switch {
	case errors.Is(err, channel.ErrNotConfigured):
		return nil, channel.Outcome{Class: channel.Configuration, Reason: err.Error()}, nil
	case err != nil:
		return nil, channel.Outcome{}, err
	case address == "" && !addressless(s):
		return s, channel.Outcome{Class: channel.Configuration, Reason: "the message has no address for " + string(on)}, nil
	}
	return s, channel.Outcome{}, nil
}

// reach is the sender of a channel, unless nobody may be sent to on it. Who may not is
// left out of the message first.
func (n *notice) reach(ctx context.Context, on channel.Name) (channel.Sender, channel.Outcome, error) {
	switch why, err := n.ask(ctx, on); {
	case err != nil:
		return nil, channel.Outcome{}, err
	case why != "":
		return nil, channel.Outcome{Class: channel.OptedOut, Reason: why}, nil
	}
	return n.sender(ctx, on, n.message.Address(on))
}

// hold has the message wait for the end of a trouble of our own.
func (n *notice) hold(r *attempt.Record, why string) {
	r.FailedChannels = n.failures
	n.Hold(*r, why)
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
//	limit                     the next channel: there was no turn by the deadline
//	unknown                   the same for email and Slack; an SMS is parked
//	opted out                 the end, unless the message wants the others
//	no content of a template  the end
func (n *notice) settle(r *attempt.Record, out channel.Outcome) {
	on := channel.Name(r.Channel)
	tell(r, out)
	if out.Class == channel.Configuration {
		n.misconfigured(on)
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
	if n.unmade { // once the template is mended, a replay sends it where it was meant to go
		n.end(r, attempt.Permanent, "")
		return
	}
	if out.Class == channel.OptedOut && !n.message.FallbackOnOptOut {
		n.end(r, attempt.Permanent, "the recipient has opted out, and the message does not want another channel")
		return
	}
	if out.Class == channel.Transient || out.Class == channel.Unknown {
		step := n.Next(n.policyOn(on), n.tried(on)+1, out.RetryAfter)
		if step.Again && n.worthIt(on, step.Delay) {
			n.again(r, step.Delay)
			return
		}
		r.Reason = batch.Because(r.Reason, step.Reason)
	}
	n.over(r)
}

// misconfigured says that nobody can be reached on a channel until an operator acts.
func (n *notice) misconfigured(on channel.Name) {
	n.Note(metric.Event{Name: metric.Misconfigured, Value: 1, Labels: metric.Labels{Channel: string(on)}})
	n.Log.ErrorContext(n.Writes(), "a channel is not configured as it should be: look at its secret, and at the provider's console", n.Names(),
		"channel", on, "secret", n.needs.Senders.Secret(on))
}

// tell fills in what a hand-over came to.
func tell(r *attempt.Record, out channel.Outcome) {
	r.Class, r.Reason, r.Status = string(out.Class), out.Reason, out.Status
	r.ProviderID, r.Response = out.ProviderID, out.Response
}

// only reports whether a channel is the last one there is.
func (n *notice) only(on channel.Name) bool {
	return len(n.message.Chain()) == len(n.failures)+1 && n.current() == on
}

// sent records, at once, that a provider took it. It is done with even if that
// fails: a gap in the history beats a second message.
func (n *notice) sent(r *attempt.Record) {
	r.Verdict, r.FailedChannels = attempt.Delivered, n.failures
	r.Reason = batch.Because(r.Reason, n.withoutOmitted())
	n.settleClaim(r)
	n.RecordNow(*r)
	n.Sent(*r)
}

// again records a failure that the same channel is tried after.
func (n *notice) again(r *attempt.Record, delay time.Duration) {
	r.Verdict, r.FailedChannels = attempt.Retryable, n.failures
	n.logFailure(r)
	n.Wait(*r, delay, waiting.Delay)
}

// tryAnew records a failure by configuration that a newer secret may mend: the
// same channel is next, at once.
func (n *notice) tryAnew(r *attempt.Record, out channel.Outcome) {
	tell(r, out)
	n.unclaim(channel.Name(r.Channel))
	r.Reason = batch.Because(r.Reason, "the secret has changed since it was cached, so trying again at once")
	r.Verdict, r.Uncounted, r.NextAt, r.FailedChannels = attempt.Retryable, true, n.Now(), n.failures
	if n.keep(r) {
		n.State = batch.Ready
	}
}

// over records that a channel is done with. Where there is another one it is
// next, at once; otherwise every channel has failed.
func (n *notice) over(r *attempt.Record) {
	n.failures = append(slices.Clone(n.failures), r.Channel)
	if n.current() == "" {
		verdict := attempt.Permanent
		if r.Class == string(channel.Transient) || r.Class == string(channel.Unknown) || r.Class == string(channel.Limited) {
			verdict = attempt.Exhausted
		}
		n.end(r, verdict, fmt.Sprintf("every channel has failed: %s", strings.Join(n.failures, ", ")))
		return
	}
	r.Verdict, r.NextAt, r.FailedChannels = attempt.Retryable, n.Now(), n.failures
	if n.keep(r) {
		n.State = batch.Ready
	}
}

// end records that no channel is left, or none may be used, and sends the
// message on its way to the dead-letter queue.
func (n *notice) end(r *attempt.Record, v attempt.Verdict, why string) {
	r.Verdict, r.Reason, r.FailedChannels = v, batch.Because(r.Reason, why), n.failures
	if r.Channel != "" && !n.unmade && !slices.Contains(r.FailedChannels, r.Channel) {
		r.FailedChannels = append(slices.Clone(n.failures), r.Channel)
	}
	if !n.keep(r) {
		return
	}
	if r.Class == string(channel.Unknown) {
		n.parkClaim(r)
	}
	n.Bury()
}

// refuse settles a message that can't be sent anywhere.
func (n *notice) refuse() {
	on := n.message.Channel
	if n.whyClass != "" {
		on = "" // of whom it names: none was tried
	}
	r := n.record(on)
	r.Reason, r.Class = n.why, string(n.whyClass)
	n.FailedBy(cmp.Or(r.Class, metric.Malformed))
	n.end(r, attempt.Permanent, "")
}

// keep writes a failure's record now, and reports whether it is kept.
func (n *notice) keep(r *attempt.Record) bool {
	r.Held = n.Held.String()
	if !r.Verdict.Final() {
		n.logFailure(r)
	}
	return n.Keep(*r)
}

func (n *notice) logFailure(r *attempt.Record) {
	n.Log.InfoContext(n.Writes(), "a hand-over failed", n.Names(), "attempt", r.Attempt, "channel", r.Channel, "class", r.Class, "status",
		r.Status,
		"verdict", r.Verdict, "reason", r.Reason, "failed_channels", r.FailedChannels)
}

// Intent announces the hand-over to come; there is none to who is on the suppression
// list.
func (n *notice) Intent() ledger.Entry {
	if n.listed.why != "" {
		n.announced = false
		return ledger.Entry{}
	}
	now, on := n.Now(), n.current()
	e := n.Entry(ledger.NotificationAttempt, n.Number, n.Redactor(now).OnChannel(string(on), n.message.Reached(on), ""), now)
	e.FailedChannels = n.failures
	return e
}

// Outcome tells what came of an attempt.
func (n *notice) Outcome(r attempt.Record) ledger.Entry {
	action := ledger.NotificationFailed
	if r.Verdict == attempt.Delivered {
		action = ledger.NotificationSent
	}
	e := n.Entry(action, r.Attempt, n.Redactor(r.Ended()).OnChannel(r.Channel, n.message.Reached(channel.Name(r.Channel)), r.Class), r.Ended())
	e.FailedChannels = r.FailedChannels
	return e
}
