package waiting_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
)

const key = "endpoint-00000000000000000000000000000000"

// aged waits for the circuit since an age.
func aged(n int, age time.Duration) waiting.Item {
	id := fmt.Sprintf("h%04d", n)
	return waiting.Item{Queue: "webhooks", MessageID: id, Attempt: 1, Due: noon.Add(-age), Circuit: key, State: waiting.Waiting, Body: id}
}

// hall is a room in which n wait for the circuit, the oldest of which are older by a
// second each, and what was read of it.
type hall struct {
	*queues
	now  time.Time
	from []string
}

func newHall(t *testing.T, n int) (*hall, *waiting.Exit) {
	t.Helper()
	h := &hall{queues: &queues{Memory: &storetest.Memory{}}, now: noon}
	for i := range n {
		h.enter(t, aged(i, time.Duration(n-i)*time.Second))
	}
	return h, &waiting.Exit{Places: h, Sender: h, Now: func() time.Time { return h.now }, Holder: "a"}
}

func (h *hall) enter(t *testing.T, i waiting.Item) {
	t.Helper()
	if state, err := h.Memory.Enter(t.Context(), i); err != nil || state != waiting.Waiting {
		t.Fatal(state, err)
	}
}

func (h *hall) In(ctx context.Context, place waiting.Place, from string, limit int) ([]waiting.Item, error) {
	h.from = append(h.from, from)
	return h.Memory.In(ctx, place, from, limit)
}

func (h *hall) bodies() (all []string) {
	for _, m := range h.sent {
		all = append(all, m.Body)
	}
	return all
}

func first(most int) waiting.Turns {
	return func(n int, _ *waiting.Item) waiting.Turn { return waiting.Turn{Go: n < most} }
}

// TestSendHeld: they go oldest first, over all the shards, however many.
func TestSendHeld(t *testing.T) {
	t.Parallel()
	for _, most := range []int{0, 1, 2, 15, 16, 17, 64, 65, 299, 300, 1000} {
		h, exit := newHall(t, 300)
		gone, err := exit.SendHeld(t.Context(), key, first(most))
		want := min(most, 300)
		if err != nil || gone.Count != want || len(h.sent) != want || !slices.IsSorted(h.bodies()) {
			t.Errorf("of %d went %d: %v, %v", most, gone.Count, h.bodies(), err)
		}
		if want > 0 && (h.sent[0].Body != "h0000" || h.sent[want-1].Body != fmt.Sprintf("h%04d", want-1)) {
			t.Errorf("of %d went %v", most, h.bodies())
		}
	}
}

// TestSendHeldSkips: what has no turn stays, and keeps nobody behind it from going as
// long as others go beside it.
func TestSendHeldSkips(t *testing.T) {
	t.Parallel()
	h, exit := newHall(t, 60)
	gone, err := exit.SendHeld(t.Context(), key, func(_ int, i *waiting.Item) waiting.Turn {
		return waiting.Turn{Go: i.MessageID[4]%2 == 0}
	})
	if err != nil || gone.Count != 30 || h.states()[waiting.Waiting] != 30 {
		t.Errorf("%d went, %v", gone.Count, err)
	}
}

// TestSendHeldRefused: what no queue takes is in nobody's way.
func TestSendHeldRefused(t *testing.T) {
	t.Parallel()
	h, exit := newHall(t, 100)
	h.refuse = "h0000"
	gone, err := exit.SendHeld(t.Context(), key, first(50))
	if !errors.Is(err, errDown) || gone.Count != 50 || h.bodies()[49] != "h0050" {
		t.Errorf("%v, %v", h.bodies(), err)
	}
}

// TestSendHeldTaken: while another is at one of its places nothing goes, and the
// others are not kept.
func TestSendHeldTaken(t *testing.T) {
	t.Parallel()
	h, exit := newHall(t, 10)
	if ok, err := h.Lease(t.Context(), waiting.CircuitPlace(key, 2), "b", noon, noon.Add(time.Minute)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if gone, err := exit.SendHeld(t.Context(), key, first(10)); !errors.Is(err, waiting.ErrTaken) || gone.Count != 0 {
		t.Errorf("%+v, %v", gone, err)
	}
	for shard := range waiting.Shards {
		ok, err := h.Lease(t.Context(), waiting.CircuitPlace(key, shard), "b", noon, noon.Add(time.Minute))
		if !ok || err != nil {
			t.Errorf("shard %d is kept: %v", shard, err)
		}
	}
}

// TestBegins: what has gone is not read again, but for every quarter of an hour, when
// what came in before it is found.
func TestBegins(t *testing.T) {
	t.Parallel()
	h, exit := newHall(t, 400)
	if _, err := exit.SendHeld(t.Context(), key, first(300)); err != nil {
		t.Fatal(err)
	}
	anew := 0
	for _, from := range h.from {
		if from == "" {
			anew++
		}
	}
	if anew != waiting.Shards {
		t.Errorf("%d reads were from the beginning", anew)
	}
	h.enter(t, aged(9000, time.Hour))
	oldest := func(anew bool) string {
		t.Helper()
		items, err := exit.Oldest(t.Context(), key, 1, anew)
		if err != nil || len(items) != 1 {
			t.Fatalf("%v, %v", items, err)
		}
		return items[0].MessageID
	}
	if got := oldest(false); got != "h0300" {
		t.Errorf("at once %s is the oldest", got)
	}
	h.now = noon.Add(15*time.Minute - 1)
	if got := oldest(false); got != "h0300" {
		t.Errorf("soon %s is the oldest", got)
	}
	if got := oldest(true); got != "h9000" {
		t.Errorf("anew %s is the oldest", got)
	}
	h.enter(t, aged(9001, 2*time.Hour))
	h.now = noon.Add(30 * time.Minute)
	if got := oldest(false); got != "h9001" {
		t.Errorf("later %s is the oldest", got)
	}
}

// TestBeginsEmpty: where nothing waits, what was received in the last hour is seen as
// soon as it comes in.
func TestBeginsEmpty(t *testing.T) {
	t.Parallel()
	h, exit := newHall(t, 0)
	for n, age := range []time.Duration{-1, 0, time.Hour - 10*time.Minute} {
		if age >= 0 {
			h.enter(t, aged(n, age))
		}
		items, err := exit.Oldest(t.Context(), key, 8, false)
		if err != nil || len(items) != n {
			t.Errorf("%v, %v", items, err)
		}
		h.now = noon.Add(10 * time.Minute)
	}
}
