package life

import (
	"context"
	"slices"
	"time"

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

// PutCircuit tells by its name what the circuit becomes.
func (s *stores) PutCircuit(ctx context.Context, c circuit.State) (now circuit.State, err error) {
	what := string(c.Phase)
	switch {
	case c.Phase == "":
		what = "counting"
	case !c.Probe.IsZero():
		what = "probed"
	}
	err = s.w.calls.do(ctx, "put circuit "+string(c.Scope)+" "+what, func() error {
		now, err = s.Memory.PutCircuit(ctx, c)
		return err
	})
	return now, err
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

var refused = answer{refused: true}

// down is an endpoint that fails so often, and then recovers.
func down(times int) []answer { return append(slices.Repeat([]answer{busy}, times), ok) }

// guarded are lives in which a circuit opens.
var guarded = []life{
	{name: "its endpoint is down, and recovers", settings: many, retry: "many", more: 2, answers: down(8), again: 9, want: ending{11, 3, 0}},
	{name: "its host is down, and recovers", settings: many, retry: "many", answers: []answer{refused, refused, refused, ok},
		beside: [][]answer{{refused, refused, ok}}, again: 9, want: ending{7, 2, 0}},
	{name: "its endpoint is down for too long", settings: settingsOf{policies: many.policies, mostHeld: 5 * time.Minute}, retry: "many",
		more: 2, answers: []answer{busy}, again: 9, untold: 2, want: ending{8, 0, 3}},
	{name: "its endpoint is gone for good", more: 2, answers: []answer{{status: 410}}, again: 3, untold: 2, want: ending{1, 0, 3}},
	{name: "its endpoint wants to be left alone for an hour", more: 1, answers: []answer{{status: 429, retryAfter: time.Hour}, ok},
		again: 3, untold: 1, want: ending{3, 2, 0}},
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
	if len(found) == 0 || !found[0].IsOpen() || found[0].Forever {
		return now
	}
	c := found[0]
	next := c.NextProbe()
	if !c.Asked {
		left := s.w.mostHeld - i.Carried.Held[string(waiting.Circuit)] - c.Counts(i.Since, now)
		next = earlier(next, now.Add(left))
	}
	return next
}
