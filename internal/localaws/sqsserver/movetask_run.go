package sqsserver

import (
	"context"
	"maps"
	"slices"
	"time"
)

// moveBatch is how many messages a task without a rate moves at a time.
const moveBatch = 500

// The reasons why a task fails.
const (
	noSource      = "CouldNotDetermineMessageSource" // a message was sent to the dead-letter queue by hand
	noDestination = "AWS.SimpleQueueService.NonExistentQueue"
	storeFailed   = "InternalError"
)

// mover is a task at work.
type mover struct {
	e      *Engine
	t      *task
	source *queue
	// aside are messages that have nowhere to go. They are given back at the
	// end, so that the others come first.
	aside []*message
}

// runTask works on t until it is done, cancelled, or the engine closes.
func (e *Engine) runTask(t *task) {
	m := &mover{e: e, t: t, source: e.byARN(t.r.Source)}
	e.movers.Go(func() {
		if m.source == nil {
			m.end(taskFailed, noDestination)
			return
		}
		status, failure := m.run()
		m.source.restore(e, m.aside)
		if status != "" {
			m.end(status, failure)
		}
	})
}

// run moves batch after batch. It returns no status when the engine closes:
// the task then goes on after the next Open.
func (m *mover) run() (status, failure string) {
	for {
		select {
		case <-m.e.closing:
			return "", ""
		case <-m.t.cancelled:
			return taskCancelled, ""
		case <-m.source.life.over:
			return taskFailed, noDestination
		default:
		}
		left := m.left()
		batch := m.source.takeToMove(m.e.now(), min(left, m.batch()))
		if len(batch) == 0 && left > 0 && m.source.firstIsFar() {
			if err := m.e.bringNear(context.Background(), m.source); err != nil {
				return taskFailed, storeFailed
			}
			continue
		}
		if len(batch) == 0 {
			return m.outcome(failure)
		}
		reason, err := m.move(batch)
		if err != nil {
			return taskFailed, storeFailed
		}
		if reason != "" {
			failure = reason
		}
		if left == len(batch) {
			return m.outcome(failure)
		}
		m.pace()
	}
}

func (m *mover) outcome(failure string) (string, string) {
	if failure != "" {
		return taskFailed, failure
	}
	return taskCompleted, ""
}

// left is how many of the messages that were there at the start remain.
func (m *mover) left() int {
	r := m.t.record()
	return int(r.ToMove-r.Moved) - len(m.aside)
}

func (m *mover) batch() int {
	if rate := m.t.r.Rate; rate > 0 {
		return int(rate)
	}
	return moveBatch
}

// pace waits for the second that the batch stands for, if there is a rate.
func (m *mover) pace() {
	if m.t.r.Rate == 0 {
		return
	}
	timer := m.e.clock.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-timer.Chan():
	case <-m.t.cancelled:
	case <-m.source.life.over:
	case <-m.e.closing:
	}
}

// move moves a batch, in one write with the task's count. It says why some
// messages could not be moved.
func (m *mover) move(batch []*message) (reason string, err error) {
	if !m.source.life.hold() {
		return noDestination, nil
	}
	defer m.source.life.release()
	now := m.e.now()
	changes := &Changes{}
	moved := map[*queue][]*message{}
	records := map[*queue][]MessageRecord{}
	for _, msg := range batch {
		to, why := m.destination(msg)
		if to == nil || moved[to] == nil && !to.life.hold() {
			reason = why
			m.aside = append(m.aside, msg)
			continue
		}
		if moved[to] == nil {
			defer to.life.release()
		}
		r := m.e.redriven(msg, to, now)
		moved[to] = append(moved[to], msg)
		records[to] = append(records[to], r)
		changes.Moves = append(changes.Moves, r)
	}
	if len(changes.Moves) == 0 {
		return reason, nil
	}
	r := m.t.record()
	r.Moved += int64(len(changes.Moves))
	changes.PutTasks = []TaskRecord{r}
	if err := m.e.applyTo(context.Background(), changes, slices.Collect(maps.Keys(moved))...); err != nil {
		for _, messages := range moved {
			m.source.restore(m.e, messages)
		}
		return reason, err
	}
	m.t.mu.Lock()
	m.t.r.Moved = r.Moved
	m.t.mu.Unlock()
	for to, messages := range moved {
		m.e.transfer(m.source, to, messages, records[to])
	}
	return reason, nil
}

func (m *mover) destination(msg *message) (to *queue, reason string) {
	arn := m.t.r.Destination
	if arn == "" {
		arn = msg.source
	}
	if arn == "" {
		return nil, noSource
	}
	return m.e.byARN(arn), noDestination
}

// redriven is what a dead letter becomes in the queue that it is moved to: a
// new message, with the old contents and row.
func (e *Engine) redriven(m *message, to *queue, now int64) MessageRecord {
	return MessageRecord{
		StateRecord: StateRecord{Key: m.key, VisibleAt: now},
		Queue:       to.id, ID: newID(), Seq: e.nextKey(), Sent: now,
		Group: m.group.id, Dedup: m.dedup,
	}
}

// end writes the task's last status. When that fails, the next Open goes on
// with what is left of the task.
func (m *mover) end(status, failure string) {
	m.t.mu.Lock()
	m.t.r.Status, m.t.r.Failure = status, failure
	r := m.t.r
	m.t.mu.Unlock()
	// A failure is logged by apply.
	_ = m.e.apply(context.Background(), &Changes{PutTasks: []TaskRecord{r}})
}

// visible is how many messages can be received.
func (q *queue) visible(now int64) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(now)
	return q.counts[ready]
}

// takeToMove takes up to n messages that could be received.
func (q *queue) takeToMove(now int64, n int) (batch []*message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(now)
	for len(batch) < n {
		m := q.next(&taken{})
		if m == nil {
			break
		}
		q.become(m, moving)
		batch = append(batch, m)
	}
	return batch
}

// restore makes messages that were to move visible again.
func (q *queue) restore(e *Engine, messages []*message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range messages {
		q.become(m, ready)
	}
	q.wake(e.clock)
}
