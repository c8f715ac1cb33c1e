package endpoint

import (
	"context"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// fresh is how long an endpoint that was read is taken for what it is.
	fresh = time.Second
	// readTime is how long reading may take: what comes before the sending has little.
	readTime = 2 * time.Second
	// maxKnown is how many are remembered; of more, those that are not fresh go.
	maxKnown = 10_000
)

// Getter gives endpoints, as Store promises.
type Getter interface {
	Endpoints(ctx context.Context, ids []string) ([]Endpoint, error)
}

// Known gives endpoints by their ids as they were within the last second, so that a
// change is seen by everybody soon, and each is read once a second however many ask.
// It is used by many goroutines at once.
type Known struct {
	Store Getter
	Now   func() time.Time

	flights singleflight.Group
	mu      sync.Mutex
	byID    map[string]seen
	forgot  time.Time
}

// seen is what was read of an endpoint, at a time.
type seen struct {
	at    time.Time
	ready *Ready
	err   error
}

// Endpoint gives an endpoint. Errors: ErrNotFound, one of Check where what is kept
// can't be meant, and others, which may pass.
func (k *Known) Endpoint(ctx context.Context, id string) (*Ready, error) {
	if s, ok := k.recent(id); ok {
		return s.ready, s.err
	}
	flight := k.flights.DoChan(id, func() (any, error) {
		if s, ok := k.recent(id); ok { // another flight has landed since
			return s, nil
		}
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), readTime)
		defer stop()
		return k.read(ctx, id)
	})
	select {
	case r := <-flight:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(seen).ready, r.Val.(seen).err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Where says whose an endpoint is, and where. Errors are Endpoint's.
func (k *Known) Where(ctx context.Context, id string) (tenant, url string, err error) {
	e, err := k.Endpoint(ctx, id)
	if err != nil {
		return "", "", err
	}
	return e.Tenant, e.URL, nil
}

func (k *Known) recent(id string) (seen, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.byID[id]
	return s, ok && k.Now().Sub(s.at) < fresh
}

// read reads an endpoint. That the store can't be read is not remembered.
func (k *Known) read(ctx context.Context, id string) (seen, error) {
	s := seen{at: k.Now(), err: ErrNotFound}
	found, err := k.Store.Endpoints(ctx, []string{id})
	if err != nil {
		return s, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(found) > 0 {
		if old := k.byID[id]; old.ready != nil && old.ready.Version == found[0].Version && old.ready.Created.Equal(found[0].Created) {
			s.ready, s.err = old.ready, old.err
		} else {
			s.ready, s.err = found[0].Check()
		}
	}
	k.keep(id, s)
	return s, nil
}

func (k *Known) keep(id string, s seen) {
	if k.byID == nil {
		k.byID = map[string]seen{}
	}
	if len(k.byID) >= maxKnown && s.at.Sub(k.forgot) >= fresh {
		maps.DeleteFunc(k.byID, func(_ string, old seen) bool { return s.at.Sub(old.at) >= fresh })
		k.forgot = s.at
	}
	k.byID[id] = s
}
