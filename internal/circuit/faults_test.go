package circuit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/efferent/efferent/internal/circuit"
)

var errDown = errors.New("down")

// nth are faults of the writes that are numbered so, from 0.
func nth(fault func() (before, after error), numbers ...int) func(context.Context, circuit.State) (before, after error) {
	n := -1
	return func(context.Context, circuit.State) (before, after error) {
		n++
		for _, number := range numbers {
			if n == number {
				return fault()
			}
		}
		return nil, nil
	}
}

func fails() (before, after error)    { return errDown, nil }
func persists() (before, after error) { return nil, errDown }

// life leads an endpoint through five failures, a probe that fails and one that
// succeeds, and asks in between. It tells what became of it.
func life(t *testing.T, k *circuit.Keeper) string {
	t.Helper()
	became := ""
	ask := func() circuit.Ruling {
		r := k.Ask(t.Context(), in, host)
		switch {
		case !r.Go && (r.Never || r.Until.After(time.Now().Add(15*time.Minute)) || !r.Until.After(time.Now())):
			t.Errorf("it waits until %v: %+v", r.Until, r)
		case !r.Go:
			became += " waits"
		case len(r.Probe) > 0:
			became += " probe"
		default:
			became += " goes"
		}
		return r
	}
	for range 5 {
		ask()
		k.Tell(t.Context(), results(1, failed))
	}
	for _, told := range []circuit.Result{failed, fine} {
		r := ask()
		time.Sleep(max(time.Until(r.Until), 0))
		if r = ask(); r.Go {
			told.Probe = r.Probe
			k.Tell(t.Context(), results(1, told))
		}
	}
	ask()
	return became[1:]
}

// TestStoreFaults: whatever the store does, no message is kept back but by a
// circuit that is known to be open, and each change is told of once.
func TestStoreFaults(t *testing.T) {
	t.Parallel()
	const well, blind = "goes goes goes goes goes waits probe waits probe goes", "goes goes goes goes goes goes goes goes goes goes"
	down := func(context.Context, circuit.State) (before, after error) { return fails() }
	both := []string{opened, closed}
	for name, c := range map[string]struct {
		read   error
		write  func(context.Context, circuit.State) (before, after error)
		became string
		told   []string
	}{
		"none":                          {nil, nil, well, both},
		"no read":                       {errDown, nil, well, both},
		"no write":                      {nil, down, blind, nil},
		"neither":                       {errDown, down, blind, nil},
		"the opening fails":             {nil, nth(fails, 4), well, both},
		"the opening persists":          {nil, nth(persists, 4), well, both},
		"the opening persists, no read": {errDown, nth(persists, 4), well, both},
		"the first failure persists":    {nil, nth(persists, 0), well, both},
		"each failure persists":         {nil, nth(persists, 0, 2, 4, 6, 8), well, both},
		"the opening fails twice":       {nil, nth(fails, 4, 5), "goes goes goes goes goes goes goes waits probe goes", both},
		"the probe fails":               {nil, nth(fails, 5), well, both},
		"the probe persists":            {nil, nth(persists, 5), well, both},
		"the probe fails twice":         {nil, nth(fails, 5, 6), "goes goes goes goes goes waits waits waits probe goes", both},
		"its failure fails":             {nil, nth(fails, 6), well, both},
		"its failure persists":          {nil, nth(persists, 6), well, both},
		"its failure fails twice":       {nil, nth(fails, 6, 7), well, both},
		"the closing fails":             {nil, nth(fails, 8), well, both},
		"the closing persists":          {nil, nth(persists, 8), well, both},
		"the closing persists, no read": {errDown, nth(persists, 8), well, both},
		"the closing fails twice":       {nil, nth(fails, 8, 9), "goes goes goes goes goes waits probe waits probe waits", both[:1]},
		"then nothing is heard":         {errDown, nth(fails, 5, 6, 7, 8), "goes goes goes goes goes waits waits waits waits waits", both[:1]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTable()
				s.read, s.write = func(context.Context) error { return c.read }, c.write
				var told changes
				if became := life(t, told.keeper(s)); became != c.became {
					t.Errorf("it %s, want that it %s", became, c.became)
				}
				told.want(t, c.told...)
			})
		})
	}
}

// TestConflicts: whoever is faster, what an exchange says is added to what is
// there.
func TestConflicts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faster int // changes by others that come first
		run    int
	}{"none": {0, 2}, "one": {1, 2}, "five": {5, 2}, "more than it is tried": {6, 1}} {
		s := newTable()
		var told changes
		k := told.keeper(s)
		other := told.keeper(s)
		k.Tell(t.Context(), results(1, failed))
		left := c.faster
		s.write = func(ctx context.Context, now circuit.State) (before, after error) {
			if left--; left >= 0 {
				current := s.kept(t, in)
				current.Version++
				if _, err := s.Memory.PutCircuit(ctx, current); err != nil {
					t.Error(err)
				}
			}
			return nil, nil
		}
		k.Tell(t.Context(), results(1, failed))
		if now := s.kept(t, in); now.Run != c.run || told.lines() > 0 {
			t.Errorf("%s: %+v; %s", name, now, told.log.String())
		}
		s.write = nil
		k.Tell(t.Context(), results(5, failed))
		if r := other.Ask(t.Context(), in); r.Go {
			t.Errorf("%s: after that it can't be opened", name)
		}
	}
}

// TestHanging: a store that does not answer costs little time.
func TestHanging(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		k := c.keeper(s)
		open(t, k, failed)
		time.Sleep(30 * time.Second)
		s.read = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		s.write = func(ctx context.Context, _ circuit.State) (before, after error) { <-ctx.Done(); return ctx.Err(), nil }
		var many []circuit.Result
		for n := range 20 {
			many = append(many, circuit.Result{Endpoint: endpoint("acme", fmt.Sprint("/", n)), Host: host, Failed: true})
		}
		for name, call := range map[string]struct {
			do   func(context.Context)
			most time.Duration
		}{
			"to ask, of one that is not known": {func(ctx context.Context) { k.Ask(ctx, endpoint("acme", "/other"), host) }, time.Second},
			"to ask, and to lease":             {func(ctx context.Context) { k.Ask(ctx, in, host) }, 3 * time.Second},
			"to tell of many":                  {func(ctx context.Context) { k.Tell(ctx, many) }, 2 * time.Second},
			"to wait":                          {func(ctx context.Context) { _ = k.Await(ctx, endpoint("acme", "/x")) }, 2 * time.Second},
		} {
			lines := c.lines()
			begin := time.Now()
			call.do(t.Context())
			if took := time.Since(begin); took > call.most || took == 0 {
				t.Errorf("%s takes %v", name, took)
			}
			if n := c.lines() - lines; n > 3 {
				t.Errorf("%s logs %d lines", name, n)
			}
			ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
			time.Sleep(time.Second)
			begin = time.Now()
			if call.do(ctx); time.Since(begin) > 100*time.Millisecond {
				t.Errorf("%s takes %v, although nobody waits for it", name, time.Since(begin))
			}
			stop()
			time.Sleep(time.Second)
		}
	})
}

// TestOneTriesForAll: of the messages of a circuit whose probe can't be leased not
// each tries.
func TestOneTriesForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		k := c.keeper(s)
		open(t, k, failed)
		time.Sleep(30 * time.Second)
		s.write = func(context.Context, circuit.State) (before, after error) { return errDown, nil }
		s.writes = 0
		for range 100 {
			if r := k.Ask(t.Context(), in, host); r.Go || !r.Until.Equal(time.Now().Add(time.Second)) {
				t.Fatalf("%+v", r)
			}
		}
		if s.writes != 2 || c.lines() != 1 {
			t.Errorf("there were %d writes, %d lines logged", s.writes, c.lines())
		}
		s.write = nil
		time.Sleep(time.Second)
		if r := k.Ask(t.Context(), in, host); !r.Go || len(r.Probe) != 1 {
			t.Errorf("a second later: %+v", r)
		}
	})
}

// TestUnread: what can't be read is tried once a second too.
func TestUnread(t *testing.T) {
	t.Parallel()
	s := newTable()
	s.read = func(context.Context) error { return errDown }
	var c changes
	k := c.keeper(s)
	now := time.Now()
	k.Now = func() time.Time { return now }
	for range 3 {
		for range 100 {
			if r := k.Ask(t.Context(), in, host); !r.Go {
				t.Fatalf("%+v", r)
			}
		}
		now = now.Add(time.Second)
	}
	if s.reads[in] != 3 || s.reads[host] != 3 || c.lines() != 3 {
		t.Errorf("there were %v reads, %d lines logged", s.reads, c.lines())
	}
}

// TestOneReadsForAll: who began to read for others and waits no more does not end
// that.
func TestOneReadsForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		open(t, c.keeper(s), failed)
		s.read = func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(500 * time.Millisecond):
				return nil
			}
		}
		k := c.keeper(s)
		ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer stop()
		if r := k.Ask(ctx, in); !r.Go {
			t.Errorf("nothing is known, and yet: %+v", r)
		}
		if r := k.Ask(t.Context(), in); r.Go || c.lines() > 0 {
			t.Errorf("%+v; %s", r, c.log.String())
		}
	})
}

// TestLateReads: what a read gives from before the last change is not taken for
// what there is; but if it stays so, it is.
func TestLateReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		k := c.keeper(s)
		k.Tell(t.Context(), results(1, circuit.Result{Gone: true}))
		k.Store = newTable() // where it is not kept
		for range 59 {
			if r := k.Ask(t.Context(), in); !r.Never {
				t.Fatalf("%+v", r)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second)
		if r := k.Ask(t.Context(), in); !r.Go {
			t.Errorf("a minute later: %+v", r)
		}
	})
}

// TestGoneByHearsay: what was heard minutes ago ends no message.
func TestGoneByHearsay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		k := c.keeper(s)
		k.Tell(t.Context(), results(1, circuit.Result{Gone: true}))
		s.read = func(context.Context) error { return errDown }
		for n := range 120 {
			if r := k.Ask(t.Context(), in); r.Go || r.Never != (n < 60) || !r.Never && !r.Until.Equal(time.Now().Add(time.Minute)) {
				t.Errorf("after %d s: %+v", n, r)
			}
			time.Sleep(time.Second)
		}
		s.read = nil
		if r := k.Ask(t.Context(), in); !r.Never {
			t.Errorf("said anew: %+v", r)
		}
	})
}

// TestForgets: after many others a circuit is read anew, and what its probe shows
// counts all the same.
func TestForgets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		others int
		down   bool
		goes   bool
	}{
		"few":                  {9_000, true, false},
		"many":                 {11_000, true, true},
		"many, and it is read": {11_000, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTable()
				var told changes
				k := told.keeper(s)
				open(t, k, failed)
				time.Sleep(30 * time.Second)
				probe := k.Ask(t.Context(), in)
				if !probe.Go {
					t.Fatalf("%+v", probe)
				}
				time.Sleep(2 * time.Second)
				for n := range c.others {
					k.Ask(t.Context(), endpoint("acme", fmt.Sprint("/", n)))
				}
				if !c.down {
					k.Tell(t.Context(), results(1, circuit.Result{Probe: probe.Probe}))
					told.want(t, opened, closed)
					return
				}
				s.read = func(context.Context) error { return errDown }
				if r := k.Ask(t.Context(), in); r.Go != c.goes {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}
