package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/webhook"
)

// TestEndpoints runs the suite of what endpoint.Store promises. The store may be
// shared by all of its tests: each has a tenant of its own.
func TestEndpoints(t *testing.T, store endpoint.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, endpointsOf){
		"nothing is there at first": endpointsNone,
		"every field comes back":    endpointsFields,
		"version by version":        endpointsVersions,
		"no more than most":         endpointsMost,
		"one of many at once":       endpointsAtOnce,
		"all of many at once":       endpointsCreatedAtOnce,
		"tenants apart":             endpointsApart,
		"more than one request":     endpointsMany,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, endpointsOf{store, uuid.NewString()})
		})
	}
}

// endpointsOf is the store as one test sees it.
type endpointsOf struct {
	endpoint.Store
	tenant string
}

func (s endpointsOf) endpoint() endpoint.Endpoint {
	return endpoint.Endpoint{
		ID: endpoint.NewID(), Tenant: s.tenant, URL: "https://a.test/in", EventTypes: []string{"invoice.*", "user"},
		Filter: []byte(`{"amount":[{"numeric":[">",1]}]}`), Secret: "efferent/webhooks/acme#ep", Retry: "seed", Timeout: "15s",
		RatePerSecond: 0.5, Headers: map[string]string{"X-A": "b"}, Auth: map[string]string{"Authorization": "efferent/webhooks/acme#t"},
		Signature:   &webhook.Signature{Scheme: webhook.SchemeConvoy, Header: "X-Acme", Timestamped: true, Hash: "sha512", Only: true},
		Description: "the first", Labels: map[string]string{"plan": "pro"},
		State: endpoint.Paused, Why: "by hand", Since: storedAt, Created: storedAt, Updated: storedAt.Add(time.Hour), Version: 1,
	}
}

func (s endpointsOf) create(t *testing.T, e endpoint.Endpoint) endpoint.Endpoint {
	t.Helper()
	if err := s.CreateEndpoint(t.Context(), e, 1000); err != nil {
		t.Fatal(err)
	}
	return e
}

// want looks for what is kept under ids.
func (s endpointsOf) want(t *testing.T, ids []string, want ...endpoint.Endpoint) {
	t.Helper()
	got, err := s.Endpoints(t.Context(), slices.Clone(ids))
	byID := cmpopts.SortSlices(func(a, b endpoint.Endpoint) bool { return a.ID < b.ID })
	if diff := gocmp.Diff(want, got, byID, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
}

func (s endpointsOf) roster(t *testing.T, want ...string) endpoint.Roster {
	t.Helper()
	r, err := s.Roster(t.Context(), s.tenant)
	if diff := gocmp.Diff(want, r.IDs, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("roster: %v (-want +got):\n%s", err, diff)
	}
	return r
}

func endpointsNone(t *testing.T, s endpointsOf) {
	s.want(t, nil)
	s.want(t, []string{endpoint.NewID()})
	if r := s.roster(t); r.Version != 0 {
		t.Error(r)
	}
	e := s.endpoint()
	for _, err := range []error{s.UpdateEndpoint(t.Context(), e), s.DeleteEndpoint(t.Context(), e)} {
		if !errors.Is(err, endpoint.ErrNotFound) {
			t.Error(err)
		}
	}
}

func endpointsFields(t *testing.T, s endpointsOf) {
	e := s.create(t, s.endpoint())
	least := s.create(t, endpoint.Endpoint{ID: endpoint.NewID(), Tenant: s.tenant, Version: 1})
	s.want(t, []string{e.ID, least.ID, e.ID, "ep_x"}, e, least)
	s.roster(t, e.ID, least.ID)
	if err := s.CreateEndpoint(t.Context(), e, 1000); !errors.Is(err, endpoint.ErrTaken) {
		t.Error(err)
	}
	s.roster(t, e.ID, least.ID)
}

func endpointsVersions(t *testing.T, s endpointsOf) {
	e := s.create(t, s.endpoint())
	seen := []int64{s.roster(t, e.ID).Version}
	old := e
	e.Version, e.URL, e.Headers = 2, "https://b.test", nil
	if err := s.UpdateEndpoint(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	s.want(t, []string{e.ID}, e)
	seen = append(seen, s.roster(t, e.ID).Version)
	for what, err := range map[string]error{
		"the same again": s.UpdateEndpoint(t.Context(), e), "one left out": s.UpdateEndpoint(t.Context(), at(e, 4)),
		"deleted, as it was": s.DeleteEndpoint(t.Context(), old), "and as it will be": s.DeleteEndpoint(t.Context(), at(e, 3)),
	} {
		if !errors.Is(err, endpoint.ErrChanged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	s.want(t, []string{e.ID}, e)
	if v := s.roster(t, e.ID).Version; v != seen[1] {
		t.Errorf("the roster has changed with nothing: %d, %d", seen[1], v)
	}
	if err := s.DeleteEndpoint(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	s.want(t, []string{e.ID})
	if seen = append(seen, s.roster(t).Version); seen[0] == 0 || seen[0] == seen[1] || seen[1] == seen[2] || seen[0] == seen[2] {
		t.Errorf("the roster's versions: %v", seen)
	}
	s.create(t, old)
	s.want(t, []string{e.ID}, old)
}

func at(e endpoint.Endpoint, version int64) endpoint.Endpoint {
	e.Version = version
	return e
}

func endpointsMost(t *testing.T, s endpointsOf) {
	var ids []string
	for range 3 {
		ids = append(ids, s.create(t, s.endpoint()).ID)
	}
	if err := s.CreateEndpoint(t.Context(), s.endpoint(), 3); !errors.Is(err, endpoint.ErrTooMany) {
		t.Error(err)
	}
	s.roster(t, ids...)
	if err := s.CreateEndpoint(t.Context(), s.endpoint(), 4); err != nil {
		t.Error(err)
	}
}

func endpointsAtOnce(t *testing.T, s endpointsOf) {
	e := s.create(t, s.endpoint())
	var all sync.WaitGroup
	var mu sync.Mutex
	var made []endpoint.Endpoint
	for n := range 8 {
		all.Go(func() {
			next := at(e, 2)
			next.Description = fmt.Sprint(n)
			switch err := s.UpdateEndpoint(t.Context(), next); {
			case err == nil:
				mu.Lock()
				defer mu.Unlock()
				made = append(made, next)
			case !errors.Is(err, endpoint.ErrChanged):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(made) != 1 {
		t.Fatalf("%d updates were made", len(made))
	}
	s.want(t, []string{e.ID}, made...)
}

func endpointsCreatedAtOnce(t *testing.T, s endpointsOf) {
	const many, most = 8, 6
	var all sync.WaitGroup
	var mu sync.Mutex
	var made []endpoint.Endpoint
	for range many {
		e := s.endpoint()
		all.Go(func() {
			switch err := s.CreateEndpoint(t.Context(), e, most); {
			case err == nil:
				mu.Lock()
				defer mu.Unlock()
				made = append(made, e)
			case !errors.Is(err, endpoint.ErrTooMany):
				t.Error(err)
			}
		})
	}
	all.Wait()
	r, err := s.Roster(t.Context(), s.tenant)
	if err != nil || len(made) != most || len(r.IDs) != most {
		t.Fatalf("%d were created, the roster has %d: %v", len(made), len(r.IDs), err)
	}
	s.want(t, r.IDs, made...)
}

func endpointsApart(t *testing.T, s endpointsOf) {
	e := s.create(t, s.endpoint())
	before := s.roster(t, e.ID)
	other := endpointsOf{s.Store, uuid.NewString()}
	mine := other.create(t, other.endpoint())
	other.roster(t, mine.ID)
	if r := s.roster(t, e.ID); r.Version != before.Version {
		t.Error("another tenant changed the roster")
	}
	stolen := at(e, 2)
	stolen.Tenant = other.tenant
	for _, err := range []error{s.UpdateEndpoint(t.Context(), stolen), s.DeleteEndpoint(t.Context(), at(stolen, 1))} {
		if !errors.Is(err, endpoint.ErrNotFound) {
			t.Errorf("another tenant's: %v", err)
		}
	}
	other.roster(t, mine.ID)
	s.want(t, []string{e.ID, mine.ID}, e, mine)
}

func endpointsMany(t *testing.T, s endpointsOf) {
	const many = 120 // BatchGetItem takes 100
	var ids []string
	var want []endpoint.Endpoint
	for range many {
		e := s.create(t, s.endpoint())
		ids, want = append(ids, e.ID), append(want, e)
	}
	s.roster(t, ids...)
	s.want(t, ids, want...)
}
