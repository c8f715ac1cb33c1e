package sqsserver

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// attemptInterval is how long a ReceiveRequestAttemptId can be used
// ("ReceiveMessage" in the API reference).
const attemptInterval = 5 * time.Minute

// attempts are the receives of a FIFO queue that had a
// ReceiveRequestAttemptId, by it. They are not stored: after a restart, as
// without an id, a retry waits for the visibility timeout.
type attempts struct {
	made map[string]*attempt
	line []*attempt // oldest first
}

// attempt is one receive.
type attempt struct {
	id   string
	at   int64
	held []heldMessage
}

// heldMessage is a message as a receive has left it.
type heldMessage struct {
	m         *message
	received  int32
	visibleAt int64
}

// remember notes what r has received, if it has an attempt id.
func (q *queue) remember(r *receiving, t *taken, now int64) {
	if r.attempt == "" || len(t.messages) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	a := &attempt{id: r.attempt, at: now}
	for i := range t.messages {
		d := &t.messages[i]
		a.held = append(a.held, heldMessage{d.m, d.was.received, d.was.visibleAt})
	}
	if q.tries.made == nil {
		q.tries.made = map[string]*attempt{}
	}
	q.tries.made[a.id] = a
	q.tries.line = append(q.tries.line, a)
}

// expire forgets what is over the interval.
func (l *attempts) expire(now int64) {
	for len(l.line) > 0 && l.line[0].at+attemptInterval.Milliseconds() <= now {
		if a := l.line[0]; l.made[a.id] == a {
			delete(l.made, a.id)
		}
		l.line[0] = nil
		l.line = l.line[1:]
	}
}

// receiveAgain gives an earlier receive with the same attempt id once more:
// the same messages and handles, with a fresh visibility timeout. It gives
// none when one of them was deleted, changed, or became visible since; the id
// then is as good as new.
func (e *Engine) receiveAgain(ctx context.Context, q *queue, r *receiving) ([]types.Message, error) {
	if r.attempt == "" {
		return nil, nil
	}
	now := e.clock.Now()
	q.mu.Lock()
	q.advance(now.UnixMilli())
	q.tries.expire(now.UnixMilli())
	a := q.tries.made[r.attempt]
	if a == nil || !q.intact(a) {
		q.mu.Unlock()
		return nil, nil
	}
	t, changes := &taken{}, &Changes{}
	list := make([]visibilityChange, len(a.held))
	for i, h := range a.held {
		list[i] = visibilityChange{m: h.m, received: h.received, at: end(now, r.visibility), leased: r.leased}
		changes.SetStates = append(changes.SetStates, list[i].stateRecord())
		t.messages = append(t.messages, delivery{h.m, *h.m})
	}
	q.mu.Unlock()
	if err := e.apply(ctx, changes); err != nil {
		return nil, receiveFailure(ctx, err)
	}
	q.endChanges(e, list)
	q.mu.Lock()
	for i := range a.held {
		a.held[i].visibleAt = list[i].at
	}
	q.mu.Unlock()
	if err := e.fetch(ctx, q, t); err != nil {
		return nil, receiveFailure(ctx, err)
	}
	return r.presentAll(q, t), nil
}

// intact: nothing has happened to the messages since.
func (q *queue) intact(a *attempt) bool {
	for _, h := range a.held {
		if m := h.m; q.messages[m.key] != m || m.state != inFlight || m.received != h.received || m.visibleAt != h.visibleAt {
			return false
		}
	}
	return true
}
