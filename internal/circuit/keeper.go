package circuit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Keeper asks the circuits, and tells them what came of it, for one process. It
// may be used by many goroutines at once. Where the Store can't be reached every
// circuit counts as it was last known, or as closed: a breaker protects, and is no
// reason not to send.
type Keeper struct {
	Store  Store
	Limits Limits
	Now    func() time.Time
	// Jitter gives numbers in [0,1).
	Jitter func() float64
	// Changed is told of each change of phase that this Keeper has made, once. It
	// must not block.
	Changed func(ctx context.Context, before, after State)
	Log     *slog.Logger

	mu      sync.Mutex
	known   map[string]known
	reading map[string]chan struct{}
	forgot  time.Time
}

// tries is how often a change is tried that others are faster with.
const tries = 6

// Ruling is whether a message may be sent to an endpoint.
type Ruling struct {
	// Go says that it may. Probe are the circuits that it goes for as a probe: none
	// where they are closed.
	Go    bool
	Probe []Name
	// Of one that may not: when to ask again, or Never, and which circuit says so.
	Until time.Time
	Never bool
	State State
}

// Ask rules on a message that depends on circuits: all of them must let it pass.
// Where one is open and its probe is due, the message is that, if nobody else's is.
func (k *Keeper) Ask(ctx context.Context, names ...Name) Ruling {
	states := k.get(ctx, names)
	now := k.Now()
	var due []State
	for _, s := range states {
		switch {
		case !s.IsOpen():
		case s.Forever:
			return Ruling{Never: true, State: s}
		case !s.ProbeDue(now):
			return Ruling{Until: s.NextProbe(), State: s}
		default:
			due = append(due, s)
		}
	}
	r := Ruling{Go: true}
	for _, s := range due {
		leased, ok := k.lease(ctx, s)
		if !ok {
			return Ruling{Until: leased.NextProbe(), State: leased}
		}
		r.Probe = append(r.Probe, s.Name)
	}
	return r
}

// lease takes the probe of an open circuit.
func (k *Keeper) lease(ctx context.Context, s State) (now State, ok bool) {
	now, err := k.change(ctx, s.Name, func(s State) (State, bool) {
		ok = s.ProbeDue(k.Now())
		return s.Lease(k.Now()), ok
	})
	if err != nil {
		k.Log.Warn("the probe of an open circuit can't be leased, so its messages wait", "url", s.URL, "error", err)
		s.Probe = k.Now().Add(fresh)
		return s, false
	}
	return now, ok || !now.IsOpen()
}

// Result is what an exchange says about its endpoint.
type Result struct {
	Endpoint, Host Name
	// Failed says that the endpoint did not do what it should; Unreachable, that it
	// could not even be connected to. An answer that refuses a message is neither.
	Failed, Unreachable bool
	Took                time.Duration
	Why                 string
	// RetryAfter is how long it wants to be left alone; Gone, that it wants to be
	// for good.
	RetryAfter time.Duration
	Gone       bool
	// Probe are the circuits that it was the probe of.
	Probe []Name
}

// Tell adds what came of exchanges to their circuits: of each circuit at once.
func (k *Keeper) Tell(ctx context.Context, results []Result) {
	limits := k.Limits.Defaults()
	seen := map[Name]*Seen{}
	count := func(n Name, failed, slow bool) {
		if seen[n] == nil {
			seen[n] = &Seen{}
		}
		seen[n].Add(failed, slow)
	}
	for _, r := range results {
		count(r.Endpoint, r.Failed, r.Took > limits.Slow)
		count(r.Host, r.Unreachable, false)
	}
	for n, s := range seen {
		k.tell(ctx, n, *s, limits)
	}
	for _, r := range results {
		k.settle(ctx, r, limits)
	}
}

// tell counts what was seen. A circuit at rest is not told of success.
func (k *Keeper) tell(ctx context.Context, n Name, seen Seen, limits Limits) {
	if seen.Bad == 0 && k.last(n).AtRest(k.Now()) {
		return
	}
	k.try(ctx, n, func(s State) (State, bool) {
		now := k.Now()
		if s.IsOpen() || seen.Bad == 0 && s.AtRest(now) {
			return s, false // what was under way when it opened says nothing new
		}
		return s.Count(seen, now, limits, k.Jitter), true
	})
}

// settle does what an exchange means for its circuits beyond being counted: as a
// probe, and by what the endpoint asked for.
func (k *Keeper) settle(ctx context.Context, r Result, limits Limits) {
	for _, n := range r.Probe {
		failed := r.Failed && n.Scope == Endpoint || r.Unreachable
		k.try(ctx, n, func(s State) (State, bool) {
			switch {
			case !s.IsOpen() || s.Forever:
				return s, false
			case failed:
				return s.ProbeFailed(r.Why, k.Now(), limits, k.Jitter), true
			}
			return s.Close(k.Now()), true
		})
	}
	switch {
	case r.Gone:
		k.try(ctx, r.Endpoint, func(s State) (State, bool) { return s.GiveUp(r.Why, k.Now()), !s.Forever })
	case r.RetryAfter > 0:
		k.try(ctx, r.Endpoint, func(s State) (State, bool) {
			next := s.LeaveAlone(r.Why, k.Now(), r.RetryAfter)
			return next, next != s
		})
	}
}

func (k *Keeper) try(ctx context.Context, n Name, f func(State) (State, bool)) {
	if _, err := k.change(ctx, n, f); err != nil {
		k.Log.Warn("a circuit was not told", "scope", n.Scope, "url", n.URL, "error", err)
	}
}

// Open opens a circuit until somebody closes it, and Close closes it, whatever it
// was.
func (k *Keeper) Open(ctx context.Context, n Name, why string) (State, error) {
	return k.change(ctx, n, func(s State) (State, bool) { return s.GiveUp(why, k.Now()), !s.Forever })
}

// Close is described at Open.
func (k *Keeper) Close(ctx context.Context, n Name) (State, error) {
	return k.change(ctx, n, func(s State) (State, bool) { return s.Close(k.Now()), s.IsOpen() })
}

// Await says that messages wait for a circuit in the waiting room. It must have
// been said before they enter it.
func (k *Keeper) Await(ctx context.Context, n Name) error {
	_, err := k.change(ctx, n, func(s State) (State, bool) { return s.Await(k.Now()) })
	return err
}

// changeTime is how long a change may take in all.
const changeTime = 2 * time.Second

// change replaces a state by what f makes of it, if f says so, and again where
// another was faster.
func (k *Keeper) change(ctx context.Context, n Name, f func(State) (State, bool)) (State, error) {
	within, stop := context.WithTimeout(ctx, changeTime)
	defer stop()
	before := k.last(n)
	for range tries {
		after, changed := f(before)
		if !changed {
			return before, nil
		}
		after.Version, after.Change = before.Version+1, rand.Text()
		now, err := k.put(within, after)
		switch {
		case errors.Is(err, ErrChanged):
			before = now
			k.hear(now)
			continue
		case err != nil:
			return before, fmt.Errorf("the circuit of %s: %w", n.URL, err)
		}
		k.hear(after)
		if before.IsOpen() != after.IsOpen() {
			k.Changed(ctx, before, after)
		}
		return after, nil
	}
	return before, fmt.Errorf("the circuit of %s: %w", n.URL, ErrChanged)
}

// put keeps a state. One that failed may be kept all the same, so it is tried once
// more, which shows whether it is.
func (k *Keeper) put(ctx context.Context, s State) (now State, err error) {
	now, err = k.Store.PutCircuit(ctx, s)
	if err != nil && !errors.Is(err, ErrChanged) {
		now, err = k.Store.PutCircuit(ctx, s)
	}
	if errors.Is(err, ErrChanged) && now.Change == s.Change {
		return s, nil
	}
	return now, err
}
