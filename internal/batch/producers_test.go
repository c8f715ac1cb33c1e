package batch

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/outcome"
)

func newHeard(script string, most int, faults map[int]fault) *life {
	l := newLife(script, most, faults)
	l.listens = true
	return l
}

// TestProducersAreTold: what a life without trouble costs where somebody wants to know
// how it ends. A message that was sent costs one call more, one that was not two; the
// outcome of a failure comes before the message drains.
func TestProducersAreTold(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"d":  "tell try#1, put 1, inform delivery.delivered, tell end#1",
		"rd": "tell try#1, put 1, hide, tell end#1, read, tell try#2, put 2, inform delivery.delivered, tell end#2",
		"p":  "tell try#1, put 1?, inform delivery.failed, tell end#1, put 1, hide, read, hide, read, hide, read, hide",
	} {
		l := newHeard(script, 4, nil)
		l.live()
		// They are told at the same time.
		got := strings.Join(l.calls, ", ")
		for _, kind := range []string{"delivered", "failed"} {
			for n := range len(script) {
				end := fmt.Sprintf("tell end#%d", n+1)
				got = strings.ReplaceAll(got, end+", inform delivery."+kind, "inform delivery."+kind+", "+end)
			}
		}
		if got != want {
			t.Errorf("%s: got %s", script, got)
		}
		if len(l.heard) != 1 || l.heard[0].Tenant != "acme" || l.heard[0].Subject != "w" {
			t.Errorf("%s: heard %+v", script, l.heard)
		}
	}
}

// TestProducersAreToldInTheEnd has each call of a life go wrong in each way. Whatever
// does, the end is told of, and what is told twice is the same. Nobody hears of an end that is none.
func TestProducersAreToldInTheEnd(t *testing.T) {
	t.Parallel()
	for _, script := range scripts {
		for _, f := range []fault{fails, failsButHas, crash, crashAfter} {
			quiet := newHeard(script, 12, nil)
			quiet.live()
			for n := range quiet.calls {
				t.Run(fmt.Sprintf("%s, call %d: %s", script, n+1, f), func(t *testing.T) {
					t.Parallel()
					l := newHeard(script, 12, map[int]fault{n + 1: f})
					l.live()
					l.checkHeard(t, f)
				})
			}
		}
	}
}

func (l *life) checkHeard(t *testing.T, f fault) {
	t.Helper()
	want := outcome.Failed
	if strings.HasSuffix(l.script, "d") {
		want = outcome.Delivered
	}
	var distinct []string
	for _, e := range l.heard {
		b, err := e.JSON()
		if err != nil {
			t.Error(err)
		}
		if !slices.Contains(distinct, string(b)) {
			distinct = append(distinct, string(b))
		}
		if e.Kind != want {
			t.Errorf("heard of %s", e.Kind)
		}
	}
	sent := l.tries[fmt.Sprintf("m#%d", len(l.script))]
	switch {
	case len(l.heard) == 0:
		t.Error("nobody heard how it ended")
	case len(distinct) > sent, f == fails && len(l.heard) > sent+1: // a mark that stayed has it told twice
		t.Errorf("heard %d times, %d different ones, of %d", len(l.heard), len(distinct), sent)
	case len(l.missing) > 0:
		t.Errorf("these are said to be missing: %v", l.missing)
	}
	for _, r := range l.left(t) {
		if r.OutcomeDue || r.Untold {
			t.Errorf("attempt %d is still marked", r.Attempt)
		}
	}
	if t.Failed() {
		t.Logf("calls:\n%s", strings.Join(l.calls, "\n"))
	}
}
