package deliver

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/waiting"
	"github.com/efferent/efferent/internal/webhook"
)

var (
	refused = webhook.Exchange{Err: errors.New("no connection: refused"), Unreachable: true}
	gone410 = webhook.Exchange{Status: 410, Gone: true}
	here    = circuit.Name{Scope: circuit.Endpoint, URL: "https://a.test/in"}
	host    = circuit.Name{Scope: circuit.Host, URL: "https://a.test"}
)

// to is the text of a message to a path, of a tenant.
func to(id, path, tenant string) string {
	text := strings.Replace(body(id), "https://a.test/in?token=t", "https://a.test"+path, 1)
	return strings.TrimSuffix(text, "}") + `,"tenant":"` + tenant + `"}`
}

// open has a circuit opened.
func (w *world) open(n circuit.Name, change func(*circuit.State)) {
	s := circuit.State{Name: n, Phase: circuit.Open, Version: 1, Why: "5 failures in a row", Opened: w.now, Until: w.now.Add(30 * time.Second)}
	change(&s)
	if _, err := w.store.PutCircuit(w.t.Context(), s); err != nil {
		w.t.Fatal(err)
	}
}

// carrying are the attributes of a message that carries texts.
func carrying(texts map[string]string) map[string]events.SQSMessageAttribute {
	all := map[string]events.SQSMessageAttribute{}
	for name, text := range texts {
		all[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &text}
	}
	return all
}

// TestOpenCircuits: what an open circuit keeps back waits, uses up no attempt, and
// ends at last.
func TestOpenCircuits(t *testing.T) {
	t.Parallel()
	const leftAlone = -1
	for name, c := range map[string]struct {
		of       circuit.Name
		change   func(*circuit.State)
		receives int
		carried  string // how long it was held so far
		want     want
		log      string // what is asked from the record on
	}{
		"for less than 2 minutes": {of: here, receives: 1,
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: 30 * time.Second, reason: "5 failures in a row"}},
		"the host's": {of: host, receives: 1,
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: 30 * time.Second, reason: "https://a.test is open"}},
		"for longer": {of: here, receives: 1, change: func(s *circuit.State) { s.Until = s.Until.Add(2 * time.Minute) },
			want: want{verdicts: []attempt.Verdict{attempt.Held}, hidden: leftAlone},
			log:  "record a 1 held, circuit endpoint open, enter m-a-1"},
		"in one of the last receives": {of: here, receives: 5, want: want{verdicts: []attempt.Verdict{attempt.Held}, hidden: leftAlone},
			log: "record a 1 held, circuit endpoint open, enter m-a-1"},
		"while a probe is under way": {of: here, receives: 1,
			change: func(s *circuit.State) { s.Until, s.Probe = s.Opened, s.Opened.Add(40*time.Second) },
			want:   want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: 40 * time.Second}},
		"opened by hand": {of: here, receives: 1, carried: "circuit=21600",
			change: func(s *circuit.State) { s.Forever, s.Why = true, "opened by ann" },
			want:   want{verdicts: []attempt.Verdict{attempt.Held}, hidden: leftAlone, reason: "opened by ann"},
			log:    "record a 1 held, circuit endpoint open, enter m-a-1"},
		"for ever": {of: here, receives: 1, change: func(s *circuit.State) { s.Forever, s.Gone, s.Why = true, true, "410 Gone" },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Exhausted}, hidden: 0, reason: "410 Gone", actions: "webhook.failed"}},
		"for six hours in all": {of: here, receives: 1, carried: "circuit=21600",
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Exhausted}, hidden: 0, reason: "6h0m0s", actions: "webhook.failed"}},
		"since it asked for that, which is not counted": {of: here, receives: 1, carried: "circuit=21600",
			change: func(s *circuit.State) { s.Asked = true },
			want:   want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: 30 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ok200)
			change := func(*circuit.State) {}
			if c.change != nil {
				change = c.change
			}
			w.open(c.of, change)
			m := aMessage("a", body("a"), c.receives)
			m.MessageAttributes = carrying(map[string]string{"efferent-held": c.carried, "efferent-released": "2026-11-24T08:00:00Z"})
			failed := w.handle(m)
			w.check(t, c.want, len(failed) == 1)
			if r := w.recorded("a")[0]; r.Status != neverSent || !strings.HasPrefix(r.Reason, "never sent") {
				t.Errorf("recorded is %+v", r)
			}
			if c.log != "" && !strings.Contains(strings.Join(w.log, ", "), c.log) {
				t.Errorf("%q is not in %v", c.log, w.log)
			}
		})
	}
}

// TestWhatWaitsForACircuit: it is in the room under its circuit, by its age, and is
// not counted as held before it comes out.
func TestWhatWaitsForACircuit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ok200)
	w.open(here, func(s *circuit.State) { s.Until = s.Until.Add(time.Hour) })
	first := w.now.Add(-time.Minute)
	m := aMessage("a", body("a"), 1)
	m.Attributes["ApproximateFirstReceiveTimestamp"] = "1795593540000"
	w.handle(m)
	items, _, err := w.store.Page(t.Context(), "", 9)
	if err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	i := items[0]
	if i.Circuit != here.Key() || i.Reason != waiting.Circuit || !i.Due.Equal(i.Carried.First) || i.Due.After(first.Add(time.Hour)) ||
		i.Carried.Held.String() != "" || i.Carried.Attempts != 0 {
		t.Errorf("%+v", i)
	}
	states, err := w.store.Circuits(t.Context(), []circuit.Name{here})
	if err != nil || len(states) != 1 || states[0].Awaited.IsZero() {
		t.Errorf("its circuit is %+v, %v", states, err)
	}
	// The move is repeated where its place is.
	m.Attributes["ApproximateReceiveCount"] = "2"
	if failed := w.handle(m); len(failed) > 0 || len(w.posts) > 0 {
		t.Errorf("received again it is %v, after %d posts", failed, len(w.posts))
	}
}

// TestNoProbeWithoutCertificates: what can't be sent takes no endpoint's probe.
func TestNoProbeWithoutCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ok200)
	w.open(here, func(s *circuit.State) { s.Until = s.Opened })
	w.readyErr = errFault
	w.handle(aMessage("a", body("a"), 1))
	w.readyErr = nil
	if w.handle(aMessage("b", body("b"), 1)); len(w.posts) != 1 || w.posts[0].ID != "b" {
		t.Errorf("posts %+v", w.posts)
	}
}

// TestTooLargeForTheRoom: what an operator keeps back, and does not fit there, waits
// in its queue, for as long as its receives allow, which is not counted.
func TestTooLargeForTheRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ok200)
	w.open(here, func(s *circuit.State) { s.Forever, s.Why = true, "opened by ann" })
	large := strings.Replace(body("a"), `{"n": 1}`, `"`+strings.Repeat("x", 1<<20-200)+`"`, 1)
	var waits []time.Duration
	for receives := 1; receives <= 6; receives++ {
		w.handle(aMessage("a", large, receives))
		waits = append(waits, w.hidden["r-a"])
		w.now = w.now.Add(w.hidden["r-a"])
	}
	if want := []time.Duration{time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 11 * time.Hour, 0}; !slices.Equal(waits, want) {
		t.Errorf("it was hidden for %v, want %v", waits, want)
	}
	if r := w.recorded("a")[0]; r.Verdict != attempt.Exhausted || r.Held != "" || !strings.Contains(r.Reason, "too large") {
		t.Errorf("%+v", r)
	}
}

// TestFewStayInTheQueue: of what an open circuit keeps back for less than 2 minutes
// a process leaves ten in the queue, each time that the probe is put off, and the
// others in the room; and no line is logged of any.
func TestFewStayInTheQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ok200)
	w.open(here, func(*circuit.State) {})
	inQueue := 0
	come := func(n int) {
		for range n {
			id := fmt.Sprint("a", len(w.hidden)+w.enters)
			inQueue += len(w.handle(aMessage(id, body(id), 1)))
			w.now = w.now.Add(time.Second)
		}
	}
	for _, step := range []struct{ come, inQueue, inRoom int }{{8, 8, 0}, {20, 10, 18}} {
		if come(step.come); inQueue != step.inQueue || w.enters != step.inRoom {
			t.Errorf("%d stay in the queue, %d are in the room, want %d and %d", inQueue, w.enters, step.inQueue, step.inRoom)
		}
	}
	w.now = w.now.Add(30 * time.Second)
	if r := w.circuits().Ask(t.Context(), here); !r.Go { // whose probe is under way from now on
		t.Fatalf("%+v", r)
	}
	if come(20); inQueue != 20 || w.enters != 28 {
		t.Errorf("%d stay in the queue, %d are in the room, want 20 and 28", inQueue, w.enters)
	}
	if w.lines.Len() > 0 {
		t.Errorf("logged is\n%s", w.lines.String())
	}
	// What is held for us is.
	w.secretErr = errFault
	if w.handle(aMessage("b", to("b", "/other", ""), 1)); !strings.Contains(w.lines.String(), "the message is held") {
		t.Error("no line tells of a message that is held for us")
	}
}

// TestCircuitsOpenAndClose walks an endpoint through failing and being well again.
func TestCircuitsOpenAndClose(t *testing.T) {
	t.Parallel()
	busy := webhook.Exchange{Status: 503}
	w := newWorld(t, busy, busy, busy, busy, busy, ok200)
	for _, id := range strings.Fields("a b c d e") {
		w.handle(aMessage(id, body(id), 1))
	}
	if diff := cmp.Diff([]string{"endpoint open"}, w.changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	w.handle(aMessage("f", body("f"), 1))
	if len(w.posts) != 5 {
		t.Errorf("%d posts, want 5", len(w.posts))
	}
	w.now = w.now.Add(31 * time.Second)
	w.handle(aMessage("f", body("f"), 2), aMessage("a", body("a"), 2))
	if len(w.posts) != 6 || len(w.changes) != 2 || w.changes[1] != "endpoint closed" {
		t.Errorf("%d posts, want 6: one probe; changes %v", len(w.posts), w.changes)
	}
	w.now = w.now.Add(time.Minute)
	w.handle(aMessage("f", body("f"), 3), aMessage("a", body("a"), 3))
	if len(w.posts) != 7 {
		t.Errorf("%d posts, want 7", len(w.posts))
	}
}

// TestOthersAreLeftAlone: what one endpoint answers changes nothing for another
// path, or another tenant, of its host; a host that is down opens for all.
func TestOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer webhook.Exchange
		times  int
		sent   bool
	}{
		"410":                  {gone410, 1, true},
		"Retry-After of a day": {webhook.Exchange{Status: 429, RetryAfter: 24 * time.Hour}, 1, true},
		"500s":                 {webhook.Exchange{Status: 500}, 9, true},
		"slow answers":         {webhook.Exchange{Status: 200, Slow: true}, 20, true},
		"no connection":        {refused, 5, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.answer)
			for n := range c.times {
				id := string(rune('a' + n))
				w.handle(aMessage(id, to(id, "/one", "acme"), 1))
			}
			before := len(w.posts)
			w.handle(aMessage("x", to("x", "/two", "acme"), 1), aMessage("y", to("y", "/one", "beta"), 1))
			if sent := len(w.posts) == before+2; sent != c.sent {
				t.Errorf("%d posts to the others", len(w.posts)-before)
			}
			before = len(w.posts)
			if w.handle(aMessage("z", to("z", "/one", "acme"), 1)); len(w.posts) != before {
				t.Error("its own next message was sent")
			}
		})
	}
}
