package life

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/webhook"
)

// TestADeadEndpointComesBack: thousands wait for an endpoint that is dead, a
// healthy one gets each of its messages at once all the while, and when the dead
// one comes back everything arrives, oldest first, by a ramp.
func TestADeadEndpointComesBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says  answer
		crowd int
		down  time.Duration
	}{
		"after a minute": {busy, 1000, m},
		"after an hour":  {busy, 5000, h},
		"after an hour of which nobody is listening": {refused, 1000, h},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := inWorld(t, settingsOf{crowd: true})
			d := w.dies(t, c.crowd, c.says)
			d.watch(c.down)
			before := len(d.dead.posts)
			d.dead.script = []answer{{status: 200, took: time.Millisecond}}
			for n := 0; d.dead.taken+d.exhausted() < c.crowd && n < 360; n++ {
				d.watch(10 * s)
			}
			d.wantNoneExhausted()
			d.dead.wantRamp(t, before+1) // without the probe
		})
	}
}

// together is how many may have been received at the same time: their age is the
// same.
const together = 20

// inQueue is how many wait for an open circuit in the queue and not in the room.
const inQueue = 10

// dying is an endpoint that is dead, and one that is healthy.
type dying struct {
	*world
	t        *testing.T
	crowd    int
	dead, up *endpoint
	// opening is how many POSTs there were while the circuit opened, ups how many
	// messages of the healthy endpoint.
	opening, ups int
}

// dies has a crowd of messages produced for an endpoint that is dead.
func (w *world) dies(t *testing.T, crowd int, says answer) *dying {
	t.Helper()
	const dead, healthy = "https://dead.test/in", "https://up.test/in"
	d := &dying{world: w, t: t, crowd: crowd, dead: &endpoint{script: []answer{says}}, up: &endpoint{script: []answer{ok}}}
	w.internet.endpoints[dead], w.internet.endpoints[healthy] = d.dead, d.up
	for n := range crowd {
		w.produce(message{id: fmt.Sprint("dead_", n), url: dead, tenant: "dead"})
		if n%10 == 9 {
			d.watch(100 * time.Millisecond)
		}
	}
	// The first to be posted open the circuit.
	if d.opening = len(d.dead.posts); d.opening > 5+10 {
		t.Errorf("%d POSTs while it opened", d.opening)
	}
	return d
}

// exhausted is how many dead letters there are.
func (d *dying) exhausted() int {
	return d.count(deadletter.WebhookFailures, "ApproximateNumberOfMessages")
}

// wantNoneExhausted checks that everything has arrived but what had failed before
// the circuit opened, and was its probes.
func (d *dying) wantNoneExhausted() {
	d.t.Helper()
	letters := d.letters()
	if d.dead.taken+len(letters) != d.crowd {
		d.t.Errorf("%d of %d arrived, and %d are dead letters", d.dead.taken, d.crowd, len(letters))
	}
	for _, letter := range letters {
		if body, err := webhook.Decode([]byte(*letter.Body)); err != nil || !slices.Contains(d.dead.ids[:d.opening], body.ID) {
			d.t.Errorf("%s, %v, is exhausted", body.ID, err)
		}
	}
}

// watch lets a time pass, while the healthy endpoint gets a message every ten
// seconds.
func (d *dying) watch(long time.Duration) {
	d.t.Helper()
	for end := d.clock.Now().Add(long); d.clock.Now().Before(end); d.ups++ {
		d.produce(message{id: fmt.Sprint("up_", d.ups), url: "https://up.test/in", tenant: "up"})
		d.pass(min(10*s, long))
		if len(d.up.posts) != d.ups+1 {
			d.t.Fatalf("%d of %d messages of the healthy endpoint are delivered", len(d.up.posts), d.ups+1)
		}
	}
}

// wantRamp checks that the POSTs from the n-th on came in steps of 10 seconds, each
// at most twice as many as the one before, and oldest first. What waited in the queue
// comes besides.
func (e *endpoint) wantRamp(t *testing.T, n int) {
	t.Helper()
	counts, late := e.steps(n)
	for k, count := range counts {
		if most := min(1<<k, 1024) + inQueue; count > most {
			t.Errorf("%d in step %d, want %d at most: %v", count, k, most, counts)
		}
	}
	if late > 0 {
		t.Errorf("%d came later than one that was sent a step later", late)
	}
}

// steps are how many POSTs came in each 10 seconds after the first n, and how many
// of them came, though one that was received long after them came in a step before.
func (e *endpoint) steps(n int) (counts []int, late int) {
	start := e.posts[n]
	var newest []int
	for k, at := range e.posts[n:] {
		step := int(at.Sub(start) / (10 * s))
		for len(counts) <= step {
			counts, newest = append(counts, 0), append(newest, 0)
		}
		id := number(e.ids[n+k][strings.LastIndex(e.ids[n+k], "_")+1:])
		counts[step], newest[step] = counts[step]+1, max(newest[step], id)
		if step > 0 && id < newest[step-1]-together {
			late++
		}
	}
	return counts, late
}
