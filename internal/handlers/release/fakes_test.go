package release

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
)

var (
	errDown = errors.New("down")
	// noon is when most tests begin.
	noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

// sent is a message in a queue.
type sent struct {
	id, queue string
	at        time.Time
	delay     time.Duration
	message   waiting.Outgoing
}

// visible is when it can be received.
func (s *sent) visible() time.Time { return s.at.Add(s.delay) }

// world is a room and its queues, with one fault.
type world struct {
	*storetest.Memory
	mu    sync.Mutex
	now   time.Time
	calls int
	// fault is the call that fails, from 1 on, and those after it too where dead;
	// effect: after it had its effect. failed names it.
	fault        int
	effect, dead bool
	failed       string
	// refuse are messages, by their bodies, that no queue takes; refused counts how
	// often.
	refuse  map[string]bool
	refused map[string]int
	// before is called before each call.
	before func(call string)
	queues []sent
	// registered says that there are endpoints.
	registered bool
	left       int
	oldest     []time.Duration
	late       []time.Duration
	looked     map[waiting.Place]int
}

func newWorld() *world {
	return &world{Memory: &storetest.Memory{}, now: noon,
		refuse: map[string]bool{}, refused: map[string]int{}, looked: map[waiting.Place]int{}}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) call(name string, do func() error) error {
	w.mu.Lock()
	before := w.before
	w.mu.Unlock()
	if before != nil {
		before(name)
	}
	w.mu.Lock()
	w.calls++
	first := w.calls == w.fault
	hit := first || w.dead && w.fault > 0 && w.calls > w.fault
	if first {
		w.failed = name
	}
	w.mu.Unlock()
	if hit && !(first && w.effect) {
		return errDown
	}
	err := do()
	if hit {
		err = errDown
	}
	return err
}

func (w *world) In(ctx context.Context, place waiting.Place, from string, limit int) (items []waiting.Item, err error) {
	err = w.call("In", func() error { items, err = w.Memory.In(ctx, place, from, limit); return err })
	return items, err
}

func (w *world) Any(ctx context.Context, place waiting.Place) (some bool, err error) {
	w.mu.Lock()
	w.looked[place]++
	w.mu.Unlock()
	err = w.call("Any", func() error { some, err = w.Memory.Any(ctx, place); return err })
	return some, err
}

func (w *world) Settle(ctx context.Context, items []waiting.Item, as waiting.State) error {
	return w.call("Settle", func() error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return w.Memory.Settle(ctx, items, as)
	})
}

func (w *world) Page(ctx context.Context, from string, limit int) (items []waiting.Item, next string, err error) {
	err = w.call("Page", func() error { items, next, err = w.Memory.Page(ctx, from, min(limit, 3)); return err })
	return items, next, err
}

func (w *world) Lease(ctx context.Context, place waiting.Place, holder string, now, until time.Time) (ok bool, err error) {
	err = w.call("Lease", func() error { ok, err = w.Memory.Lease(ctx, place, holder, now, until); return err })
	return ok, err
}

func (w *world) Unlease(ctx context.Context, place waiting.Place, holder string) error {
	return w.call("Unlease", func() error { return w.Memory.Unlease(ctx, place, holder) })
}

func (w *world) Swept(ctx context.Context) (minute time.Time, err error) {
	err = w.call("Swept", func() error { minute, err = w.Memory.Swept(ctx); return err })
	return minute, err
}

func (w *world) Sweep(ctx context.Context, minute time.Time) error {
	return w.call("Sweep", func() error { return w.Memory.Sweep(ctx, minute) })
}

func (w *world) PutCircuit(ctx context.Context, s circuit.State) (now circuit.State, err error) {
	err = w.call("PutCircuit", func() error { now, err = w.Memory.PutCircuit(ctx, s); return err })
	return now, err
}

func (w *world) PageCircuits(ctx context.Context, from string, limit int) (states []circuit.State, next string, err error) {
	err = w.call("PageCircuits", func() error { states, next, err = w.Memory.PageCircuits(ctx, from, min(limit, 2)); return err })
	return states, next, err
}

func (w *world) Endpoints(ctx context.Context, ids []string) (found []endpoint.Endpoint, err error) {
	err = w.call("Endpoints", func() error { found, err = w.Memory.Endpoints(ctx, ids); return err })
	return found, err
}

// Send refuses some, and takes the others.
func (w *world) Send(ctx context.Context, queue string, messages []waiting.Outgoing) (indexes []int, err error) {
	var refused error
	err = w.call("Send", func() error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for i, m := range messages {
			if w.refuse[m.Body] {
				w.refused[m.Body]++
				refused = errors.New("refused")
				continue
			}
			w.queues = append(w.queues, sent{m.Body, queue, w.now, m.Delay, m})
			indexes = append(indexes, i)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return indexes, refused
}

// count is how often a message was sent.
func (w *world) count(id string) (n int) {
	for _, s := range w.queues {
		if s.id == id {
			n++
		}
	}
	return n
}

// ids are the messages as they were sent.
func (w *world) ids() (ids []string) {
	for _, s := range w.queues {
		ids = append(ids, s.id)
	}
	return ids
}

// item is one that is due after noon by d.
func item(id string, d time.Duration) waiting.Item {
	return waiting.Item{
		Queue: "webhooks", MessageID: id, Attempt: 1, Due: noon.Add(d), State: waiting.Waiting, Body: id, Group: "acme",
		Attributes: map[string]message.Attribute{"own": message.Text("x")}, WebhookID: "evt_" + id, Reason: waiting.Delay,
		Carried: message.Carried{ID: "evt_" + id, Attempts: 1, First: noon.Add(-time.Hour)},
	}
}

func (w *world) enter(t *testing.T, items ...waiting.Item) {
	t.Helper()
	for _, i := range items {
		if state, err := w.Enter(t.Context(), i); err != nil || state != waiting.Waiting {
			t.Fatalf("%s is %s, %v", i.ID(), state, err)
		}
	}
}

// fill enters n items that are due from d on, one each so often.
func (w *world) fill(t *testing.T, n int, d, every time.Duration) (ids []string) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("m%05d", i)
		w.enter(t, item(id, d+time.Duration(i)*every))
		ids = append(ids, id)
	}
	return ids
}

// handler is a process of its own.
func (w *world) handler(t *testing.T, holder string) *Handler {
	t.Helper()
	n := Needs{Room: w, Exit: &waiting.Exit{Places: w, Sender: w, Now: w.clock, Holder: holder}, Now: w.clock,
		Circuits: w, MostHeld: 6 * time.Hour, Every: time.Minute, Metrics: w, Log: slog.New(slog.DiscardHandler)}
	if w.registered {
		n.Endpoints = w
	}
	h, err := New(n)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (w *world) Record(events []metric.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range events {
		switch e.Name {
		case metric.OldestUndelivered:
			w.oldest = append(w.oldest, time.Duration(e.Value*float64(time.Second)))
		case metric.RoomLeft:
			w.left += int(e.Value)
		case metric.OldestOverdue:
			w.late = append(w.late, time.Duration(e.Value*float64(time.Second)))
		}
	}
}

func run(t *testing.T, h *Handler) {
	t.Helper()
	if err := h.Handle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// waits are the items that wait.
func (w *world) waits() (ids []string) {
	for _, i := range w.Room() {
		if i.State == waiting.Waiting {
			ids = append(ids, i.MessageID)
		}
	}
	slices.Sort(ids)
	return ids
}

// wantOrder: all went, each once, in order, but for what was under way at the
// other places: each holds so many of them.
func (w *world) wantOrder(t *testing.T, ids []string, each int) {
	t.Helper()
	number := map[string]int{}
	for n, id := range w.ids() {
		number[id] = n
	}
	if len(w.queues) != len(ids) || len(number) != len(ids) {
		t.Fatalf("%d were sent %d times, want %d, each once", len(number), len(w.queues), len(ids))
	}
	for k, id := range ids {
		overtaken := 0
		for _, older := range ids[:k] {
			if number[older] > number[id] {
				overtaken++
			}
		}
		if overtaken > (senders-1)*each {
			t.Errorf("%s went before %d older ones", id, overtaken)
		}
	}
}
