package notify

import (
	"context"
	"sync"
)

// together has what the messages of a batch look up read at once, by the first of them
// that wants it. Each must have said before what it needs, or that it needs nothing.
type together[K comparable, V any] struct {
	read func(ctx context.Context, keys []K) (map[K]V, error)

	mu     sync.Mutex
	silent int // messages that have not said yet
	keys   []K
	said   chan struct{}
	once   sync.Once
	found  map[K]V
	err    error
}

func newTogether[K comparable, V any](read func(context.Context, []K) (map[K]V, error)) *together[K, V] {
	return &together[K, V]{read: read, said: make(chan struct{})}
}

// join is called once for each message, before any of them asks.
func (t *together[K, V]) join() { t.silent++ }

// ask says what one message needs.
func (t *together[K, V]) ask(keys ...K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys = append(t.keys, keys...)
	if t.silent--; t.silent == 0 {
		close(t.said)
	}
}

// get gives what is found under a key that was asked for. All of a batch have one ctx.
func (t *together[K, V]) get(ctx context.Context, key K) (v V, ok bool, err error) {
	select {
	case <-t.said:
	case <-ctx.Done():
		return v, false, context.Cause(ctx)
	}
	t.once.Do(func() { t.found, t.err = t.read(ctx, t.keys) })
	v, ok = t.found[key]
	return v, ok, t.err
}
