package batch

import (
	"cmp"
	"context"
	"slices"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/retry"
)

// Resume goes on where the message's history ends and reports whether a new
// attempt is due now. Otherwise the message is done with: it was sent, drains,
// waits out the rest of its delay, or can't be known to be any of that. The
// first receive of a message reads nothing, unless what was tried before it
// came out of the waiting room must be known.
func (i *Item) Resume(ctx context.Context) bool {
	redrivenAt := message.RedrivenAt(i.Msg.Attributes)
	if i.Receives > 1 && redrivenAt.IsZero() && i.kind.Dead.has(i.Msg.MessageId) {
		i.Hide(0)
		return false
	}
	history, err := i.recall(ctx)
	if err != nil {
		i.Log.ErrorContext(i.Writes(), "the attempts so far can't be read, so the message waits", i.Names(), "error", err)
		i.Blind()
		return false
	}
	if len(history) == 0 {
		return true
	}
	i.tellLate(history)
	last := history[len(history)-1]
	i.goOnAfter(last)
	if i.startAfresh(history, attempt.LastBefore(history, redrivenAt)) {
		return true
	}
	return i.due(ctx, i.settling(history))
}

// settling is the record that decides what becomes of the message: the one of its
// end, where there is one. SQS may hand out a message twice at once, and the other
// invocation may have gone on meanwhile.
func (i *Item) settling(own []attempt.Record) attempt.Record {
	last := own[len(own)-1]
	for _, r := range own {
		if r.Attempt > i.Base && r.Verdict.Final() && r.Verdict.Rank() > last.Verdict.Rank() {
			last = r
		}
	}
	return last
}

// recall reads the attempts of the message under its present SQS id, and keeps
// those from before it came out of the waiting room, where they matter.
func (i *Item) recall(ctx context.Context) (own []attempt.Record, err error) {
	if !i.kind.Recalls || i.Carried.Attempts == i.Carried.Base {
		if i.Receives <= 1 {
			return nil, nil
		}
		return i.Attempts.OfMessage(ctx, i.ID, i.Msg.MessageId)
	}
	all, err := i.Attempts.OfWebhook(ctx, i.ID)
	for _, r := range attempt.OfOrigin(all, i.Origin) {
		switch {
		case r.MessageID == i.Msg.MessageId, r.Attempt > i.Carried.Attempts && r.Verdict == attempt.Delivered:
			own = append(own, r) // its own, or that of another message that is the same one, sent on twice
		case r.Attempt > i.Base && r.Attempt <= i.Carried.Attempts && r.Verdict != attempt.Held:
			i.History = append(i.History, r)
		}
	}
	slices.SortStableFunc(i.History, func(a, b attempt.Record) int { return cmp.Compare(a.Attempt, b.Attempt) })
	return own, err
}

// goOnAfter numbers the attempt to come: one that was held is still to be made.
func (i *Item) goOnAfter(last attempt.Record) {
	i.Number = last.Attempt + 1
	if last.Verdict == attempt.Held {
		i.Number = last.Attempt
	}
	i.Held = message.ParseHeld(last.Held)
}

// startAfresh reports whether the message was redriven since its last attempt,
// under its old id; attempts up to the number before were made before that.
func (i *Item) startAfresh(own []attempt.Record, before int) bool {
	if before > i.Base {
		i.Base, i.History, i.Held = before, nil, nil
		i.Receives = i.Number - i.Base
	}
	fresh := true
	for _, r := range own {
		if r.Attempt > i.Base {
			fresh = false
			if r.Verdict != attempt.Held {
				i.History = append(i.History, r)
			}
		}
	}
	return fresh
}

// due reports whether the attempt after the last one is to be made now.
func (i *Item) due(ctx context.Context, last attempt.Record) bool {
	switch {
	case last.Verdict == attempt.Delivered:
		// The invocation that sent it ended before the queue knew, and perhaps before the ledger did.
		i.State, i.recorded = Done, true
		i.tellSent(&last)
		return false
	case last.Dropped:
		// It was in the waiting room, and the queue did not know.
		i.State, i.recorded = Moved, true
		return false
	case last.Verdict.Final():
		i.Bury()
		return false
	case last.Waiting:
		return i.moveAgain(ctx, last)
	}
	if wait := retry.Remaining(i.Now(), last.NextAt); wait > 0 {
		i.Hide(wait)
		return false
	}
	return true
}
