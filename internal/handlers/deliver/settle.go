package deliver

import (
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/ledger"
)

// settle decides the next step and, for a failure, writes its record and then
// sets the message's visibility. A delivery is recorded with its batch.
func (d *delivery) settle(v attempt.Verdict, reason string, retryAfter time.Duration) {
	step := d.Next(d.policy, d.Made(), v, retryAfter)
	d.record.Verdict, d.record.Reason = step.Verdict, batch.Because(reason, step.Reason)
	if step.Verdict == attempt.Delivered {
		d.record.Response = ""
		d.Sent(d.record)
		return
	}
	if step.Verdict == attempt.Retryable {
		d.record.NextAt = d.Now().Add(step.Delay)
	}
	d.logFailure(step.Delay)
	switch {
	case !d.Keep(d.record):
	case step.Verdict == attempt.Retryable:
		d.Hide(step.Delay)
	default:
		d.Drain()
	}
}

func (d *delivery) logFailure(next time.Duration) {
	d.Log.Info("attempt failed", d.Names(), "attempt", d.record.Attempt, "status", d.record.Status,
		"verdict", d.record.Verdict, "reason", d.record.Reason, "next_in_s", next.Seconds())
}

// Intent announces the attempt at hand.
func (d *delivery) Intent() ledger.Entry {
	now := d.Now()
	return d.Entry(ledger.WebhookAttempt, d.record.Attempt, d.Redactor(now).BeforeSending(d.record.URL, d.record.EventType), now)
}

// Outcome tells what came of an attempt.
func (d *delivery) Outcome(r attempt.Record) ledger.Entry {
	action := ledger.WebhookFailed
	if r.Verdict == attempt.Delivered {
		action = ledger.WebhookDelivered
	}
	return d.Entry(action, r.Attempt, d.Redactor(r.Ended()).AfterSending(r.URL, r.Status), r.Ended())
}
