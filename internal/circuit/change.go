package circuit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// Putter keeps states, as Store promises.
type Putter interface {
	PutCircuit(ctx context.Context, s State) (now State, err error)
}

// tries is how often a change is tried that others are faster with.
const tries = 6

// Change replaces a state by what f makes of it, if f says so, and again where
// another was faster: f is then given what that one has left. It returns the state
// that f was given last, and the one that is known to be kept then: the same, unless
// it was changed. Error: ErrChanged, where others are always faster.
func Change(ctx context.Context, p Putter, s State, f func(State) (State, bool)) (before, after State, err error) {
	for range tries {
		next, changed := f(s)
		if !changed {
			return s, s, nil
		}
		next.Version, next.Change = s.Version+1, rand.Text()
		now, err := put(ctx, p, next)
		switch {
		case err == nil:
			return s, next, nil
		case !errors.Is(err, ErrChanged):
			return s, s, fmt.Errorf("the circuit of %s: %w", s.URL, err)
		}
		s = now
	}
	return s, s, fmt.Errorf("the circuit of %s: %w", s.URL, ErrChanged)
}

// put keeps a state. One that failed may be kept all the same, so it is tried once
// more, which shows whether it is.
func put(ctx context.Context, p Putter, s State) (now State, err error) {
	now, err = p.PutCircuit(ctx, s)
	if err != nil && !errors.Is(err, ErrChanged) {
		now, err = p.PutCircuit(ctx, s)
	}
	if errors.Is(err, ErrChanged) && now.Change == s.Change {
		return s, nil
	}
	return now, err
}
