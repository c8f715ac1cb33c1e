package life

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/settings"
)

// TestEqualMessages: five messages, equal in all that is recorded of them, are
// refused, and the console redrives them. The listing is right all the same.
func TestEqualMessages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after []answer
		left  int
	}{
		"all taken then":    {[]answer{ok}, 0},
		"two refused again": {[]answer{ok, gone, ok, gone, ok}, 2},
		"all refused again": {[]answer{gone}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := inWorld(t, settingsOf{})
			e := &endpoint{script: []answer{gone}}
			w.internet.endpoints[someURL] = e
			for range 5 {
				w.produce(message{id: "evt_1", url: someURL})
			}
			w.rest()
			if got := w.end(); got != (ending{5, 0, 5}) {
				t.Errorf("refused they end with %s", got)
			}
			e.script = c.after
			redrive(w)
			w.rest()
			if got := w.end(); got != (ending{10, 5 - c.left, c.left}) {
				t.Errorf("redriven they end with %s, want %d dead letters", got, c.left)
			}
		})
	}
}

// TestAnHourAway: a trouble of our own costs nobody an attempt, however the
// messages come while it lasts.
func TestAnHourAway(t *testing.T) {
	t.Parallel()
	for name, what := range map[string][]string{
		"Secrets Manager": {"read secret"},
		"the audit queue": {"audit"},
		"the table":       {"deliver: put", "deliver: read history", "deliver: enter", "release:"},
	} {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, known before %v", name, known), func(t *testing.T) {
				t.Parallel()
				w := inWorld(t, settingsOf{})
				w.internet.endpoints[someURL] = &endpoint{script: []answer{ok}}
				if known {
					w.produce(message{id: "before", url: someURL})
					w.rest()
				}
				for _, one := range what {
					w.calls.outages = append(w.calls.outages, outage{one, w.clock.Now(), w.clock.Now().Add(time.Hour)})
				}
				const messages = 30
				for n := range messages {
					w.produce(message{id: fmt.Sprint("evt_", n), url: someURL})
					w.pass(2 * time.Minute)
				}
				if n := w.internet.at(someURL).taken; name == "Secrets Manager" && known && n != messages+1 {
					t.Errorf("%d of %d were delivered by a key that is known, before Secrets Manager was back", n, messages+1)
				}
				w.rest()
				got := w.end()
				if want := messages + map[bool]int{true: 1}[known]; got.taken < want || got.letters > 0 {
					t.Errorf("of %d messages it ends with %s", want, got)
				}
				if newest := w.newest(); newest.At.Sub(morning) > 2*time.Hour {
					t.Errorf("the last was delivered at %s", newest.At)
				}
			})
		}
	}
}

// TestInFlightLimit: an endpoint that is down, with more messages than may be in
// flight, is in nobody's way.
func TestInFlightLimit(t *testing.T) {
	t.Parallel()
	w := inWorld(t, settingsOf{inFlightLimit: 1000, crowd: true, limits: unguarded})
	w.manyForADeadEndpoint(t)
}

// TestInFlightLimitOfAnOpenCircuit: nor is one that the circuit keeps back. All but
// a few of what is for it are in the room, each by one record and one write.
func TestInFlightLimitOfAnOpenCircuit(t *testing.T) {
	t.Parallel()
	w := inWorld(t, settingsOf{inFlightLimit: 1000, crowd: true})
	w.manyForADeadEndpoint(t)
	records, moves, circuits := 0, 0, 0
	for what, n := range w.calls.count {
		switch {
		case strings.HasPrefix(what, "deliver: put circuit"):
			circuits += n
		case strings.HasPrefix(what, "deliver: put"):
			records += n
		case strings.HasPrefix(what, "deliver: enter"):
			moves += n
		}
	}
	t.Logf("%d puts of records, %d moves into the room, %d writes of circuits", records, moves, circuits)
	hidden := w.count(settings.WebhooksQueue, "ApproximateNumberOfMessagesNotVisible")
	if hidden > 20 || moves > 5050 || records > 5300 || circuits > 30 {
		t.Errorf("%d are hidden, after %d moves, %d puts of records and %d of circuits", hidden, moves, records, circuits)
	}
}

func (w *world) manyForADeadEndpoint(t *testing.T) {
	t.Helper()
	const down, healthy = "https://down.test/in", "https://up.test/in"
	w.internet.endpoints[down] = &endpoint{script: []answer{busy}}
	up := &endpoint{script: []answer{ok}}
	w.internet.endpoints[healthy] = up
	for n := range 5000 {
		w.produce(message{id: fmt.Sprint("down_", n), url: down, retry: "standard", tenant: "down"})
	}
	for n := range 120 {
		sent := w.clock.Now()
		w.produce(message{id: fmt.Sprint("up_", n), url: healthy, tenant: "up"})
		w.pass(5 * time.Second)
		if len(up.posts) <= n {
			t.Fatalf("message %d of the healthy endpoint, sent at %s, was not delivered by %s", n, sent.Format(time.TimeOnly),
				w.clock.Now().Format(time.TimeOnly))
		}
	}
	if n := w.count(settings.WebhooksQueue, "ApproximateNumberOfMessagesNotVisible"); n > 500 {
		t.Errorf("%d messages are in flight", n)
	}
}

// TestForged: who may send may set what a message carries. It decides about
// numbers and the policy at most: the message is delivered all the same.
func TestForged(t *testing.T) {
	t.Parallel()
	for name, forged := range map[string]map[string]string{
		"unreadable": {"efferent-id": "\t", "efferent-origin": "?", "efferent-attempts": "x", "efferent-base": "-1",
			"efferent-first": "yesterday", "efferent-released": "0", "efferent-held": "=,=", "efferent-retry": "seed"},
		"too many attempts": {"efferent-attempts": "9999", "efferent-base": "0", "efferent-released": "2026-11-24T08:00:00Z"},
		"far too many":      {"efferent-attempts": "99999999999999999999"},
		"of old":            {"efferent-first": "2001-01-01T00:00:00Z", "efferent-released": "2001-01-01T00:00:00Z"},
		"of the future":     {"efferent-first": "2101-01-01T00:00:00Z", "efferent-released": "2101-01-01T00:00:00Z"},
		"held for long":     {"efferent-held": "trouble=9999999,retry-after=9999999", "efferent-released": "2026-11-24T08:00:00Z"},
		"another's":         {"efferent-id": "evt_0", "efferent-origin": "11111111-1111-1111-1111-111111111111", "efferent-attempts": "3"},
		"no such policy":    {"efferent-retry": "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := inWorld(t, settingsOf{})
			w.one(message{attributes: forged}, ok)
			if got := w.end(); got != (ending{1, 1, 0}) {
				t.Errorf("it ends with %s: %s", got, w.newest().Reason)
			}
		})
	}
}
