package sqsserver

import (
	"cmp"
	"slices"
	"time"
)

// redelay is what a queue's new delay makes of the messages that are still
// delayed. On a FIFO queue the change is retroactive, on a standard queue it
// is not ("Amazon SQS delay queues").
func (q *queue) redelay(delay time.Duration) (states []StateRecord) {
	if !q.fifo || delay == q.config.Load().delay {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.messages {
		if m.state == delayed {
			r := m.stateRecord()
			r.VisibleAt = end(time.UnixMilli(m.sent), delay)
			states = append(states, r)
		}
	}
	// In the order of their sends, which is that of their keys.
	slices.SortFunc(states, func(a, b StateRecord) int { return cmp.Compare(a.Key, b.Key) })
	return states
}

// redelayed does in memory what is in the store by now.
func (q *queue) redelayed(e *Engine, states []StateRecord) {
	if len(states) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range states {
		if m := q.messages[r.Key]; m != nil && m.state == delayed {
			m.group.latest = 0
		}
	}
	for _, r := range states {
		if m := q.messages[r.Key]; m != nil && m.state == delayed {
			m.visibleAt = m.group.delayUntil(r.VisibleAt)
			q.become(m, delayed)
		}
	}
	q.advance(e.now())
	q.wake(e.clock)
}
