package batch

import (
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/retry"
)

// Next decides what comes after a try, the made-th that counts: a verdict's own
// end, another try, or none any more.
func (i *Item) Next(policy retry.Policy, made int, v attempt.Verdict, retryAfter time.Duration) retry.Step {
	return retry.Next(retry.Tried{
		Policy: policy, Attempt: made, Verdict: v, RetryAfter: retryAfter, Receives: i.Receives, MaxReceives: i.MaxReceives,
	}, i.Jitter)
}

// Keep writes the record of a failed attempt, now, and tells the ledger of it
// with the batch. Where the record can't be written the message is left as it
// is: it comes back minutes later, and its history then says what was kept.
func (i *Item) Keep(r attempt.Record) bool {
	i.State = Left
	i.tellOf(&r)
	if err := i.Attempts.Put(i.writes, []attempt.Record{r}); err != nil {
		i.Log.Error("the attempt was not recorded, so the message waits", i.Names(), "error", err)
		return false
	}
	i.Number, i.History = r.Attempt+1, append(i.History, r)
	return true
}

// Record keeps the attempt that the message was sent by now, for what must not
// wait for the batch. Where that fails, it is tried once more with the batch.
func (i *Item) Record(r attempt.Record) {
	if err := i.Attempts.Put(i.writes, []attempt.Record{r}); err != nil {
		i.Log.Error("a sent message was not recorded", i.Names(), "error", err)
		return
	}
	i.recorded = true
}

// Sent says that the message was sent, by an attempt that is recorded with the
// batch, unless Record has kept it.
func (i *Item) Sent(r attempt.Record) {
	i.State, i.sent = Done, r
	i.tellOf(&i.sent)
}

// Tell has the ledger told, with the batch's outcomes, that an announced attempt
// was not made in the end: the next receive makes it, under the same number.
func (i *Item) Tell(e ledger.Entry) { i.outcomes = append(i.outcomes, outcome{Entry: e}) }

// Announce tells the ledger at once of an attempt that the batch's intents did
// not tell of: one that follows another in the same invocation. Without it the
// attempt must not be made, and the message is left.
func (i *Item) Announce() bool {
	if err := i.Audit.Append(i.writes, i.key(), []ledger.Entry{i.job.Intent()}); err != nil {
		i.Log.Error("not sent: the audit queue can't be written", i.Names(), "error", err)
		i.State = Left
		return false
	}
	return true
}

// Drain sends the message on its way to the dead-letter queue: it is shown at
// once, again and again, until the queue's redrive policy moves it.
func (i *Item) Drain() { i.Hide(0) }

// Hide leaves the message in the queue, not to be received for a while.
func (i *Item) Hide(wait time.Duration) {
	i.State = Left
	hides := make([]message.Hide, len(i.receipts))
	for n, receipt := range i.receipts {
		hides[n] = message.Hide{ReceiptHandle: receipt, For: wait}
	}
	if err := i.Queue.ChangeVisibility(i.writes, hides); err != nil {
		i.Log.Warn("the visibility was not changed; the message comes back when its timeout ends", i.Names(), "error", err)
	}
}

// Because joins two reasons, either of which may be empty.
func Because(what, then string) string {
	if what == "" || then == "" {
		return what + then
	}
	return what + "; " + then
}
