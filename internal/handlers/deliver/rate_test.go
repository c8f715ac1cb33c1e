package deliver

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
	"github.com/efferent/efferent/internal/webhook"
)

// backlog is a queue and a room whose messages handlers get again and again until they
// are sent.
type backlog struct {
	w        *world
	mu       sync.Mutex
	waiting  []*inQueue
	sent     []time.Duration // after the beginning, in order
	order    []string
	received map[string]int // of one SQS id at most
	tired    bool           // one was received more often than may be
	moved    map[string]bool
}

// inQueue is a message, and when it can be received.
type inQueue struct {
	events.SQSMessage
	visible  time.Time
	receives int
}

// take gives up to ten messages that can be received, the oldest first.
func (l *backlog) take() (some []*inQueue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	slices.SortStableFunc(l.waiting, func(a, b *inQueue) int { return a.visible.Compare(b.visible) })
	for len(some) < 10 && len(l.waiting) > 0 && !l.waiting[0].visible.After(now) {
		m := l.waiting[0]
		m.receives++
		m.Attributes["ApproximateReceiveCount"] = strconv.Itoa(m.receives)
		l.received[m.MessageId] = m.receives
		l.tired = l.tired || m.receives > 6
		some, l.waiting = append(some, m), l.waiting[1:]
	}
	return some
}

// release lets out of the room what is due, as new messages.
func (l *backlog) release() {
	for _, i := range l.w.store.Room() {
		if i.State != waiting.Waiting || i.Due.After(time.Now()) {
			continue
		}
		if err := l.w.store.Settle(l.w.t.Context(), []waiting.Item{i}, waiting.Sent); err != nil {
			l.w.t.Error(err)
		}
		i.Carried.Released = time.Now()
		m := aMessage(i.WebhookID+"-"+strconv.FormatInt(time.Now().UnixNano(), 10), i.Body, 0)
		m.MessageAttributes = carrying(i.Carried.Attributes())
		m.Attributes["SentTimestamp"] = strconv.FormatInt(time.Now().UnixMilli(), 10)
		l.mu.Lock()
		l.waiting = append(l.waiting, &inQueue{SQSMessage: m, visible: time.Now()})
		l.moved[i.WebhookID] = true
		l.mu.Unlock()
	}
}

// work is one instance of the function.
func (l *backlog) work(h *Handler) {
	for {
		some := l.take()
		if len(some) == 0 {
			return
		}
		var records []events.SQSMessage
		for _, m := range some {
			records = append(records, m.SQSMessage)
		}
		failed := l.w.handleWith(h, records...)
		l.mu.Lock()
		for _, m := range some {
			if slices.Contains(failed, m.MessageId) {
				l.w.mu.Lock()
				m.visible = time.Now().Add(l.w.hidden[m.ReceiptHandle])
				l.w.mu.Unlock()
				l.waiting = append(l.waiting, m)
			}
		}
		l.mu.Unlock()
	}
}

// TestRates: many instances together keep an endpoint's rate, lose none, use up no
// attempt, and run out of no receives, however long the line is.
func TestRates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rate    float64
		n       int
		atLeast time.Duration // the last one goes
		slack   time.Duration
		moved   bool
	}{
		"five a second":          {5, 300, 59 * time.Second, 30 * time.Second, false},
		"one in two seconds":     {0.5, 200, 397 * time.Second, 90 * time.Second, true},
		"as many as there are":   {1000, 100, 0, 30 * time.Second, false},
		"without a bound at all": {0, 100, 0, time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, ok200)
				w.clock, w.paces = time.Now, &storetest.Memory{}
				w.now = time.Now()
				w.registers(func(e *endpoint.Endpoint) { e.RatePerSecond = c.rate })
				l := &backlog{w: w, received: map[string]int{}, moved: map[string]bool{}}
				begin := time.Now()
				for n := range c.n {
					m := aMessage(fmt.Sprintf("%04d", n), toEndpoint(fmt.Sprintf("%04d", n)), 0)
					m.Attributes["ApproximateFirstReceiveTimestamp"] = strconv.FormatInt(begin.UnixMilli(), 10)
					l.waiting = append(l.waiting, &inQueue{SQSMessage: m, visible: begin})
				}
				w.posted = func(r webhook.Request) {
					l.sent, l.order = append(l.sent, time.Since(begin)), append(l.order, r.ID)
				}
				var handlers []*Handler
				for range 20 {
					handlers = append(handlers, w.handler())
				}
				for len(l.sent) < c.n && !l.tired && time.Since(begin) <= c.atLeast+c.slack {
					var all sync.WaitGroup
					for _, h := range handlers {
						all.Go(func() { l.work(h) })
					}
					all.Wait()
					l.release()
					time.Sleep(time.Second)
				}
				l.check(t, c.n, c.rate, c.atLeast, c.atLeast+c.slack, c.moved)
			})
		})
	}
}

func (l *backlog) check(t *testing.T, n int, rate float64, least, most time.Duration, moved bool) {
	t.Helper()
	if len(l.sent) != n {
		t.Fatalf("%d were sent", len(l.sent))
	}
	slices.Sort(l.sent)
	if last := l.sent[n-1]; last < least || last > most {
		t.Errorf("the last went after %v, want %v to %v", last, least, most)
	}
	interval := time.Duration(0)
	if rate > 0 {
		interval = time.Duration(float64(time.Second) / rate)
	}
	for i := range l.sent[1:] {
		if got := l.sent[i+1] - l.sent[i]; got < interval-time.Millisecond {
			t.Errorf("two went within %v", got)
			break
		}
	}
	for id, receives := range l.received {
		if receives > 5 {
			t.Errorf("%s was received %d times", id, receives)
		}
	}
	if (len(l.moved) > 0) != moved {
		t.Errorf("%d were in the room", len(l.moved))
	}
	for _, id := range l.order {
		for _, r := range l.w.recorded(id) {
			if r.Attempt != 1 || r.Verdict != attempt.Held && r.Verdict != attempt.Delivered {
				t.Fatalf("recorded is %+v", r)
			}
		}
	}
}
