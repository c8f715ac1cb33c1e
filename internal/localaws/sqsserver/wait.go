package sqsserver

import (
	"slices"
	"time"

	"github.com/jonboulle/clockwork"
)

// waiters are the receives that wait for a message. One is woken at a time;
// it wakes the next when it leaves something behind.
//
// While anybody waits, alarm is set for no later than the next message that
// becomes visible by time.
type waiters struct {
	line  []chan struct{}
	alarm clockwork.Timer
	// armed is when alarm goes off, in Unix milliseconds; 0 when it is off.
	armed int64
}

// enlist puts the caller in line: the channel is closed to wake it.
func (q *queue) enlist(clock clockwork.Clock) chan struct{} {
	w := make(chan struct{})
	q.waiters.line = append(q.waiters.line, w)
	q.arm(clock)
	return w
}

// strike takes w out of the line, if it is still there.
func (q *queue) strike(w chan struct{}) {
	if i := slices.Index(q.waiters.line, w); i >= 0 {
		q.waiters.line = slices.Delete(q.waiters.line, i, i+1)
	}
}

// wake is called when messages have become ready or wait for their time: it
// wakes the first in line, if there is something to receive.
func (q *queue) wake(clock clockwork.Clock) {
	if len(q.waiters.line) == 0 {
		return
	}
	if q.anyReceivable() {
		close(q.waiters.line[0])
		q.waiters.line = slices.Delete(q.waiters.line, 0, 1)
	}
	q.arm(clock)
}

// anyReceivable drops groups from the front of the line that have nothing.
func (q *queue) anyReceivable() bool {
	for len(q.offered) > 0 {
		if q.receivable(q.offered[0]) {
			return true
		}
		q.unoffer()
	}
	return false
}

// unoffer takes the first group out of the line.
func (q *queue) unoffer() {
	q.offered[0].offered = false
	q.offered[0] = nil
	q.offered = q.offered[1:]
}

// arm sets the alarm for the next message that becomes visible by time.
func (q *queue) arm(clock clockwork.Clock) {
	m, at := q.timed.top()
	if len(q.waiters.line) == 0 || m == nil || q.waiters.armed != 0 && q.waiters.armed <= at {
		return
	}
	if q.waiters.alarm != nil {
		q.waiters.alarm.Stop()
	}
	q.waiters.armed = at
	q.waiters.alarm = clock.AfterFunc(time.UnixMilli(at).Sub(clock.Now()), func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.waiters.armed == at {
			q.waiters.armed = 0
		}
		q.advance(clock.Now().UnixMilli())
		q.wake(clock)
	})
}
