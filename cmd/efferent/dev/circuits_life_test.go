package dev

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/settings"
)

// limits are settings of circuits only.
func limits(text string) map[string]string { return map[string]string{settings.CircuitLimits: text} }

// startQuick runs Efferent in this process, with circuits that open so.
func startQuick(t *testing.T, text string) *commandtest.Running {
	t.Helper()
	s := startWith(t, ":memory:", limits(text))
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	return s
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	scenario.Answers(t, &startLocal(t).Stack)
}

func TestCircuits(t *testing.T) {
	t.Parallel()
	scenario.Circuits(t, &startQuick(t, "first=2s;longest=8s").Stack)
}

// TestSlowEndpoint: who takes everything, but too long for it, is left alone too.
func TestSlowEndpoint(t *testing.T) {
	t.Parallel()
	s := startQuick(t, "exchanges=4;first=2s")
	e := scenario.NewEndpoint(t, func(http.ResponseWriter, *http.Request, int) { <-time.After(4300 * time.Millisecond) })
	for n := range 4 {
		s.Send(t, scenario.Text(fmt.Sprintf("slow-%d", n), e.URL, `"timeout":"5s"`))
	}
	c := s.CircuitOf(t, e.URL, func(c replay.Circuit) bool { return c.Phase == replay.PhaseOpen })
	if !strings.HasSuffix(c.Why, "exchanges within a minute failed or were slow") {
		t.Errorf("it is open as %+v", c)
	}
	s.Send(t, scenario.Text("later", e.URL))
	for _, id := range []string{"slow-0", "slow-1", "slow-2", "slow-3", "later"} {
		records := s.Attempts(t, id)
		if last := records[len(records)-1]; last.Verdict != attempt.Delivered { // on a busy machine it may have been too late, too
			t.Errorf("%s came to %s", id, scenario.Verdicts(records))
		}
	}
}

// roomy are settings by which all that waits does so in the waiting room, and
// circuits open for as long as that takes.
var roomy = []string{settings.MaxReceives + "=2", settings.CircuitLimits + "=failures=1;first=1s;longest=2s",
	settings.RetryPolicies + "=many=1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s"}

// dying is an endpoint that is down until it is mended, and a dev that has messages
// for it.
type dying struct {
	*commandtest.Process
	*scenario.Endpoint
	t    *testing.T
	args []string
	// mended: it answers 200. hangs: it does not answer at all.
	mended, hangs atomic.Bool
	// ids are the messages, oldest first, and taken those that were answered 200.
	ids   []string
	taken chan string
}

// dies starts a dev with so many messages for an endpoint that is down, and waits
// until all of them wait for its circuit.
func dies(t *testing.T, messages int) *dying {
	t.Helper()
	d := &dying{t: t, taken: make(chan string, 1000),
		args: []string{"dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "e.db")}}
	d.Endpoint = scenario.NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		switch {
		case d.mended.Load():
			d.taken <- r.Header.Get("webhook-id")
		case d.hangs.Load():
			<-r.Context().Done()
		default:
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	d.Process = commandtest.StartProcess(t, roomy, d.args...)
	d.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	for n := range messages {
		d.ids = append(d.ids, fmt.Sprintf("evt-%02d", n))
		d.Send(t, scenario.Text(d.ids[n], d.URL, `"retry":"many"`))
		d.AttemptsUntil(t, d.ids[n], func(attempt.Verdict) bool { return true })
	}
	return d
}

// opened waits until the circuit is open, and messages wait for it: all but the one
// that opened it, and the probe.
func (d *dying) opened() replay.Circuit {
	d.t.Helper()
	return d.CircuitOf(d.t, d.URL, func(c replay.Circuit) bool { return c.Phase != replay.PhaseClosed && c.Waiting >= len(d.ids)-2 })
}

// again kills dev and starts it anew.
func (d *dying) again() {
	d.t.Helper()
	d.Kill()
	d.Process = commandtest.StartProcess(d.t, roomy, d.args...)
}

// next is which message is taken next.
func (d *dying) next() string {
	d.t.Helper()
	select {
	case id := <-d.taken:
		return id
	case <-time.After(commandtest.Soon):
		d.t.Fatalf("nothing more is taken; stderr: %s", d.Stderr.String())
		return ""
	}
}

// TestRamp: what waited for a dead endpoint arrives when it is well again, the
// oldest first, 1, 2, 4, … in ten seconds. What is for another does not wait.
func TestRamp(t *testing.T) {
	t.Parallel()
	d := dies(t, 8) // the probe, and three steps
	d.opened()
	well := scenario.NewEndpoint(t, scenario.OK)
	d.Send(t, scenario.Text("other", well.URL))
	if got := scenario.Verdicts(d.Attempts(t, "other")); got != "1:200:delivered" {
		t.Errorf("for the other endpoint: %s", got)
	}
	d.mended.Store(true)
	d.next() // the probe
	newest := ""
	for _, step := range []int{1, 2, 4} {
		var got []string
		for range step {
			if id := d.next(); id != d.ids[0] { // that opened the circuit, and came into the room later
				got = append(got, id)
			}
		}
		if len(got) == 0 {
			continue
		}
		if oldest := slices.Min(got); oldest < newest {
			t.Errorf("%s was taken a step later than %s", oldest, newest)
		}
		newest = slices.Max(got)
	}
}

// TestKillWhileCircuitsAreOpen kills dev while a circuit is open, while its probe is
// under way, and while what waited ramps out. Nothing is lost, and nothing waits for
// ever.
func TestKillWhileCircuitsAreOpen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		messages int
		kills    func(d *dying)
	}{
		"open": {3, func(d *dying) {
			d.again()
			if d.opened(); len(d.taken) > 0 {
				d.t.Error("something arrived at an endpoint that is down")
			}
			d.again()
			d.mended.Store(true)
		}},
		"probed": {2, func(d *dying) {
			d.hangs.Store(true)
			d.CircuitOf(d.t, d.URL, func(c replay.Circuit) bool { return c.Phase == replay.PhaseHalfOpen })
			d.again()
			d.mended.Store(true)
		}},
		"ramping": {4, func(d *dying) {
			d.mended.Store(true)
			d.next() // the probe
			d.CircuitOf(d.t, d.URL, func(c replay.Circuit) bool { return c.Phase == replay.PhaseClosed })
			d.again()
			d.next() // the first of two steps
			d.again()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dies(t, c.messages)
			d.opened()
			c.kills(d)
			for _, id := range d.ids {
				records := d.AttemptsUntil(t, id, attempt.Verdict.Final)
				if last := records[len(records)-1]; last.Verdict != attempt.Delivered {
					t.Errorf("%s came to %s", id, scenario.Verdicts(records))
				}
			}
			d.AwaitEmpty(t, settings.WebhooksQueue)
			d.WaitFor(t, 0)
		})
	}
}
