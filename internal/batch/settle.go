package batch

import (
	"log/slog"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/waiting"
)

// MaxAge is how long after its first receipt a message is tried at most,
// whatever it waited for.
const MaxAge = 14 * 24 * time.Hour

// Next decides what comes after a try that failed and may be made again, the
// made-th that counts.
func (i *Item) Next(policy retry.Policy, made int, retryAfter time.Duration) retry.Step {
	if i.old() {
		return retry.Step{Reason: tooOld}
	}
	return retry.Next(retry.Tried{Policy: policy, Made: made, RetryAfter: retryAfter}, i.Jitter)
}

// Asked is how long to wait where the endpoint asked for more than the policy
// has waits for; 0 where the policy decides.
func (i *Item) Asked(policy retry.Policy, retryAfter time.Duration) time.Duration {
	if i.old() {
		return 0
	}
	return retry.Asked(policy, retryAfter, i.Held[string(waiting.Asked)], i.Jitter)
}

func (i *Item) old() bool { return i.Now().Sub(i.First) >= MaxAge }

const tooOld = "14 days have passed since its first receipt"

// Keep writes the record of a failed attempt, now, and tells the ledger of it
// with the batch. Where the record can't be written nothing is known of the
// message that could be gone by: it waits.
func (i *Item) Keep(r attempt.Record) bool {
	r.OutcomeDue = i.Outcomes.WantsAttempt(&r)
	if r.Verdict != attempt.Held {
		i.tellOf(&r)
		i.settled(&r)
	}
	if err := i.put(r); err != nil {
		i.Log.ErrorContext(i.Writes(), "the attempt was not recorded, so the message waits", i.Names(), "error", err)
		i.Blind()
		return false
	}
	i.State = Left
	if r.Verdict.Final() {
		i.tellEnd(r.OutcomeDue)
		i.note(metric.DeadLetters, 1, metric.Labels{})
		i.ended(r)
	}
	if r.Verdict != attempt.Held {
		i.Number, i.History = r.Attempt+1, append(i.History, r)
	}
	return true
}

func (i *Item) put(r attempt.Record) error {
	ctx, stop := i.times.write()
	defer stop()
	return i.Attempts.Put(ctx, []attempt.Record{r})
}

// End keeps the record of a message's end and sends it on its way to the
// dead-letter queue.
func (i *Item) End(r attempt.Record) bool {
	r.Held = i.Held.String()
	if !i.Keep(r) {
		return false
	}
	i.Bury()
	return true
}

// Bury sends a message whose end is recorded on its way to the dead-letter
// queue: it is shown at once, again and again, until the queue's redrive policy
// moves it. Where producers are still to be told of its end that comes first.
func (i *Item) Bury() {
	i.dead, i.State = true, Left
	if !i.ends() {
		i.Hide(0)
	}
}

// maxTrouble is how long a message is held by trouble of our own, in all.
const maxTrouble = 24 * time.Hour

// Hold has the message wait for the end of a trouble of our own. The attempt at
// hand was not made, or failed by nothing that its endpoint did, and uses up
// none of the policy's.
func (i *Item) Hold(r attempt.Record, why string) {
	i.HoldFor(r, Hold{Why: why, Reason: waiting.Trouble, Wait: retry.Hold(i.Held[string(waiting.Trouble)]), Most: maxTrouble})
}

// Hold is why and how a message waits without its attempt being made.
type Hold struct {
	Why    string
	Reason waiting.Reason
	// Wait is for how long, at least.
	Wait time.Duration
	// Most is how long it may be held for the Reason in all: then it is exhausted. 0
	// is without a bound, but for MaxAge.
	Most time.Duration
	// Circuit is the key of the circuit that it waits for where it is not in the
	// queue meanwhile; empty where it waits for a time. Leave says that it leaves the
	// queue for that however short the wait is.
	Circuit string
	Leave   bool
}

// HoldFor has the message wait. A circuit says once for all that it keeps messages
// back, and a limit is nothing to be mended.
func (i *Item) HoldFor(r attempt.Record, h Hold) {
	r.At, r.Verdict, r.Reason = i.Now(), attempt.Held, h.Why
	so := i.Held[string(h.Reason)]
	switch {
	case i.old():
		i.FailedBy(metric.Overdue)
		i.exhaust(r, tooOld)
	case h.Most > 0 && (so >= h.Most || h.Circuit == "" && so+h.Wait > h.Most):
		i.FailedBy(metric.Overdue)
		i.exhaust(r, "held for "+h.Most.String()+" for this")
	default:
		level := slog.LevelWarn
		if h.Circuit != "" || h.Reason == waiting.Limit {
			level = slog.LevelDebug
		}
		i.isHeld(heldBy(h.Reason))
		i.Log.Log(i.Writes(), level, "the message is held", i.Names(), "reason", h.Why, "wait_s", h.Wait.Seconds())
		i.wait(r, h)
	}
}

// PutBack leaves a message to its queue for a while whose attempt is not made now,
// for no fault of anybody's. Of that nothing is recorded, so that it costs a receive
// and no more. Where there are none to spare it is held, as by trouble of our own.
func (i *Item) PutBack(r attempt.Record, wait time.Duration, why string) {
	if i.inQueue(wait) {
		i.isHeld(metric.Turn)
		i.Hide(wait)
		return
	}
	i.Hold(r, why)
}

// Exhaust ends a message that was not sent.
func (i *Item) Exhaust(r attempt.Record, why string) {
	r.At = i.Now()
	i.exhaust(r, why)
}

func (i *Item) exhaust(r attempt.Record, why string) {
	r.Verdict, r.Reason = attempt.Exhausted, Because(r.Reason, why)
	i.End(r)
}

// RecordNow keeps the attempt that the message was sent by now, for what must not
// wait for the batch. Where that fails, it is tried once more with the batch.
func (i *Item) RecordNow(r attempt.Record) {
	if err := i.put(r); err != nil {
		i.Log.ErrorContext(i.Writes(), "a sent message was not recorded", i.Names(), "error", err)
		return
	}
	i.recorded = true
}

// Sent says that the message was sent, by an attempt that is recorded soon, unless
// RecordNow has kept it.
func (i *Item) Sent(r attempt.Record) {
	r.Held = i.Held.String()
	i.State, i.sent = Done, r
	i.tellOf(&i.sent)
	i.tellEnd(i.Outcomes.WantsAttempt(&i.sent))
	i.settled(&i.sent)
	i.ended(r)
	if !i.recorded {
		i.successes.add(i.batch, i)
	}
}

// Passed says that the message is done with, by an attempt of which neither a record
// is kept nor anybody told.
func (i *Item) Passed(r attempt.Record) {
	r.Verdict = attempt.Delivered
	i.State, i.recorded = Done, true
	i.settled(&r)
}

// Tell has the ledger told, with the batch's outcomes, that an announced attempt
// was not made in the end: the next receive makes it, under the same number.
func (i *Item) Tell(e ledger.Entry) { i.reports = append(i.reports, report{Entry: e}) }

// Announce tells the ledger at once of an attempt that the batch's intents did
// not tell of: one that follows another in the same invocation. Without it the
// attempt must not be made, and the message is held.
func (i *Item) Announce() bool {
	ctx, stop := i.times.write()
	defer stop()
	if err := i.Audit.Append(ctx, i.key(), []ledger.Entry{i.job.Intent()}); err != nil {
		i.Log.ErrorContext(i.Writes(), "not sent: the audit queue can't be written", i.Names(), "error", err)
		i.Hold(i.job.Record(), unannounced)
		return false
	}
	return true
}

// Blind leaves the message in its queue, for as long as its receives allow: what
// is to become of it can't be known, or can't be written down.
func (i *Item) Blind() { i.Hide(retry.Blind(i.Receives)) }

// maxHidden is the longest that a message is hidden for at a time: a visibility
// timeout ends at most 12 hours after the receive ("Amazon SQS visibility
// timeout"), and the hour less is room for the batch.
const maxHidden = 11 * time.Hour

// Hide leaves the message in the queue, not to be received for a while.
func (i *Item) Hide(wait time.Duration) {
	i.State = Left
	var until time.Time
	if wait > 0 {
		until = i.Now().Add(min(wait, maxHidden))
	}
	hides := make([]hidden, len(i.receipts))
	for n, receipt := range i.receipts {
		hides[n] = hidden{receipt, until}
	}
	i.visibilities.hide(i.batch, hides)
}

// Because joins two reasons, either of which may be empty.
func Because(what, then string) string {
	if what == "" || then == "" {
		return what + then
	}
	return what + "; " + then
}
