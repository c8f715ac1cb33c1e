package release

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/waiting"
)

// Circuits are what messages may wait for, as circuit.Store promises.
type Circuits interface {
	circuit.Putter
	PageCircuits(ctx context.Context, from string, limit int) (states []circuit.State, next string, err error)
}

const (
	// circuitsPage is how many circuits are read at a time.
	circuitsPage = 100
	// glance is how many of the oldest in each shard of a circuit decide whether
	// anything goes: those that come after them have waited for less.
	glance = 8
	// mostOfOne is how many go in one run of what one circuit ends, and perSecond
	// how many of them in one second.
	mostOfOne = 5000
	perSecond = 100
)

// letThrough lets out what waits for circuits, where it is its turn.
func (h *Handler) letThrough(ctx context.Context, p *problems) (gone waiting.Gone) {
	circuits, err := h.circuits(ctx)
	if err != nil {
		p.add(ctx, fmt.Errorf("see what messages wait for: %w", err))
	}
	states, err := h.asked(ctx, circuits)
	if err != nil {
		p.add(ctx, fmt.Errorf("see whether endpoints are paused: %w", err))
	}
	// A run that has no time for all has it for others than the one before.
	rand.Shuffle(len(states), func(i, j int) { states[i], states[j] = states[j], states[i] })
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(senders)
	for _, s := range states {
		g.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			some, err := h.letOut(ctx, s)
			if err != nil && !errors.Is(err, waiting.ErrTaken) {
				p.add(ctx, fmt.Errorf("let out what waits for %s: %w", s.URL, err))
			}
			mu.Lock()
			defer mu.Unlock()
			gone.Add(some)
			return nil
		})
	}
	_ = g.Wait()
	return gone
}

// circuits are those that messages may wait for, as many as could be read.
func (h *Handler) circuits(ctx context.Context) (states []circuit.State, err error) {
	for next := ""; ; {
		var some []circuit.State
		if some, next, err = h.Circuits.PageCircuits(ctx, next, circuitsPage); err != nil {
			return states, err
		}
		for _, s := range some {
			if !s.Awaited.IsZero() {
				states = append(states, s)
			}
		}
		if next == "" {
			return states, nil
		}
	}
}

// letOut lets out what waits for one circuit, where it is its turn.
func (h *Handler) letOut(ctx context.Context, s waited) (gone waiting.Gone, err error) {
	// A ramp begins with all of them: who opened the circuit came late, and is older
	// than what it kept back.
	begins := !s.holds() && s.Resumed(s.since).Ramp == 0
	oldest, err := h.Exit.Oldest(ctx, s.Key(), glance, begins)
	if err == nil && len(oldest) == 0 && !s.holds() && !begins {
		oldest, err = h.Exit.Oldest(ctx, s.Key(), glance, true)
	}
	switch {
	case err != nil:
		return gone, err
	case len(oldest) == 0:
		return gone, h.left(ctx, s)
	}
	turns := h.turns(s)
	if !s.holds() {
		if turns, err = h.ramp(ctx, s); err != nil {
			return gone, err
		}
	}
	if !slices.ContainsFunc(oldest, func(i waiting.Item) bool { return turns(0, &i).Go }) {
		return gone, nil
	}
	return h.Exit.SendHeld(ctx, s.Key(), turns)
}

// left says of a circuit that nothing waits for it any more, where that is so.
func (h *Handler) left(ctx context.Context, s waited) error {
	_, _, err := circuit.Change(ctx, h.Circuits, s.State, func(state circuit.State) (circuit.State, bool) {
		if s.deleted && state.IsOpen() { // nobody else would
			return state.Close(h.Now()), true
		}
		return state.Left(h.Now())
	})
	return err
}

// turns are those of what waits for an open circuit, or an endpoint that takes
// nothing. Who sends it ends what has waited for too long, or for an endpoint that is
// gone; and of the others makes one a probe, where one is due.
func (h *Handler) turns(s waited) waiting.Turns {
	now := h.Now()
	return func(n int, i *waiting.Item) waiting.Turn {
		held := s.held(i, now)
		over := s.deleted || s.Gone || now.Sub(i.Due) >= batch.MaxAge || !s.paused && i.Reason != waiting.Paused &&
			!s.Asked && !s.Halted() && i.Carried.Held[string(waiting.Circuit)]+held >= h.MostHeld
		return waiting.Turn{
			Go:   over && n < mostOfOne || n == 0 && !s.paused && s.ProbeDue(now),
			Held: held, Delay: time.Duration(n/perSecond) * time.Second,
		}
	}
}

// ramp takes the next steps of a closed circuit, and gives the turns of what waits
// in them.
func (h *Handler) ramp(ctx context.Context, s waited) (waiting.Turns, error) {
	var steps []circuit.Step
	now := h.Now()
	_, after, err := circuit.Change(ctx, h.Circuits, s.State, func(state circuit.State) (circuit.State, bool) {
		state, steps = state.Resumed(s.since).Steps(now, h.Every)
		return state, len(steps) > 0
	})
	s.State = after
	if err != nil {
		return nil, err
	}
	return func(n int, i *waiting.Item) (t waiting.Turn) {
		for _, step := range steps {
			count := min(step.Count, s.most)
			if n < count {
				return waiting.Turn{Go: true, Delay: step.In, Held: s.held(i, now)}
			}
			n -= count
		}
		return t
	}, nil
}
