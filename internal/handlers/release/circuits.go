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
	states, err := h.awaited(ctx)
	if err != nil {
		p.add(ctx, fmt.Errorf("see what messages wait for: %w", err))
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

// awaited are the circuits that messages may wait for, those that could be read.
func (h *Handler) awaited(ctx context.Context) (states []circuit.State, err error) {
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
func (h *Handler) letOut(ctx context.Context, s circuit.State) (gone waiting.Gone, err error) {
	// A ramp begins with all of them: who opened the circuit came late, and is older
	// than what it kept back.
	begins := !s.IsOpen() && s.Ramp == 0
	oldest, err := h.Exit.Oldest(ctx, s.Key(), glance, begins)
	if err == nil && len(oldest) == 0 && !s.IsOpen() && !begins {
		oldest, err = h.Exit.Oldest(ctx, s.Key(), glance, true)
	}
	switch {
	case err != nil:
		return gone, err
	case len(oldest) == 0:
		return gone, h.left(ctx, s)
	}
	turns := h.turns(s)
	if !s.IsOpen() {
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
func (h *Handler) left(ctx context.Context, s circuit.State) error {
	_, _, err := circuit.Change(ctx, h.Circuits, s, func(s circuit.State) (circuit.State, bool) { return s.Left(h.Now()) })
	return err
}

// turns are those of what waits for an open circuit. Who sends it ends what has
// waited for too long, or for an endpoint that is gone; and of the others makes one a
// probe, where one is due.
func (h *Handler) turns(s circuit.State) waiting.Turns {
	now := h.Now()
	return func(n int, i *waiting.Item) waiting.Turn {
		held := s.Counts(i.Since, now)
		over := s.Gone || now.Sub(i.Due) >= batch.MaxAge ||
			!s.Asked && !s.Halted() && i.Carried.Held[string(waiting.Circuit)]+held >= h.MostHeld
		return waiting.Turn{
			Go:   over && n < mostOfOne || n == 0 && s.ProbeDue(now),
			Held: held, Delay: time.Duration(n/perSecond) * time.Second,
		}
	}
}

// ramp takes the next steps of a closed circuit, and gives the turns of what waits
// in them.
func (h *Handler) ramp(ctx context.Context, s circuit.State) (waiting.Turns, error) {
	var steps []circuit.Step
	now := h.Now()
	_, s, err := circuit.Change(ctx, h.Circuits, s, func(s circuit.State) (circuit.State, bool) {
		s, steps = s.Steps(now, h.Every)
		return s, len(steps) > 0
	})
	if err != nil {
		return nil, err
	}
	return func(n int, i *waiting.Item) (t waiting.Turn) {
		for _, step := range steps {
			if n < step.Count {
				return waiting.Turn{Go: true, Delay: step.In, Held: s.Counts(i.Since, now)}
			}
			n -= step.Count
		}
		return t
	}, nil
}
