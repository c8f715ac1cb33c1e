package batch

import (
	"context"
	"sync"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/retry"
)

// report is what is to be told with the batch of an attempt that is over.
type report struct {
	// Entry is for the ledger; without an Action there is none.
	ledger.Entry
	// of is the attempt; nil where it was not made in the end, and will be, under the
	// same number.
	of *attempt.Record
	// ends says that producers are to be told: the attempt is kept as its message's last.
	ends bool
}

func (p *report) forLedger() bool { return p.Action != "" }

// tellOf has the ledger told of what came of an attempt.
func (i *Item) tellOf(r *attempt.Record) {
	i.reports = append(i.reports, report{Entry: i.job.Outcome(*r), of: r})
}

// tellEnd has producers told of the attempt that the ledger was told of last.
func (i *Item) tellEnd(wanted bool) { i.reports[len(i.reports)-1].ends = wanted }

// tellLate has told what an invocation before this one could not tell of.
func (i *Item) tellLate(history []attempt.Record) {
	for n := range history {
		if r := &history[n]; r.Verdict != attempt.Delivered {
			i.tellAgain(r, r.Untold, r.OutcomeDue)
		}
	}
}

// tellSent has told again what the invocation that sent a message may not have told:
// all, unless a mark says what was left.
func (i *Item) tellSent(r *attempt.Record) {
	i.tellAgain(r, r.Untold || !r.OutcomeDue, r.OutcomeDue || !r.Untold)
}

func (i *Item) tellAgain(r *attempt.Record, entry, end bool) {
	p := report{of: r, ends: end && i.Outcomes.WantsAttempt(r)}
	if entry {
		p.Entry = i.job.Outcome(*r)
	}
	if entry || p.ends {
		i.reports = append(i.reports, p)
	}
}

// told says who knows of all that a batch had to tell.
type told struct{ ledger, producers bool }

// owes reports whether something of a report is still to be told.
func (t told) owes(p *report) bool { return p.forLedger() && !t.ledger || p.ends && !t.producers }

// tell writes what there is for the ledger, in one audit message, and tells
// producers meanwhile.
func (b *batch) tell() {
	entries, ends := b.toTell()
	t := told{true, true}
	var aside sync.WaitGroup
	if len(ends) > 0 {
		aside.Go(func() { t.producers = b.tellProducers(ends) })
	}
	if len(entries) > 0 {
		t.ledger = b.tellLedger(entries)
	}
	aside.Wait()
	marked := b.mark(t)
	for _, i := range b.items {
		i.comeBack(t, marked)
		i.drain(t)
	}
	if t.ledger && t.producers {
		b.remember()
	}
}

func (b *batch) toTell() (entries []ledger.Entry, ends []outcome.Event) {
	entries = make([]ledger.Entry, 0, len(b.items))
	for _, i := range b.items {
		for n := range i.reports {
			p := &i.reports[n]
			if p.forLedger() {
				entries = append(entries, p.Entry)
			}
			if p.ends {
				ends = append(ends, outcome.OfAttempt(p.of))
			}
		}
	}
	return entries, ends
}

func (b *batch) tellLedger(entries []ledger.Entry) bool {
	err := b.Audit.Append(b.times.tells, b.key(), entries)
	if err != nil {
		b.Log.ErrorContext(b.times.tells, "outcomes were not written to the audit queue", "outcomes", len(entries), "error", err)
	}
	return err == nil
}

func (b *batch) tellProducers(ends []outcome.Event) bool {
	ctx, stop := context.WithTimeout(b.times.tells, writeTime)
	defer stop()
	err := b.Outcomes.Tell(ctx, ends...)
	if err != nil {
		b.Log.ErrorContext(b.times.tells, "producers were not told of outcomes", "outcomes", len(ends), "error", err)
	}
	return err == nil
}

// remember remembers the messages that are dead, for as long as they drain. It is
// for when all know of them.
func (b *batch) remember() {
	for _, i := range b.items {
		if i.dead {
			b.kind.Dead.add(i.Msg.MessageId)
		}
	}
}

// mark keeps with each attempt what is still to be told of it, for the message's next
// receive, and takes off what no longer is. An attempt that keeps its mark is told of
// twice, by the very same entry and event. It reports whether that could be done.
func (b *batch) mark(t told) bool {
	var records []attempt.Record
	for _, i := range b.items {
		for n := range i.reports {
			if r, changed := i.marked(&i.reports[n], t); changed {
				records = append(records, r)
			}
		}
	}
	if len(records) == 0 {
		return true
	}
	err := b.Attempts.Put(b.times.marks, records)
	switch {
	case err == nil:
	case t.ledger && t.producers:
		b.Log.WarnContext(b.times.tells, "attempts are still marked as untold; they will be told of again", "attempts", len(records),
			"error", err)
	default:
		b.Log.ErrorContext(b.times.tells, "attempts were not marked as untold", "attempts", len(records), "error", err)
	}
	return err == nil
}

// marked is the record of a report with the marks that it is to have now. What was
// sent needs none where all of it is to be told again: that it was sent says so.
func (i *Item) marked(p *report, t told) (r attempt.Record, changed bool) {
	if p.of == nil {
		return r, false
	}
	r = *p.of
	if p.forLedger() {
		r.Untold = !t.ledger
	}
	if p.ends {
		r.OutcomeDue = !t.producers
	}
	unmarked := !p.of.Untold && !p.of.OutcomeDue
	if r.Verdict == attempt.Delivered && (!i.recorded || unmarked && !(p.forLedger() && p.ends && t.ledger != t.producers)) {
		return r, false
	}
	return r, r.Untold != p.of.Untold || r.OutcomeDue != p.of.OutcomeDue
}

// comeBack has a message's next receive tell what is left, where there is to be one.
// What was sent, or moved into the waiting room, is never left to reach the
// dead-letter queue for that.
func (i *Item) comeBack(t told, marked bool) {
	again := i.Receives < i.MaxReceives
	gone := i.State == Done || i.State == Moved
	if gone {
		again = again && i.recorded
	}
	for n := range i.reports {
		p := &i.reports[n]
		if !t.owes(p) {
			continue
		}
		if gone && again {
			i.State = Left
		}
		if p.of != nil && !(again && (marked || p.of.Verdict == attempt.Delivered)) {
			i.miss(p, t, again)
		}
	}
}

// miss says what will never be told of an attempt. What had its mark before needs no
// other.
func (i *Item) miss(p *report, t told, again bool) {
	if p.forLedger() && !t.ledger && !(again && p.of.Untold) {
		i.Log.ErrorContext(i.Writes(), "an outcome is missing in the ledger", i.Names(), "attempt", p.of.Attempt, "action", p.Action)
		i.note(metric.OutcomesMissing, 1, metric.Labels{Action: p.Action})
	}
	if p.ends && !t.producers && !(again && p.of.OutcomeDue) {
		e := outcome.OfAttempt(p.of)
		i.Log.ErrorContext(i.Writes(), "an outcome was told to nobody", i.Names(), "outcome", e.Kind, "id", e.ID)
		i.note(metric.OutcomesUntold, 1, metric.Labels{Action: string(e.Kind)})
	}
}

// ends reports whether producers are to be told of the message's end.
func (i *Item) ends() bool {
	for n := range i.reports {
		if i.reports[n].ends {
			return true
		}
	}
	return false
}

// drain sends a dead message on its way whose end producers know now. Where they don't
// it waits, for as long as its receives allow: drained at once, it would be in the
// dead-letter queue before they can be told.
func (i *Item) drain(t told) {
	switch {
	case !i.dead || !i.ends():
	case t.producers:
		i.Hide(0)
	default:
		i.Hide(retry.Blind(i.Receives))
	}
}
