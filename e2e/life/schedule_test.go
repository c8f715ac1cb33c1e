package life

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
)

// inWorld is a world for one test, with SQLite, whose problems are the test's.
func inWorld(t *testing.T, s settingsOf) *world {
	t.Helper()
	s.sqlite = true
	w, err := newWorld(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.report(t)
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// one runs the life of one message.
func (w *world) one(m message, answers ...answer) *endpoint {
	e := &endpoint{script: answers}
	m.id, m.url = "evt_1", someURL
	w.internet.endpoints[m.url] = e
	w.produce(m)
	w.rest()
	return e
}

const (
	s = time.Second
	m = time.Minute
	h = time.Hour
)

// slack is how late a POST may be: SQS holds messages back by whole seconds.
const slack = 2 * s

// at checks when POSTs were made: the first now, each other one after a delay
// from the one before.
func (e *endpoint) at(t *testing.T, first time.Time, delays ...time.Duration) {
	t.Helper()
	if len(e.posts) != len(delays)+1 {
		t.Fatalf("there were %d POSTs, want %d: %v", len(e.posts), len(delays)+1, e.posts)
	}
	due := first
	for n, at := range e.posts {
		if n > 0 {
			due = e.posts[n-1].Add(delays[n-1])
		}
		if at.Before(due) || at.Sub(due) > slack {
			t.Errorf("POST %d was made %v after the first, want it %v after it", n+1, at.Sub(e.posts[0]), due.Sub(e.posts[0]))
		}
	}
}

var standard = []time.Duration{5 * s, 5 * m, 30 * m, 2 * h, 5 * h, 10 * h, 14 * h, 20 * h, 24 * h}

// TestStandard: ten attempts, each at its time, then the dead-letter queue; the
// replay's six from there.
func TestStandard(t *testing.T) {
	t.Parallel()
	w := inWorld(t, settingsOf{limits: unguarded})
	e := w.one(message{retry: "standard"}, busy)
	e.at(t, morning, standard...)
	if got := w.end(); got != (ending{10, 0, 1}) {
		t.Errorf("it ends with %s", got)
	}
	e.posts = nil
	replayOne(w)
	replayed := w.clock.Now()
	w.rest()
	e.at(t, replayed, 5*s, 10*s, 20*s, 40*s, 80*s)
	if got := w.end(); got != (ending{6, 0, 1}) {
		t.Errorf("replayed it ends with %s", got)
	}
}

// TestStandardRedriven: its full policy again.
func TestStandardRedriven(t *testing.T) {
	t.Parallel()
	w := inWorld(t, settingsOf{limits: unguarded})
	e := w.one(message{retry: "standard"}, busy)
	e.posts = nil
	redrive(w)
	redriven := w.clock.Now()
	w.rest()
	e.at(t, redriven, standard...)
	if got := w.end(); got != (ending{10, 0, 1}) {
		t.Errorf("redriven it ends with %s", got)
	}
}

// TestRetryAfterADay: the endpoint's day is the policy's longest delay, so it
// counts: ten attempts, a day apart.
func TestRetryAfterADay(t *testing.T) {
	t.Parallel()
	w := inWorld(t, settingsOf{limits: unguarded})
	e := w.one(message{retry: "standard"}, answer{status: 503, retryAfter: 24 * h})
	e.at(t, morning, slices.Repeat([]time.Duration{24 * h}, 9)...)
	if got := w.end(); got != (ending{10, 0, 1}) {
		t.Errorf("it ends with %s", got)
	}
}

// TestRetryAfterAnHour: what an endpoint asks for beyond the policy's delays
// counts against nothing but the 14 days.
func TestRetryAfterAnHour(t *testing.T) {
	t.Parallel()
	w := inWorld(t, settingsOf{limits: unguarded})
	e := w.one(message{}, answer{status: 503, retryAfter: h})
	last := e.posts[len(e.posts)-1].Sub(morning)
	if last < 14*24*h || last > 14*24*h+h+m {
		t.Errorf("the last of %d POSTs was made after %v, want 14 days", len(e.posts), last)
	}
	if got := w.end(); got.letters != 1 {
		t.Errorf("it ends with %s", got)
	}
	records := w.stores.all()
	if r := w.newest(); r.Verdict != attempt.Exhausted || !strings.Contains(r.Reason, "14 days") {
		t.Errorf("the last of %d records is %s: %s", len(records), r.Verdict, r.Reason)
	}

	// From the dead-letter queue it comes back with a full policy, to an endpoint
	// that asks for nothing any more.
	for name, back := range map[string]struct {
		act    func(*world)
		delays []time.Duration
	}{
		"redriven": {redrive, []time.Duration{1 * s, 2 * s, 4 * s}},
		"replayed": {replayOne, []time.Duration{5 * s, 10 * s, 20 * s, 40 * s, 80 * s}},
	} {
		e.script, e.posts = []answer{busy}, nil
		back.act(w)
		at := w.clock.Now()
		w.rest()
		if len(e.posts) != len(back.delays)+1 {
			t.Errorf("%s it was tried %d times, want %d; %s", name, len(e.posts), len(back.delays)+1, w.newest().Reason)
			continue
		}
		e.at(t, at, back.delays...)
	}
}

// newest is the record of the newest attempt.
func (w *world) newest() (newest attempt.Record) {
	for _, r := range w.stores.all() {
		if r.At.After(newest.At) {
			newest = r
		}
	}
	return newest
}
