package worker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/cmd/efferent/ownqueues"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/eventsource"
)

// shaky is a queue that may go wrong, and the handler of what it hands out.
type shaky struct {
	mu sync.Mutex
	// fails is what receives fail by, unfit what looks say.
	fails, unfit error
	receives     int // of its redrive policy
	counts       []string
	asked, seen  int
	handled      []int // the count that the handler of each message was made for
}

func (q *shaky) Receive(ctx context.Context, _ int) ([]events.SQSMessage, error) {
	q.mu.Lock()
	q.asked++
	if q.fails != nil {
		defer q.mu.Unlock()
		return nil, q.fails
	}
	if len(q.counts) > 0 {
		defer q.mu.Unlock()
		m := events.SQSMessage{MessageId: "m", Attributes: map[string]string{"ApproximateReceiveCount": q.counts[0]}}
		q.counts = q.counts[1:]
		return []events.SQSMessage{m}, nil
	}
	q.mu.Unlock()
	select { // a long poll
	case <-time.After(20 * time.Second):
	case <-ctx.Done():
	}
	return nil, ctx.Err()
}

func (q *shaky) Delete(context.Context, []events.SQSMessage) error { return nil }

func (q *shaky) look(context.Context) (workable, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seen++
	return workable{receives: q.receives}, q.unfit
}

func (q *shaky) build(receives int) (eventsource.Handler, error) {
	return func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.handled = append(q.handled, receives)
		return events.SQSEventResponse{}, nil
	}, nil
}

func (q *shaky) set(do func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	do()
}

// watching works on q with eight pollers until the test ends, and returns what is
// logged at the end of it.
func watching(t *testing.T, q *shaky) (w *queueWatch, logged func() string) {
	t.Helper()
	var text bytes.Buffer
	q.receives = 6
	w, err := newQueueWatch(&queueWatch{name: "webhooks", look: q.look, build: q.build, clock: clockwork.NewRealClock(),
		log: slog.New(slog.NewTextHandler(&text, nil))}, q.receives)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { w.run(ctx) })
	all.Go(func() { eventsource.New(watchedQueue{q, w}, w.Handle, eventsource.Options{Log: w.log}).Run(ctx) })
	end := func() { stop(); all.Wait() }
	t.Cleanup(end)
	return w, func() string { end(); return text.String() }
}

func noRedrive() *unfitError {
	e := &unfitError{flags: &reach.QueueFlags{}}
	e.add("webhooks", queueFault{"has no redrive policy", ownqueues.RedrivePolicy})
	return e
}

// TestAQueueThatIsGone for an hour is asked for less and less often, told of once,
// and worked on when it is there again.
func TestAQueueThatIsGone(t *testing.T) {
	t.Parallel()
	gone := &unfitError{flags: &reach.QueueFlags{}}
	gone.add("webhooks", missing)
	for _, c := range []struct {
		name         string
		fails, unfit error
		tells        string
	}{
		{"deleted", errors.New("QueueDoesNotExist"), gone, "does not exist"},
		{"not to be received from", errors.New("AccessDenied"), nil, "AccessDenied"},
		{"out of reach", errors.New("no route to host"), errors.New("no route to host"), "no route"},
		{"no redrive policy", nil, noRedrive(), "queues create --update RedrivePolicy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := &shaky{}
				w, logged := watching(t, q)
				time.Sleep(time.Hour)
				q.set(func() {
					if q.seen < 59 || q.seen > 61 {
						t.Errorf("a queue that is well was looked at %d times in an hour", q.seen)
					}
					q.fails, q.unfit, q.asked, q.seen = c.fails, c.unfit, 0, 0
				})
				time.Sleep(time.Hour)
				synctest.Wait()
				q.set(func() {
					if q.asked > 600 || q.seen > 150 {
						t.Errorf("in an hour of trouble it was received from %d times, and looked at %d times", q.asked, q.seen)
					}
					if at := w.state(); at.Reason == "" || time.Since(at.Since) < 55*time.Minute {
						t.Errorf("its trouble is %+v", at)
					}
					q.fails, q.unfit, q.counts = nil, nil, []string{"1"}
				})
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				q.set(func() {
					if len(q.handled) != 1 || w.state().Reason != "" {
						t.Errorf("when all is well again %d messages are handled, and its trouble is %+v", len(q.handled), w.state())
					}
				})
				text := logged()
				if strings.Count(text, "level=ERROR") != 1 || strings.Count(text, "worked on again") != 1 || !strings.Contains(text, c.tells) {
					t.Errorf("want one error that tells %q, and one end of it:\n%s", c.tells, text)
				}
			})
		})
	}
}

// TestAMessageOverItsCount shows at once that the redrive policy is another one, or
// gone: nobody waits for the clock while it spins.
func TestAMessageOverItsCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		receives int
		unfit    error
		handled  int
	}{
		{"raised", 20, nil, 20},
		{"gone", 6, noRedrive(), 0},
		{"counted otherwise", 6, nil, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := &shaky{}
				watching(t, q)
				time.Sleep(2 * time.Second)
				q.set(func() { q.receives, q.unfit, q.counts = c.receives, c.unfit, []string{"7"} })
				time.Sleep(25 * time.Second) // the next poll
				synctest.Wait()
				q.set(func() {
					if c.handled == 0 && len(q.handled) != 0 || c.handled > 0 && (len(q.handled) != 1 || q.handled[0] != c.handled) {
						t.Errorf("it was handled by %v, want %d", q.handled, c.handled)
					}
				})
			})
		})
	}
}

// TestTheCountIsFollowed within a minute, also when it becomes less.
func TestTheCountIsFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &shaky{}
		watching(t, q)
		q.set(func() { q.receives = 3 })
		time.Sleep(lookEvery + time.Second)
		q.set(func() { q.counts = []string{"1"} })
		time.Sleep(25 * time.Second)
		q.set(func() {
			if len(q.handled) != 1 || q.handled[0] != 3 {
				t.Errorf("handled by %v", q.handled)
			}
		})
	})
}
