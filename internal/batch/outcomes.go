package batch

import (
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
)

// outcome is what the ledger is to be told with the batch.
type outcome struct {
	ledger.Entry
	// of is the attempt that is over; nil where it was not made in the end, and
	// will be, under the same number.
	of *attempt.Record
}

// tellOf has the ledger told of what came of an attempt.
func (i *Item) tellOf(r *attempt.Record) {
	if i.kind.Quiet {
		return
	}
	i.outcomes = append(i.outcomes, outcome{i.job.Outcome(*r), r})
}

// tellLate has it told of what an invocation before this one could not tell of.
func (i *Item) tellLate(history []attempt.Record) {
	for n := range history {
		if r := &history[n]; r.Untold && r.Verdict != attempt.Delivered {
			i.tellOf(r)
		}
	}
}

// tell writes the outcomes, in one audit message.
func (b *batch) tell() {
	entries := make([]ledger.Entry, 0, len(b.items))
	for _, i := range b.items {
		for _, o := range i.outcomes {
			entries = append(entries, o.Entry)
		}
	}
	if len(entries) == 0 {
		b.remember()
		return
	}
	err := b.Audit.Append(b.times.tells, b.key(), entries)
	if err == nil {
		b.told()
		b.remember()
		return
	}
	b.Log.ErrorContext(b.times.tells, "outcomes were not written to the audit queue", "outcomes", len(entries), "error", err)
	b.owe()
}

// remember remembers the messages that are dead, for as long as they drain. It is
// for when the ledger knows of them.
func (b *batch) remember() {
	for _, i := range b.items {
		if i.dead {
			b.kind.Dead.add(i.Msg.MessageId)
		}
	}
}

// told takes the marks off the attempts that the ledger knows the end of now.
// One that keeps its mark is told of twice, by the very same entry.
func (b *batch) told() {
	var records []attempt.Record
	for _, i := range b.items {
		for _, o := range i.outcomes {
			if o.of != nil && o.of.Untold {
				r := *o.of
				r.Untold = false
				records = append(records, r)
			}
		}
	}
	if len(records) == 0 {
		return
	}
	if err := b.Attempts.Put(b.times.marks, records); err != nil {
		b.Log.WarnContext(b.times.tells, "attempts are still marked as untold; the ledger will be told of them again", "attempts", len(records),
			"error", err)
	}
}

// owe sees to it that the next receive of each message tells its outcomes. What
// was sent comes back for that: its record says that it was. Failures come back
// anyway, and are marked; without a mark, the next receive could not know.
func (b *batch) owe() {
	var records []attempt.Record
	for _, i := range b.items {
		for _, o := range i.outcomes {
			if o.of != nil && !o.of.Untold && o.of.Verdict != attempt.Delivered {
				r := *o.of
				r.Untold = true
				records = append(records, r)
			}
		}
	}
	marked := true
	if len(records) > 0 {
		if err := b.Attempts.Put(b.times.marks, records); err != nil {
			b.Log.ErrorContext(b.times.tells, "attempts were not marked as untold", "attempts", len(records), "error", err)
			marked = false
		}
	}
	for _, i := range b.items {
		i.comeBack(marked)
	}
}

// comeBack has a message's next receive tell its outcomes, where there is to be
// one. What was sent, or moved into the waiting room, is never left to reach the
// dead-letter queue for them.
func (i *Item) comeBack(marked bool) {
	again := i.Receives < i.MaxReceives
	if i.State == Done || i.State == Moved {
		again = again && i.recorded
		if again && len(i.outcomes) > 0 {
			i.State = Left
		}
	}
	for _, o := range i.outcomes {
		if o.of == nil || again && (marked || o.of.Untold || o.of.Verdict == attempt.Delivered) {
			continue
		}
		i.Log.ErrorContext(i.Writes(), "an outcome is missing in the ledger", i.Names(), "attempt", o.of.Attempt, "action", o.Action)
		i.note(metric.OutcomesMissing, 1, metric.Labels{Action: o.Action})
	}
}
