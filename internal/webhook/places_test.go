package webhook

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// crowd is an endpoint that answers nobody until so many wait.
type crowd struct {
	of int

	mu      sync.Mutex
	inside  int
	most    int // that were inside at once
	arrived int
	full    chan struct{}
}

func newCrowd(of int) *crowd { return &crowd{of: of, full: make(chan struct{})} }

func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // so that the server notices when the client leaves
	full := c.enter()
	select {
	case <-full:
	case <-r.Context().Done():
	}
	c.mu.Lock()
	c.inside--
	c.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (c *crowd) enter() (full chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inside++
	c.most = max(c.most, c.inside)
	full = c.full
	if c.arrived++; c.arrived%c.of == 0 {
		close(full)
		c.full = make(chan struct{})
	}
	return full
}

// postAll posts n webhooks at once and returns what came of them.
func postAll(t *testing.T, c *Client, url string, n int) []Exchange {
	t.Helper()
	got := make([]Exchange, n)
	var posts sync.WaitGroup
	for i := range n {
		posts.Go(func() { got[i] = c.Post(t.Context(), request(t, url)) })
	}
	posts.Wait()
	return got
}

// TestPlaces: the others wait, and are sent in the end.
func TestPlaces(t *testing.T) {
	t.Parallel()
	const places, webhooks = 7, 10 * 7
	all := newCrowd(places)
	url := endpoint(t, all.ServeHTTP)
	c := client(t, func(o *Options) { o.MaxConnections = places })
	for _, x := range postAll(t, c, url, webhooks) {
		if x.Status != http.StatusNoContent {
			t.Errorf("got %+v", x)
		}
	}
	if kept := c.transport.MaxIdleConns + c.patient.transport.MaxIdleConns; all.most != places || kept != places {
		t.Errorf("%d were sent at once, and %d connections may be kept", all.most, kept)
	}
}

// TestNoPlace: who has no place when the caller's time ends has not been sent,
// and the wait is no part of an exchange.
func TestNoPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := inMemory(false, func(_ int, p *peer) {
			p.request()
			p.swallow()
		})
		c := inBubble(t, p)
		c.places = make(chan struct{}, 1)
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		go c.Post(t.Context(), request(t, p.url))
		synctest.Wait()
		first := time.Now()
		x := c.Post(ctx, request(t, p.url))
		if left := 3*time.Second - time.Since(first); left != leastTime {
			t.Errorf("it was waited for until %v before the end", left)
		}
		if !x.Interrupted || x.Status != 0 || x.Err == nil || x.Duration != 0 || p.requests.Load() != 1 {
			t.Errorf("got %+v, %d requests", x, p.requests.Load())
		}
		// The first one ends after its 10 s; only then do those of the next begin.
		began := time.Now()
		x = c.Post(t.Context(), request(t, p.url))
		if waited := x.Started.Sub(began); waited != 10*time.Second-3*time.Second+leastTime || x.Duration != 10*time.Second || x.Interrupted {
			t.Errorf("waited %v for a place: %+v", waited, x)
		}
	})
}
