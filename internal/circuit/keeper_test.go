package circuit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/storetest"
)

const origin = "https://a.test"

var host = circuit.Name{Scope: circuit.Host, URL: origin}

func endpoint(tenant, path string) circuit.Name {
	return circuit.Name{Scope: circuit.Endpoint, Tenant: tenant, URL: origin + path}
}

var in = endpoint("acme", "/in")

// table is a store that is read and written to as its faults have it.
type table struct {
	*storetest.Memory
	mu     sync.Mutex
	reads  map[circuit.Name]int
	writes int
	// read and write come before or after a call has its effect; an error before is
	// instead of it.
	read  func(context.Context) error
	write func(context.Context, circuit.State) (before, after error)
}

func newTable() *table { return &table{Memory: &storetest.Memory{}, reads: map[circuit.Name]int{}} }

func (s *table) Circuits(ctx context.Context, names []circuit.Name) ([]circuit.State, error) {
	s.mu.Lock()
	for _, n := range names {
		s.reads[n]++
	}
	read := s.read
	s.mu.Unlock()
	if read != nil {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	return s.Memory.Circuits(ctx, names)
}

func (s *table) KeptCircuits(ctx context.Context, keys []string) ([]circuit.State, error) {
	s.mu.Lock()
	read := s.read
	s.mu.Unlock()
	if read != nil {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	return s.Memory.KeptCircuits(ctx, keys)
}

func (s *table) PutCircuit(ctx context.Context, c circuit.State) (circuit.State, error) {
	s.mu.Lock()
	s.writes++
	write := s.write
	s.mu.Unlock()
	var after error
	if write != nil {
		var before error
		if before, after = write(ctx, c); before != nil {
			return circuit.State{}, before
		}
	}
	now, err := s.Memory.PutCircuit(ctx, c)
	if after != nil {
		return circuit.State{}, after
	}
	return now, err
}

// kept is what the store has of a circuit.
func (s *table) kept(t *testing.T, n circuit.Name) circuit.State {
	t.Helper()
	states, err := s.Memory.Circuits(t.Context(), []circuit.Name{n})
	if err != nil || len(states) > 1 {
		t.Fatal(states, err)
	}
	return append(states, circuit.State{Name: n})[0]
}

// changes are what Keepers have told of.
type changes struct {
	mu   sync.Mutex
	told []string
	log  strings.Builder
}

func (c *changes) keeper(s circuit.Store) *circuit.Keeper {
	return &circuit.Keeper{
		Store: s, Now: time.Now, Jitter: func() float64 { return 0 }, Log: slog.New(slog.NewTextHandler(c, nil)),
		Changed: func(_ context.Context, before, after circuit.State) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.told = append(c.told, fmt.Sprintf("%s %s->%s", after.Scope, phase(before), phase(after)))
		},
	}
}

func phase(s circuit.State) string {
	if s.IsOpen() {
		return "open"
	}
	return "closed"
}

func (c *changes) Write(line []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(line)
}

// lines is how many lines were logged.
func (c *changes) lines() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Count(c.log.String(), "\n")
}

func (c *changes) want(t *testing.T, want ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if diff := cmp.Diff(want, c.told); diff != "" {
		t.Errorf("changes that were told of (-want +got):\n%s", diff)
	}
}

const opened, closed = "endpoint closed->open", "endpoint open->closed"

// results are n of one kind, of in.
func results(n int, r circuit.Result) (all []circuit.Result) {
	for range n {
		one := r
		if one.Endpoint == (circuit.Name{}) {
			one.Endpoint = in
		}
		one.Host = host
		all = append(all, one)
	}
	return all
}

var (
	fine        = circuit.Result{}
	failed      = circuit.Result{Failed: true, Why: "answered 500"}
	unreachable = circuit.Result{Failed: true, Unreachable: true, Why: "refused"}
)

// open opens a circuit at once, and what is over it where unreachable.
func open(t *testing.T, k *circuit.Keeper, r circuit.Result) {
	t.Helper()
	k.Tell(t.Context(), results(5, r))
	if r := k.Ask(t.Context(), in, host); r.Go || r.Never {
		t.Fatalf("it is not open: %+v", r)
	}
}

// TestReads: each circuit once a second and process, however many ask for it, with
// whatever others; a healthy endpoint costs no write.
func TestReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		s.read = func(context.Context) error { time.Sleep(20 * time.Millisecond); return nil }
		var c changes
		k := c.keeper(s)
		begin := time.Now()
		var all sync.WaitGroup
		for n := range 20 {
			own := endpoint("acme", fmt.Sprint("/", n%5))
			all.Go(func() {
				for time.Since(begin) < 4*time.Second {
					if r := k.Ask(t.Context(), own, host); !r.Go || len(r.Probe) > 0 {
						t.Errorf("a closed circuit: %+v", r)
					}
					k.Tell(t.Context(), []circuit.Result{{Endpoint: own, Host: host}})
					time.Sleep(time.Duration(20+n) * time.Millisecond)
				}
			})
		}
		all.Wait()
		for n, reads := range s.reads {
			if reads > 4 || reads < 3 {
				t.Errorf("%s was read %d times in 4 s", n.URL, reads)
			}
		}
		if len(s.reads) != 6 || s.writes > 0 || c.lines() > 0 {
			t.Errorf("of %d circuits there were %d writes, %d lines logged", len(s.reads), s.writes, c.lines())
		}
	})
}

// TestOpensOnce: of all invocations that see an endpoint fail at the same time one
// opens its circuit, and says so.
func TestOpensOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		var keepers []*circuit.Keeper
		var all sync.WaitGroup
		for range 50 {
			k := c.keeper(s)
			keepers = append(keepers, k)
			all.Go(func() { k.Tell(t.Context(), results(1, failed)) })
		}
		all.Wait()
		time.Sleep(time.Second)
		for _, k := range keepers {
			if r := k.Ask(t.Context(), in, host); r.Go {
				t.Fatalf("after 50 failures: %+v", r)
			}
		}
		if now := s.kept(t, in); now.Version != 5 || c.lines() > 0 {
			t.Errorf("it is %+v, and this was logged: %s", now, c.log.String())
		}
		c.want(t, opened)
	})
}

// endpointDown is an endpoint that is down for a while, and those that send to it.
type endpointDown struct {
	begin, until time.Time
	// free counts the exchanges but for probes.
	free, probing atomic.Int64
	mu            sync.Mutex
	probes        []time.Duration // since the begin
}

// send has one message after the other sent until it is up, and left alone no more.
func (e *endpointDown) send(t *testing.T, k *circuit.Keeper) {
	for {
		r := k.Ask(t.Context(), in, host)
		if !r.Go {
			if wait := time.Until(r.Until); r.Never || wait <= 0 || wait > 15*time.Minute {
				t.Errorf("to be asked again in %v: %+v", wait, r)
				return
			}
			time.Sleep(time.Until(r.Until))
			continue
		}
		if len(r.Probe) > 0 {
			if e.probing.Add(1) > 1 {
				t.Error("two probes at a time")
			}
			e.mu.Lock()
			e.probes = append(e.probes, time.Since(e.begin))
			e.mu.Unlock()
		} else if n := e.free.Add(1); n > 1000 || time.Now().After(e.until) {
			return
		}
		down := time.Now().Before(e.until)
		time.Sleep(time.Second)
		told := circuit.Result{Probe: r.Probe}
		if down {
			told.Failed, told.Why = true, "answered 500"
		}
		if len(r.Probe) > 0 {
			e.probing.Add(-1)
		}
		k.Tell(t.Context(), results(1, told))
	}
}

// TestDown bounds what an endpoint that is down gets from 20 invocations: while its
// circuit opens the threshold, what is in flight, and a second's worth; then one
// probe at a time, and each later.
func TestDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const keepers, inFlight = 20, 5
		s := newTable()
		var c changes
		e := &endpointDown{begin: time.Now(), until: time.Now().Add(time.Hour)}
		var all sync.WaitGroup
		for n := range keepers {
			k := c.keeper(s)
			for i := range inFlight {
				all.Go(func() {
					time.Sleep(time.Duration(i*keepers+n) * 7 * time.Millisecond)
					e.send(t, k)
				})
			}
		}
		all.Wait()
		const atOnce = keepers * inFlight
		n := e.free.Load() - atOnce // as many are sent when it is up
		t.Logf("%d messages, and probes after %v", n, e.probes)
		if n < 5 || n > 5+atOnce+atOnce {
			t.Errorf("it got %d messages", n)
		}
		wait := 30 * time.Second
		for n, last := range e.probes[:len(e.probes)-1] {
			wait = min(2*wait, 15*time.Minute)
			if next := e.probes[n+1]; next != last+time.Second+wait {
				t.Errorf("probe %d was after %v, %v after the one before", n+1, next, next-last)
			}
		}
		if first, last := e.probes[0], e.probes[len(e.probes)-1]; first < 31*time.Second || first > 32*time.Second || last < time.Hour {
			t.Errorf("the first probe was after %v, the last after %v", first, last)
		}
		c.want(t, opened, closed)
	})
}

// TestNth counts who is turned away, by each process, until the next probe is put
// off; what is read, or told, meanwhile does not matter.
func TestNth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		k, other := c.keeper(s), c.keeper(s)
		ask := func(k *circuit.Keeper, want int) {
			t.Helper()
			if r := k.Ask(t.Context(), host, in); r.Go || r.Nth != want || r.State.Name != in {
				t.Errorf("want the %dth: %+v", want, r)
			}
		}
		k.Tell(t.Context(), results(5, failed))
		for n := range 3 {
			ask(k, n+1)
			time.Sleep(2 * time.Second)
		}
		if err := k.Await(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		ask(k, 4)
		ask(other, 1)
		ask(other, 2)
		time.Sleep(24 * time.Second) // both know it as one whose probe is due
		s.read = func(context.Context) error { return errors.New("no table") }
		if r := k.Ask(t.Context(), in); !r.Go {
			t.Fatalf("no probe: %+v", r)
		}
		ask(k, 1)
		ask(other, 1)
		ask(other, 2)
	})
}

// TestLease: a probe whose outcome nobody tells is made by another once its time
// is over.
func TestLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTable()
		var c changes
		dead, k := c.keeper(s), c.keeper(s)
		open(t, dead, failed)
		time.Sleep(30 * time.Second)
		if r := dead.Ask(t.Context(), in, host); !r.Go || !slices.Equal(r.Probe, []circuit.Name{in}) {
			t.Fatalf("no probe: %+v", r)
		}
		over := time.Now().Add(circuit.LeaseTime)
		for _, k := range []*circuit.Keeper{dead, k} {
			if r := k.Ask(t.Context(), in, host); r.Go || !r.Until.Equal(over) {
				t.Errorf("while the probe is under way: %+v", r)
			}
		}
		time.Sleep(circuit.LeaseTime - time.Nanosecond)
		if r := k.Ask(t.Context(), in, host); r.Go {
			t.Errorf("a moment too early: %+v", r)
		}
		time.Sleep(time.Nanosecond)
		if r := k.Ask(t.Context(), in, host); !r.Go || len(r.Probe) != 1 {
			t.Errorf("after the lease: %+v", r)
		}
		c.want(t, opened)
	})
}

// after is a time from now on, whenever that is: fromNow makes it one.
func after(d time.Duration) time.Time { return time.Unix(0, int64(d)) }

func fromNow(results []circuit.Result) []circuit.Result {
	results = slices.Clone(results)
	for i, r := range results {
		if !r.Until.IsZero() {
			results[i].Until = time.Now().Add(time.Duration(r.Until.UnixNano()))
		}
	}
	return results
}

// TestNews: what exchanges do to the circuit of their endpoint and to its host's,
// and that they do nothing to other endpoints there.
func TestNews(t *testing.T) {
	t.Parallel()
	half := slices.Concat(results(1, fine), results(1, failed))
	slow := circuit.Result{Slow: true}
	asks := func(n int, d time.Duration) []circuit.Result {
		return results(n, circuit.Result{Failed: true, Until: after(d), Why: "asked"})
	}
	gone := circuit.Result{Gone: true, Why: "gone"}
	for name, c := range map[string]struct {
		told [][]circuit.Result
		// for how long it is open then, -1 for ever.
		endpoint, host time.Duration
		why            string
		writes         int
	}{
		"four failures":           {[][]circuit.Result{results(4, failed)}, 0, 0, "", 1},
		"five":                    {[][]circuit.Result{results(5, failed)}, 30 * time.Second, 0, "5 failures in a row", 1},
		"five, one by one":        {slices.Repeat([][]circuit.Result{results(1, failed)}, 5), 30 * time.Second, 0, "5 failures", 5},
		"a success between":       {[][]circuit.Result{results(4, failed), results(1, fine), results(4, failed)}, 0, 0, "", 3},
		"more, while it is open":  {[][]circuit.Result{results(5, failed), results(50, failed)}, 30 * time.Second, 0, "5 failures", 1},
		"success while it is":     {[][]circuit.Result{results(5, failed), results(50, fine)}, 30 * time.Second, 0, "5 failures", 1},
		"unreachable":             {[][]circuit.Result{results(5, unreachable)}, 30 * time.Second, 30 * time.Second, "5 failures", 2},
		"every second one":        {slices.Repeat([][]circuit.Result{half}, 10), 30 * time.Second, 0, "10 of 20", 10},
		"slow":                    {[][]circuit.Result{results(20, slow)}, 30 * time.Second, 0, "20 of 20", 1},
		"slow at times":           {[][]circuit.Result{results(10, slow), results(30, fine), results(10, slow)}, 0, 0, "", 2},
		"gone":                    {[][]circuit.Result{results(1, gone)}, -1, 0, "gone", 1},
		"gone, many times":        {[][]circuit.Result{results(5, gone), results(5, gone)}, -1, 0, "gone", 1},
		"gone, among others":      {[][]circuit.Result{slices.Concat(asks(9, time.Hour), results(1, gone), half)}, -1, 0, "gone", 1},
		"asks":                    {[][]circuit.Result{asks(1, 24*time.Hour)}, 24 * time.Hour, 0, "asked", 1},
		"asks, many times":        {[][]circuit.Result{asks(9, time.Hour), asks(1, time.Minute)}, time.Hour, 0, "asked", 1},
		"asks for more":           {[][]circuit.Result{slices.Concat(asks(1, time.Minute), asks(1, time.Hour))}, time.Hour, 0, "asked", 1},
		"asks for less":           {[][]circuit.Result{slices.Concat(asks(1, time.Hour), asks(1, time.Minute))}, time.Hour, 0, "asked", 1},
		"asks for less than else": {[][]circuit.Result{asks(5, time.Second)}, 30 * time.Second, 0, "5 failures", 1},
		"asks for the same again": {[][]circuit.Result{asks(1, time.Hour), asks(1, time.Hour)}, time.Hour, 0, "asked", 1},
		"asks, and it is open":    {[][]circuit.Result{results(5, failed), asks(1, time.Hour)}, time.Hour, 0, "asked", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTable()
				var told changes
				k, other := told.keeper(s), told.keeper(s)
				for _, r := range c.told {
					k.Tell(t.Context(), fromNow(r))
				}
				if s.writes != c.writes {
					t.Errorf("it took %d writes", s.writes)
				}
				for n, want := range map[circuit.Name]time.Duration{in: c.endpoint, host: c.host} {
					for _, k := range []*circuit.Keeper{k, other} {
						r := k.Ask(t.Context(), n)
						if r.Go != (want == 0) || r.Never != (want < 0) || want > 0 && !r.Until.Equal(time.Now().Add(want)) {
							t.Errorf("%s: %+v", n.Scope, r)
						}
						if n == in && !strings.Contains(r.State.Why, c.why) {
							t.Errorf("why: %q", r.State.Why)
						}
					}
				}
				for _, n := range []circuit.Name{endpoint("other", "/in"), endpoint("acme", "/other"), endpoint("other", "/")} {
					r := other.Ask(t.Context(), n, host)
					if r.Go != (c.host == 0) || !r.Go && r.State.Name != host || s.kept(t, n).Version != 0 {
						t.Errorf("%s of %s: %+v", n.URL, n.Tenant, r)
					}
				}
			})
		})
	}
}

// TestProbe: what becomes of the circuits that a probe was for.
func TestProbe(t *testing.T) {
	t.Parallel()
	one, both := []circuit.Name{in}, []circuit.Name{host, in}
	for name, c := range map[string]struct {
		by    circuit.Result // what opened it
		probe []circuit.Name
		told  circuit.Result
		// for how long they are open then, -1 for ever.
		endpoint, host time.Duration
		changes        int // from the begin
	}{
		"it succeeds":            {failed, one, fine, 0, 0, 2},
		"it is refused":          {failed, one, circuit.Result{Why: "answered 400"}, 0, 0, 2},
		"it is slow":             {failed, one, circuit.Result{Slow: true}, 0, 0, 2},
		"it fails":               {failed, one, failed, time.Minute, 0, 1},
		"it is unreachable":      {failed, one, unreachable, time.Minute, 0, 1},
		"gone":                   {failed, one, circuit.Result{Gone: true}, -1, 0, 1},
		"it asks":                {failed, one, circuit.Result{Failed: true, Until: after(time.Hour)}, time.Hour, 0, 1},
		"it asks for less":       {failed, one, circuit.Result{Failed: true, Until: after(1)}, time.Minute, 0, 1},
		"both succeed":           {unreachable, both, fine, 0, 0, 4},
		"both fail":              {unreachable, both, unreachable, time.Minute, time.Minute, 2},
		"the endpoint alone":     {unreachable, both, failed, time.Minute, 0, 3},
		"the endpoint, for good": {unreachable, both, circuit.Result{Gone: true}, -1, 0, 3},
		"the endpoint asks":      {unreachable, both, circuit.Result{Until: after(time.Hour)}, time.Hour, 0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTable()
				var told changes
				k, other := told.keeper(s), told.keeper(s)
				open(t, k, c.by)
				time.Sleep(30 * time.Second)
				r := k.Ask(t.Context(), in, host)
				if diff := cmp.Diff(c.probe, r.Probe); !r.Go || diff != "" {
					t.Fatalf("%+v (-want +got):\n%s", r, diff)
				}
				time.Sleep(2 * time.Second)
				result := c.told
				result.Probe = r.Probe
				k.Tell(t.Context(), fromNow(results(1, result)))
				k.Tell(t.Context(), fromNow(results(1, result))) // a second time it says nothing new
				for n, want := range map[circuit.Name]time.Duration{in: c.endpoint, host: c.host} {
					for _, k := range []*circuit.Keeper{k, other} {
						r := k.Ask(t.Context(), n)
						if r.Go != (want == 0) || len(r.Probe) > 0 || r.Never != (want < 0) || want > 0 && !r.Until.Equal(time.Now().Add(want)) {
							t.Errorf("%s: %+v", n.Scope, r)
						}
					}
				}
				if len(told.told) != c.changes {
					t.Errorf("told of %q", told.told)
				}
			})
		})
	}
}
