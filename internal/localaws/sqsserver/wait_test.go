package sqsserver

import (
	"context"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

// A receiver may leave just when it has been woken: it must wake the next.
func TestWhoLeavesWhenWokenWakesTheNext(t *testing.T) {
	t.Parallel()
	e := &Engine{clock: clockwork.NewFakeClock(), closing: make(chan struct{})}
	c, err := newConfig(false, defaults(false), nil)
	if err != nil {
		t.Fatal(err)
	}
	q := e.newQueue(QueueRecord{ID: 1, Name: "q"}, c)
	q.adopt(&message{key: 1}, "", ready)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for left := 0; left < 3; {
		first, next := q.enlist(e.clock), q.enlist(e.clock)
		q.wake(e.clock)
		if e.await(gone, q, first, time.Second) == nil {
			q.strike(next) // it saw that it was woken, and will look
			continue
		}
		left++
		select {
		case <-next:
		default:
			t.Fatal("the next one sleeps on")
		}
	}
}
