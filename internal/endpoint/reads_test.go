package endpoint_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/storetest"
)

// counted is a store that counts its reads, and can fail, or have something done
// before or after one.
type counted struct {
	storetest.Memory
	reads, rosters atomic.Int64
	err            error
	before, after  func()
}

func (c *counted) Endpoints(ctx context.Context, ids []string) ([]endpoint.Endpoint, error) {
	c.reads.Add(1)
	if c.before != nil {
		c.before()
	}
	if c.err != nil {
		return nil, c.err
	}
	if c.after != nil {
		defer c.after()
	}
	return c.Memory.Endpoints(ctx, ids)
}

func (c *counted) Roster(ctx context.Context, tenant string) (endpoint.Roster, error) {
	c.rosters.Add(1)
	if c.err != nil {
		return endpoint.Roster{}, c.err
	}
	return c.Memory.Roster(ctx, tenant)
}

func (c *counted) create(t *testing.T, id string) endpoint.Endpoint {
	t.Helper()
	e := endpoint.Endpoint{
		ID: id, Tenant: "acme", URL: "https://a.test/in", EventTypes: []string{"*"}, Secret: "efferent/webhooks/acme", State: endpoint.Enabled,
		Version: 1,
	}
	if err := c.CreateEndpoint(t.Context(), e, 100); err != nil {
		t.Fatal(err)
	}
	return e
}

// change makes it the next version.
func (c *counted) change(t *testing.T, e *endpoint.Endpoint, url string) {
	t.Helper()
	e.Version++
	e.URL = url
	if err := c.UpdateEndpoint(t.Context(), *e); err != nil {
		t.Fatal(err)
	}
}

var errDown = errors.New("the store is down")

// TestKnown: an endpoint is read once a second, a change is seen then, and a failure
// is not remembered.
func TestKnown(t *testing.T) {
	t.Parallel()
	c := new(counted)
	now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	k := &endpoint.Known{Store: c, Now: func() time.Time { return now }}
	e := c.create(t, "ep_1")
	want := func(what, url string, reads int64, wantErr error) {
		t.Helper()
		got, err := k.Endpoint(t.Context(), "ep_1")
		if !errors.Is(err, wantErr) || err == nil && got.Target.URL != url || c.reads.Load() != reads {
			t.Fatalf("%s: %+v, %v after %d reads", what, got, err, c.reads.Load())
		}
	}
	want("at first", "https://a.test/in", 1, nil)
	c.change(t, &e, "https://b.test/in")
	now = now.Add(time.Second - 1)
	want("just before a second has passed", "https://a.test/in", 1, nil)
	now = now.Add(1)
	want("after it", "https://b.test/in", 2, nil)
	now = now.Add(time.Second)
	c.err = errDown
	want("the store is down", "", 3, errDown)
	want("and still", "", 4, errDown)
	c.err = nil
	want("it is up again", "https://b.test/in", 5, nil)
	if err := c.DeleteEndpoint(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	want("deleted", "", 6, endpoint.ErrNotFound)
	want("that is known too", "", 6, endpoint.ErrNotFound)
	e.Version, e.URL = 1, "nowhere"
	if err := c.CreateEndpoint(t.Context(), e, 100); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	want("it can't be meant", "", 7, message.ErrMalformed)
}

// TestKnownAtOnce: many who ask at once are one read.
func TestKnownAtOnce(t *testing.T) {
	t.Parallel()
	c := new(counted)
	k := &endpoint.Known{Store: c, Now: func() time.Time { return time.Time{} }}
	c.create(t, "ep_1")
	asked, reading := make(chan struct{}), make(chan struct{})
	c.before = sync.OnceFunc(func() { close(reading); <-asked })
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := k.Endpoint(t.Context(), "ep_1"); err != nil {
				t.Error(err)
			}
		})
	}
	<-reading
	close(asked)
	all.Wait()
	if n := c.reads.Load(); n != 1 {
		t.Errorf("%d reads", n)
	}
}

// TestKnownInTime: who has no time to wait does not.
func TestKnownInTime(t *testing.T) {
	t.Parallel()
	c := new(counted)
	k := &endpoint.Known{Store: c, Now: func() time.Time { return time.Time{} }}
	ctx, stop := context.WithCancel(t.Context())
	hang := make(chan struct{})
	defer close(hang)
	c.before = func() { stop(); <-hang }
	if _, err := k.Endpoint(ctx, "ep_1"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestBook: a tenant's endpoints are read when its roster has changed, by whomever,
// and not otherwise.
func TestBook(t *testing.T) {
	t.Parallel()
	c := new(counted)
	b := &endpoint.Book{Store: c}
	want := func(what, urls string, reads int64) {
		t.Helper()
		all, err := b.Of(t.Context(), "acme")
		got := ""
		for _, e := range all {
			got += e.Target.URL + " "
		}
		if err != nil || got != urls || c.reads.Load() != reads {
			t.Fatalf("%s: %q, %v after %d reads", what, got, err, c.reads.Load())
		}
	}
	want("none", "", 1)
	second, first := c.create(t, "ep_2"), c.create(t, "ep_1")
	want("two", "https://a.test/in https://a.test/in ", 2)
	want("and again", "https://a.test/in https://a.test/in ", 2)
	c.change(t, &second, "https://b.test/in")
	want("one is changed", "https://b.test/in https://a.test/in ", 3)
	if err := c.DeleteEndpoint(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	want("one is deleted", "https://a.test/in ", 4)
	c.change(t, &first, "nowhere")
	want("one can't be meant", "", 5)
	c.err = errDown
	if _, err := b.Of(t.Context(), "acme"); !errors.Is(err, errDown) {
		t.Error(err)
	}
}

// TestBookIsNeverStale: what is changed while it is read is read anew.
func TestBookIsNeverStale(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		c := new(counted)
		b := &endpoint.Book{Store: c}
		e := c.create(t, "ep_1")
		change := sync.OnceFunc(func() { c.change(t, &e, "https://b.test") })
		if late {
			c.after = change
		} else {
			c.before = change
		}
		for n := range 2 {
			all, err := b.Of(t.Context(), "acme")
			if err != nil || len(all) != 1 || n == 1 && all[0].Version != 2 {
				t.Errorf("late %v, %d: %+v, %v", late, n, all, err)
			}
		}
	}
}
