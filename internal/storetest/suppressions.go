package storetest

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/suppression"
)

// TestSuppressions runs the suite of what suppression.Store promises. The store may be
// shared by all of its tests: each has tenants of its own.
func TestSuppressions(t *testing.T, store suppression.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, suppressions){
		"nothing is there at first":        suppressionsEmpty,
		"as the pure functions have it":    suppressionsPure,
		"tenants apart":                    suppressionsApart,
		"many at once":                     suppressionsMany,
		"one of several who add it adds":   suppressionsAtOnce,
		"page by page":                     suppressionsPages,
		"a list without those of channels": suppressionsOfChannel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, suppressions{store, t, uuid.NewString()})
		})
	}
}

// suppressions is the store as one test sees it.
type suppressions struct {
	suppression.Store
	t      *testing.T
	tenant string
}

// entry is one at a time of the test.
func (s suppressions) entry(address string, why suppression.Reason, at time.Duration) suppression.Entry {
	s.t.Helper()
	e, err := suppression.New(s.tenant, channel.SMS, address, why, storedAt.Add(at))
	if err != nil {
		s.t.Fatal(err)
	}
	e.Source, e.Note = "SM1", "a note"
	return e
}

func (s suppressions) adds(e suppression.Entry, want bool) {
	s.t.Helper()
	if added, err := s.AddSuppression(s.t.Context(), e); err != nil || added != want {
		s.t.Fatalf("add %s at %v: %v, %v; want %v", e.Reason, e.Since.Sub(storedAt), added, err, want)
	}
}

func (s suppressions) lifts(l suppression.Lifting, want bool) {
	s.t.Helper()
	if lifted, err := s.LiftSuppression(s.t.Context(), l); err != nil || lifted != want {
		s.t.Fatalf("lift %q at %v: %v, %v; want %v", l.Only, l.At.Sub(storedAt), lifted, err, want)
	}
}

// wants looks for addresses, and wants these entries.
func (s suppressions) wants(keys []suppression.Key, want ...suppression.Entry) {
	s.t.Helper()
	got, err := s.Suppressed(s.t.Context(), keys)
	wanted := map[suppression.Key]suppression.Entry{}
	for _, e := range want {
		wanted[e.Key()] = e
	}
	if diff := cmp.Diff(wanted, got); err != nil || diff != "" {
		s.t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
}

func suppressionsEmpty(t *testing.T, s suppressions) {
	key := suppression.KeyOf(s.tenant, channel.SMS, "+46701234567")
	s.wants(nil)
	s.wants([]suppression.Key{key, key})
	page, next, err := s.ListSuppressions(t.Context(), suppression.Page{Tenant: s.tenant, Limit: 5})
	if err != nil || len(page) != 0 || next != "" {
		t.Errorf("%v, %q, %v", page, next, err)
	}
}

// act is an addition, or a lifting.
type act struct {
	add, lift bool
	reason    suppression.Reason
	at        time.Duration
}

// acts are all that differ, at three times.
func acts() (all []act) {
	for at := range 3 {
		after := time.Duration(at) * time.Millisecond
		for _, why := range suppression.Reasons {
			all = append(all, act{add: true, reason: why, at: after})
		}
		for _, only := range []suppression.Reason{"", suppression.Bounce, suppression.Stop} {
			all = append(all, act{lift: true, reason: only, at: after})
		}
	}
	return all
}

// suppressionsPure does each two acts, and a third after some of them.
func suppressionsPure(t *testing.T, s suppressions) {
	n := 0
	for i, a := range acts() {
		for j, b := range acts() {
			c := acts()[(i*7+j*3)%len(acts())]
			n++
			s.lives(fmt.Sprintf("+46%09d", n), a, b, c)
		}
	}
}

func (s suppressions) lives(address string, all ...act) {
	s.t.Helper()
	var kept suppression.Kept
	key := suppression.KeyOf(s.tenant, channel.SMS, address)
	for _, a := range all {
		switch {
		case a.add:
			e := s.entry(address, a.reason, a.at)
			takes := kept.Takes(e)
			if s.adds(e, takes); takes {
				kept = suppression.Kept{Entry: e}
			}
		case a.lift:
			l := suppression.Lifting{Key: key, At: storedAt.Add(a.at), Only: a.reason}
			changes := kept.Lifts(l)
			if s.lifts(l, changes && kept.There()); changes {
				kept = suppression.Kept{Lifted: l.At}
			}
		}
	}
	if kept.There() {
		s.wants([]suppression.Key{key}, kept.Entry)
	} else {
		s.wants([]suppression.Key{key})
	}
}

func suppressionsApart(_ *testing.T, s suppressions) {
	e := s.entry("+46701234567", suppression.Stop, 0)
	s.adds(e, true)
	for _, tenant := range []string{"", s.tenant + "x", s.tenant[:len(s.tenant)-1]} {
		other := e.Key()
		other.Tenant = tenant
		s.wants([]suppression.Key{other})
		s.lifts(suppression.Lifting{Key: other, At: storedAt.Add(-time.Hour)}, false)
	}
	byMail := suppression.KeyOf(s.tenant, channel.Email, "+46701234567")
	s.wants([]suppression.Key{byMail, e.Key()}, e)
}

func suppressionsMany(_ *testing.T, s suppressions) {
	var keys []suppression.Key
	var all []suppression.Entry
	for n := range 250 {
		e := s.entry(fmt.Sprintf("+4670%07d", n), suppression.Stop, 0)
		keys = append(keys, e.Key(), e.Key())
		if n%25 == 0 {
			s.adds(e, true)
			all = append(all, e)
		}
	}
	s.wants(keys, all...)
}

func suppressionsAtOnce(t *testing.T, s suppressions) {
	e := s.entry("+46701234567", suppression.Stop, 0)
	var wg sync.WaitGroup
	var by atomic.Int32
	for range 8 {
		wg.Go(func() {
			added, err := s.AddSuppression(t.Context(), e)
			if added {
				by.Add(1)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if by.Load() != 1 {
		t.Errorf("added by %d of them", by.Load())
	}
	s.wants([]suppression.Key{e.Key()}, e)
}

func suppressionsPages(t *testing.T, s suppressions) {
	want := map[string]suppression.Entry{}
	for n := range 23 {
		e := s.entry(fmt.Sprintf("+4670%07d", n), suppression.Reasons[n%2], 0)
		s.adds(e, true)
		want[e.ID] = e
	}
	gone := s.entry("+46709999999", suppression.Stop, 0)
	s.adds(gone, true)
	s.lifts(suppression.Lifting{Key: gone.Key(), At: storedAt.Add(time.Second)}, true)
	for limit := range 25 {
		if d := cmp.Diff(want, s.listed(suppression.Page{Tenant: s.tenant, Limit: limit + 1})); d != "" {
			t.Fatalf("%d a page (-want +got):\n%s", limit+1, d)
		}
	}
	maps.DeleteFunc(want, func(_ string, e suppression.Entry) bool { return e.Reason != suppression.Complaint })
	if d := cmp.Diff(want, s.listed(suppression.Page{Tenant: s.tenant, Reason: suppression.Complaint, Limit: 2})); d != "" {
		t.Errorf("of a reason (-want +got):\n%s", d)
	}
}

// listed reads a list page by page, each entry once.
func (s suppressions) listed(p suppression.Page) map[string]suppression.Entry {
	s.t.Helper()
	all := map[string]suppression.Entry{}
	for {
		page, next, err := s.ListSuppressions(s.t.Context(), p)
		if err != nil || len(page) > p.Limit {
			s.t.Fatalf("%d on a page of %d: %v", len(page), p.Limit, err)
		}
		for _, e := range page {
			if _, twice := all[e.ID]; twice {
				s.t.Errorf("%s is listed twice", e.ID)
			}
			all[e.ID] = e
		}
		if p.After = next; next == "" {
			return all
		}
	}
}

func suppressionsOfChannel(t *testing.T, s suppressions) {
	byPhone := s.entry("+46701234567", suppression.Stop, 0)
	byMail, err := suppression.New(s.tenant, channel.Email, "ann@acme.test", suppression.Bounce, storedAt)
	if err != nil {
		t.Fatal(err)
	}
	s.adds(byPhone, true)
	s.adds(byMail, true)
	for _, e := range []suppression.Entry{byPhone, byMail} {
		want := map[string]suppression.Entry{e.ID: e}
		if d := cmp.Diff(want, s.listed(suppression.Page{Tenant: s.tenant, Channel: e.Channel, Limit: 1})); d != "" {
			t.Errorf("of %s (-want +got):\n%s", e.Channel, d)
		}
	}
}
