package deliver

import (
	"context"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/retry"
)

// resume goes on where the message's history ends and reports whether a new
// attempt is due now.
func (d *delivery) resume(ctx context.Context) bool {
	history, err := d.Attempts.OfMessage(ctx, d.record.WebhookID, d.record.MessageID)
	if err != nil {
		d.Log.Error("the attempts so far can't be read, so the message waits", d.id(), "error", err)
		d.state = left
		return false
	}
	if len(history) == 0 {
		return true
	}
	last := history[len(history)-1]
	d.record.Attempt = last.Attempt + 1
	if d.startAfresh(history) {
		return true
	}
	switch {
	case last.Verdict == attempt.Delivered:
		// The invocation that sent it ended before the queue knew, and perhaps before the ledger did.
		d.record, d.recorded, d.state = last, true, done
		d.outcomes = append(d.outcomes, d.outcome())
		return false
	case last.Verdict.Final():
		d.drain()
		return false
	}
	if wait := retry.Remaining(d.Now(), last.NextAt); wait > 0 {
		d.hide(wait)
		return false
	}
	return true
}

// startAfresh reports whether the message was redriven since its last attempt,
// under its old id.
func (d *delivery) startAfresh(history []attempt.Record) bool {
	d.base = attempt.LastBefore(history, message.RedrivenAt(d.msg.Attributes))
	if d.base > 0 {
		d.receives = d.record.Attempt - d.base
	}
	return d.base == history[len(history)-1].Attempt
}
