package awsdynamodb

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/storetest"
)

func newEvents() (*Events, *fakeTable) {
	f := newFakeTable(placeName, eventKeyName)
	return &Events{API: f, Table: "events"}, f
}

func TestEvents(t *testing.T) {
	t.Parallel()
	store, _ := newEvents()
	storetest.TestEvents(t, store)
	storetest.TestKeys(t, store)
}

func published(body string) event.Record {
	return event.Record{Tenant: "customer-1042", ID: "evt_0123456789abcdef", Type: "invoice.paid", Body: []byte(body),
		Hash: event.HashOf("invoice.paid", []byte(body)), At: due, Recipients: []string{"ep_0123456789abcdefghijkl", "ep_1123456789abcdefghijkl"}}
}

// TestWhatEventsCost counts what AWS bills, of a usual event and of the largest.
func TestWhatEventsCost(t *testing.T) {
	t.Parallel()
	usual := `{"invoice":"inv_1042","amount":4200,"lines":[` + strings.Repeat(`{"sku":"a-1","count":2},`, 30) + `null]}`
	for name, c := range map[string]struct {
		body   string
		writes float64
	}{"usual": {usual, 1}, "the largest that compresses": {`"` + strings.Repeat("a", 1<<20) + `"`, 2}} {
		store, f := newEvents()
		for _, again := range []bool{false, true} {
			before := f.writes
			if _, err := store.KeepEvent(t.Context(), published(c.body)); err != nil || f.writes-before != c.writes {
				t.Errorf("%s, again %v: %v write units, %v; want %v", name, again, f.writes-before, err, c.writes)
			}
		}
	}
}

// TestEventsExpire by the retention that is set, and the keys of requests in a day.
func TestEventsExpire(t *testing.T) {
	t.Parallel()
	for retention, want := range map[time.Duration]time.Duration{0: 14 * 24 * time.Hour, time.Hour: time.Hour} {
		store, f := newEvents()
		store.Retention = retention
		if _, err := store.KeepEvent(t.Context(), published("1")); err != nil {
			t.Fatal(err)
		}
		if _, err := store.TakeKey(t.Context(), event.Key{Tenant: "a", Name: "k", At: due}); err != nil {
			t.Fatal(err)
		}
		for key, i := range f.items {
			want := due.Add(want)
			if strings.HasPrefix(key, "#request#") {
				want = due.Add(24 * time.Hour)
			}
			if n, ok := i[expiresName].(*types.AttributeValueMemberN); !ok || n.Value != strconv.FormatInt(want.Unix(), 10) {
				t.Errorf("%s expires at %v, want %s", key, i[expiresName], want)
			}
		}
	}
}

// TestEventFaults: what fails says so, and names the table and no body. What failed but
// persisted is found by who asks again.
func TestEventFaults(t *testing.T) {
	t.Parallel()
	key := event.Key{Tenant: "acme", Name: "k", EventID: "evt_1", At: due}
	for _, c := range []struct {
		name, request string
		do            func(context.Context, *Events) error
	}{
		{"keep", "PutItem", func(ctx context.Context, s *Events) error {
			got, err := s.KeepEvent(ctx, published(`"secret body"`))
			if err == nil && len(got) != 2 {
				err = errors.New("other recipients")
			}
			return err
		}},
		{"read", "Query", func(ctx context.Context, s *Events) error { _, _, err := s.EventsOf(ctx, "acme#1", "", 1); return err }},
		{"take", "PutItem", func(ctx context.Context, s *Events) error {
			got, err := s.TakeKey(ctx, key)
			if err == nil && got.EventID != "evt_1" {
				err = errors.New("another key")
			}
			return err
		}},
		{"put", "PutItem", func(ctx context.Context, s *Events) error { return s.PutKey(ctx, key) }},
	} {
		for name, persists := range map[string]bool{"failed": false, "failed but persisted": true} {
			store, f := newEvents()
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
			if !errors.Is(err, errDown) || !strings.Contains(err.Error(), "table events") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s/%s: %v", c.name, name, err)
			}
			f.fault = nil
			if err := c.do(t.Context(), store); err != nil {
				t.Errorf("%s/%s, again: %v", c.name, name, err)
			}
		}
	}
}

// TestEventsThatCannotBeRead are not taken for events without recipients.
func TestEventsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(item){
		"no record": func(i item) { delete(i, recordName) },
		"no JSON":   func(i item) { i[recordName] = &types.AttributeValueMemberS{Value: "["} },
		"no body":   func(i item) { i[eventBodyName] = &types.AttributeValueMemberB{Value: []byte("x")} },
	} {
		store, f := newEvents()
		r := published(`"a"`)
		if _, err := store.KeepEvent(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		spoil(f.items[f.key(eventKey(r.Place(), r.Key()))])
		if got, err := store.KeepEvent(t.Context(), r); err == nil || !strings.Contains(err.Error(), "table events") || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if got, _, err := store.EventsOf(t.Context(), r.Place(), "", 10); err == nil || got != nil {
			t.Errorf("%s, listed: %v, %v", name, got, err)
		}
	}
}
