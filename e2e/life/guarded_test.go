package life

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/circuit"
)

var (
	refused = answer{refused: true}
	asks    = answer{status: 429, retryAfter: time.Hour}
	byRate  = settingsOf{policies: many.policies, limits: circuit.Limits{Threshold: 1 << 30, Least: 4}}
)

// down is an endpoint that fails so often, and then recovers.
func down(times int) []answer { return append(slices.Repeat([]answer{busy}, times), ok) }

// unreachable is an endpoint that can't be connected to so often.
func unreachable(times int) []answer { return append(slices.Repeat([]answer{refused}, times), ok) }

// closeByHand closes all circuits that are open, openByHand opens one.
func closeByHand(w *world) {
	states, _, _ := w.stores.Memory.PageCircuits(context.Background(), "", 1000)
	for _, c := range states {
		if c.IsOpen() {
			w.act("api", http.MethodPost, "/api/v1/circuits/"+c.Key()+"/close", "")
		}
	}
}

func openByHand(w *world) {
	w.act("api", http.MethodPost, "/api/v1/circuits/open", fmt.Sprintf(`{"url":%q,"tenant":"acme","why":"they move"}`, someURL))
}

// later is when nothing can be on its way into the room any more, and a run of release
// that finds that.
func later(w *world) {
	w.clock.Advance(10 * time.Minute)
	w.release()
}

// guarded are lives in which a circuit opens.
var guarded = []life{
	{name: "its endpoint is down, and recovers", settings: many, retry: "many", more: 2, answers: down(8), again: 9, want: ending{11, 3, 0}},
	{name: "its host is down, and recovers", settings: many, retry: "many", answers: unreachable(4), beside: [][]answer{unreachable(4)},
		again: 9, want: ending{10, 2, 0}},
	{name: "its host is down for long, and what waits ramps out", settings: many, retry: "many", answers: unreachable(5),
		beside: [][]answer{unreachable(4), unreachable(4)}, again: 9, want: ending{16, 3, 0}},
	{name: "its endpoint is down for too long", settings: settingsOf{policies: many.policies, mostHeld: 5 * time.Minute}, retry: "many",
		more: 2, answers: []answer{busy}, again: 9, untold: 2, late: 1, want: ending{8, 0, 3}},
	{name: "its endpoint is gone for good", more: 2, answers: []answer{{status: 410}}, again: 3, untold: 2, want: ending{1, 0, 3}},
	{name: "its endpoint wants to be left alone for an hour", more: 1, answers: []answer{asks, ok}, again: 3, untold: 1,
		want: ending{3, 2, 0}},
	{name: "its endpoint fails every second time", settings: byRate, retry: "many", more: 3, answers: []answer{busy, ok, busy, ok},
		again: 9, want: ending{6, 4, 0}},
	{name: "twenty wait, and ramp out", more: 19, answers: []answer{asks, ok}, acts: []func(*world){later}, again: 20, untold: 19,
		want: ending{21, 20, 0}},
	{name: "its endpoint fails again while they ramp out", settings: many, retry: "many", more: 6,
		answers: append([]answer{asks, ok, ok}, down(6)...), acts: []func(*world){later}, again: 20, untold: 7, want: ending{14, 7, 0}},
	{name: "closed by hand, while they wait", more: 2, answers: []answer{asks, ok}, meanwhile: closeByHand, again: 3, untold: 2,
		want: ending{4, 3, 0}},
	{name: "gone for good, closed by hand and redriven", more: 2, answers: []answer{{status: 410}, ok},
		acts: []func(*world){closeByHand, redrive}, again: 3, untold: 2, want: ending{4, 3, 0}},
	{name: "opened and closed by hand", before: openByHand, more: 2, answers: []answer{ok}, meanwhile: closeByHand, again: 3,
		want: ending{3, 3, 0}},
	{name: "twice at once, while its probe is leased", settings: many, retry: "many", more: 2, answers: down(8), again: 9,
		at: site{"deliver: put circuit endpoint leased", 1}, do: (*world).twin, want: ending{11, 3, 0}},
	{name: "two releases at once, while they ramp out", more: 5, answers: []answer{asks, ok}, again: 6, untold: 5,
		at: site{"release: put circuit endpoint ramped", 1}, do: (*world).otherRelease, want: ending{7, 6, 0}},
}

// TestEveryCallIsMade: the lives in which a circuit opens make every call of the
// breaker, the probe and the ramp, so that each goes wrong in TestEveryFault.
func TestEveryCallIsMade(t *testing.T) {
	t.Parallel()
	made := map[string]int{}
	for _, l := range guarded {
		w, _ := l.live(t, nil)
		for _, s := range w.calls.sites {
			made[s.what]++
		}
	}
	for _, scope := range []string{"endpoint", "host"} {
		for _, what := range []string{"counting", "open", "open again", "awaited", "leased", "closed"} {
			if n := made["deliver: put circuit "+scope+" "+what]; n == 0 {
				t.Errorf("no life has a circuit of a %s %s", scope, what)
			}
		}
	}
	for _, what := range []string{"deliver: read circuits", "deliver: enter waiting", "deliver: put 1 held waiting", "deliver: put 1 held",
		"release: read page of circuits", "release: read place", "release: lease", "release: unlease", "release: put circuit endpoint ramped",
		"release: put circuit host ramped", "release: put circuit endpoint left", "release: send webhooks", "release: settle sent",
		"api: read kept circuits", "api: put circuit endpoint open", "api: put circuit endpoint closed", "api: audit circuit.opened 0",
		"api: audit circuit.closed 0", "deliver: audit circuit.opened 0", "deliver: audit circuit.closed 0"} {
		if made[what] == 0 {
			t.Errorf("no life makes the call %q", what)
		}
	}
	if t.Failed() {
		for what, n := range made {
			if !strings.Contains(what, "audit webhook") {
				t.Logf("%s: %d", what, n)
			}
		}
	}
}

// TestForgottenByHand: what waits for a circuit that somebody has opened, and nobody
// closes, waits for 14 days and is exhausted then.
func TestForgottenByHand(t *testing.T) {
	t.Parallel()
	w := inWorld(t, settingsOf{})
	openByHand(w)
	w.one(message{}, ok)
	if got := w.end(); got != (ending{0, 0, 1}) {
		t.Errorf("it ends with %s", got)
	}
	last := w.newest()
	if after := last.At.Sub(morning); after < 14*24*h || after > 14*24*h+2*m || !strings.Contains(last.Reason, "they move") {
		t.Errorf("it ended after %v: %s", after, last.Reason)
	}
}
