package release

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
)

// TestCircuitFaults: whatever call of a probe, a ramp or an end fails, with its
// effect or without, and whether the process goes on or another follows: in the end
// all went, and none twice but what was sent, or may have been, and is not marked.
func TestCircuitFaults(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		circuit.State
		of endpoint.State
	}{
		"probe": {opened(noon, noon), ""}, "ramp": {closed(noon), ""},
		"end":    {awaited(circuit.State{Phase: circuit.Open, Opened: noon, Forever: true, Gone: true}), ""},
		"resume": {awaited(circuit.State{}), endpoint.Enabled}, "deleted": {awaited(circuit.State{}), "deleted"},
		"paused at first": {awaited(circuit.State{}), endpoint.Paused},
	} {
		for _, effect := range []bool{false, true} {
			for _, dies := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, effect %v, dies %v", name, effect, dies), func(t *testing.T) {
					t.Parallel()
					failed := map[string]bool{}
					for at := 1; at < 60; at++ {
						w := newWorld()
						ids := w.fillHeld(t, 9)
						w.puts(t, s.State)
						w.sets(t, s.of, noon)
						w.fault, w.effect, w.dead = at, effect, dies
						failed[w.faulty(t, dies)] = true
						w.wantAll(t, ids, effect, dies)
					}
					calls := []string{"PageCircuits", "In", "Lease", "Send", "Settle", "Unlease", "PutCircuit", "Endpoints"}
					if s.of == endpoint.Paused { // nothing goes in the run that fails
						calls = []string{"PageCircuits", "In", "Endpoints"}
					}
					for _, call := range calls {
						never := call == "PutCircuit" && name != "ramp" && name != "resume" || call == "Endpoints" && s.of == ""
						if !failed[call] && !never {
							t.Errorf("%s never failed", call)
						}
					}
				})
			}
		}
	}
}

// faulty has a run fail, and others follow until all went: an open circuit is closed
// by then. It returns the call that failed.
func (w *world) faulty(t *testing.T, dies bool) string {
	t.Helper()
	h := w.handler(t, "a")
	err := h.Handle(t.Context())
	// A circuit's change is tried again at once, and an unknown outcome is found out.
	if w.failed != "" && !errors.Is(err, errDown) && (w.failed != "PutCircuit" || dies) {
		t.Errorf("%s failed, and the run says %v", w.failed, err)
	}
	w.fault = 0
	for n := range 8 {
		w.pass(2 * time.Minute)
		if dies {
			h = w.handler(t, fmt.Sprint("b", n))
		}
		run(t, h)
		if n == 0 && w.state() == endpoint.Paused {
			w.sets(t, endpoint.Enabled, w.clock())
		}
		if s := w.circuit(t); s.IsOpen() && !s.Forever && n == 2 {
			w.puts(t, s.Close(w.clock()))
		}
	}
	if s := w.circuit(t); !s.IsOpen() && !s.Awaited.IsZero() {
		t.Errorf("%s failed: it is looked at still: %+v", w.failed, s)
	}
	return w.failed
}

func (w *world) wantAll(t *testing.T, ids []string, effect, dies bool) {
	t.Helper()
	twice := w.failed == "Send" && effect || w.failed == "Settle" && !effect && dies
	for _, id := range ids {
		if n := w.count(id); n == 0 || n > 2 || n == 2 && !twice {
			t.Errorf("%s failed: %s was sent %d times", w.failed, id, n)
		}
	}
}
