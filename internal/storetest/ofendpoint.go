package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
)

// OfEndpoints is a store of attempts with the index of those at registered endpoints.
type OfEndpoints interface {
	Attempts
	attempt.OfEndpoints
}

// TestOfEndpoints runs the suite of what attempt.OfEndpoints promises. Each of its tests
// uses endpoints of its own.
func TestOfEndpoints(t *testing.T, store OfEndpoints) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, OfEndpoints){
		"nothing is there at first":   ofEndpointNone,
		"newest first, and bounded":   ofEndpointOrder,
		"each endpoint has its own":   ofEndpointApart,
		"what settles more is listed": ofEndpointReplaced,
		"page by page":                ofEndpointPages,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, store)
		})
	}
}

// tried is an attempt at an endpoint, some seconds after a time.
func tried(id string, at time.Time, second int) attempt.Record {
	r := record(uuid.NewString(), uuid.NewString(), 1)
	r.Endpoint, r.Tenant, r.At = id, "acme", at.Add(time.Duration(second)*time.Second)
	return r
}

func today() time.Time { return time.Now().UTC().Truncate(time.Second) }

// wantOfEndpoint asks until the answer is as wanted: an index may lag behind. Responses
// may be missing.
func wantOfEndpoint(t *testing.T, s OfEndpoints, id string, from, before attempt.Position, limit int, want []attempt.Record) {
	t.Helper()
	over := time.After(patience)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		got, err := s.NewestOfEndpoint(t.Context(), id, from, before, limit)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			got[i].Response = ""
		}
		diff := gocmp.Diff(want, got)
		if diff == "" {
			return
		}
		select {
		case <-again.C:
		case <-over:
			t.Fatalf("attempts at %s (-want +got):\n%s", id, diff)
		}
	}
}

func ofEndpointNone(t *testing.T, s OfEndpoints) {
	wantOfEndpoint(t, s, endpoint.NewID(), "", "", 10, nil)
	r := tried("", today(), 0) // of none
	put(t, s, r)
	wantOfEndpoint(t, s, endpoint.NewID(), "", "", 10, nil)
}

func ofEndpointOrder(t *testing.T, s OfEndpoints) {
	id, at := endpoint.NewID(), today()
	var all []attempt.Record
	for second := range 5 {
		all = append(all, tried(id, at, second))
	}
	put(t, s, all[3], all[0], all[4], all[1], all[2])
	newest := slices.Clone(all)
	slices.Reverse(newest)
	position := func(second int) attempt.Position {
		return attempt.PositionAt(at.Add(time.Duration(second) * time.Second))
	}
	wantOfEndpoint(t, s, id, "", "", 10, newest)
	wantOfEndpoint(t, s, id, "", "", 2, newest[:2])
	wantOfEndpoint(t, s, id, position(1), position(4), 10, newest[1:4])
	wantOfEndpoint(t, s, id, "", newest[1].Position(), 10, newest[2:])
	wantOfEndpoint(t, s, id, newest[1].Position(), "", 10, newest[:2])
	wantOfEndpoint(t, s, id, position(5), "", 10, nil)
}

func ofEndpointApart(t *testing.T, s OfEndpoints) {
	one, other, at := endpoint.NewID(), endpoint.NewID(), today()
	a, b := tried(one, at, 0), tried(other, at, 0)
	b.WebhookID, b.Tenant = a.WebhookID, "beta" // one event for both
	put(t, s, a, b)
	wantOfEndpoint(t, s, one, "", "", 10, []attempt.Record{a})
	wantOfEndpoint(t, s, other, "", "", 10, []attempt.Record{b})
}

func ofEndpointReplaced(t *testing.T, s OfEndpoints) {
	id, at := endpoint.NewID(), today()
	held := tried(id, at, 0)
	held.Verdict = attempt.Held
	done := held
	done.Verdict, done.At, done.NextAt, done.Status = attempt.Delivered, at.Add(time.Minute), time.Time{}, 200
	put(t, s, held)
	put(t, s, done)
	wantOfEndpoint(t, s, id, "", "", 10, []attempt.Record{done})
}

func ofEndpointPages(t *testing.T, s OfEndpoints) {
	id, at := endpoint.NewID(), today()
	var all []attempt.Record
	for range 25 { // all at one time
		r := tried(id, at, 0)
		r.Reason = fmt.Sprint("attempt ", len(all))
		all = append(all, r)
	}
	put(t, s, all...)
	slices.SortFunc(all, func(a, b attempt.Record) int {
		if a.Position().Before(b.Position()) {
			return 1
		}
		return -1
	})
	before := attempt.Position("")
	for page := range slices.Chunk(all, 10) {
		wantOfEndpoint(t, s, id, "", before, 10, page)
		before = page[len(page)-1].Position()
	}
	wantOfEndpoint(t, s, id, "", before, 10, nil)
}
