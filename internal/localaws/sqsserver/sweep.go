package sqsserver

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Sweep deletes the messages that are past their retention, and the
// deduplication ids that are over, in small writes. Nobody gets them in any case
// once their time is over. A queue that is used deletes some with each write;
// one that is not needs Sweep for it.
func (e *Engine) Sweep(ctx context.Context) error {
	e.mu.RLock()
	queues := slices.Collect(maps.Values(e.queues))
	e.mu.RUnlock()
	for _, q := range queues {
		for more := true; more; {
			var err error
			if more, err = e.sweep(ctx, q); err != nil {
				return fmt.Errorf("delete what has expired in %s: %w", q.name, err)
			}
		}
	}
	return nil
}

func (e *Engine) sweep(ctx context.Context, q *queue) (more bool, err error) {
	now := e.now()
	changes := &Changes{}
	q.mu.Lock()
	q.advance(now)
	q.dedups.expire(now)
	q.clean(changes)
	if q.dedups.forgotten > 0 {
		changes.ForgetDedups = q.dedups.forgetAll(q.id)
	}
	q.wake(e.clock)
	q.mu.Unlock()
	if len(changes.Deletes)+len(changes.Undo) == 0 && changes.ForgetDedups.Queue == 0 {
		return false, nil
	}
	if err := e.apply(ctx, changes); err != nil {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.litter(changes.Deletes, changes.Undo)
		q.dedups.forgotten++ // they are deleted up to the last
		return false, err
	}
	return true, nil
}
