package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/circuit"
)

// TestCircuits runs the suite of what circuit.Store promises. The store may be
// shared by all of its tests: each has a tenant of its own.
func TestCircuits(t *testing.T, store circuit.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, circuits){
		"nothing is there at first": circuitsEmpty,
		"every field comes back":    circuitsFields,
		"version by version":        circuitsVersions,
		"one of many at once":       circuitsAtOnce,
		"every change of many":      circuitsCounted,
		"names apart":               circuitsNames,
		"more than one request":     circuitsMany,
		"page by page":              circuitsPages,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, circuits{store, uuid.NewString()})
		})
	}
}

// circuits is the store as one test sees it.
type circuits struct {
	circuit.Store
	tenant string
}

// closed is a state of the test's n-th endpoint.
func (c circuits) closed(n int, version int64) circuit.State {
	name := circuit.Name{Scope: circuit.Endpoint, Tenant: c.tenant, URL: fmt.Sprintf("https://a.test/%d", n)}
	return circuit.State{Name: name, Phase: circuit.Closed, Version: version, Run: 3, Since: storedAt, Total: 9, Bad: 4}
}

func (c circuits) put(t *testing.T, s circuit.State) {
	t.Helper()
	if now, err := c.PutCircuit(t.Context(), s); err != nil || !gocmp.Equal(now, s) {
		t.Fatalf("%+v is not kept: %v, %+v", s, err, now)
	}
}

// refused puts what must not be kept, since another is.
func (c circuits) refused(t *testing.T, s, by circuit.State) {
	t.Helper()
	if now, err := c.PutCircuit(t.Context(), s); !errors.Is(err, circuit.ErrChanged) || !gocmp.Equal(now, by) {
		t.Fatalf("version %d: %v (-want +got):\n%s", s.Version, err, gocmp.Diff(by, now))
	}
}

// want looks for the states of names: they may be late, but by their keys.
func (c circuits) want(t *testing.T, names []circuit.Name, want ...circuit.State) {
	t.Helper()
	slices.SortFunc(want, byKey)
	keys := circuit.Keys(names)
	asked := slices.Clone(keys)
	kept, err := c.KeptCircuits(t.Context(), asked)
	slices.SortFunc(kept, byKey)
	if diff := gocmp.Diff(want, kept); err != nil || diff != "" || !slices.Equal(asked, keys) {
		t.Fatalf("kept: %v (-want +got):\n%s", err, diff)
	}
	soon(t, func() string {
		got, err := c.Circuits(t.Context(), names)
		slices.SortFunc(got, byKey)
		if diff := gocmp.Diff(want, got); err != nil || diff != "" {
			return fmt.Sprintf("%v (-want +got):\n%s", err, diff)
		}
		return ""
	})
}

func byKey(a, b circuit.State) int { return cmp.Compare(a.Key(), b.Key()) }

func circuitsEmpty(t *testing.T, c circuits) {
	c.want(t, nil)
	c.want(t, []circuit.Name{c.closed(1, 0).Name})
}

func circuitsFields(t *testing.T, c circuits) {
	at := func(n int) time.Time { return storedAt.Add(time.Duration(n)*time.Hour + time.Duration(n)) }
	name := circuit.Name{Scope: circuit.Host, Tenant: c.tenant, URL: "http://[2001:db8::1]:8080/é\"\\<>&'\u2028?"}
	all := circuit.State{
		Name: name, Phase: circuit.Open, Version: 1, Change: "x", Run: 1, Since: at(1), Total: 2, Bad: 3,
		Why: "it \"answered\"\n503 é", Opened: at(2), Until: at(3), Forever: true, Gone: true, Opens: 4, Probe: at(4), Asked: true,
		Awaited: at(6), ClosedAt: at(5), Ramp: 5, Ramped: at(7), Failing: at(8), Fails: 6, Warned: 7,
	}
	for i, v := 0, reflect.ValueOf(all); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("%s is left out", v.Type().Field(i).Name)
		}
	}
	bare := circuit.State{Name: circuit.Name{Scope: circuit.Host, URL: "https://" + c.tenant + ".test"}, Version: 1}
	c.put(t, all)
	c.put(t, bare)
	c.want(t, []circuit.Name{all.Name, bare.Name}, all, bare)
	c.refused(t, all, all)
	bare.Name, bare.Version = name, 2 // nothing stays of the one before
	c.put(t, bare)
	c.want(t, []circuit.Name{name}, bare)
}

func circuitsVersions(t *testing.T, c circuits) {
	none := circuit.State{Name: c.closed(1, 0).Name}
	c.refused(t, c.closed(1, 2), none)
	c.refused(t, c.closed(1, 9), none)
	c.want(t, []circuit.Name{none.Name})
	var kept circuit.State
	for version := int64(1); version <= 12; version++ { // as numbers, 9 is before 10
		kept = c.closed(1, version)
		kept.Total = int(version) * 100
		c.put(t, kept)
		for _, other := range []int64{1, version - 1, version, version + 2, version + 10} {
			s := c.closed(1, other)
			s.Why = "another"
			if other > 0 {
				c.refused(t, s, kept)
			}
		}
	}
	c.want(t, []circuit.Name{kept.Name}, kept)
}

// circuitsAtOnce: of those who have seen the same state one changes it, and the
// others learn of that.
func circuitsAtOnce(t *testing.T, c circuits) {
	for version := int64(1); version <= 2; version++ {
		var told [16]circuit.State
		var won [16]bool
		var all sync.WaitGroup
		for n := range told {
			all.Go(func() {
				s := c.closed(1, version)
				s.Total = 100 + n
				now, err := c.PutCircuit(t.Context(), s)
				if told[n], won[n] = now, err == nil; err != nil && !errors.Is(err, circuit.ErrChanged) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		winner := slices.Index(won[:], true)
		if winner < 0 || slices.Contains(won[winner+1:], true) || told[winner].Total != 100+winner {
			t.Fatalf("version %d: these have changed it: %v", version, won)
		}
		for _, now := range told {
			if !gocmp.Equal(now, told[winner]) {
				t.Errorf("version %d: it is %+v, and one was told of %+v", version, told[winner], now)
			}
		}
		c.want(t, []circuit.Name{told[winner].Name}, told[winner])
	}
}

// circuitsCounted: who goes on from what it was told of loses no change of
// another's.
func circuitsCounted(t *testing.T, c circuits) {
	const writers = 8
	s := c.closed(1, 0)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			now := circuit.State{Name: s.Name}
			for range writers { // with each try one of them is done
				next := now
				next.Version, next.Total = now.Version+1, now.Total+1
				var err error
				if now, err = c.PutCircuit(t.Context(), next); err == nil {
					return
				} else if !errors.Is(err, circuit.ErrChanged) {
					t.Error(err)
					return
				}
			}
			t.Error("it was changed more often than there are changes")
		})
	}
	all.Wait()
	c.want(t, []circuit.Name{s.Name}, circuit.State{Name: s.Name, Version: writers, Total: writers})
}

// circuitsNames: what differs in one part of its name is another circuit.
func circuitsNames(t *testing.T, c circuits) {
	first := circuit.Name{Scope: circuit.Endpoint, Tenant: c.tenant, URL: "https://a.test/in"}
	names := []circuit.Name{first, first, first, first}
	names[1].Scope, names[2].Tenant, names[3].URL = circuit.Host, c.tenant+"h", "https://a.test/in/"
	var all []circuit.State
	for n, name := range names {
		s := circuit.State{Name: name, Version: 1, Total: n}
		c.put(t, s)
		all = append(all, s)
	}
	for n := range names {
		c.want(t, names[n:n+1], all[n])
	}
	c.want(t, names, all...)
}

// circuitsMany asks for more than one request may.
func circuitsMany(t *testing.T, c circuits) {
	var names []circuit.Name
	var kept []circuit.State
	for n := range 240 {
		s := c.closed(n, 1)
		if names = append(names, s.Name); n%3 == 0 {
			c.put(t, s)
			kept = append(kept, s)
		}
	}
	c.want(t, append(names, names[:120]...), kept...)
}

func circuitsPages(t *testing.T, c circuits) {
	var kept []circuit.State
	for n := range 30 {
		s := c.closed(n, 1)
		c.put(t, s)
		if n%2 == 0 {
			s.Phase, s.Version = circuit.Open, 2
			c.put(t, s)
		}
		kept = append(kept, s)
	}
	slices.SortFunc(kept, byKey)
	for _, limit := range []int{1, 7, 1000} {
		soon(t, func() string { return gocmp.Diff(kept, c.listed(t, limit)) })
	}
	soon(t, func() string { return gocmp.Diff(kept, c.listedInHalves(t)) })
	for _, from := range []string{"x", kept[0].Key() + "0", "endpoint-", "host-0123456789ABCDEF0123456789ABCDEF"} {
		if states, next, err := c.PageCircuits(t.Context(), from, 7); !errors.Is(err, circuit.ErrCursor) {
			t.Errorf("from %q: %v, %q, %v", from, states, next, err)
		}
	}
}

// listed is what the pages show of the test's circuits; every page keeps to its
// limit.
func (c circuits) listed(t *testing.T, limit int) (all []circuit.State) {
	t.Helper()
	for from := ""; ; {
		states, next, err := c.PageCircuits(t.Context(), from, limit)
		if err != nil || len(states) > limit {
			t.Fatalf("a page of at most %d has %d circuits, %v", limit, len(states), err)
		}
		for _, s := range states {
			if s.Tenant == c.tenant {
				all = append(all, s)
			}
		}
		if from = next; from == "" {
			slices.SortFunc(all, byKey)
			return all
		}
	}
}

// listedInHalves goes on in the middle of each page.
func (c circuits) listedInHalves(t *testing.T) (all []circuit.State) {
	t.Helper()
	for from := ""; ; {
		states, next, err := c.PageCircuits(t.Context(), from, 8)
		if err != nil {
			t.Fatal(err)
		}
		if len(states) > 1 {
			states = states[:len(states)/2]
			next = states[len(states)-1].Key()
		}
		for _, s := range states {
			if s.Tenant == c.tenant {
				all = append(all, s)
			}
		}
		if from = next; from == "" {
			slices.SortFunc(all, byKey)
			return all
		}
	}
}
