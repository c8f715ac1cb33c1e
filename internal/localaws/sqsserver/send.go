package sqsserver

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// send sends what is in batch, all or none. Repeats of an earlier send get
// its outcome.
func (e *Engine) send(ctx context.Context, q *queue, batch []*sending) error {
	for len(batch) > 0 {
		if !q.life.hold() {
			return queueDoesNotExist()
		}
		wait, err := e.trySend(ctx, q, batch)
		q.life.release()
		if err != nil {
			return internalFailure("The message was not sent", err)
		}
		if wait == nil {
			break
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// trySend gives up without having sent anything, and returns what to wait
// for, when a send that this one repeats is still being written.
func (e *Engine) trySend(ctx context.Context, q *queue, batch []*sending) (wait chan struct{}, err error) {
	clock := e.clock.Now()
	now := clock.UnixMilli()
	q.mu.Lock()
	q.advance(now)
	if wait := q.findRepeats(batch, now); wait != nil {
		q.mu.Unlock()
		return wait, nil
	}
	changes := e.admit(q, batch, clock)
	q.mu.Unlock()
	if len(changes.PutMessages) == 0 {
		return nil, nil
	}
	err = e.applyTo(ctx, changes, q)
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		q.litter(changes.Deletes, changes.Undo)
	}
	q.settle(batch, now, err)
	q.wake(e.clock)
	return nil, err
}

// findRepeats looks each message up among the deduplication ids. It returns
// what to wait for when one is still being written.
func (q *queue) findRepeats(batch []*sending, now int64) (wait chan struct{}) {
	if !q.fifo {
		return nil
	}
	q.dedups.expire(now)
	for _, s := range batch {
		s.original = q.dedups.used[s.dedupKey]
		if s.original != nil && s.original.pending() {
			return s.original.written
		}
	}
	return nil
}

// admit gives the messages their keys and places, hidden, and says what to
// write.
func (e *Engine) admit(q *queue, batch []*sending, now time.Time) *Changes {
	changes := &Changes{PutMessages: make([]StoredMessage, 0, len(batch))}
	var written chan struct{}
	if q.fifo {
		written = make(chan struct{})
	}
	for _, s := range batch {
		if q.fifo {
			// One earlier in this batch counts too.
			s.original = q.dedups.used[s.dedupKey]
		}
		if s.original != nil {
			continue
		}
		m := &message{key: e.nextKey(), id: newID(), sent: now.UnixMilli(), visibleAt: end(now, s.delay)}
		m.seq = m.key
		s.message, s.id, s.seq = m, m.id, m.seq
		q.adopt(m, aws.ToString(s.entry.MessageGroupId), pending)
		if q.fifo {
			m.dedup = s.dedupKey.id
			m.visibleAt = m.group.delayUntil(m.visibleAt)
			s.dedup = q.dedups.remember(s.dedupKey, m, written)
			changes.PutDedups = append(changes.PutDedups, s.dedup.record(q.id))
		}
		changes.PutMessages = append(changes.PutMessages, StoredMessage{m.record(q.id), s.stored})
	}
	if len(changes.PutMessages) > 0 {
		q.clean(changes)
		changes.ForgetDedups = q.dedups.forget(q.id)
	}
	return changes
}

// settle shows the messages that were written, or drops those that were not.
func (q *queue) settle(batch []*sending, now int64, err error) {
	for _, s := range batch {
		m := s.message
		if m == nil {
			continue
		}
		if s.dedup != nil {
			s.dedup.settle()
		}
		switch {
		case err != nil:
			q.undo = append(q.undo, m.key)
			q.dedups.cancel(s.dedup)
			q.disown(m)
			s.message, s.dedup = nil, nil
		case m.visibleAt > now:
			q.become(m, delayed)
			q.cache.keep(m, s.content)
		default:
			q.become(m, ready)
			q.cache.keep(m, s.content)
			q.shelve(m)
		}
	}
}

// delayUntil keeps the order of a FIFO group: no message becomes visible
// before an earlier one.
func (g *group) delayUntil(at int64) int64 {
	g.latest = max(g.latest, at)
	return g.latest
}
