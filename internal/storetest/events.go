package storetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/event"
)

// TestEvents runs the suite of what event.Store promises. The store may be shared by
// all of its tests: each has a tenant of its own.
func TestEvents(t *testing.T, store event.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, eventsOf){
		"the first recipients hold": eventsFirst,
		"events of one id apart":    eventsApart,
		"by place":                  eventsPlaces,
		"page by page":              eventsPages,
		"bodies":                    eventsBodies,
		"one of many at once":       eventsAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, eventsOf{store, uuid.NewString()})
		})
	}
}

// eventsOf is the store as one test sees it.
type eventsOf struct {
	event.Store
	tenant string
}

func (s eventsOf) record(id, body string, recipients ...string) event.Record {
	return event.Record{Tenant: s.tenant, ID: id, Type: "invoice.paid", Body: []byte(body), Hash: event.HashOf("invoice.paid", []byte(body)),
		At: storedAt, Recipients: recipients}
}

// keep keeps a record, and looks for the recipients that hold then.
func (s eventsOf) keep(t *testing.T, r event.Record, want ...string) {
	t.Helper()
	got, err := s.KeepEvent(t.Context(), r)
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
}

// want looks for what is kept in a place, read with a limit.
func (s eventsOf) want(t *testing.T, place string, limit int, want ...event.Record) {
	t.Helper()
	var got []event.Record
	for after, pages := "", 0; ; pages++ {
		some, next, err := s.EventsOf(t.Context(), place, after, limit)
		if err != nil || len(some) > limit || pages > len(want)+2 {
			t.Fatalf("page %d has %d records: %v", pages, len(some), err)
		}
		if got = append(got, some...); next == "" {
			break
		}
		after = next
	}
	slices.SortFunc(want, func(a, b event.Record) int { return bytes.Compare([]byte(a.Key()), []byte(b.Key())) })
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

func eventsFirst(t *testing.T, s eventsOf) {
	first, none := s.record("evt_1", `{"a":1}`, "ep_a", "ep_b"), s.record("evt_2", `{"a":1}`)
	s.want(t, first.Place(), 10)
	s.keep(t, first, "ep_a", "ep_b")
	s.keep(t, s.record("evt_1", `{"a":1}`, "ep_c"), "ep_a", "ep_b")
	s.keep(t, s.record("evt_1", `{"a":1}`), "ep_a", "ep_b")
	s.keep(t, none)
	s.keep(t, s.record("evt_2", `{"a":1}`, "ep_c"))
	s.want(t, first.Place(), 10, first, none)
}

func eventsApart(t *testing.T, s eventsOf) {
	a, b := s.record("evt_1", `{"a":1}`, "ep_a"), s.record("evt_1", `{"a":2}`, "ep_b")
	s.keep(t, a, "ep_a")
	s.keep(t, b, "ep_b")
	s.want(t, a.Place(), 10, a, b)
	other := eventsOf{s.Store, uuid.NewString()}
	theirs := other.record("evt_1", `{"a":1}`, "ep_c")
	other.keep(t, theirs, "ep_c")
	other.want(t, theirs.Place(), 10, theirs)
	s.want(t, a.Place(), 10, a, b)
}

func eventsPlaces(t *testing.T, s eventsOf) {
	early, late := s.record("evt_1", `1`, "ep_a"), s.record("evt_1", `1`, "ep_b")
	late.At = early.At.Add(time.Hour)
	s.keep(t, early, "ep_a")
	s.keep(t, late, "ep_b")
	s.want(t, early.Place(), 10, early)
	s.want(t, late.Place(), 10, late)
	s.want(t, event.PlaceOf(s.tenant, early.At.Add(-time.Hour)), 10)
}

func eventsPages(t *testing.T, s eventsOf) {
	var all []event.Record
	for n := range 25 {
		r := s.record(fmt.Sprintf("evt_%d", n), `{"a":1}`, "ep_a")
		s.keep(t, r, "ep_a")
		all = append(all, r)
	}
	for _, limit := range []int{1, 7, 25, 100} {
		s.want(t, all[0].Place(), limit, slices.Clone(all)...)
	}
}

// eventsBodies: what is short comes back, and what is too long is left out alone.
func eventsBodies(t *testing.T, s eventsOf) {
	noise := make([]byte, 900<<10)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte('a' + random.IntN(26)) // compresses to five eighths
	}
	short := s.record("evt_1", `{"ä":"`+string(noise[:100<<10])+`"}`, "ep_a")
	long := s.record("evt_2", `"`+string(noise)+`"`, "ep_a", "ep_b")
	s.keep(t, short, "ep_a")
	s.keep(t, long, "ep_a", "ep_b")
	s.keep(t, s.record("evt_2", string(long.Body), "ep_c"), "ep_a", "ep_b")
	long.Body = nil
	s.want(t, short.Place(), 10, short, long)
}

func eventsAtOnce(t *testing.T, s eventsOf) {
	var all sync.WaitGroup
	var mu sync.Mutex
	said := map[string]bool{}
	for n := range 8 {
		all.Go(func() {
			recipients, err := s.KeepEvent(t.Context(), s.record("evt_1", `1`, fmt.Sprintf("ep_%d", n)))
			if err != nil || len(recipients) != 1 {
				t.Error(recipients, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			said[recipients[0]] = true
		})
	}
	all.Wait()
	for only := range said {
		if len(said) != 1 {
			t.Fatalf("several say that they are the recipients: %v", said)
		}
		s.want(t, s.record("evt_1", `1`).Place(), 10, s.record("evt_1", `1`, only))
	}
}

// TestKeys runs the suite of what event.Keys promises.
func TestKeys(t *testing.T, store event.Keys) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, keysOf){
		"the first holds, for a day": keysFirst,
		"one of many at once":        keysAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, keysOf{store, uuid.NewString()})
		})
	}
}

// keysOf is the store as one test sees it.
type keysOf struct {
	event.Keys
	tenant string
}

func (s keysOf) take(t *testing.T, k, want event.Key) {
	t.Helper()
	got, err := s.TakeKey(t.Context(), k)
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
}

func keysFirst(t *testing.T, s keysOf) {
	first := event.Key{Tenant: s.tenant, Name: "k#1", Hash: "a", EventID: "evt_1", Holder: "h",
		Endpoints: []string{"ep_a", "ep_b"}, At: storedAt}
	second := first
	second.Hash, second.EventID, second.Endpoints, second.At = "b", "evt_2", nil, storedAt.Add(event.KeyRetention-time.Second)
	s.take(t, first, first)
	s.take(t, second, first)
	first.Sent = true
	if err := s.PutKey(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	s.take(t, second, first)
	other := second
	other.Name = "k"
	s.take(t, other, other)
	elsewhere := keysOf{s.Keys, uuid.NewString()}
	theirs := second
	theirs.Tenant = elsewhere.tenant
	elsewhere.take(t, theirs, theirs)
	second.At = storedAt.Add(event.KeyRetention)
	s.take(t, second, second)
}

func keysAtOnce(t *testing.T, s keysOf) {
	var all sync.WaitGroup
	var mu sync.Mutex
	said := map[string]bool{}
	for n := range 8 {
		all.Go(func() {
			k, err := s.TakeKey(t.Context(), event.Key{Tenant: s.tenant, Name: "k", EventID: fmt.Sprintf("evt_%d", n), At: storedAt})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			said[k.EventID] = true
		})
	}
	all.Wait()
	if len(said) != 1 {
		t.Fatalf("one key stands for several events: %v", said)
	}
}
