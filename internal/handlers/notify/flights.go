package notify

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// flights has what many look up at the same time read by few requests: who asks while
// one is under way is served by the next, so that no answer is older than its question.
type flights[K comparable, V any] struct {
	read func(ctx context.Context, keys []K) (map[K]V, error)

	mu     sync.Mutex
	next   *flight[K, V] // who has asked since the last one left
	flying bool
}

type flight[K comparable, V any] struct {
	keys  []K
	found map[K]V // once done is closed
	err   error
	done  chan struct{}
}

// flightTime is how long one may take: what comes before the sending has little.
const flightTime = 2 * time.Second

// get gives what is found under keys, and maybe under others' too.
func (f *flights[K, V]) get(ctx context.Context, keys []K) (map[K]V, error) {
	f.mu.Lock()
	if f.next == nil {
		f.next = &flight[K, V]{done: make(chan struct{})}
	}
	mine := f.next
	mine.keys = append(mine.keys, keys...)
	if !f.flying {
		f.flying = true
		go f.fly()
	}
	f.mu.Unlock()
	select {
	case <-mine.done:
		return mine.found, mine.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// fly serves until nobody is left who asks.
func (f *flights[K, V]) fly() {
	runtime.Gosched() // the others of the batch are about to ask
	for {
		f.mu.Lock()
		now := f.next
		f.next, f.flying = nil, now != nil
		f.mu.Unlock()
		if now == nil {
			return
		}
		ctx, stop := context.WithTimeout(context.Background(), flightTime)
		now.found, now.err = f.read(ctx, now.keys)
		stop()
		close(now.done)
	}
}
