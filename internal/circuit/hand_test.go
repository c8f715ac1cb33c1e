package circuit_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/efferent/efferent/internal/circuit"
)

// TestByHand: who opens and closes a circuit may have heard nothing of it, and
// every process follows within a second. What is for it waits meanwhile.
func TestByHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		k := c.keeper(s)
		follows := func(want string) {
			t.Helper()
			time.Sleep(time.Second)
			if r := k.Ask(t.Context(), in); r.Go != (want == "") || r.Never || r.State.Halted() != (want != "") || r.State.Why != want {
				t.Errorf("want that it is open by %q: %+v", want, r)
			}
		}
		for range 2 {
			if now, err := c.keeper(s).Open(t.Context(), in, "by ann"); err != nil || !now.Forever || now.Why != "by ann" {
				t.Errorf("%+v, %v", now, err)
			}
			follows("by ann")
		}
		for range 2 {
			if now, err := c.keeper(s).Close(t.Context(), in); err != nil || now.IsOpen() {
				t.Errorf("%+v, %v", now, err)
			}
			follows("")
		}
		if s.writes != 2 {
			t.Errorf("there were %d writes", s.writes)
		}
		c.want(t, opened, closed)
	})
}

// TestByHandFails: who is told nothing believes that it was done.
func TestByHandFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		read, write error
	}{"read": {errDown, nil}, "write": {nil, errDown}} {
		s := newTable()
		var told changes
		k := told.keeper(s)
		open(t, k, failed)
		s.read = func(context.Context) error { return c.read }
		s.write = func(context.Context, circuit.State) (before, after error) { return c.write, nil }
		for call, do := range map[string]func() (circuit.State, error){
			"open":  func() (circuit.State, error) { return told.keeper(s).Open(t.Context(), in, "by ann") },
			"close": func() (circuit.State, error) { return told.keeper(s).Close(t.Context(), in) },
		} {
			if now, err := do(); !errors.Is(err, errDown) {
				t.Errorf("no %s, %s: %+v, %v", name, call, now, err)
			}
		}
		told.want(t, opened)
	}
}

// TestLongest: of several circuits the one says when to ask again that keeps the
// message for longest.
func TestLongest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		k := c.keeper(s)
		names := []circuit.Name{endpoint("a", "/"), endpoint("b", "/"), endpoint("c", "/"), endpoint("d", "/")}
		for n, wait := range []time.Duration{time.Second, time.Hour, time.Minute} {
			k.Tell(t.Context(), results(1, circuit.Result{Endpoint: names[n], Until: time.Now().Add(wait)}))
		}
		if r := k.Ask(t.Context(), names...); r.Go || r.State.Name != names[1] || !r.Until.Equal(time.Now().Add(time.Hour)) {
			t.Errorf("%+v", r)
		}
		ask := func(want circuit.Name, never bool, names ...circuit.Name) {
			t.Helper()
			slices.Reverse(names)
			for range 2 {
				if r := k.Ask(t.Context(), names...); r.Go || !r.Until.IsZero() || r.Never != never || r.State.Name != want {
					t.Errorf("%+v", r)
				}
				slices.Reverse(names)
			}
		}
		halted := endpoint("e", "/")
		if _, err := k.Open(t.Context(), halted, "by ann"); err != nil {
			t.Fatal(err)
		}
		ask(halted, false, append([]circuit.Name{halted}, names[:3]...)...)
		k.Tell(t.Context(), results(1, circuit.Result{Endpoint: names[3], Gone: true}))
		ask(names[3], true, slices.Clone(names)...)
		ask(names[3], true, names[3], halted, names[1])
		time.Sleep(2 * time.Second)
		if r := k.Ask(t.Context(), names[:2]...); r.Go || s.kept(t, names[0]).Probe != (time.Time{}) {
			t.Errorf("a probe is taken that can't be made: %+v", r)
		}
		if r := k.Ask(t.Context(), names[0]); !r.Go || len(r.Probe) != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// TestHostFirst: an endpoint whose host is being probed for another keeps its own
// probe.
func TestHostFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		k, other := c.keeper(s), c.keeper(s)
		neighbour := endpoint("other", "/in")
		k.Tell(t.Context(), results(5, unreachable))
		r := unreachable
		r.Endpoint = neighbour
		k.Tell(t.Context(), results(5, r))
		time.Sleep(30 * time.Second)
		probe := k.Ask(t.Context(), in, host)
		if !probe.Go || len(probe.Probe) != 2 {
			t.Fatalf("%+v", probe)
		}
		if r := other.Ask(t.Context(), neighbour, host); r.Go || r.State.Name != host {
			t.Fatalf("%+v", r)
		}
		k.Tell(t.Context(), results(1, circuit.Result{Probe: probe.Probe}))
		time.Sleep(time.Second)
		if r := other.Ask(t.Context(), neighbour, host); !r.Go || len(r.Probe) != 1 || r.Probe[0] != neighbour {
			t.Errorf("%+v", r)
		}
	})
}

// TestProbeOfNone: what somebody else has closed meanwhile is no probe's, what
// somebody has opened for good is never asked again.
func TestProbeOfNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(context.Context, *circuit.Keeper) (circuit.State, error)
		want circuit.Ruling
	}{
		"closed": {func(ctx context.Context, k *circuit.Keeper) (circuit.State, error) { return k.Close(ctx, in) }, circuit.Ruling{Go: true}},
		"open":   {func(ctx context.Context, k *circuit.Keeper) (circuit.State, error) { return k.Open(ctx, in, "") }, circuit.Ruling{}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTable()
			var told changes
			k := told.keeper(s)
			open(t, k, failed)
			time.Sleep(30 * time.Second)
			k.Ask(t.Context(), host) // in is read again only with the lease
			s.read = func(context.Context) error { return errDown }
			s.write = func(ctx context.Context, _ circuit.State) (before, after error) {
				s.read, s.write = nil, nil
				if _, err := c.do(ctx, told.keeper(s)); err != nil {
					t.Error(err)
				}
				return nil, nil
			}
			if r := k.Ask(t.Context(), in); r.Go != c.want.Go || len(r.Probe) > 0 || r.Never != c.want.Never || !r.Until.IsZero() {
				t.Errorf("%s: %+v", name, r)
			}
		})
	}
}

// TestProbeAfterThat: a probe that was under way changes nothing about what an
// operator has decided.
func TestProbeAfterThat(t *testing.T) {
	t.Parallel()
	for name, told := range map[string]circuit.Result{
		"it succeeds": fine, "it fails": failed, "it is gone": {Gone: true, Why: "410"},
		"it asks": {Failed: true, Until: time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTable()
			var c changes
			k := c.keeper(s)
			open(t, k, failed)
			time.Sleep(30 * time.Second)
			told.Probe = k.Ask(t.Context(), in).Probe
			if now, err := k.Open(t.Context(), in, "by ann"); err != nil {
				t.Error(now, err)
			}
			k.Tell(t.Context(), results(1, told))
			if r := k.Ask(t.Context(), in); r.Go || r.Never || !r.State.Halted() || r.State.Why != "by ann" {
				t.Errorf("%s: %+v", name, r)
			}
		})
	}
}

// TestAwait: once a minute is often enough, and no message enters the room that
// nobody may look for.
func TestAwait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		k, other := c.keeper(s), c.keeper(s)
		open(t, k, failed)
		s.writes = 0
		for range 60 {
			if err := errors.Join(k.Await(t.Context(), in), other.Await(t.Context(), in)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := s.writes; n != 2 || time.Since(s.kept(t, in).Awaited) != time.Minute {
			t.Errorf("%d writes: %+v", n, s.kept(t, in))
		}
		s.write = func(context.Context, circuit.State) (before, after error) { return errDown, nil }
		if err := k.Await(t.Context(), in); !errors.Is(err, errDown) {
			t.Error(err)
		}
	})
}
