package release

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/waiting"
)

// sets has the endpoint be as it is from a time on; "deleted" is that there is none,
// and "" that nobody asks for it.
func (w *world) sets(t *testing.T, s endpoint.State, since time.Time) {
	t.Helper()
	if s == "" {
		return
	}
	w.registered = true
	e := endpoint.Endpoint{ID: here.URL, Tenant: "acme", State: s, Since: since, Version: 1}
	kept, err := w.Memory.Endpoints(t.Context(), []string{e.ID})
	switch {
	case err != nil:
	case s == "deleted":
		if len(kept) > 0 {
			err = w.DeleteEndpoint(t.Context(), kept[0])
		}
	case len(kept) == 0:
		err = w.CreateEndpoint(t.Context(), e, 1)
	default:
		e.Version = kept[0].Version + 1
		err = w.UpdateEndpoint(t.Context(), e)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// state is that of the endpoint; empty where there is none.
func (w *world) state() endpoint.State {
	kept, _ := w.Memory.Endpoints(context.Background(), []string{here.URL})
	if len(kept) == 0 {
		return ""
	}
	return kept[0].State
}

// TestPaused: nothing goes to an endpoint that takes nothing, however its circuit is,
// but what is too old; and all to one that was deleted, for its end.
func TestPaused(t *testing.T) {
	t.Parallel()
	const hour, day = time.Hour, 24 * time.Hour
	paused := func(id string, age time.Duration) waiting.Item {
		i := held(id, age)
		i.Reason = waiting.Paused
		return i
	}
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	probe, long := opened(ago(hour), ago(0)), opened(ago(7*hour), noon.Add(hour))
	gone := awaited(circuit.State{Phase: circuit.Open, Opened: ago(hour), Forever: true})
	atRest := awaited(circuit.State{})
	wasOpen := closed(ago(hour / 2))
	wasOpen.Opened = ago(2 * hour)
	both := []waiting.Item{held("a", 7*hour), paused("b", hour)}
	for name, c := range map[string]struct {
		of      endpoint.State
		since   time.Duration // ago
		circuit circuit.State
		waits   []waiting.Item
		want    []string // "<id> <delay> <held>"
	}{
		"paused":                      {endpoint.Paused, hour, atRest, []waiting.Item{paused("a", 13*day)}, nil},
		"disabled":                    {endpoint.Disabled, hour, atRest, []waiting.Item{paused("a", hour)}, nil},
		"for 14 days":                 {endpoint.Paused, hour, atRest, []waiting.Item{paused("a", 14*day)}, []string{"a 0s paused=1209600"}},
		"and its probe is due":        {endpoint.Paused, hour, probe, both, nil},
		"and its circuit was long":    {endpoint.Paused, hour, long, both, nil},
		"while its circuit is closed": {endpoint.Paused, hour, wasOpen, both, nil},
		"deleted":                     {"deleted", 0, atRest, both, []string{"a 0s ", "b 0s paused=3600"}},
		"deleted, its circuit open":   {"deleted", 0, gone, both, []string{"a 0s ", "b 0s paused=3600"}},
		"resumed": {endpoint.Enabled, 0, atRest, []waiting.Item{paused("c", hour), paused("a", 9*day), paused("b", 8*day)},
			[]string{"a 0s paused=777600", "b 10s paused=691200", "c 10s paused=3600"}},
		"resumed, its circuit open":   {endpoint.Enabled, hour / 2, opened(ago(5*day), noon.Add(1)), both, nil},
		"resumed, and its probe due":  {endpoint.Enabled, hour / 2, opened(ago(5*day), ago(0)), both, []string{"a 0s circuit=1800"}},
		"resumed, and too long since": {endpoint.Enabled, 6 * hour, opened(ago(5*day), noon.Add(1)), both, []string{"a 0s circuit=21600"}},
		"resumed since it was closed": {endpoint.Enabled, hour / 4, wasOpen, both, []string{"a 0s ", "b 10s paused=3600"}},
		"halted by hand besides":      {endpoint.Enabled, hour, gone, both, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.puts(t, c.circuit)
			w.sets(t, c.of, noon.Add(-c.since))
			w.enter(t, c.waits...)
			run(t, w.handler(t, "a"))
			w.wantSent(t, c.want)
			if waits := len(w.waits()); waits != len(c.waits)-len(c.want) {
				t.Errorf("%d wait", waits)
			}
		})
	}
}

// TestResumed: however often an endpoint was paused, its ramp begins at the resume,
// oldest first, and lets nothing out between.
func TestResumed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ids := w.fillHeld(t, 500)
	w.puts(t, awaited(circuit.State{}))
	w.sets(t, endpoint.Paused, noon)
	h := w.handler(t, "a")
	run(t, h)
	for n, want := range []int{63, 63} {
		w.pass(time.Minute)
		w.sets(t, endpoint.Enabled, w.clock())
		run(t, h)
		if len(w.queues) != (n+1)*want {
			t.Errorf("%d went", len(w.queues))
		}
		w.sets(t, endpoint.Disabled, w.clock().Add(time.Second))
		w.pass(time.Minute)
		run(t, h)
		w.sets(t, endpoint.Enabled, w.clock())
		w.sets(t, endpoint.Paused, w.clock())
		run(t, h)
		if len(w.queues) != (n+1)*want {
			t.Errorf("%d went while it was paused", len(w.queues)-(n+1)*want)
		}
	}
	w.pass(time.Minute)
	w.sets(t, endpoint.Enabled, w.clock())
	from := len(w.queues)
	for range 3 {
		run(t, h)
		w.pass(time.Minute)
	}
	w.queues, ids = w.queues[from:], ids[from:]
	w.wantRamp(t, ids, 1, 2, 4, 8, 16, 32, 64, 128, 119)
}

// TestEndpointsUnread: where endpoints can't be read nothing goes to them, and the run
// says so; what waits for other circuits goes.
func TestEndpointsUnread(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.puts(t, closed(noon))
	w.sets(t, endpoint.Enabled, noon)
	w.enter(t, held("a", time.Hour))
	other := circuit.State{Name: circuit.Name{Scope: circuit.Endpoint, Tenant: "acme", URL: "https://b.test/in"}, Version: 1, Awaited: noon}
	if _, err := w.Memory.PutCircuit(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	b := held("b", time.Hour)
	b.Circuit = other.Key()
	w.enter(t, b)
	down := true
	w.before = func(call string) {
		if call == "Endpoints" && down {
			w.mu.Lock()
			w.fault = w.calls + 1
			w.mu.Unlock()
		}
	}
	if err := w.handler(t, "a").Handle(t.Context()); !errors.Is(err, errDown) || len(w.queues) != 1 || w.queues[0].id != "b" {
		t.Errorf("%v, and %d went", err, len(w.queues))
	}
	down = false
	run(t, w.handler(t, "b"))
	if len(w.queues) != 2 {
		t.Errorf("%d went", len(w.queues))
	}
}
