package life

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/waiting"
)

func (s *stores) Circuits(ctx context.Context, names []circuit.Name) (found []circuit.State, err error) {
	err = s.w.calls.do(ctx, "read circuits", func() error {
		found, err = s.Memory.Circuits(ctx, names)
		return err
	})
	return found, err
}

func (s *stores) KeptCircuits(ctx context.Context, keys []string) (found []circuit.State, err error) {
	err = s.w.calls.do(ctx, "read kept circuits", func() error {
		found, err = s.Memory.KeptCircuits(ctx, keys)
		return err
	})
	return found, err
}

// PutCircuit tells by its name what becomes of the circuit.
func (s *stores) PutCircuit(ctx context.Context, c circuit.State) (now circuit.State, err error) {
	err = s.w.calls.do(ctx, "put circuit "+string(c.Scope)+" "+s.becomes(c), func() error {
		now, err = s.Memory.PutCircuit(ctx, c)
		return err
	})
	return now, err
}

// becomes is what a change does to a circuit.
func (s *stores) becomes(c circuit.State) string {
	before := circuit.State{}
	if found, _ := s.Memory.KeptCircuits(context.Background(), []string{c.Key()}); len(found) > 0 {
		before = found[0]
	}
	switch {
	case c.Awaited.IsZero() && !before.Awaited.IsZero():
		return "left"
	case !c.Awaited.Equal(before.Awaited):
		return "awaited"
	case c.Ramp > before.Ramp || c.Ramped.After(before.Ramped):
		return "ramped"
	case !c.Probe.IsZero():
		return "leased"
	case c.Run > 0 || c.Total > 0:
		return "counting"
	case c.IsOpen() && before.IsOpen():
		return "open again"
	}
	return string(c.Phase)
}

func (s *stores) PageCircuits(ctx context.Context, from string, limit int) (states []circuit.State, next string, err error) {
	err = s.w.calls.do(ctx, "read page of circuits", func() error {
		states, next, err = s.Memory.PageCircuits(ctx, from, limit)
		return err
	})
	return states, next, err
}

// newKeeper is that of a process of its own.
func (w *world) newKeeper() *circuit.Keeper {
	return &circuit.Keeper{
		Store: w.stores, Limits: w.limits, Now: w.clock.Now, Jitter: func() float64 { return 0 }, Log: quiet,
		Changed: (&circuit.Journal{Audit: w.audit, Redactors: w.audit, Actor: "efferent:deliver", Log: quiet}).Changed,
	}
}

// unguarded are the circuits of worlds in which none opens, but for as long as an
// endpoint asks for.
var unguarded = circuit.Limits{Threshold: 1 << 30, Least: 1 << 30, First: 1, Longest: 1}

// turn is when something may happen to an item that waits for a circuit: now, where
// that is closed or stays open, else with its probe, or when it has been held for
// too long.
func (s *stores) turn(i *waiting.Item) time.Time {
	now := s.w.clock.Now()
	found, _ := s.Memory.KeptCircuits(context.Background(), []string{i.Circuit})
	if len(found) == 0 || !found[0].IsOpen() || found[0].Gone {
		return now
	}
	c := found[0]
	if c.Halted() {
		return i.Due.Add(batch.MaxAge)
	}
	next := c.NextProbe()
	if !c.Asked {
		left := s.w.mostHeld - i.Carried.Held[string(waiting.Circuit)] - c.Counts(i.Since, now)
		next = earlier(next, now.Add(left))
	}
	return next
}

// TestProbes: an endpoint that is down sees no more than the threshold and what is
// in flight, then one probe after each wait, which is twice as long each time.
func TestProbes(t *testing.T) {
	t.Parallel()
	w := inWorld(t, settingsOf{policies: many.policies, limits: circuit.Limits{Longest: 4 * time.Minute}})
	e := &endpoint{script: []answer{busy}}
	w.internet.endpoints[someURL] = e
	for n := range 30 {
		w.produce(message{id: fmt.Sprint("evt_", n), url: someURL, retry: "many"})
	}
	w.pass(20 * time.Minute)
	const inFlight = 10 // a batch
	opened := e.posts[4]
	var early, late []time.Duration
	for _, at := range e.posts {
		if at.Before(opened.Add(20 * time.Second)) {
			early = append(early, at.Sub(opened))
		} else {
			late = append(late, at.Sub(opened))
		}
	}
	if len(early) > 5+inFlight {
		t.Errorf("%d POSTs while it opened: %v", len(early), early)
	}
	waits := []time.Duration{30 * s, m, 2 * m, 4 * m, 4 * m, 4 * m}
	for n, at := range late {
		if n > 0 {
			at -= late[n-1]
		}
		// Out of the room it is sent in the minute in which it is due.
		if n >= len(waits) || at < waits[n] || at > waits[n]+m+slack {
			t.Errorf("probe %d of %d came after %v: %v", n+1, len(late), at, late)
		}
	}
	if len(late) < 5 {
		t.Errorf("probes: %v", late)
	}
}

// TestRamp: what waited goes out by age, 1, 2, 4, … at a time, once the circuit is
// closed.
func TestRamp(t *testing.T) {
	t.Parallel()
	const messages = 100
	w := inWorld(t, settingsOf{crowd: true})
	e := &endpoint{script: append([]answer{{status: 429, retryAfter: h}}, ok)}
	w.internet.endpoints[someURL] = e
	for n := range messages {
		w.produce(message{id: fmt.Sprint("evt_", n), url: someURL})
		w.pass(s)
	}
	w.rest()
	if got := w.end(); got != (ending{messages + 1, messages, 0}) {
		t.Fatalf("it ends with %s", got)
	}
	// The first is the probe.
	var counts, newest []int
	for n, at := range e.posts[2:] {
		step := int(at.Sub(e.posts[2]) / (10 * s))
		for len(counts) <= step {
			counts, newest = append(counts, 0), append(newest, 0)
		}
		id := number(strings.TrimPrefix(e.ids[n+2], "evt_"))
		counts[step], newest[step] = counts[step]+1, max(newest[step], id)
		if step > 0 && id < newest[step-1] {
			t.Errorf("evt_%d went out after evt_%d", id, newest[step-1])
		}
	}
	if want := []int{1, 2, 4, 8, 16, 32, 36}; !slices.Equal(counts, want) {
		t.Errorf("every 10 s there went out %v, want %v", counts, want)
	}
}
