package circuit_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/efferent/efferent/internal/circuit"
)

// registered is the circuit of a registered endpoint.
var registered = circuit.Name{Scope: circuit.Endpoint, URL: "ep_1"}

// step is what is seen of the endpoint some time after it was enabled.
type step struct {
	at   time.Duration
	what string // fails, refuses or delivers; also so often
	n    int
}

// TestFailing: who is warned of, and when an endpoint is overdue; and what is written
// for it.
func TestFailing(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		steps  []step
		enable time.Duration // again, so long after
		want   []string
	}{
		"one message a day, four tries each": {steps: []step{{0, "fails", 4}, {day, "fails", 4}, {2 * day, "fails", 4}, {3 * day, "fails", 4},
			{4 * day, "fails", 4}, {5 * day, "fails", 1}}, want: []string{"72h0m0s warned", "96h0m0s warned", "120h0m0s overdue"}},
		"with each failure from then on": {steps: []step{{0, "fails", 5}, {6 * day, "fails", 2}},
			want: []string{"144h0m0s overdue", "144h0m0s overdue"}},
		"one a week, too few":      {steps: []step{{0, "fails", 1}, {7 * day, "fails", 3}}},
		"it takes one between":     {steps: []step{{0, "fails", 5}, {4 * day, "delivers", 1}, {5 * day, "fails", 5}}},
		"it refuses all":           {steps: []step{{0, "refuses", 5}, {5 * day, "refuses", 1}}, want: []string{"120h0m0s overdue"}},
		"it took one, and refuses": {steps: []step{{0, "delivers", 1}, {time.Minute, "refuses", 9}, {6 * day, "refuses", 1}}},
		"it was enabled again":     {enable: 3 * day, steps: []step{{0, "fails", 5}, {4 * day, "fails", 5}, {6 * day, "fails", 1}}},
		"enabled again, and too long": {enable: 3 * day, steps: []step{{0, "fails", 5}, {4 * day, "fails", 5}, {9 * day, "fails", 1}},
			want: []string{"216h0m0s overdue"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin, table := time.Now(), newTable()
				var told []string
				k := (&changes{}).keeper(table)
				k.Limits = circuit.Limits{Disable: 5 * day, Threshold: 1000}
				k.Failing = func(_ context.Context, s circuit.State, overdue bool) {
					word := map[bool]string{true: "overdue", false: "warned"}[overdue]
					told = append(told, fmt.Sprint(time.Since(begin), " ", word))
				}
				for _, step := range c.steps {
					time.Sleep(step.at - time.Since(begin))
					for range step.n {
						k.Ask(t.Context(), registered, host)
						r := circuit.Result{Endpoint: registered, Host: host, Enabled: begin, Failed: step.what == "fails",
							Refused: step.what == "refuses", Delivered: step.what == "delivers"}
						if c.enable > 0 && step.at > c.enable {
							r.Enabled = begin.Add(c.enable)
						}
						k.Tell(t.Context(), []circuit.Result{r})
					}
				}
				if !slices.Equal(told, c.want) {
					t.Errorf("told is %v, want %v", told, c.want)
				}
			})
		})
	}
}

// TestFailingCosts: an endpoint that is well, and refuses some, costs no write; one that
// is not registered has no such times.
func TestFailingCosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable()
		k := (&changes{}).keeper(table)
		k.Limits.Disable = time.Hour
		tell := func(r circuit.Result) {
			k.Ask(t.Context(), r.Endpoint, host)
			r.Host = host
			k.Tell(t.Context(), []circuit.Result{r})
		}
		for range 10 {
			tell(circuit.Result{Endpoint: registered, Enabled: time.Now(), Delivered: true})
			tell(circuit.Result{Endpoint: registered, Enabled: time.Now(), Refused: true})
		}
		if table.writes != 0 {
			t.Errorf("%d writes", table.writes)
		}
		tell(circuit.Result{Endpoint: in, Failed: true})
		if s := table.kept(t, in); !s.Failing.IsZero() {
			t.Errorf("%+v", s)
		}
		tell(circuit.Result{Endpoint: registered, Enabled: time.Now(), Failed: true})
		if s := table.kept(t, registered); s.Failing.IsZero() || time.Until(s.Expires(time.Now())) < 28*24*time.Hour {
			t.Errorf("%+v", s)
		}
	})
}

// TestExpires: what may be waited for is not forgotten.
func TestExpires(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		state circuit.State
		want  time.Duration // 0 is never
	}{
		"closed":  {circuit.State{}, circuit.Retention},
		"open":    {circuit.State{Phase: circuit.Open}, 0},
		"awaited": {circuit.State{Awaited: now}, 0},
		"fails":   {circuit.State{Failing: now}, 30 * 24 * time.Hour},
	} {
		want := time.Time{}
		if c.want > 0 {
			want = now.Add(c.want)
		}
		if got := c.state.Expires(now); !got.Equal(want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
