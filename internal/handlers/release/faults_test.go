package release

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/waiting"
)

// TestTwoAtOnce: runs of several processes, and of one, send each item once.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ids := w.fill(t, 400, -3*time.Minute, 500*time.Millisecond)
	a, b := w.handler(t, "a"), w.handler(t, "b")
	for len(w.waits()) > 0 {
		var all sync.WaitGroup
		for _, h := range []*Handler{a, a, b, w.handler(t, "c")} {
			all.Go(func() {
				if err := h.Handle(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	for _, id := range ids {
		if n := w.count(id); n != 1 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
}

// TestWithinARun: a second run of the same process, however far the first one is,
// leaves to it what it is at.
func TestWithinARun(t *testing.T) {
	t.Parallel()
	for _, during := range []string{"Any", "Lease", "In", "Send", "Settle", "Unlease"} {
		w := newWorld()
		w.enter(t, item("a", 0))
		h := w.handler(t, "a")
		var begun atomic.Bool
		w.before = func(call string) {
			if call == during && begun.CompareAndSwap(false, true) {
				run(t, h)
			}
		}
		run(t, h)
		if n := w.count("a"); n != 1 {
			t.Errorf("with another run during %s it was sent %d times", during, n)
		}
	}
}

// TestDiesUnmarked: a run that dies between its send and its mark leads to a
// second send of that batch, and of nothing else, once its leases are over.
func TestDiesUnmarked(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ids := w.fill(t, 300, -time.Minute, 0)
	var died sync.Once
	w.before = func(call string) {
		if call == "Settle" {
			died.Do(func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.fault, w.dead = w.calls+1, true
			})
		}
	}
	if err := w.handler(t, "a").Handle(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("got %v", err)
	}
	w.fault, w.before = 0, nil
	lost := w.ids()
	if len(lost) == 0 || len(lost) > senders*50 {
		t.Fatalf("%d were sent before it died", len(lost))
	}
	w.pass(30 * time.Second)
	run(t, w.handler(t, "b")) // where the dead one was it can't be yet
	for _, id := range lost {
		if n := w.count(id); n != 1 {
			t.Errorf("%s was sent %d times while the dead one's lease lasted", id, n)
		}
	}
	w.pass(time.Minute)
	run(t, w.handler(t, "b"))
	for _, id := range ids {
		want := 1
		if slices.Contains(lost, id) {
			want = 2
		}
		if n := w.count(id); n != want {
			t.Errorf("%s was sent %d times, want %d", id, n, want)
		}
	}
}

// TestStalls: a run that stands still until its lease is over sends nothing of
// what it has read.
func TestStalls(t *testing.T) {
	t.Parallel()
	for stall, want := range map[time.Duration]int{80 * time.Second: 1, 83 * time.Second: 0, time.Hour: 0} {
		w := newWorld()
		w.enter(t, item("a", 0))
		var once sync.Once
		w.before = func(call string) {
			if call == "Any" || call == "Sweep" {
				return
			}
			if call == "Unlease" { // it was another's in the meantime
				return
			}
			if call == "In" {
				once.Do(func() { w.pass(stall) })
			}
		}
		err := w.handler(t, "a").Handle(t.Context())
		if n := w.count("a"); n != want || (err == nil) != (want == 1) {
			t.Errorf("after %s it was sent %d times, want %d; %v", stall, n, want, err)
		}
	}
}

// TestLosesItsLease: where another took the place between two batches, the run
// leaves it to that one.
func TestLosesItsLease(t *testing.T) {
	t.Parallel()
	w := newWorld()
	place := waiting.DuePlace(noon.Add(-time.Hour), 0)
	for n := 0; len(w.waits()) < 60; n++ {
		if i := item(fmt.Sprintf("m%05d", n), -time.Hour); i.Place() == place {
			w.enter(t, i)
		}
	}
	var once sync.Once
	w.before = func(call string) {
		if call == "Settle" {
			once.Do(func() {
				w.pass(2 * time.Minute)
				if ok, err := w.Memory.Lease(t.Context(), place, "b", w.clock(), w.clock().Add(time.Minute)); !ok || err != nil {
					t.Error(ok, err)
				}
			})
		}
	}
	err := w.handler(t, "a").Handle(t.Context())
	if len(w.queues) != 50 || err == nil || errors.Is(err, waiting.ErrTaken) {
		t.Errorf("%d were sent, %v", len(w.queues), err)
	}
	if ok, err := w.Memory.Lease(t.Context(), place, "c", w.clock(), w.clock().Add(time.Minute)); ok || err != nil {
		t.Errorf("the other's lease was given back: %v, %v", ok, err)
	}
}

// TestRefused: what no queue takes stays, is told of, and is in nobody's way,
// and what was sent beside it is not sent again.
func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ids := w.fill(t, 500, -time.Minute, 0)
	var bad []string
	for n := 0; n < 500; n += 4 {
		w.refuse[ids[n]], bad = true, append(bad, ids[n])
	}
	h := w.handler(t, "a")
	for range 2 {
		if err := h.Handle(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("got %v", err)
		}
	}
	for id, n := range w.refused {
		if n != 2 {
			t.Errorf("in two runs %s was sent %d times", id, n)
		}
	}
	if got := w.waits(); !slices.Equal(got, bad) {
		t.Errorf("%d wait, want %d", len(got), len(bad))
	}
	w.refuse = nil
	run(t, h)
	for _, id := range ids {
		if n := w.count(id); n != 1 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
}

// TestOnePlaceFails: the others are released all the same.
func TestOnePlaceFails(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for n := range 5 {
		w.enter(t, item(fmt.Sprint("m", n), -time.Duration(10-n)*time.Minute))
	}
	w.refuse["m0"] = true
	if err := w.handler(t, "a").Handle(t.Context()); err == nil || len(w.queues) != 4 {
		t.Errorf("%d were sent, %v", len(w.queues), err)
	}
}

// TestManyErrors are not all told.
func TestManyErrors(t *testing.T) {
	t.Parallel()
	w := newWorld()
	if err := w.Memory.Sweep(t.Context(), noon.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.fault, w.dead = 2, true // all but Swept
	err := w.handler(t, "a").Handle(t.Context())
	if err == nil || strings.Count(err.Error(), "\n") > maxErrors || !strings.Contains(err.Error(), "more errors") {
		t.Errorf("got %v", err)
	}
	if swept, _ := w.Memory.Swept(t.Context()); !swept.Equal(noon.Add(-time.Hour)) {
		t.Errorf("what nobody could look at was swept, to %s", swept)
	}
}

// TestEveryFault: whatever call fails, with its effect or without, the process
// goes on or is followed by another one: nothing is lost, and nothing sent twice
// but what was sent, or may have been, and is not marked.
func TestEveryFault(t *testing.T) {
	t.Parallel()
	for _, effect := range []bool{false, true} {
		for _, goesOn := range []bool{false, true} {
			failed := map[string]bool{}
			for at := 1; at < 90; at++ {
				w := newWorld()
				ids := w.fill(t, 5, -11*time.Minute, 3*time.Minute)
				w.fault, w.effect = at, effect
				h := w.handler(t, "a")
				err := h.Handle(t.Context())
				if w.failed != "" && !errors.Is(err, errDown) {
					t.Errorf("%s failed, and the run says %v", w.failed, err)
				}
				failed[w.failed] = true
				for range 4 {
					w.pass(3 * time.Minute)
					if !goesOn {
						h = w.handler(t, fmt.Sprint("b", w.calls))
					}
					if err := h.Handle(t.Context()); w.calls > at && err != nil && w.fault < at {
						t.Error(err)
					}
				}
				twice := w.failed == "Send" && effect || w.failed == "Settle" && !effect && !goesOn
				for _, id := range ids {
					if n := w.count(id); n == 0 || n > 2 || n == 2 && !twice {
						t.Errorf("%s failed (effect %v, goes on %v): %s was sent %d times", w.failed, effect, goesOn, id, n)
					}
				}
			}
			for _, call := range []string{"Swept", "Page", "Any", "Sweep", "Lease", "In", "Send", "Settle", "Unlease"} {
				if !failed[call] {
					t.Errorf("%s never failed", call)
				}
			}
		}
	}
}
