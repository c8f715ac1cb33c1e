package pace_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/storetest"
)

// counted is a store that counts, and fails.
type counted struct {
	storetest.Memory
	mu            sync.Mutex
	reads, writes int
	err           error
}

func (c *counted) count(n *int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	*n++
	return c.err
}

func (c *counted) Take(ctx context.Context, a pace.Ask) (now pace.State, turns []pace.Turn, err error) {
	if err := c.count(&c.writes); err != nil {
		return now, nil, err
	}
	return c.Memory.Take(ctx, a)
}

func (c *counted) Slow(ctx context.Context, s pace.Slow) (now pace.State, err error) {
	if err := c.count(&c.writes); err != nil {
		return now, err
	}
	return c.Memory.Slow(ctx, s)
}

func (c *counted) Paces(ctx context.Context, keys []string) (map[string]pace.State, error) {
	if err := c.count(&c.reads); err != nil {
		return nil, err
	}
	return c.Memory.Paces(ctx, keys)
}

var perSecond = pace.Rate{Interval: time.Second}

func keeper(s pace.Store) *pace.Keeper {
	return &pace.Keeper{Store: s, Patience: 3 * time.Second, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

// batch asks for n at once, and returns how long after now each goes or comes back.
func batch(t *testing.T, k *pace.Keeper, rate pace.Rate, n int, w pace.Wish) (goes, places []time.Duration) {
	t.Helper()
	begin := time.Now()
	turns := make([]pace.Turn, n)
	var all sync.WaitGroup
	for i := range turns {
		all.Go(func() {
			var err error
			if turns[i], err = k.Turn(t.Context(), "k", rate, w); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, turn := range turns {
		if turn.Go {
			goes = append(goes, turn.At.Sub(begin).Truncate(time.Second))
			continue
		}
		places = append(places, turn.At.Sub(begin).Truncate(time.Second))
	}
	slices.Sort(goes)
	slices.Sort(places)
	return goes, places
}

// TestOneWriteForABatch: of two processes, and many batches of each.
func TestOneWriteForABatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &counted{}
		a, b := keeper(s), keeper(s)
		goes, places := batch(t, a, perSecond, 10, pace.Wish{})
		if !slices.Equal(goes, seconds(0, 1, 2, 3)) || !slices.Equal(places, seconds(4, 5, 6, 7, 8, 9)) || s.writes != 1 {
			t.Errorf("%v, %v, %d writes", goes, places, s.writes)
		}
		if goes, places = batch(t, b, perSecond, 3, pace.Wish{}); len(goes) > 0 || !slices.Equal(places, seconds(10, 11, 12)) || s.writes != 2 {
			t.Errorf("the other: %v, %v, %d writes", goes, places, s.writes)
		}
		time.Sleep(5 * time.Second)
		if goes, _ = batch(t, b, perSecond, 3, pace.Wish{Back: true}); !slices.Equal(goes, seconds(0, 1, 2)) || s.writes != 3 || s.reads != 0 {
			t.Errorf("back again: %v, %d writes, %d reads", goes, s.writes, s.reads)
		}
	})
}

func seconds(n ...time.Duration) []time.Duration {
	for i := range n {
		n[i] *= time.Second
	}
	return n
}

// TestWithoutALimit: a key that nobody limits costs no write, and one read a second at
// most; a refusal of another process is heard of within that.
func TestWithoutALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &counted{}
		k, other := keeper(s), keeper(s)
		for range 10 {
			if goes, _ := batch(t, k, pace.Rate{}, 10, pace.Wish{}); len(goes) != 10 {
				t.Fatalf("%v", goes)
			}
			time.Sleep(90 * time.Millisecond)
		}
		if s.reads != 1 || s.writes != 0 {
			t.Errorf("%d reads, %d writes", s.reads, s.writes)
		}
		other.Slow("k", pace.Rate{}, time.Now().Add(time.Minute))
		other.Slow("k", pace.Rate{}, time.Now().Add(time.Minute))
		time.Sleep(time.Second)
		if goes, places := batch(t, k, pace.Rate{}, 3, pace.Wish{}); len(goes) > 0 || places[0] != 59*time.Second || s.writes != 2 {
			t.Errorf("%v, %v, %d writes", goes, places, s.writes)
		}
	})
}

// TestWhoHasWaitedGoesFirst: of those who ask together, in whatever order.
func TestWhoHasWaitedGoesFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := keeper(&counted{})
		var all sync.WaitGroup
		turns := make([]pace.Turn, 6)
		for i := range turns {
			all.Go(func() { turns[i], _ = k.Turn(t.Context(), "k", perSecond, pace.Wish{Back: i >= 3}) })
			synctest.Wait() // the new ask first
		}
		begin := time.Now()
		all.Wait()
		for i, turn := range turns {
			if d := turn.At.Sub(begin).Truncate(time.Second); i >= 3 && (!turn.Go || d != time.Duration(i-3)*time.Second) ||
				i < 3 && d < 3*time.Second {
				t.Errorf("%d: %+v, in %v", i, turn, d)
			}
		}
	})
}

// TestLearnedFromOthers: that another process was refused, without a time, slows this
// one down within a second, whether it was idle before or not.
func TestLearnedFromOthers(t *testing.T) {
	t.Parallel()
	for _, idle := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &counted{}
			k, other := keeper(s), keeper(s)
			if !idle {
				batch(t, k, pace.Rate{}, 1, pace.Wish{})
			}
			other.Slow("k", pace.Rate{}, time.Time{})
			time.Sleep(time.Second)
			goes, _ := batch(t, k, pace.Rate{}, 31, pace.Wish{})
			if len(goes) != 31 || goes[30] != 3*time.Second {
				t.Errorf("idle %v: they go in %v", idle, goes)
			}
		})
	}
}

// TestKeysAreForgotten: of very many keys those at rest go, and what slows one down stays.
func TestKeysAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &counted{}
		k := keeper(s)
		k.Slow("slow", pace.Rate{}, time.Now().Add(time.Hour))
		for n := range 10_001 {
			if _, err := k.Turn(t.Context(), strconv.Itoa(n), pace.Rate{}, pace.Wish{}); err != nil {
				t.Fatal(err)
			}
		}
		reads := s.reads
		s.err = errors.New("down")
		if turn, err := k.Turn(t.Context(), "slow", pace.Rate{}, pace.Wish{}); err != nil || turn.Go {
			t.Errorf("the slow one is forgotten: %+v, %v", turn, err)
		}
		if reads != 10_001 {
			t.Errorf("%d reads of 10,001 keys", reads)
		}
	})
}

// TestWithoutTheStore: a process keeps the pace by itself, and learns from refusals.
func TestWithoutTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		k := keeper(&counted{err: errors.New("down")})
		k.Log = slog.New(slog.NewTextHandler(&log, nil))
		for range 2 {
			batch(t, k, perSecond, 10, pace.Wish{})
		}
		if goes, places := batch(t, k, perSecond, 2, pace.Wish{}); len(goes) > 0 || !slices.Equal(places, seconds(19, 20)) {
			t.Errorf("%v, %v", goes, places)
		}
		if n := strings.Count(log.String(), "keeps it by itself"); n != 1 {
			t.Errorf("it was logged %d times", n)
		}
		k.Slow("k", pace.Rate{}, time.Now().Add(time.Hour))
		if goes, places := batch(t, k, perSecond, 1, pace.Wish{Back: true}); len(goes) > 0 || places[0] < 59*time.Minute {
			t.Errorf("after a refusal: %v, %v", goes, places)
		}
	})
}

// TestNobodyWaitsForEver: whoever has no time left is told so, and others are served.
func TestNobodyWaitsForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := keeper(&counted{})
		ctx, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		if turn, err := k.Turn(ctx, "k", perSecond, pace.Wish{}); !errors.Is(err, context.DeadlineExceeded) || turn.Go {
			t.Errorf("%+v, %v", turn, err)
		}
		if goes, _ := batch(t, k, perSecond, 1, pace.Wish{}); len(goes) != 1 {
			t.Error("another is not served")
		}
		if err := k.Await(ctx, time.Now()); err != nil {
			t.Errorf("its turn is now: %v", err)
		}
		if err := k.Await(ctx, time.Now().Add(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		begin := time.Now()
		if err := k.Await(t.Context(), begin.Add(time.Second)); err != nil || time.Since(begin) != time.Second {
			t.Error(err, time.Since(begin))
		}
	})
}
