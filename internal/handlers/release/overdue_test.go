package release

import (
	"slices"
	"testing"
	"time"
)

// TestTellsHowLateItIs: what no queue takes is told of once it is late, each run, until
// it is gone; what is to be sent only later is not late.
func TestTellsHowLateItIs(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.enter(t, item("a", 0), item("later", 24*time.Hour))
	w.refuse["a"] = true
	h := w.handler(t, "h")
	for _, c := range []struct{ after, late time.Duration }{
		{0, 0}, {5 * time.Minute, 0}, {time.Second, 5*time.Minute + time.Second}, {10 * time.Minute, 15*time.Minute + time.Second},
	} {
		w.pass(c.after)
		w.late = nil
		if err := h.Handle(t.Context()); err == nil {
			t.Error("a refused message is no error")
		}
		if want := []time.Duration{c.late}; c.late == 0 && len(w.late) != 0 || c.late > 0 && !slices.Equal(w.late, want) {
			t.Errorf("told %v, want %v", w.late, c.late)
		}
	}
	w.refuse = nil
	run(t, h) // finds it for the last time
	w.late = nil
	run(t, h)
	if len(w.late) != 0 {
		t.Errorf("nothing is late any more, and it told %v", w.late)
	}
}
