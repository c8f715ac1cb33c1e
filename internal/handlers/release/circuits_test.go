package release

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// here is what most tests wait for: a registered endpoint's, though none is read
// unless the test has endpoints.
var here = endpoint.Circuit("ep_1")

// held is one that waits for the endpoint's circuit, and has since an age.
func held(id string, age time.Duration) waiting.Item {
	i := item(id, -age)
	i.Circuit, i.Since, i.Reason, i.Carried.First = here.Key(), i.Due, waiting.Circuit, i.Due
	return i
}

// awaited is a circuit that somebody waits for since noon.
func awaited(s circuit.State) circuit.State {
	s.Name, s.Awaited = here, noon
	return s
}

func closed(at time.Time) circuit.State {
	return awaited(circuit.State{Phase: circuit.Closed, ClosedAt: at})
}

// opened is one that is open, and whose probe is due at a time.
func opened(since, until time.Time) circuit.State {
	return awaited(circuit.State{Phase: circuit.Open, Opened: since, Until: until})
}

// puts replaces the circuit.
func (w *world) puts(t *testing.T, s circuit.State) {
	t.Helper()
	s.Version = w.circuit(t).Version + 1
	if _, err := w.Memory.PutCircuit(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

func (w *world) circuit(t *testing.T) circuit.State {
	t.Helper()
	all, err := w.Memory.Circuits(t.Context(), []circuit.Name{here})
	if err != nil || len(all) > 1 {
		t.Fatal(all, err)
	}
	if len(all) == 0 {
		return awaited(circuit.State{})
	}
	return all[0]
}

// fillHeld has n wait, the oldest first, of one second each more than an hour.
func (w *world) fillHeld(t *testing.T, n int) (ids []string) {
	t.Helper()
	if err := w.Memory.Sweep(t.Context(), noon.Add(-time.Minute)); err != nil { // or the first run searches them all
		t.Fatal(err)
	}
	for i := range n {
		id := fmt.Sprintf("h%05d", i)
		w.enter(t, held(id, time.Hour+time.Duration(n-i)*time.Second))
		ids = append(ids, id)
	}
	return ids
}

// TestTurns: what goes in one run, when, and what it is held for then.
func TestTurns(t *testing.T) {
	t.Parallel()
	const hour, day = time.Hour, 24 * time.Hour
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	// before has it held for a time before it came in; later has it come in later.
	before := func(i waiting.Item, d time.Duration) waiting.Item {
		i.Carried.Held = message.Held{"circuit": d, "trouble": time.Minute}
		return i
	}
	since := func(i waiting.Item, ago time.Duration) waiting.Item {
		i.Since = noon.Add(-ago)
		return i
	}
	gone := awaited(circuit.State{Phase: circuit.Open, Opened: ago(hour), Forever: true, Gone: true})
	halted := gone
	halted.Gone = false
	leased := opened(ago(hour), ago(0))
	leased.Probe = noon.Add(time.Second)
	asked := opened(ago(7*hour), noon.Add(hour))
	asked.Asked = true
	askedBefore := closed(ago(0))
	askedBefore.Opened, askedBefore.Asked = ago(hour), true
	wasOpen := closed(ago(hour / 2))
	wasOpen.Opened = ago(hour)
	unawaited := closed(ago(hour))
	unawaited.Awaited = time.Time{}
	for name, c := range map[string]struct {
		circuit circuit.State
		waits   []waiting.Item
		want    []string // "<id> <delay> <held>"
	}{
		"opened by hand": {halted, []waiting.Item{before(held("a", day), 6*hour), since(held("b", 14*day-1), 2*hour),
			since(held("c", 14*day), 2*hour)}, []string{"c 0s "}},
		"gone": {gone, []waiting.Item{held("a", 2*hour), since(held("b", hour/2), hour/4)},
			[]string{"a 0s circuit=3600", "b 0s circuit=900"}},
		"open":                        {opened(ago(5*hour), noon.Add(1)), []waiting.Item{held("a", 5*hour)}, nil},
		"open for long":               {opened(ago(6*hour), noon.Add(1)), []waiting.Item{held("a", 6*hour)}, []string{"a 0s circuit=21600"}},
		"not quite":                   {opened(ago(6*hour-1), noon.Add(1)), []waiting.Item{held("a", 6*hour)}, nil},
		"came in later":               {opened(ago(7*hour), noon.Add(1)), []waiting.Item{since(held("a", 7*hour), 5*hour)}, nil},
		"waits for longer than it is": {opened(ago(5*hour), noon.Add(1)), []waiting.Item{held("a", 7*hour)}, nil},
		"held before": {opened(ago(2*hour), noon.Add(1)), []waiting.Item{before(held("a", 2*hour), 4*hour), before(held("b", 2*hour), 3*hour)},
			[]string{"a 0s circuit=21600,trouble=60"}},
		"the endpoint has asked": {asked, []waiting.Item{before(held("a", 7*hour), 7*hour)}, nil},
		"asked for over 14 days": {asked, []waiting.Item{held("a", batch.MaxAge), held("b", batch.MaxAge-1)}, []string{"a 0s "}},
		"over 14 days": {opened(ago(hour), noon.Add(1)), []waiting.Item{since(held("a", 15*day), hour), since(held("b", 13*day), hour)},
			[]string{"a 0s circuit=3600"}},
		"a probe": {opened(ago(hour), ago(0)), []waiting.Item{held("b", hour/2), held("c", hour/4), held("a", 2*hour)},
			[]string{"a 0s circuit=3600"}},
		"a probe, and what was held for too long": {opened(ago(6*hour), ago(0)),
			[]waiting.Item{held("a", 7*hour), held("b", 6*hour), held("c", hour)},
			[]string{"a 0s circuit=21600", "b 0s circuit=21600"}},
		"a probe that is under way": {leased, []waiting.Item{held("a", hour)}, nil},
		"closed": {wasOpen, []waiting.Item{held("a", 2*hour), held("b", hour), held("c", hour/2), held("d", hour/4)},
			[]string{"a 0s circuit=1800", "b 10s circuit=1800", "c 10s ", "d 20s "}},
		"closed, and had asked": {askedBefore, []waiting.Item{held("a", hour)}, []string{"a 0s "}},
		"never was open":        {closed(time.Time{}), []waiting.Item{held("a", hour)}, []string{"a 0s "}},
		"nobody waits":          {unawaited, []waiting.Item{held("a", hour)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.puts(t, c.circuit)
			w.enter(t, c.waits...)
			run(t, w.handler(t, "a"))
			w.wantSent(t, c.want)
			if waits := len(w.waits()); waits != len(c.waits)-len(c.want) {
				t.Errorf("%d wait", waits)
			}
		})
	}
}

// wantSent: they went, each as "<id> <delay> <held>".
func (w *world) wantSent(t *testing.T, want []string) {
	t.Helper()
	var got []string
	for _, s := range w.queues {
		got = append(got, fmt.Sprint(s.id, " ", s.delay, " ", s.message.Attributes[message.CarriedHeld].Text))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRamp: thousands go out oldest first, twice as many every ten seconds, however
// often there is a run.
func TestRamp(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{10 * time.Second, time.Minute} {
		w := newWorld()
		ids := w.fillHeld(t, 5000)
		w.puts(t, closed(noon))
		h := w.handler(t, "a")
		h.Every = every
		for len(w.queues) < len(ids) && w.clock().Before(noon.Add(time.Hour)) {
			run(t, h)
			w.pass(every)
		}
		w.wantRamp(t, ids, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024, 905)
	}
}

// wantRamp: they went, each once, oldest first, so many every ten seconds.
func (w *world) wantRamp(t *testing.T, ids []string, steps ...int) {
	t.Helper()
	var visible []string
	var got []int
	var last time.Time
	for _, s := range w.queues {
		visible = append(visible, s.id)
		switch pause := s.visible().Sub(last); {
		case pause == 0:
			got[len(got)-1]++
		case last.IsZero() || pause == 10*time.Second:
			got = append(got, 1)
		default:
			t.Fatalf("%s comes %v after the one before", s.id, pause)
		}
		last = s.visible()
	}
	slices.Sort(ids)
	if !slices.Equal(visible, ids) {
		t.Errorf("%d were sent, of %d, or in another order", len(visible), len(ids))
	}
	if diff := cmp.Diff(steps, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// TestRampGoesOn: another process goes on where one has ended, and two that run side
// by side make no more steps than one.
func TestRampGoesOn(t *testing.T) {
	t.Parallel()
	for name, others := range map[string][]time.Duration{
		"at once": {0, 0, 10 * time.Second}, "in turns": {3 * time.Second, 3 * time.Second, 4 * time.Second},
	} {
		w := newWorld()
		ids := w.fillHeld(t, 500)
		w.puts(t, closed(noon))
		for n := 0; len(w.queues) < len(ids) && n < 1000; n++ {
			h := w.handler(t, fmt.Sprint("p", n))
			h.Every = 10 * time.Second
			run(t, h)
			w.pass(others[n%len(others)])
		}
		last := noon.Add(-time.Hour)
		var counts []int
		for _, s := range w.queues {
			if s.visible().Sub(last) >= stepTime {
				counts, last = append(counts, 0), s.visible()
			}
			counts[len(counts)-1]++
		}
		if diff := cmp.Diff([]int{1, 2, 4, 8, 16, 32, 64, 128, 245}, counts); diff != "" || len(w.queues) != len(ids) {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

const stepTime = 9 * time.Second // to the second

// TestOpensAgain: the ramp begins anew.
func TestOpensAgain(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fillHeld(t, 200)
	w.puts(t, closed(noon))
	h := w.handler(t, "a")
	run(t, h)
	if len(w.queues) != 63 || w.circuit(t).Ramp != 32 {
		t.Fatalf("%d went, %+v", len(w.queues), w.circuit(t))
	}
	w.pass(time.Minute)
	w.puts(t, opened(w.clock(), w.clock().Add(time.Hour)))
	run(t, h)
	if len(w.queues) != 63 {
		t.Errorf("%d went while it was open", len(w.queues)-63)
	}
	w.puts(t, w.circuit(t).Close(w.clock()))
	run(t, h)
	if len(w.queues) != 126 || w.circuit(t).Ramp != 32 {
		t.Errorf("%d went, %+v", len(w.queues), w.circuit(t))
	}
}

// TestOpensMeanwhile: what opened since it was read lets none of a ramp out.
func TestOpensMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fillHeld(t, 20)
	w.puts(t, closed(noon))
	once := false
	w.before = func(call string) {
		if call == "PutCircuit" && !once {
			once = true
			w.puts(t, opened(noon, noon.Add(time.Hour)))
		}
	}
	run(t, w.handler(t, "a"))
	if len(w.queues) != 0 || !w.circuit(t).IsOpen() {
		t.Errorf("%d went, %+v", len(w.queues), w.circuit(t))
	}
}

// TestNobodysTurn: of an open circuit whose probe is not due nothing is leased.
func TestNobodysTurn(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.puts(t, opened(noon, noon.Add(time.Hour)))
	w.enter(t, held("a", time.Hour))
	w.before = func(call string) {
		if call == "Lease" || call == "PutCircuit" {
			t.Errorf("%s is called", call)
		}
	}
	run(t, w.handler(t, "a"))
}

// TestEnded: of very many whose circuit stays open some go in each run, not all in
// one second.
func TestEnded(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ids := w.fillHeld(t, mostOfOne+100)
	w.puts(t, awaited(circuit.State{Phase: circuit.Open, Opened: noon, Forever: true, Gone: true}))
	h := w.handler(t, "a")
	run(t, h)
	if len(w.queues) != mostOfOne || w.queues[mostOfOne-1].delay != 49*time.Second {
		t.Errorf("%d went, the last by %v", len(w.queues), w.queues[len(w.queues)-1].delay)
	}
	run(t, h)
	if slices.Sort(ids); !slices.Equal(w.ids(), ids) {
		t.Errorf("%d went", len(w.queues))
	}
}

// TestNobodyWaitsAnyMore: a circuit is not looked at once it is closed, and nothing
// can wait for it.
func TestNobodyWaitsAnyMore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		circuit circuit.State
		after   time.Duration
		waits   bool
		looks   bool
	}{
		"nobody does":                        {closed(noon), 5 * time.Minute, false, false},
		"somebody may be on the way":         {closed(noon), 5*time.Minute - 1, false, true},
		"somebody does":                      {closed(noon), time.Hour, true, true},
		"it is open":                         {opened(noon, noon.Add(2*time.Hour)), time.Hour, false, true},
		"somebody has come a short time ago": {closed(noon), 10 * time.Minute, false, true},
	} {
		w := newWorld()
		w.puts(t, c.circuit)
		w.pass(c.after)
		if c.waits {
			w.enter(t, held("a", 0))
			w.refuse["a"] = true
		}
		if c.after == 10*time.Minute {
			once := false
			w.before = func(call string) {
				if s := w.circuit(t); call == "PutCircuit" && !once {
					once, s.Awaited = true, w.clock()
					w.puts(t, s)
				}
			}
		}
		err := w.handler(t, "a").Handle(t.Context())
		if s := w.circuit(t); s.Awaited.IsZero() == c.looks || (err != nil) != c.waits {
			t.Errorf("%s: %v, %+v", name, err, s)
		}
	}
}

// TestHeldAreNotDue: what waits for a circuit says nothing of where the minutes
// begin.
func TestHeldAreNotDue(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.enter(t, held("a", 13*24*time.Hour), item("b", -time.Hour))
	w.puts(t, opened(noon, noon.Add(time.Hour)))
	run(t, w.handler(t, "a"))
	if w.count("b") != 1 || len(w.looked) != (60+2)*waiting.Shards {
		t.Errorf("b was sent %d times, and %d places were looked at", w.count("b"), len(w.looked))
	}
}

// TestCircuitTimeIsUp: a run begins nothing in the last seconds of its time, and
// takes no step of a ramp that it does not make.
func TestCircuitTimeIsUp(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fillHeld(t, 20)
	w.puts(t, closed(noon))
	ctx, stop := context.WithTimeout(t.Context(), wrapUp)
	defer stop()
	if err := w.handler(t, "a").Handle(ctx); err != nil || len(w.queues) > 0 || w.circuit(t).Ramp != 0 {
		t.Errorf("%v; %d were sent, %+v", err, len(w.queues), w.circuit(t))
	}
}

// TestCircuitTwoAtOnce: runs of several processes send each once.
func TestCircuitTwoAtOnce(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]circuit.State{
		"ramp": closed(noon), "probe": opened(noon, noon),
		"ends": awaited(circuit.State{Phase: circuit.Open, Opened: noon, Forever: true, Gone: true}),
	} {
		for _, during := range []string{"PageCircuits", "PutCircuit", "In", "Lease", "Send", "Settle", "Unlease"} {
			w := newWorld()
			ids := w.fillHeld(t, 20)
			w.puts(t, s)
			begun := false
			w.before = func(call string) {
				if call == during && !begun {
					begun = true
					run(t, w.handler(t, "b"))
				}
			}
			run(t, w.handler(t, "a"))
			w.wantEachOnce(t, name+" during "+during, ids, map[string]int{"ramp": 20, "probe": 2, "ends": 20}[name])
		}
	}
}

// wantEachOnce: none was sent twice, and none is lost; most went at the most.
func (w *world) wantEachOnce(t *testing.T, name string, ids []string, most int) {
	t.Helper()
	waits := w.waits()
	for _, id := range ids {
		if n := w.count(id); n > 1 || (n == 1) == slices.Contains(waits, id) {
			t.Errorf("%s: %s was sent %d times; %d wait", name, id, n, len(waits))
		}
	}
	if len(w.queues) == 0 || len(w.queues) > most {
		t.Errorf("%s: %d were sent, want %d at most", name, len(w.queues), most)
	}
}

// TestRampBegins: what came in while the circuit was open, and is older than what was
// seen there before, goes first: it is what opened it.
func TestRampBegins(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fillHeld(t, 5)
	w.puts(t, opened(noon, noon.Add(time.Hour)))
	h := w.handler(t, "a")
	run(t, h)
	w.enter(t, held("older", 2*time.Hour))
	w.puts(t, closed(noon))
	run(t, h)
	if len(w.queues) == 0 || w.ids()[0] != "older" {
		t.Errorf("went %v", w.ids())
	}
}

// TestLateOldest: what came in during a ramp, and is older than what has gone, goes
// as soon as nothing else is left.
func TestLateOldest(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fillHeld(t, 5)
	w.puts(t, closed(noon))
	h := w.handler(t, "a")
	run(t, h)
	w.enter(t, held("older", 2*time.Hour))
	w.pass(time.Minute)
	run(t, h)
	if len(w.queues) != 6 || w.count("older") != 1 {
		t.Errorf("went %v", w.ids())
	}
}
