package notify

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestWhoAsksMeanwhileGoesTogether: one request is under way at a time, and who asks
// meanwhile is served by the next one, together.
func TestWhoAsksMeanwhileGoesTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reads [][]int
		f := flights[int, int]{read: func(_ context.Context, keys []int) (map[int]int, error) {
			reads = append(reads, slices.Clone(keys)) // one at a time, or the race detector tells
			time.Sleep(time.Second)
			found := map[int]int{}
			for _, k := range keys {
				found[k] = k * k
			}
			return found, nil
		}}
		var all sync.WaitGroup
		for k := range 11 {
			all.Go(func() {
				if found, err := f.get(t.Context(), []int{k}); err != nil || found[k] != k*k {
					t.Errorf("%d: %v, %v", k, found, err)
				}
			})
			if k == 0 {
				synctest.Wait() // the first request is under way
			}
		}
		all.Wait()
		if len(reads) != 2 || len(reads[0]) != 1 || len(reads[1]) != 10 {
			t.Errorf("asked for %v", reads)
		}
		if _, err := f.get(t.Context(), []int{1}); err != nil || len(reads) != 3 {
			t.Errorf("after that: %v, %v", reads, err)
		}
	})
}

// TestAFlightThatFails: whom it was for is told, nobody else; nobody waits for longer
// than they may.
func TestAFlightThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fails := true
		f := flights[int, int]{read: func(ctx context.Context, _ []int) (map[int]int, error) {
			if !fails {
				return nil, nil
			}
			<-ctx.Done()
			return nil, errFault
		}}
		began := time.Now()
		soon, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		go func() {
			if _, err := f.get(soon, []int{1}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("who has no time: %v", err)
			}
		}()
		if _, err := f.get(t.Context(), []int{2}); !errors.Is(err, errFault) || time.Since(began) != flightTime {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		fails = false
		if _, err := f.get(t.Context(), []int{3}); err != nil {
			t.Errorf("the next: %v", err)
		}
	})
}
