package deliver

import (
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/retry"
)

// settle decides the next step and, for a failure, writes its record and then
// sets the message's visibility. A delivery is recorded with its batch.
func (d *delivery) settle(v attempt.Verdict, reason string, retryAfter time.Duration) {
	step := retry.Next(retry.Tried{
		Policy: d.policy, Attempt: d.record.Attempt - d.base, Verdict: v, RetryAfter: retryAfter,
		Receives: d.receives, MaxReceives: d.MaxReceives,
	}, d.Jitter)
	d.record.Verdict, d.record.Reason = step.Verdict, joinReasons(reason, step.Reason)
	if step.Verdict == attempt.Delivered {
		d.record.Response, d.state = "", done
		d.outcomes = append(d.outcomes, d.outcome())
		return
	}
	if step.Verdict == attempt.Retryable {
		d.record.NextAt = d.Now().Add(step.Delay)
	}
	d.outcomes = append(d.outcomes, d.outcome())
	d.Log.Info("attempt failed", d.id(), "attempt", d.record.Attempt, "status", d.record.Status,
		"verdict", d.record.Verdict, "reason", d.record.Reason, "next_in_s", step.Delay.Seconds())
	switch {
	case !d.keep():
	case step.Verdict == attempt.Retryable:
		d.hide(step.Delay)
	default:
		d.drain()
	}
}

// keep writes the record now. Where that fails the message is left as it is:
// it comes back minutes later, and its history then says what was kept.
func (d *delivery) keep() bool {
	d.state = left
	if err := d.Attempts.Put(d.writes, []attempt.Record{d.record}); err != nil {
		d.Log.Error("the attempt was not recorded, so the message waits", d.id(), "error", err)
		return false
	}
	return true
}

// drain sends the message on its way to the dead-letter queue: it is shown at
// once, again and again, until the queue's redrive policy moves it.
func (d *delivery) drain() { d.hide(0) }

func (d *delivery) hide(wait time.Duration) {
	d.state = left
	if err := d.Queue.ChangeVisibility(d.writes, d.msg.ReceiptHandle, wait); err != nil {
		d.Log.Warn("the visibility was not changed; the message comes back when its timeout ends", d.id(), "error", err)
	}
}

func (d *delivery) intent() ledger.Entry {
	return d.entry(ledger.WebhookAttempt, ledger.BeforeSending(d.record.URL, d.record.EventType), d.Now())
}

func (d *delivery) outcome() ledger.Entry {
	action := ledger.WebhookFailed
	if d.record.Verdict == attempt.Delivered {
		action = ledger.WebhookDelivered
	}
	end := d.record.At.Add(time.Duration(d.record.DurationMS) * time.Millisecond)
	return d.entry(action, ledger.AfterSending(d.record.URL, d.record.Status), end)
}

func (d *delivery) entry(action, resource string, at time.Time) ledger.Entry {
	return ledger.Entry{
		Action: action, Actor: actor, Attempt: d.record.Attempt,
		ID:        d.record.MessageID + "#" + strconv.Itoa(d.record.Attempt),
		MessageID: d.record.MessageID, Resource: resource, Timestamp: at, WebhookID: d.record.WebhookID,
	}
}

func joinReasons(what, then string) string {
	if what == "" || then == "" {
		return what + then
	}
	return what + "; " + then
}
