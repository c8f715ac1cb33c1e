package waiting

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// leaving is an item that goes, how long SQS holds it back, and for how long it was
// held for its circuit since it came in.
type leaving struct {
	Item
	delay, held time.Duration
}

// outgoing is the item as it is sent now.
func (l *leaving) outgoing(now time.Time) Outgoing {
	l.Carried.Released = now
	if l.held > 0 {
		l.Carried.Held = l.Carried.Held.With(string(l.HeldFor()), l.held)
	}
	return Outgoing{Body: l.Body, Group: l.Group, Attributes: l.Sendable(), Delay: l.delay}
}

// send sends items and marks those that are sent, and reports whether any is
// gone. What has begun is not given up when ctx ends: a send that nobody marks
// is repeated.
func (v *visit) send(ctx context.Context, items []leaving) (some bool, err error) {
	sendCtx, stop := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
	defer stop()
	byQueue := map[string][]leaving{}
	var gone []Item
	for _, item := range items {
		if v.unmarked.has(&item.Item) {
			gone = append(gone, item.Item)
			continue
		}
		byQueue[item.Queue] = append(byQueue[item.Queue], item)
	}
	for _, queue := range slices.Sorted(maps.Keys(byQueue)) {
		sent, sendErr := v.sendTo(sendCtx, queue, byQueue[queue])
		gone, err = append(gone, sent...), errors.Join(err, sendErr)
	}
	if len(gone) == 0 {
		return false, err
	}
	return true, errors.Join(err, v.mark(ctx, gone))
}

// sendTo returns the items that are in the queue for certain.
func (v *visit) sendTo(ctx context.Context, queue string, items []leaving) (sent []Item, err error) {
	messages := make([]Outgoing, len(items))
	now := v.Now()
	for i := range items {
		messages[i] = items[i].outgoing(now)
		v.failed[items[i].ID()] = true
	}
	indexes, err := v.Sender.Send(ctx, queue, messages)
	for _, i := range indexes {
		delete(v.failed, items[i].ID())
		sent = append(sent, items[i].Item)
		v.gone.add(&items[i].Item)
	}
	if err == nil && len(sent) < len(items) {
		err = fmt.Errorf("%d of %d messages were not sent to %s", len(items)-len(sent), len(items), queue)
	}
	return sent, err
}

// errUnmarked: nothing more is sent from a place where marks can't be written.
var errUnmarked = errors.New("messages were sent and are not marked as sent, so that they are sent again if this process ends now")

// mark says of items that they were sent.
func (v *visit) mark(ctx context.Context, items []Item) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), markTime)
	defer stop()
	v.unmarked.add(items)
	if err := v.Places.Settle(ctx, items, Sent); err != nil {
		return fmt.Errorf("%w (%d): %w", errUnmarked, len(items), err)
	}
	v.unmarked.remove(items)
	return nil
}
