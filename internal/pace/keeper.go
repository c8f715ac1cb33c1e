package pace

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Keeper gets turns from a Store, for many at once: whoever asks of one key within
// gatherTime is served by one write, so that a batch costs one. Where no limit is known
// it costs none: then the key is read once a second at most.
//
// While the store can't be reached each process keeps the pace by itself, by what it
// knows: so many processes are so much faster than the rate at most, and what they are
// refused slows them down. Nothing is held for that: what a provider refuses so uses up
// no attempt, while a message that is not sent for a table's sake is late for nothing.
//
// A Keeper may be used by many goroutines at once.
type Keeper struct {
	Store Store
	// Patience is how long a message may be kept in hand until its turn.
	Patience time.Duration
	Now      func() time.Time
	Log      *slog.Logger

	mu     sync.Mutex
	known  map[string]*known
	warned time.Time
}

// known is what was last seen of a key, and who asks of it just now.
type known struct {
	State
	read time.Time // when the store last said so
	asks *asks
}

// asks are wishes that are served together.
type asks struct {
	rate   Rate
	wishes []Wish
	turns  []Turn // once done is closed
	done   chan struct{}
}

const (
	// gatherTime is how long a wish waits for others of its batch.
	gatherTime = 20 * time.Millisecond
	// fresh is how long a key without a limit is taken for what it is.
	fresh = time.Second
	// storeTime is how long the store may take: what comes before the sending has little.
	storeTime = 2 * time.Second
	// maxKnown is how many keys are remembered; of more, those at rest go.
	maxKnown = 10_000
)

// Turn gives a wish its turn. Its error is ctx's.
func (k *Keeper) Turn(ctx context.Context, key string, rate Rate, w Wish) (Turn, error) {
	all, n := k.join(key, rate, w)
	if all == nil {
		return Turn{true, floor(k.Now())}, nil
	}
	select {
	case <-all.done:
		return all.turns[n], nil
	case <-ctx.Done():
		return Turn{}, fmt.Errorf("wait for a turn: %w", ctx.Err())
	}
}

// join puts a wish among those that are served together, as the n-th; all is nil where
// it is known that there is no limit.
func (k *Keeper) join(key string, rate Rate, w Wish) (all *asks, n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, now := k.of(key), k.Now()
	if rate.Interval == 0 && now.Sub(s.read) < fresh && s.free(now) {
		return nil, 0
	}
	if s.asks == nil {
		s.asks = &asks{done: make(chan struct{})}
		time.AfterFunc(gatherTime, func() { k.serve(key) })
	}
	s.asks.rate, s.asks.wishes = rate, append(s.asks.wishes, w)
	return s.asks, len(s.asks.wishes) - 1
}

// free reports whether nothing is known that slows a key down.
func (s State) free(now time.Time) bool { return s.learned(now) == 0 && !s.Go.After(now) }

// of is what is known of a key. The lock is held.
func (k *Keeper) of(key string) *known {
	if s, ok := k.known[key]; ok {
		return s
	}
	if now := k.Now(); len(k.known) >= maxKnown {
		maps.DeleteFunc(k.known, func(_ string, s *known) bool { return s.asks == nil && !s.Rest().After(now) })
	}
	if k.known == nil {
		k.known = map[string]*known{}
	}
	s := &known{}
	k.known[key] = s
	return s
}

// serve serves all who have asked of a key. Those who have waited go first.
func (k *Keeper) serve(key string) {
	k.mu.Lock()
	s := k.of(key)
	all, seen, read := s.asks, s.State, s.read
	s.asks = nil
	k.mu.Unlock()
	order := make([]int, len(all.wishes))
	for n := range order {
		order[n] = n
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(first(all.wishes[a]), first(all.wishes[b])) })
	a := Ask{Key: key, Rate: all.rate, Now: k.Now(), Patience: k.Patience, Seen: seen}
	for _, n := range order {
		a.Wishes = append(a.Wishes, all.wishes[n])
	}
	turns := k.take(a, read)
	all.turns = make([]Turn, len(turns))
	for i, n := range order {
		all.turns[n] = turns[i]
	}
	close(all.done)
}

func first(w Wish) int {
	if w.Back {
		return 0
	}
	return 1
}

// take asks the store, or goes by what is known.
func (k *Keeper) take(a Ask, read time.Time) (turns []Turn) {
	ctx, stop := context.WithTimeout(context.Background(), storeTime)
	defer stop()
	if a.Interval == 0 && a.Now.Sub(read) >= fresh {
		found, err := k.Store.Paces(ctx, []string{a.Key})
		if err != nil {
			k.warn(ctx, a.Key, err)
		} else if now := found[a.Key]; now.Learned.After(a.Seen.Learned) || now.Go.After(a.Seen.Go) { // it may lag
			a.Seen = now
		}
		k.see(a.Key, a.Seen, a.Now)
	}
	if a.Interval == 0 && a.Seen.free(a.Now) {
		_, turns = Take(a.Seen, a)
		return turns
	}
	now, turns, err := k.Store.Take(ctx, a)
	if err != nil {
		k.warn(ctx, a.Key, err)
		now, turns = Take(a.Seen, a)
	}
	k.see(a.Key, now, a.Now)
	return turns
}

func (k *Keeper) see(key string, s State, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	known := k.of(key)
	known.State, known.read = s, now
}

// warn says, once a second at most, that the store can't be reached.
func (k *Keeper) warn(ctx context.Context, key string, err error) {
	k.mu.Lock()
	now := k.Now()
	quiet := now.Sub(k.warned) < time.Second
	if !quiet {
		k.warned = now
	}
	k.mu.Unlock()
	if !quiet {
		k.Log.WarnContext(context.WithoutCancel(ctx), "the pace can't be shared, so this process keeps it by itself", "pace", key, "error", err)
	}
}

// Slow says that somebody refused to be sent so much so soon, until then if they said
// so.
func (k *Keeper) Slow(key string, rate Rate, until time.Time) {
	k.mu.Lock()
	s := k.of(key).State
	k.mu.Unlock()
	r := Slow{Key: key, Rate: rate, Now: k.Now(), Until: until, Seen: s}
	next := Slower(s, r)
	if next.Same(s) {
		return // one of those that were under way has said so
	}
	k.see(key, next, r.Now)
	ctx, stop := context.WithTimeout(context.Background(), storeTime)
	defer stop()
	now, err := k.Store.Slow(ctx, r)
	if err != nil {
		k.warn(ctx, key, err)
		return
	}
	k.see(key, now, r.Now)
}

// Await waits until a time. Its error is ctx's.
func (k *Keeper) Await(ctx context.Context, at time.Time) error {
	left := at.Sub(k.Now())
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for its turn: %w", ctx.Err())
	}
}
