package sqsserver

import (
	"context"
	"sync"
	"sync/atomic"
)

// life is a queue's, until it is deleted. Whoever writes messages into a queue,
// or moves them out of it, holds its life: what is written after the queue's
// end would stay in the store, or in memory only.
type life struct {
	mu   sync.RWMutex
	over chan struct{} // closed when the queue has been deleted
	// unsure is set when the queue's row was written or deleted by a write
	// that failed, and so may not be in the store as it is here.
	unsure atomic.Bool
}

func (l *life) ended() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// hold is false when the queue has been deleted. Otherwise it won't be before
// release.
func (l *life) hold() bool {
	l.mu.RLock()
	if l.ended() {
		l.mu.RUnlock()
		return false
	}
	return true
}

func (l *life) release() { l.mu.RUnlock() }

// applyTo writes changes that put messages into queues, whose lives the caller
// holds. They take the row of a queue along when the store may not have it.
func (e *Engine) applyTo(ctx context.Context, changes *Changes, queues ...*queue) error {
	var unsure []*queue
	for _, q := range queues {
		if q.life.unsure.Load() {
			unsure = append(unsure, q)
			changes.PutQueues = append(changes.PutQueues, *q.row.Load())
		}
	}
	if err := e.apply(ctx, changes); err != nil {
		return err
	}
	for _, q := range unsure {
		q.life.unsure.Store(false)
	}
	return nil
}

// replaceRow makes r the queue's row, and states those of its messages.
func (e *Engine) replaceRow(ctx context.Context, q *queue, r QueueRecord, states ...StateRecord) error {
	if err := e.apply(ctx, &Changes{PutQueues: []QueueRecord{r}, SetStates: states}); err != nil {
		q.life.unsure.Store(true)
		return err
	}
	q.life.unsure.Store(false)
	q.row.Store(&r)
	return nil
}

// remove deletes q, once what is being written into it has been.
func (e *Engine) remove(ctx context.Context, q *queue) error {
	q.life.mu.Lock()
	defer q.life.mu.Unlock()
	if err := e.apply(ctx, &Changes{DeleteQueues: []int64{q.id}}); err != nil {
		q.life.unsure.Store(true)
		return err
	}
	e.mu.Lock()
	delete(e.queues, q.key)
	e.mu.Unlock()
	close(q.life.over)
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.cache.newest != nil {
		q.cache.drop(q.cache.newest)
	}
	return nil
}
