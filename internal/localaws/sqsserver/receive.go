package sqsserver

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// receiving is one ReceiveMessage, checked and with the queue's defaults.
type receiving struct {
	max        int
	visibility time.Duration
	wait       time.Duration
	system     systemNames
	names      attributeNames
	leased     bool
	// attempt is the ReceiveRequestAttemptId, empty when there is none.
	attempt string
}

// taken is what one look at a queue has brought.
type taken struct {
	messages []delivery
	// end is how far into the last message's group it may reach, on a FIFO
	// queue: up to what others have in flight.
	end     int64
	moves   []*message // to the dead-letter queue dlq
	dlq     *queue
	changes *Changes
	// far is set instead of all that when the first message is on the shelf.
	far bool
	// wait is set instead of all that when there is nothing: it is closed
	// when there may be something.
	wait chan struct{}
}

// delivery is one receive of m, and what m was then.
type delivery struct {
	m   *message
	was message
}

// maxMovesAtOnce bounds how many dead letters one look moves.
const maxMovesAtOnce = 1000

// receive waits for messages, hides them, and returns them.
func (e *Engine) receive(ctx context.Context, q *queue, r *receiving) ([]types.Message, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if messages, err := e.receiveAgain(ctx, q, r); err != nil || len(messages) > 0 {
		return messages, err
	}
	deadline := e.clock.Now().Add(r.wait)
	for {
		left := deadline.Sub(e.clock.Now())
		t, err := e.take(q, r, left > 0)
		if err != nil {
			return nil, err
		}
		if t.far {
			if err := e.bringNear(ctx, q); err != nil {
				return nil, receiveFailure(ctx, err)
			}
			continue
		}
		if t.changes != nil {
			messages, err := e.deliver(ctx, q, r, t)
			if err != nil || len(messages) > 0 {
				return messages, err
			}
			continue
		}
		if left <= 0 {
			return nil, nil
		}
		if err := e.await(ctx, q, t.wait, left); err != nil {
			return nil, err
		}
	}
}

// await returns when the receive should look again: it was woken or its time
// is over.
func (e *Engine) await(ctx context.Context, q *queue, woken chan struct{}, left time.Duration) error {
	timer := e.clock.NewTimer(left)
	defer timer.Stop()
	var err error
	select {
	case <-woken:
		return nil
	case <-timer.Chan():
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-e.closing:
		err = ErrClosed
	case <-q.life.over:
		err = queueDoesNotExist()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.strike(woken)
	q.wake(e.clock) // it may have been woken at this very moment
	return err
}

// take takes up to r.max messages out of q's line, and what is due for the
// dead-letter queue. With nothing to take it puts the caller in line if it
// may wait.
func (e *Engine) take(q *queue, r *receiving, mayWait bool) (*taken, error) {
	dlq, most := e.deadLetterQueue(q)
	clock := e.clock.Now()
	now := clock.UnixMilli()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.life.ended() {
		return nil, queueDoesNotExist()
	}
	q.advance(now)
	t := &taken{dlq: dlq}
	room := e.inFlightLimit - q.counts[inFlight]
	if room <= 0 && r.wait == 0 && !q.fifo { // long polling brings no error ("Amazon SQS standard queue quotas")
		return nil, overLimit(e.inFlightLimit)
	}
	for limit := min(r.max, room); len(t.messages) < limit && len(t.moves) < maxMovesAtOnce; {
		m := q.next(t)
		if m == nil {
			break
		}
		if dlq != nil && m.received-m.receivedBefore >= most {
			q.become(m, moving)
			t.moves = append(t.moves, m)
			continue
		}
		m.hide(clock, r)
		q.become(m, inFlight)
		t.messages = append(t.messages, delivery{m, *m})
	}
	if len(t.messages)+len(t.moves) == 0 {
		if t.far = room > 0 && q.anyReceivable() && q.offered[0].firstIsFar(); t.far {
			return t, nil
		}
		if mayWait {
			t.wait = q.enlist(e.clock)
		}
		return t, nil
	}
	t.changes = e.record(q, t, now)
	q.wake(e.clock) // there may be more for others
	return t, nil
}

// next is the next message to receive, nil when it is on the shelf: of each
// group in turn on a standard queue, and of one group as long as it has any on
// a FIFO queue, where the group that t has taken last stays open to it.
func (q *queue) next(t *taken) *message {
	if q.fifo && len(t.messages) > 0 {
		if m := t.messages[len(t.messages)-1].m.group.before(t.end); m != nil && m.state == ready {
			return m
		}
	}
	if !q.anyReceivable() {
		return nil
	}
	g := q.offered[0]
	if g.firstIsFar() {
		return nil
	}
	m, _ := g.waiting.top()
	t.end = g.blocked()
	// To the end of the line, if it has more: become offers it again.
	q.unoffer()
	return m
}

// hide makes m a message that r has received.
func (m *message) hide(now time.Time, r *receiving) {
	m.lastReceived = now.UnixMilli()
	if m.received++; m.firstReceived == 0 {
		m.firstReceived = m.lastReceived
	}
	m.visibleAt = end(now, r.visibility)
	m.leased = r.leased
}

// record says what taking t changes.
func (e *Engine) record(q *queue, t *taken, now int64) *Changes {
	c := &Changes{SetStates: make([]StateRecord, len(t.messages))}
	q.clean(c)
	for i := range t.messages {
		c.SetStates[i] = t.messages[i].was.stateRecord()
	}
	for _, m := range t.moves {
		c.Moves = append(c.Moves, e.deadLetter(m, q, t.dlq, now))
	}
	return c
}

// deliver writes what take has done and reads the contents. When either
// fails, or the caller has gone, everything goes back.
func (e *Engine) deliver(ctx context.Context, q *queue, r *receiving, t *taken) ([]types.Message, error) {
	err := e.writeTaken(ctx, q, t)
	if err == nil {
		t.moves, t.changes = nil, &Changes{}
		err = e.fetch(ctx, q, t)
	}
	if err != nil {
		e.giveBack(q, t)
	}
	switch {
	case errors.Is(err, errGone): // take will see that
		return nil, nil
	case err != nil:
		return nil, receiveFailure(ctx, err)
	}
	q.remember(r, t, e.now())
	return r.presentAll(q, t), nil
}

var errGone = errors.New("the queue or its dead-letter queue has been deleted")

// writeTaken writes what take has done, and moves the dead letters.
func (e *Engine) writeTaken(ctx context.Context, q *queue, t *taken) error {
	if len(t.moves) == 0 {
		return e.apply(ctx, t.changes)
	}
	for _, held := range []*queue{q, t.dlq} {
		if !held.life.hold() {
			return errGone
		}
		defer held.life.release()
	}
	if err := e.applyTo(ctx, t.changes, t.dlq); err != nil {
		return err
	}
	e.transfer(q, t.dlq, t.moves, t.changes.Moves)
	return nil
}

func receiveFailure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return internalFailure("No message was received", err)
}

// fetch reads the contents that are not in memory. A message whose content is
// gone was deleted by a write that seemed to fail: it goes. It is an error when
// the caller has gone.
func (e *Engine) fetch(ctx context.Context, q *queue, t *taken) error {
	var keys []int64
	for i := range t.messages {
		if m := &t.messages[i].was; m.content == nil {
			keys = append(keys, m.key)
		}
	}
	if len(keys) == 0 {
		return ctx.Err()
	}
	found, err := e.store.Messages(ctx, keys)
	if err != nil {
		return err
	}
	for i := range t.messages {
		d := &t.messages[i]
		stored, ok := found[d.was.key]
		switch {
		case d.was.content != nil:
		case !ok:
			e.log.Warn("a message was gone from the data file", "queue", q.name, "message_id", formatID(d.was.id))
			q.forget(d.m)
		default:
			if d.was.content, err = loadContent(stored.Content); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func (q *queue) forget(m *message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.messages[m.key] == m && m.state != deleting && m.state != moving {
		q.disown(m)
	}
}

// giveBack makes visible again what t has taken, as if it had not been
// received.
func (e *Engine) giveBack(q *queue, t *taken) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.litter(t.changes.Deletes, t.changes.Undo)
	for _, m := range t.moves {
		q.become(m, ready)
	}
	for i := range t.messages {
		m, was := t.messages[i].m, &t.messages[i].was
		if q.messages[m.key] != m || m.state != inFlight || m.received != was.received {
			continue
		}
		if m.received--; m.received == 0 {
			m.firstReceived = 0
		}
		q.become(m, ready)
	}
	q.wake(e.clock)
}
