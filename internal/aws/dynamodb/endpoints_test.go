package awsdynamodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/storetest"
)

func newEndpoints() (*Endpoints, *fakeTable) {
	f := newFakeTable(endpointIDName, "")
	return &Endpoints{API: f, Table: "endpoints", Wait: atOncePause}, f
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	store, _ := newEndpoints()
	storetest.TestEndpoints(t, store)
}

// usual is an endpoint as most are.
func usual() endpoint.Endpoint {
	return endpoint.Endpoint{ID: endpoint.NewID(), Tenant: "customer-1042", URL: "https://hooks.customer-1042.test/in",
		EventTypes: []string{"invoice.*"}, Secret: "efferent/webhooks/customer-1042#ep_0123456789abcdefghijkl",
		State: endpoint.Enabled, Created: due, Updated: due, Version: 1}
}

// TestWhatEndpointsCost counts what AWS bills.
func TestWhatEndpointsCost(t *testing.T) {
	t.Parallel()
	store, f := newEndpoints()
	e := usual()
	changed, other := e, usual()
	changed.Version = 2
	for _, c := range []struct {
		name          string
		do            func() error
		reads, writes float64
	}{
		{"creating", func() error { return store.CreateEndpoint(t.Context(), e, 20) }, 2, 4},
		{"creating a second one", func() error { return store.CreateEndpoint(t.Context(), other, 20) }, 2, 4},
		{"changing", func() error { return store.UpdateEndpoint(t.Context(), changed) }, 2, 4},
		{"reading one", func() error { _, err := store.Endpoints(t.Context(), []string{e.ID}); return err }, 1, 0},
		{"reading a roster", func() error { _, err := store.Roster(t.Context(), e.Tenant); return err }, 1, 0},
		{"deleting", func() error { return store.DeleteEndpoint(t.Context(), changed) }, 2, 4},
	} {
		reads, writes := f.reads, f.writes
		if err := c.do(); err != nil || f.reads-reads != c.reads || f.writes-writes != c.writes {
			t.Errorf("%s: %v read and %v write units, %v; want %v and %v", c.name, f.reads-reads, f.writes-writes, err, c.reads, c.writes)
		}
	}
}

// TestEndpointFaults: what fails says so, and names the table and no secret. What
// failed but persisted is found when it is made again.
func TestEndpointFaults(t *testing.T) {
	t.Parallel()
	first := usual()
	second := first
	second.Version = 2
	for _, c := range []struct {
		name, request string
		do            func(context.Context, *Endpoints) error
		again         error
	}{
		{"read", "BatchGetItem", func(ctx context.Context, s *Endpoints) error {
			_, err := s.Endpoints(ctx, []string{first.ID})
			return err
		}, nil},
		{"roster", "BatchGetItem", func(ctx context.Context, s *Endpoints) error { _, err := s.Roster(ctx, first.Tenant); return err }, nil},
		{"create", "TransactWriteItems", func(ctx context.Context, s *Endpoints) error {
			return s.CreateEndpoint(ctx, usual(), 2)
		}, endpoint.ErrTooMany},
		{"update", "TransactWriteItems", func(ctx context.Context, s *Endpoints) error { return s.UpdateEndpoint(ctx, second) },
			endpoint.ErrChanged},
		{"delete", "TransactWriteItems", func(ctx context.Context, s *Endpoints) error { return s.DeleteEndpoint(ctx, first) },
			endpoint.ErrNotFound},
		{"decide", "BatchGetItem", func(ctx context.Context, s *Endpoints) error { return s.DeleteEndpoint(ctx, first) }, nil},
	} {
		for name, persists := range map[string]bool{"failed": false, "failed but persisted": true} {
			store, f := newEndpoints()
			if err := store.CreateEndpoint(t.Context(), first, 2); err != nil {
				t.Fatal(err)
			}
			f.fault = func(request string, _ any) (before, after error) {
				switch {
				case request != c.request:
					return nil, nil
				case persists:
					return nil, errDown
				}
				return errDown, nil
			}
			err := c.do(t.Context(), store)
			if !errors.Is(err, errDown) || !strings.Contains(err.Error(), "table endpoints") || strings.Contains(err.Error(), "#ep_") {
				t.Errorf("%s/%s: got %v", c.name, name, err)
			}
			f.fault = nil
			want := c.again
			if !persists {
				want = nil
			}
			if err := c.do(t.Context(), store); !errors.Is(err, want) {
				t.Errorf("%s/%s, again: %v, want %v", c.name, name, err, want)
			}
		}
	}
}

// TestEndpointConflicts: a transaction that met another one is made again, by another
// token, and what would be refused again is not.
func TestEndpointConflicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reason string
		times  int
		tries  int
		fails  string
	}{
		{"TransactionConflict", 3, 4, ""},
		{"ThrottlingError", 1, 2, ""},
		{"TransactionConflict", 1000, endpointTries, "time and again"},
		{"ValidationError", 1000, 1, "ValidationError"},
	} {
		store, f := newEndpoints()
		tokens := map[string]bool{}
		f.fault = func(request string, in any) (before, after error) {
			if request != "TransactWriteItems" {
				return nil, nil
			}
			tokens[aws.ToString(in.(*sdk.TransactWriteItemsInput).ClientRequestToken)] = true
			if len(tokens) > c.times {
				return nil, nil
			}
			return &types.TransactionCanceledException{Message: aws.String("cancelled: " + c.reason),
				CancellationReasons: []types.CancellationReason{
					{Code: aws.String("None")}, {Code: &c.reason}}}, nil
		}
		err := store.CreateEndpoint(t.Context(), usual(), 20)
		if len(tokens) != c.tries || (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s, %d times: %v after %d tries", c.reason, c.times, err, len(tokens))
		}
	}
}

// TestRosterFits: the most endpoints that a tenant can have, with the longest ids,
// are an item that DynamoDB takes, and one more is refused in words.
func TestRosterFits(t *testing.T) {
	t.Parallel()
	store, f := newEndpoints()
	e := usual()
	var ids []string
	for n := range mostOfTenant - 1 {
		ids = append(ids, fmt.Sprintf("ep_%061d", n))
	}
	roster := endpointKey(rosterID(e.Tenant))
	roster[versionName], roster[idsName] = number(1), &types.AttributeValueMemberS{Value: strings.Join(ids, " ")}
	f.items[f.key(roster)] = roster
	if err := store.CreateEndpoint(t.Context(), e, 1_000_000); err != nil {
		t.Fatal(err)
	}
	if err := store.CreateEndpoint(t.Context(), usual(), 1_000_000); !errors.Is(err, endpoint.ErrTooMany) {
		t.Error(err)
	}
}

// TestEndpointsThatCannotBeRead: nothing is taken for what it is not, and nothing is
// written over it.
func TestEndpointsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	e := usual()
	for name, spoil := range map[string]func(endpoint, roster item){
		"no text":                  func(e, _ item) { delete(e, endpointName) },
		"no JSON":                  func(e, _ item) { e[endpointName] = &types.AttributeValueMemberS{Value: "{"} },
		"a roster with no version": func(_, r item) { delete(r, versionName) },
		"a roster of other ids":    func(_, r item) { r[idsName] = number(1) },
	} {
		store, f := newEndpoints()
		if err := store.CreateEndpoint(t.Context(), e, 20); err != nil {
			t.Fatal(err)
		}
		spoil(f.items[f.key(endpointKey(e.ID))], f.items[f.key(endpointKey(rosterID(e.Tenant)))])
		if err := store.DeleteEndpoint(t.Context(), e); err == nil || !strings.Contains(err.Error(), "table endpoints") {
			t.Errorf("%s: %v", name, err)
		}
		if len(f.items) != 2 {
			t.Errorf("%s: it was written over", name)
		}
	}
}
