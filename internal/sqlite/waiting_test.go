package sqlite

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
)

func TestWaiting(t *testing.T) {
	t.Parallel()
	storetest.TestWaiting(t, NewWaiting(inMemory(t)))
}

var due = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// TestFourteenDays: that is how long an item stays after it was settled, or
// after it was due where it still waits.
func TestFourteenDays(t *testing.T) {
	t.Parallel()
	const settledAfter = 3 * time.Hour // after it was due
	over := time.Date(2026, 12, 8, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		as    waiting.State
		now   time.Time
		stays bool
	}{
		{"it waits, just before", waiting.Waiting, over, true},
		{"it waits, just after", waiting.Waiting, over.Add(time.Second), false},
		{"it was sent, just before", waiting.Sent, over.Add(settledAfter), true},
		{"it was sent, just after", waiting.Sent, over.Add(settledAfter + time.Second), false},
		{"it never waited, just before", waiting.Kept, over.Add(settledAfter), true},
		{"it never waited, just after", waiting.Kept, over.Add(settledAfter + time.Second), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := NewWaiting(inMemory(t))
			w.Now = func() time.Time { return due.Add(settledAfter) }
			i := waiting.Item{MessageID: "m", Attempt: 1, Due: due, State: waiting.Waiting}
			if c.as == waiting.Kept {
				i.State = waiting.Kept
			}
			_, err := w.Enter(t.Context(), i)
			if err == nil && c.as == waiting.Sent {
				err = w.Settle(t.Context(), []waiting.Item{i}, waiting.Sent)
			}
			if err == nil {
				err = w.Expire(t.Context(), c.now)
			}
			if err != nil {
				t.Fatal(err)
			}
			i.State = waiting.Dropped // which it is only if nothing is there
			if state, err := w.Enter(t.Context(), i); err != nil || state != waiting.Dropped == !c.stays {
				t.Errorf("it is %s, %v; it is to stay: %v", state, err, c.stays)
			}
		})
	}
}

// TestLeasesOfTheDead: after a start nobody waits for them, and those that have
// lapsed are not kept.
func TestLeasesOfTheDead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(w *Waiting) error
		free bool
	}{
		"a start":           {func(w *Waiting) error { return w.Abandon(t.Context()) }, true},
		"before its end":    {func(w *Waiting) error { return w.Expire(t.Context(), due.Add(time.Minute-1)) }, false},
		"when it has ended": {func(w *Waiting) error { return w.Expire(t.Context(), due.Add(time.Minute)) }, true},
	} {
		w := NewWaiting(inMemory(t))
		if _, err := w.Lease(t.Context(), "p", "a", due, due.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := c.end(w); err != nil {
			t.Fatal(err)
		}
		if ok, err := w.Lease(t.Context(), "p", "b", due, due.Add(time.Minute)); err != nil || ok != c.free {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

// TestWhatWaitsIsSearched: what was settled is not looked at, and nothing is
// sorted.
func TestWhatWaitsIsSearched(t *testing.T) {
	t.Parallel()
	for query, args := range map[string][]any{waitsIn: {"p", "q", 1}, anyWaits: {"p"}, pageOfWaits: {"p", "q", 1}} {
		plan := planOf(t, query, args...)
		if !slices.ContainsFunc(plan, func(step string) bool { return strings.HasPrefix(step, "SEARCH waiting USING") }) ||
			slices.ContainsFunc(plan, func(step string) bool { return strings.Contains(step, "B-TREE") }) {
			t.Errorf("%s: %q", query, plan)
		}
	}
}
