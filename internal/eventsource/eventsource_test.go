package eventsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"
)

// queue hands out batches, then waits for its context.
type queue struct {
	mu      sync.Mutex
	batches [][]events.SQSMessage
	errs    []error
	asked   int // how many receives began
	deleted chan []string
}

func (q *queue) Receive(ctx context.Context, limit int) ([]events.SQSMessage, error) {
	q.mu.Lock()
	q.asked++
	if len(q.errs) > 0 {
		defer q.mu.Unlock()
		err := q.errs[0]
		q.errs = q.errs[1:]
		return nil, err
	}
	if len(q.batches) > 0 {
		defer q.mu.Unlock()
		b := q.batches[0]
		q.batches = q.batches[1:]
		return b[:min(limit, len(b))], nil
	}
	q.mu.Unlock()
	<-ctx.Done()
	return nil, ctx.Err()
}

func (q *queue) Delete(_ context.Context, messages []events.SQSMessage) error {
	var ids []string
	for _, m := range messages {
		ids = append(ids, m.MessageId)
	}
	q.deleted <- ids
	return nil
}

func batch(ids ...string) (b []events.SQSMessage) {
	for _, id := range ids {
		b = append(b, events.SQSMessage{MessageId: id})
	}
	return b
}

func failures(ids ...string) events.SQSEventResponse {
	r := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, id := range ids {
		r.BatchItemFailures = append(r.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	return r
}

// run starts a Source and stops it at the test's end.
func run(t *testing.T, q *queue, h Handler, o Options) {
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { New(q, h, o).Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
}

func TestWhatIsDeleted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer func() (events.SQSEventResponse, error)
		want   []string // nil: nothing, and the marker batch comes next
	}{
		{"all succeeded", func() (events.SQSEventResponse, error) { return failures(), nil }, []string{"a", "b", "c"}},
		{"null failures", func() (events.SQSEventResponse, error) { return events.SQSEventResponse{}, nil }, []string{"a", "b", "c"}},
		{"one failed", func() (events.SQSEventResponse, error) { return failures("b"), nil }, []string{"a", "c"}},
		{"all failed", func() (events.SQSEventResponse, error) { return failures("a", "b", "c"), nil }, nil},
		{"unknown identifier", func() (events.SQSEventResponse, error) { return failures("x"), nil }, nil},
		{"empty identifier", func() (events.SQSEventResponse, error) { return failures(""), nil }, nil},
		{"error", func() (events.SQSEventResponse, error) { return failures(), errors.New("no") }, nil},
		{"panic", func() (events.SQSEventResponse, error) { panic("oh") }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := &queue{batches: [][]events.SQSMessage{batch("a", "b", "c"), batch("marker")}, deleted: make(chan []string, 2)}
			run(t, q, func(_ context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
				if e.Records[0].MessageId == "marker" {
					return failures(), nil
				}
				return c.answer()
			}, Options{Concurrency: 1})
			want := c.want
			if want == nil {
				want = []string{"marker"}
			}
			if diff := cmp.Diff(want, <-q.deleted); diff != "" {
				t.Errorf("deleted (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReceiveErrorsAreWaitedOut: a poller that can't receive, for lack of a
// descriptor say, tries again every second, for as long as that lasts.
func TestReceiveErrorsAreWaitedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const tries = 100
		q := &queue{errs: slices.Repeat([]error{syscall.EMFILE}, tries), batches: [][]events.SQSMessage{batch("a")},
			deleted: make(chan []string, 1)}
		start := time.Now()
		run(t, q, func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) { return failures(), nil }, Options{Concurrency: 1})
		select {
		case <-q.deleted:
		case <-time.After(time.Hour):
			t.Error("it has ended")
		}
		if took := time.Since(start); took != tries*time.Second {
			t.Errorf("%d failures took %v", tries, took)
		}
	})
}

// TestRest: a poller that is told to rests between two invocations, and not
// before the first.
func TestRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := clockwork.NewFakeClock()
		q := &queue{batches: [][]events.SQSMessage{batch("a"), batch("b")}, deleted: make(chan []string, 2)}
		run(t, q, func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) { return failures(), nil },
			Options{Concurrency: 1, Rest: time.Minute, Clock: clock})
		synctest.Wait()
		if len(q.deleted) != 1 {
			t.Errorf("%d batches are done with before its rest, want the first", len(q.deleted))
		}
		clock.Advance(time.Minute)
		synctest.Wait()
		if len(q.deleted) != 2 {
			t.Errorf("%d batches are done with after its rest, want both", len(q.deleted))
		}
	})
}

// TestSlowInvocationsHoldUpNobody fills every place with invocations that do
// not end, and shows that the next batch goes through all the same.
func TestSlowInvocationsHoldUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := clockwork.NewFakeClock()
		q := &queue{batches: [][]events.SQSMessage{batch("slow1"), batch("slow2"), batch("quick")}, deleted: make(chan []string, 3)}
		release, started := make(chan struct{}), make(chan string, 3)
		run(t, q, func(_ context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
			id := e.Records[0].MessageId
			started <- id
			if id != "quick" {
				<-release
			}
			return failures(), nil
		}, Options{Concurrency: 2, Clock: clock})
		defer close(release)
		synctest.Wait()
		if len(started) != 2 || len(q.deleted) != 0 {
			t.Fatalf("%d invocations started, %d ended", len(started), len(q.deleted))
		}
		first := []string{<-started, <-started}
		slices.Sort(first)
		if diff := cmp.Diff([]string{"slow1", "slow2"}, first); diff != "" {
			t.Fatalf("started (-want +got):\n%s", diff)
		}
		clock.Advance(200 * time.Millisecond)
		synctest.Wait()
		if len(q.deleted) != 1 {
			t.Fatalf("%d batches are done with, want the quick one", len(q.deleted))
		}
		if got := <-q.deleted; got[0] != "quick" {
			t.Errorf("deleted %v before the slow ones ended", got)
		}
	})
}

// TestHandOver: an invocation that says that it only waits, and says it again,
// makes room for one more at once; one that is over makes room for none.
func TestHandOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{batches: [][]events.SQSMessage{batch("a"), batch("b"), batch("c")}, deleted: make(chan []string, 3)}
		release, started := make(chan struct{}), make(chan context.Context, 3)
		run(t, q, func(ctx context.Context, _ events.SQSEvent) (events.SQSEventResponse, error) {
			if len(started) == 0 {
				HandOver(ctx)
				HandOver(ctx)
			}
			started <- ctx
			<-release
			return failures(), nil
		}, Options{Concurrency: 1, SlowAfter: time.Hour})
		if synctest.Wait(); len(started) != 2 {
			t.Errorf("%d are under way, want 2", len(started))
		}
		close(release)
		synctest.Wait()
		HandOver(<-started)
		HandOver(t.Context())
		if synctest.Wait(); q.asked != 4 || len(q.deleted) != 3 {
			t.Errorf("%d receives for %d batches, want 4 for 3", q.asked, len(q.deleted))
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := clockwork.NewFakeClock()
		q := &queue{deleted: make(chan []string, 9)}
		for i := range 9 {
			q.batches = append(q.batches, batch(fmt.Sprint("m", i)))
		}
		release, started := make(chan struct{}), make(chan struct{}, 9)
		run(t, q, func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
			started <- struct{}{}
			<-release
			return failures(), nil
		}, Options{Concurrency: 1, MaxConcurrency: 3, Clock: clock})
		for want := 1; want <= 4; want++ {
			synctest.Wait()
			if len(started) != min(want, 3) {
				t.Errorf("%d invocations are open, want %d", len(started), min(want, 3))
			}
			clock.Advance(200 * time.Millisecond)
		}
		close(release)
		synctest.Wait()
		if len(q.deleted) != 9 {
			t.Errorf("%d batches are done with, want all 9", len(q.deleted))
		}
	})
}

// TestShutdown shows that an open invocation may finish within the grace, and
// that its context ends with it.
func TestShutdown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		handler func(ctx context.Context, stopped <-chan struct{}) events.SQSEventResponse
		grace   bool
		deleted int
	}{
		{"finishes within the grace", func(_ context.Context, stopped <-chan struct{}) events.SQSEventResponse {
			<-stopped
			return failures()
		}, false, 1},
		{"is cut after it", func(ctx context.Context, _ <-chan struct{}) events.SQSEventResponse {
			<-ctx.Done()
			return failures("a")
		}, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				clock := clockwork.NewFakeClock()
				q := &queue{batches: [][]events.SQSMessage{batch("a")}, deleted: make(chan []string, 1)}
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					New(q, func(invocation context.Context, _ events.SQSEvent) (events.SQSEventResponse, error) {
						return c.handler(invocation, ctx.Done()), nil
					}, Options{Concurrency: 1, SlowAfter: time.Hour, Clock: clock}).Run(ctx)
				}()
				synctest.Wait() // the handler is at work
				stop()
				synctest.Wait()
				select {
				case <-ended:
					if c.grace {
						t.Error("it was cut before the grace was over")
					}
				default:
					if !c.grace {
						t.Error("it goes on although nothing is in hand")
					}
				}
				clock.Advance(2 * time.Second)
				<-ended
				if len(q.deleted) != c.deleted {
					t.Errorf("%d deletes, want %d", len(q.deleted), c.deleted)
				}
			})
		})
	}
}

// TestTimeout: an invocation's context ends with the time that the function has.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &queue{batches: [][]events.SQSMessage{batch("a")}, deleted: make(chan []string, 1)}
		over := make(chan error, 1)
		run(t, q, func(ctx context.Context, _ events.SQSEvent) (events.SQSEventResponse, error) {
			<-ctx.Done()
			over <- ctx.Err()
			return failures("a"), nil
		}, Options{Concurrency: 1, Timeout: 30 * time.Second})
		select {
		case err := <-over:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it ended by %v", err)
			}
		case <-time.After(31 * time.Second):
			t.Error("it goes on after its time")
		}
	})
}

// TestRequestIDs: each invocation has one of its own, as Lambda's has.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	handle := func(ctx context.Context, _ events.SQSEvent) (r events.SQSEventResponse, _ error) {
		if c, ok := lambdacontext.FromContext(ctx); ok {
			ids[c.AwsRequestID] = true
		}
		return r, nil
	}
	s := New(nowhere{}, handle, Options{})
	s.invocations = t.Context()
	s.invoke([]events.SQSMessage{{MessageId: "a"}}, func() {})
	s.invoke([]events.SQSMessage{{MessageId: "b"}}, func() {})
	if len(ids) != 2 || ids[""] {
		t.Errorf("the invocations were %v", ids)
	}
}

// nowhere is a queue that is empty.
type nowhere struct{}

func (nowhere) Receive(context.Context, int) ([]events.SQSMessage, error) { return nil, nil }
func (nowhere) Delete(context.Context, []events.SQSMessage) error         { return nil }
