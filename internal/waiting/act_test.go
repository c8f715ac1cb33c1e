package waiting_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
)

var (
	errDown = errors.New("down")
	noon    = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

// queues take what is sent, but for what is refused, and a room that fails at
// will.
type queues struct {
	*storetest.Memory
	mu          sync.Mutex
	sent        []waiting.Outgoing
	refuse      string
	settleFails error
	enterFails  error
}

func (q *queues) Send(_ context.Context, _ string, messages []waiting.Outgoing) (indexes []int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, m := range messages {
		if m.Body == q.refuse {
			err = errDown
			continue
		}
		q.sent, indexes = append(q.sent, m), append(indexes, i)
	}
	return indexes, err
}

func (q *queues) Settle(ctx context.Context, items []waiting.Item, as waiting.State) error {
	if q.settleFails != nil {
		return q.settleFails
	}
	return q.Memory.Settle(ctx, items, as)
}

func (q *queues) Enter(ctx context.Context, item waiting.Item) (waiting.State, error) {
	if q.enterFails != nil {
		return "", q.enterFails
	}
	return q.Memory.Enter(ctx, item)
}

// full is a room with n items that are due in an hour and later, and its exit.
func full(t *testing.T, n int) (*queues, *waiting.Exit, []waiting.Item) {
	t.Helper()
	q := &queues{Memory: &storetest.Memory{}}
	for i := range n {
		item := waiting.Item{Queue: "webhooks", MessageID: fmt.Sprintf("m%03d", i), Attempt: 1, State: waiting.Waiting,
			Due: noon.Add(time.Hour + time.Duration(i)*time.Second), Body: fmt.Sprintf("m%03d", i), Carried: message.Carried{Attempts: 1}}
		if _, err := q.Memory.Enter(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	return q, &waiting.Exit{Places: q, Sender: q, Now: func() time.Time { return noon }, Holder: "a"}, q.Room()
}

// states are how many items are in which state.
func (q *queues) states() map[waiting.State]int {
	all := map[waiting.State]int{}
	for _, i := range q.Room() {
		all[i.State]++
	}
	return all
}

func TestActSends(t *testing.T) {
	t.Parallel()
	q, exit, items := full(t, 130)
	done, err := exit.Act(t.Context(), items[:120], waiting.Sent)
	if err != nil || len(done) != 120 || len(q.sent) != 120 || q.states()[waiting.Sent] != 120 || q.states()[waiting.Waiting] != 10 {
		t.Fatalf("%v: %d done, %d sent, then %v", err, len(done), len(q.sent), q.states())
	}
	for _, m := range q.sent {
		if m.Delay != 0 || m.Attributes[message.CarriedReleased].Text != "2026-11-24T12:00:00Z" {
			t.Errorf("sent %+v", m)
		}
	}
	// A listing that lags shows them still.
	done, err = exit.Act(t.Context(), items[:120], waiting.Dropped)
	if err != nil || len(done) != 0 || len(q.sent) != 120 || q.states()[waiting.Sent] != 120 {
		t.Errorf("%v: %d done again, then %v", err, len(done), q.states())
	}
}

func TestActDrops(t *testing.T) {
	t.Parallel()
	q, exit, items := full(t, 60)
	done, err := exit.Act(t.Context(), items, waiting.Dropped)
	if err != nil || len(done) != 60 || len(q.sent) != 0 || q.states()[waiting.Dropped] != 60 {
		t.Errorf("%v: %d done, %d sent, then %v", err, len(done), len(q.sent), q.states())
	}
	// What a lagging listing shows, and the table's TTL has taken, is not made anew.
	gone := items[0]
	gone.MessageID = "gone"
	done, err = exit.Act(t.Context(), []waiting.Item{gone}, waiting.Sent)
	if err != nil || len(done) != 0 || len(q.sent) != 0 || q.states()[waiting.Waiting] != 0 {
		t.Errorf("%v: what is not there was sent", err)
	}
}

// TestActIsKeptFrom: who is at a place keeps others from it, and from it alone.
func TestActIsKeptFrom(t *testing.T) {
	t.Parallel()
	q, exit, items := full(t, 130)
	taken := items[0].Place()
	if ok, err := q.Lease(t.Context(), taken, "b", noon, noon.Add(time.Minute)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	done, err := exit.Act(t.Context(), items, waiting.Sent)
	if !errors.Is(err, waiting.ErrTaken) || len(done) == 0 || len(done) == len(items) {
		t.Errorf("%d done, %v", len(done), err)
	}
	for _, i := range done {
		if i.Place() == taken {
			t.Errorf("%s was sent from another's place", i.ID())
		}
	}
	// The leases that it had are given back.
	for _, i := range items {
		if ok, err := q.Lease(t.Context(), i.Place(), "b", noon, noon.Add(time.Minute)); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
}

// TestActFails: what is done is told, and what is not stays.
func TestActFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		as         waiting.State
		set        func(*queues)
		sent, done int
		waits      int
	}{
		{"one refused", waiting.Sent, func(q *queues) { q.refuse = "m003" }, 9, 9, 1},
		{"not marked", waiting.Sent, func(q *queues) { q.settleFails = errDown }, 10, 10, 10},
		{"not dropped", waiting.Dropped, func(q *queues) { q.settleFails = errDown }, 0, 0, 10},
		{"not asked", waiting.Sent, func(q *queues) { q.enterFails = errDown }, 0, 0, 10},
	} {
		q, exit, items := full(t, 10)
		c.set(q)
		done, err := exit.Act(t.Context(), items, c.as)
		if !errors.Is(err, errDown) || len(done) != c.done || len(q.sent) != c.sent || q.states()[waiting.Waiting] != c.waits {
			t.Errorf("%s: %v: %d done, %d sent, then %v", c.name, err, len(done), len(q.sent), q.states())
		}
	}
}

// TestUnmarked: what was sent and could not be marked is neither sent again nor
// dropped by the same process, and marked as soon as that can be done.
func TestUnmarked(t *testing.T) {
	t.Parallel()
	q, exit, items := full(t, 10)
	q.settleFails = errDown
	if _, err := exit.Act(t.Context(), items[:5], waiting.Sent); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	q.settleFails = nil
	done, err := exit.Act(t.Context(), items, waiting.Dropped)
	if err != nil || len(done) != 5 || slices.ContainsFunc(done, func(i waiting.Item) bool {
		return slices.ContainsFunc(items[:5], func(was waiting.Item) bool { return was.ID() == i.ID() })
	}) {
		t.Errorf("dropped %d, %v", len(done), err)
	}
	places := map[waiting.Place]bool{}
	for _, i := range items {
		places[i.Place()] = true
	}
	for place := range places {
		if _, err := exit.SendDue(t.Context(), place, 2*time.Hour); err != nil {
			t.Error(err)
		}
	}
	if len(q.sent) != 5 || q.states()[waiting.Sent] != 5 || q.states()[waiting.Dropped] != 5 {
		t.Errorf("%d were sent, then %v", len(q.sent), q.states())
	}
}

// TestActEnds: it begins nothing when its time is up.
func TestActEnds(t *testing.T) {
	t.Parallel()
	q, exit, items := full(t, 10)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if done, err := exit.Act(ctx, items, waiting.Sent); !errors.Is(err, context.Canceled) || len(done) != 0 || len(q.sent) != 0 {
		t.Errorf("%d done, %v", len(done), err)
	}
}
