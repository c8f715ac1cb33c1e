package pace

import (
	"context"
	"errors"
	"time"
)

// ErrBusy says that others were always faster to change a state.
var ErrBusy = errors.New("the pace was changed by others all the time")

// Store is what a store of paces promises. It is used by many goroutines at once, of
// many processes. What a call has changed is seen by every call that begins after it,
// but for Paces.
type Store interface {
	// Take gives the wishes their turns, as the function Take does by the state that is
	// kept, and keeps the one that is then, durably once it returns nil; now is that
	// one. No two are given the same time of Go. After an error times may be taken: they
	// go to nobody.
	Take(ctx context.Context, a Ask) (now State, turns []Turn, err error)
	// Slow changes the state to Slower's, and returns it. After an error it may be
	// changed or not.
	Slow(ctx context.Context, s Slow) (now State, err error)
	// Paces returns the states of keys, of those that are kept, by key. They may be a
	// second old.
	Paces(ctx context.Context, keys []string) (map[string]State, error)
}

// Retention is how long a state is kept after it is at rest.
const Retention = 24 * time.Hour
