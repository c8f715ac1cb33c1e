package deliver

import (
	"log/slog"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/waiting"
)

// settle decides the next step and, for a failure, has it recorded before
// anything else. A delivery is recorded with others.
func (d *delivery) settle(v attempt.Verdict, reason string, retryAfter time.Duration) {
	d.record.Verdict, d.record.Reason = v, reason
	switch v {
	case attempt.Delivered:
		d.record.Response = ""
		d.Sent(d.record)
		return
	case attempt.Retryable:
		d.again(retryAfter)
		return
	}
	d.logFailure(0)
	d.End(d.record)
}

// again waits for the next try, if there is to be one.
func (d *delivery) again(retryAfter time.Duration) {
	wait, why := d.Asked(d.policy, retryAfter), waiting.Asked
	d.record.Uncounted = wait > 0
	if wait == 0 {
		step := d.Next(d.policy, d.Made(), retryAfter)
		if !step.Again {
			d.record.Verdict, d.record.Reason = attempt.Exhausted, batch.Because(d.record.Reason, step.Reason)
			d.logFailure(0)
			d.End(d.record)
			return
		}
		wait, why = step.Delay, waiting.Delay
	}
	d.logFailure(wait)
	d.Wait(d.record, wait, why)
}

// logFailure tells of a message's first failure and of its end. Those between cost
// as much to log, and are in its records and in the ledger.
func (d *delivery) logFailure(next time.Duration) {
	level := slog.LevelInfo
	if d.record.Verdict == attempt.Retryable && d.Made() > 1 {
		level = slog.LevelDebug
	}
	d.Log.Log(d.Writes(), level, "attempt failed", d.Names(), "attempt", d.record.Attempt, "status", d.record.Status,
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
