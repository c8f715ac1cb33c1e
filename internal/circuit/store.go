package circuit

import (
	"context"
	"errors"
	"time"
)

// ErrChanged says that a state was changed by another since it was read.
var ErrChanged = errors.New("the circuit was changed meanwhile")

// ErrCursor says that a text is not where a page of circuits ended.
var ErrCursor = errors.New("not where a page of circuits ended")

// Store is what a store of circuits promises. It is used by many goroutines at
// once.
type Store interface {
	// Circuits returns the states of these names, those that there are, once each
	// and in no order. They may be a second old.
	Circuits(ctx context.Context, names []Name) ([]State, error)
	// KeptCircuits is Circuits by their keys, and as they are now: what was kept
	// before it was called is seen.
	KeptCircuits(ctx context.Context, keys []string) ([]State, error)
	// PutCircuit keeps a state, durably once it returns nil, if the one that is kept
	// has the version before its own, and none is kept where that is 0. Otherwise
	// the error is ErrChanged. Either way now is the one that is kept then: the zero
	// State of the name where there is none. After any other error it may be kept or
	// not.
	PutCircuit(ctx context.Context, s State) (now State, err error)
	// PageCircuits returns some of all states, in no order, and where to go on; next
	// is empty at the end. A page may have none and still not be the last. From may
	// also be the key of a state that a page gave: what follows that is next. Error:
	// ErrCursor, where from is none of these, nor empty.
	PageCircuits(ctx context.Context, from string, limit int) (states []State, next string, err error)
}

// Retention is how long a closed circuit is kept after its last change, unless
// something may wait for it.
const Retention = 24 * time.Hour

// Expires is when a state that is kept now may be forgotten; zero is never.
func (s State) Expires(now time.Time) time.Time {
	if s.IsOpen() || !s.Awaited.IsZero() {
		return time.Time{}
	}
	if !s.Failing.IsZero() { // one that gets a message a week may fail for weeks
		return now.Add(failingRetention)
	}
	return now.Add(Retention)
}

const failingRetention = 30 * 24 * time.Hour
