package deliver

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/waiting"
)

const anEndpoint = "ep_1"

// toEndpoint is the text of a message to it.
func toEndpoint(id string) string {
	return `{"id":"` + id + `","endpoint":"` + anEndpoint + `","tenant":"acme","event_type":"e","body":{"n": 1}}`
}

// registers has the endpoint be there, changed from one that is enabled.
func (w *world) registers(change func(*endpoint.Endpoint)) {
	w.t.Helper()
	e := endpoint.Endpoint{ID: anEndpoint, Tenant: "acme", URL: "https://a.test/in?token=t", EventTypes: []string{"*"},
		Secret: "efferent/webhooks/acme", State: endpoint.Enabled, Version: 1, Created: w.now, Updated: w.now}
	change(&e)
	if err := w.store.CreateEndpoint(w.t.Context(), e, 10); err != nil {
		w.t.Fatal(err)
	}
}

// alters replaces the endpoint.
func (w *world) alters(change func(*endpoint.Endpoint)) {
	w.t.Helper()
	e := w.endpoint()
	change(&e)
	e.Version++
	if err := w.store.UpdateEndpoint(w.t.Context(), e); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) endpoint() endpoint.Endpoint {
	w.t.Helper()
	kept, err := w.store.Endpoints(w.t.Context(), []string{anEndpoint})
	if err != nil || len(kept) != 1 {
		w.t.Fatal(kept, err)
	}
	return kept[0]
}

// received is a message to the endpoint that was first received at a time.
func received(first time.Time, receives int) events.SQSMessage {
	m := aMessage("a", toEndpoint("a"), receives)
	m.Attributes["ApproximateFirstReceiveTimestamp"] = strconv.FormatInt(first.UnixMilli(), 10)
	return m
}

func is(s endpoint.State) func(*endpoint.Endpoint) {
	return func(e *endpoint.Endpoint) { e.State, e.Why = s, "as ann wishes" }
}

// TestEndpointStates: what an endpoint's state makes of a message.
func TestEndpointStates(t *testing.T) {
	t.Parallel()
	const leftAlone = -1
	held := want{verdicts: []attempt.Verdict{attempt.Held}, hidden: leftAlone}
	because := func(w want, reason string) want { w.reason = reason; return w }
	none := want{failed: true, verdicts: []attempt.Verdict{attempt.Permanent}, hidden: 0, actions: "webhook.failed",
		reason: "there is no endpoint ep_1"}
	for name, c := range map[string]struct {
		setup    func(*world)
		text     string
		receives int
		want     want
	}{
		"enabled": {setup: func(w *world) { w.registers(is(endpoint.Enabled)) },
			want: want{verdicts: []attempt.Verdict{attempt.Delivered}, hidden: leftAlone, posts: 1, actions: "webhook.attempt webhook.delivered"}},
		"paused": {setup: func(w *world) { w.registers(is(endpoint.Paused)) },
			want: because(held, "not sent: the endpoint ep_1 is paused: as ann wishes")},
		"disabled": {setup: func(w *world) { w.registers(is(endpoint.Disabled)) },
			want: because(held, "is disabled: as ann wishes")},
		"paused, on its last one": {setup: func(w *world) { w.registers(is(endpoint.Paused)) }, receives: 6, want: because(held, "is paused")},
		"paused, and its circuit is open": {setup: func(w *world) {
			w.registers(is(endpoint.Paused))
			w.open(endpoint.Circuit(anEndpoint), func(s *circuit.State) { s.Until = w.now })
		}, want: because(held, "is paused")},
		"too large for the room": {setup: func(w *world) { w.registers(is(endpoint.Paused)) }, receives: 2,
			text: strings.Replace(toEndpoint("a"), `{"n": 1}`, `"`+strings.Repeat("x", 1<<20)+`"`, 1),
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: 15 * time.Minute}},
		"none":             {setup: func(*world) {}, want: none},
		"another tenant's": {setup: func(w *world) { w.registers(func(e *endpoint.Endpoint) { e.Tenant = "other" }) }, want: none},
		"another, and paused": {setup: func(w *world) {
			w.registers(func(e *endpoint.Endpoint) { e.Tenant, e.State = "other", endpoint.Paused })
		}, want: none},
		"can't be read": {setup: func(w *world) { w.endpointsErr = errFault },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: time.Minute, reason: "injected fault"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ok200)
			c.setup(w)
			text := c.text
			if text == "" {
				text = toEndpoint("a")
			}
			failed := w.handle(aMessage("a", text, max(1, c.receives)))
			w.check(t, c.want, len(failed) == 1)
		})
	}
}

// TestPausedWaits: it waits under its endpoint's circuit, by its age, for a reason of
// its own, and nothing is counted yet; a move that failed is made by the next receive,
// even if the endpoint is enabled by then.
func TestPausedWaits(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"works": works, "fails": fails, "fails, but keeps": failsButKeeps} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, busy503, ok200)
			w.registers(is(endpoint.Enabled))
			first := w.now
			w.handle(received(first, 1))
			w.alters(is(endpoint.Paused))
			w.now = w.now.Add(time.Second)
			w.enterFault = on(1, f)
			if failed := w.handle(received(first, 2)); (len(failed) == 1) != (f != works) {
				t.Errorf("failed are %v", failed)
			}
			if f != works {
				w.alters(is(endpoint.Enabled))
				w.now = w.now.Add(time.Minute)
				w.handle(received(first, 3))
			}
			items := w.store.Room()
			if len(items) != 1 || len(w.posts) != 1 {
				t.Fatalf("%d items, %d posts", len(items), len(w.posts))
			}
			i := items[0]
			if i.Reason != waiting.Paused || i.Circuit != endpoint.Circuit(anEndpoint).Key() || i.State != waiting.Waiting ||
				i.Carried.Attempts != 1 || i.Carried.Base != 0 || len(i.Carried.Held) != 0 || i.URL != "https://a.test/in" {
				t.Errorf("it waits as %+v", i)
			}
			states, _ := w.store.KeptCircuits(t.Context(), []string{i.Circuit})
			if len(states) != 1 || states[0].Awaited.IsZero() {
				t.Errorf("nobody looks for it: %+v", states)
			}
		})
	}
}

// TestMovedHosts: what waits for the circuit of a host is moved there again, if its
// endpoint has another by now.
func TestMovedHosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ok200)
	w.registers(is(endpoint.Enabled))
	w.open(host, func(s *circuit.State) { s.Until = s.Until.Add(time.Hour) })
	w.enterFault = on(1, fails)
	w.handle(aMessage("a", toEndpoint("a"), 1))
	w.alters(func(e *endpoint.Endpoint) { e.URL = "https://b.test/in" })
	w.now = w.now.Add(time.Minute)
	if failed := w.handle(aMessage("a", toEndpoint("a"), 2)); len(failed) != 0 {
		t.Errorf("it is not moved: %s", w.lines.String())
	}
	if items := w.store.Room(); len(items) != 1 || items[0].Circuit != host.Key() || items[0].Reason != waiting.Circuit {
		t.Errorf("waiting are %+v", items)
	}
}
