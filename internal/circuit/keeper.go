package circuit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	// Failing is told of a registered endpoint that fails: overdue, with each failure
	// once it has failed for Limits.Disable, and before that with each warning, once. It
	// may be nil.
	Failing func(ctx context.Context, s State, overdue bool)
	Log     *slog.Logger

	mu      sync.Mutex
	known   map[Name]known
	reading map[Name]chan struct{}
	forgot  time.Time
}

// Ruling is whether a message may be sent to an endpoint.
type Ruling struct {
	// Go says that it may. Probe are the circuits that it goes for as a probe: none
	// where they are closed.
	Go    bool
	Probe []Name
	// Of one that may not: which circuit says so, and when to ask again; no time where
	// that is when an operator has closed it. Never says that it is not to wait for
	// that.
	Until time.Time
	Never bool
	State State
	// Nth is how many this Keeper has turned away for that circuit, this one
	// included, since its next probe was put off last.
	Nth int
}

// refusal is the ruling of a circuit that is open.
func refusal(s State) Ruling {
	if s.Forever {
		return Ruling{Never: s.Gone, State: s}
	}
	return Ruling{Until: s.NextProbe(), State: s}
}

// longer reports whether a keeps messages back for longer than b, both open.
func longer(a, b State) bool {
	switch {
	case a.Gone || b.Gone:
		return !b.Gone
	case a.Forever || b.Forever:
		return !b.Forever
	}
	return a.NextProbe().After(b.NextProbe())
}

// Ask rules on a message that depends on circuits: all of them must let it pass.
// Where one is open and its probe is due, the message is that, if nobody else's is.
// Of several that do not let it pass the one says so that does not for longest.
func (k *Keeper) Ask(ctx context.Context, names ...Name) Ruling {
	states := k.get(ctx, names)
	now := k.Now()
	var due []State
	r := Ruling{Go: true}
	for _, s := range states {
		switch {
		case !s.IsOpen():
		case s.ProbeDue(now):
			due = append(due, s)
		case r.Go || longer(s, r.State):
			r = refusal(s)
		}
	}
	if !r.Go {
		return k.counted(r)
	}
	// The host's first: who does not get that has taken none of its endpoint's.
	slices.SortFunc(due, func(a, b State) int { return cmp.Compare(b.Scope, a.Scope) })
	for _, s := range due {
		switch leased, ok := k.lease(ctx, s); {
		case ok:
			r.Probe = append(r.Probe, s.Name)
		case leased.IsOpen():
			return k.counted(refusal(leased))
		}
	}
	return r
}

// lease takes the probe of an open circuit, if it can be had now.
func (k *Keeper) lease(ctx context.Context, s State) (now State, ok bool) {
	now, err := k.change(ctx, s.Name, func(s State) (State, bool) {
		ok = s.ProbeDue(k.Now())
		return s.Lease(k.Now()), ok
	})
	if err != nil {
		k.Log.WarnContext(ctx, "the probe of an open circuit can't be leased, so its messages wait", "url", s.URL, "error", err)
		s.Probe = k.Now().Add(fresh)
		k.hear(s) // not each of them is to try
		return s, false
	}
	return now, ok
}

// Tell adds what came of exchanges to their circuits: to each at once. One that is
// at rest is not told of success.
func (k *Keeper) Tell(ctx context.Context, results []Result) {
	within, stop := context.WithTimeout(ctx, changeTime)
	defer stop()
	limits := k.Limits.Defaults()
	untold := 0
	var why error
	for name, n := range newsOf(results) {
		if n.probe {
			k.get(within, []Name{name}) // it may have been forgotten
		}
		n.before = k.untold(name)
		told, warns := false, false
		k.tried(name, n)
		after, err := k.change(within, name, func(s State) (next State, changed bool) {
			next, told = s.learn(*n, k.Now(), limits, k.Jitter)
			warns = next.Warned > s.Warned
			return next, told
		})
		k.withhold(name, n.Seen, told)
		k.fails(ctx, *n, after, warns && err == nil, limits)
		if err != nil && !errors.Is(err, ErrChanged) { // those who were faster have told enough
			untold++
			why = err
		}
	}
	if untold > 0 {
		k.Log.WarnContext(ctx, "what came of exchanges is not kept, so they do not count", "circuits", untold, "error", why)
	}
}

// Open opens a circuit until somebody closes it, for messages to wait, and Close
// closes it, whatever it was. Changed is told of it, also where the circuit was open
// already.
func (k *Keeper) Open(ctx context.Context, n Name, why string) (State, error) {
	return k.decide(ctx, n, func(s State) (State, bool) { return s.Halt(why, k.Now()), !s.Halted() })
}

// Close is described at Open.
func (k *Keeper) Close(ctx context.Context, n Name) (State, error) {
	return k.decide(ctx, n, func(s State) (State, bool) { return s.Close(k.Now()), s.IsOpen() })
}

// decide changes a circuit from what it is, whatever was heard of it before.
func (k *Keeper) decide(ctx context.Context, n Name, f func(State) (State, bool)) (State, error) {
	kept, err := k.Store.KeptCircuits(ctx, []string{n.Key()})
	if err != nil {
		return State{}, fmt.Errorf("the circuit of %s: %w", n.URL, err)
	}
	before := State{Name: n}
	if len(kept) > 0 {
		before = kept[0]
	}
	k.hear(before)
	after, err := k.change(ctx, n, func(s State) (State, bool) { before = s; return f(s) })
	if err == nil && after.Version != before.Version && after.IsOpen() == before.IsOpen() {
		k.Changed(context.WithoutCancel(ctx), before, after)
	}
	return after, err
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
	last := k.last(n)
	before, after, err := Change(within, k.Store, last, f)
	if after != last {
		k.hear(after)
	}
	if before.IsOpen() != after.IsOpen() {
		k.Changed(context.WithoutCancel(ctx), before, after)
	}
	return after, err
}
