package main

import (
	"net/http"
	"testing"
)

// TestAHealthyEndpointCostsNoWrite: what the circuits of a healthy endpoint use is
// one read a second and instance, whatever is sent there.
func TestAHealthyEndpointCostsNoWrite(t *testing.T) {
	t.Parallel()
	const instances = 3
	for name, status := range map[string]int{"delivered": http.StatusOK, "refused by it": http.StatusNotFound} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := newWorld(t.Context(), terms{batch: 10, instances: instances, customers: 1, body: invoice})
			if err != nil {
				t.Fatal(err)
			}
			defer w.stop()
			w.endpoint.answer(status, shortAnswer)
			began := w.clock.Now()
			if err := w.send(t.Context(), 500); err != nil {
				t.Fatal(err)
			}
			used := w.breaks.used
			if used["wru"] > 0 || used["storage"] > 0 {
				t.Errorf("%v write units", used["wru"])
			}
			// The endpoint's circuit and its host's are half a unit each.
			seconds := w.clock.Now().Sub(began).Seconds()
			if most := instances * (seconds + 1); used["rru"] == 0 || used["rru"] > most {
				t.Errorf("%v read units in %v s by %d instances, want %v at most", used["rru"], seconds, instances, most)
			}
			t.Logf("%v read units in %v s by %d instances", used["rru"], seconds, instances)
		})
	}
}

// TestAnOutageCostsByMessage: twice as many messages for an endpoint that is down
// use what the first ones did, each three and a half write units until it is
// delivered.
func TestAnOutageCostsByMessage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("six hours twice")
	}
	const n = 1440
	var used [2]map[string]float64
	for i := range used {
		o, err := played(t.Context(), n*(i+1), 10, invoice, true)
		if err != nil {
			t.Fatal(err)
		}
		if o.exhausted > 10 { // those that came first, while it was down for a moment longer
			t.Errorf("%v of %d were exhausted", o.exhausted, n*(i+1))
		}
		used[i] = sum(o.waits, o.room, o.ends)
	}
	more := less(used[1], used[0])
	for what, most := range map[string]float64{"wru": 4.5, "rru": 1.2, "sqs": 0.8} {
		if each := more[what] / n; each > most {
			t.Errorf("each costs %.2f %s, want %v at most", each, what, most)
		}
	}
	t.Logf("each of %d more costs %.2f write units and %.2f read units", n, more["wru"]/n, more["rru"]/n)
}

// TestALargePlaceIsReadOnce: what is read for a message that leaves the waiting room
// does not grow with what leaves with it.
func TestALargePlaceIsReadOnce(t *testing.T) {
	t.Parallel()
	for _, circuit := range []string{"", "endpoint-00000000000000000000000000000000"} {
		for _, n := range []int{1000, 4000} {
			each, err := leaving(t.Context(), n, circuit)
			if err != nil {
				t.Fatal(err)
			}
			if t.Logf("of %d in %q: %.2f read units each", n, circuit, each); each > 0.65 {
				t.Errorf("of %d in %q each costs %.2f read units", n, circuit, each)
			}
		}
	}
}
