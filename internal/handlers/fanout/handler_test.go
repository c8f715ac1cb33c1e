package fanout

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// to are the endpoints that each webhook-id was sent to, in order, without repeats.
func (w *world) to() map[string][]string {
	all := map[string][]string{}
	for _, m := range w.sent {
		if !slices.Contains(all[m.ID], m.EndpointID) {
			all[m.ID] = append(all[m.ID], m.EndpointID)
		}
	}
	for _, ids := range all {
		slices.Sort(ids)
	}
	return all
}

func sorted(ids ...string) []string { slices.Sort(ids); return ids }

func TestFanOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.register("acme", "invoice.*"), w.register("acme", "*")
	c := w.register("globex", "*")
	failed := w.handle(w.handler(),
		w.received("m1", text("evt_1", "acme", "invoice.paid", `{"a": 1}`), 1),
		w.received("m2", text("", "acme", "user", `[2]`), 1),
		w.received("m3", text("evt_1", "globex", "user", `3`), 1),
		w.received("m4", text("evt_4", "nobody", "user", `4`), 1),
	)
	want := map[string][]string{"evt_1": sorted(a.ID, b.ID, c.ID), "m2": {b.ID}}
	if diff := gocmp.Diff(want, w.to()); diff != "" || len(failed) > 0 || len(w.sent) != 4 {
		t.Errorf("failed %v, sent %d (-want +got):\n%s", failed, len(w.sent), diff)
	}
	for n, m := range w.sent {
		if m.EndpointID == a.ID && (string(m.Body) != `{"a": 1}` || m.Tenant != "acme" || m.EventType != "invoice.paid") {
			t.Errorf("sent %+v", m)
		}
		if w.groups[n] != event.Group(m.Tenant, m.EndpointID) || !strings.HasPrefix(w.groups[n], m.Tenant+"/") {
			t.Errorf("group %s of %+v", w.groups[n], m)
		}
	}
}

// TestPrice is what a batch of ten events to one endpoint each costs, and one event to
// twenty.
func TestPrice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register("acme", "one")
	for range 20 {
		w.register("acme", "many")
	}
	h := w.handler()
	var ten []events.SQSMessage
	for n := range 10 {
		ten = append(ten, w.received(fmt.Sprint("m", n), text("", "acme", "one", "1"), 1))
	}
	one := func(eventType string) []events.SQSMessage {
		return []events.SQSMessage{w.received("x", text("", "acme", eventType, "1"), 1)}
	}
	for _, c := range []struct {
		name     string
		batch    []events.SQSMessage
		calls    map[string]int
		messages []int
	}{
		{"the first ten, to one each", ten, map[string]int{"roster": 1, "endpoints": 1, "keep": 10, "send": 1}, []int{10}},
		{"ten to one each", ten, map[string]int{"roster": 1, "keep": 10, "send": 1}, []int{10}},
		{"one to twenty", one("many"), map[string]int{"roster": 1, "keep": 1, "send": 1}, []int{20}},
		{"one to nobody", one("none"), map[string]int{"roster": 1}, nil},
	} {
		clear(w.calls)
		w.sizes = nil
		if failed := w.handle(h, c.batch...); len(failed) > 0 || !maps.Equal(w.calls, c.calls) || !slices.Equal(w.sizes, c.messages) {
			t.Errorf("%s: failed %v, calls %v, messages %v", c.name, failed, w.calls, w.sizes)
		}
	}
}

// TestRecipientsAreFixed when an event is first read: whoever comes later has no part
// in it, and who goes does not make it another's.
func TestRecipientsAreFixed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.register("acme", "*")
	body := text("evt_1", "acme", "user", "1")
	w.handle(w.handler(), w.received("m1", body, 1))
	w.register("acme", "*")
	w.handle(w.handler(), w.received("m1", body, 2))
	w.handle(w.handler(), w.received("m2", body, 1)) // published again
	if diff := gocmp.Diff(map[string][]string{"evt_1": {a.ID}}, w.to()); diff != "" || len(w.sent) != 3 {
		t.Errorf("sent %d (-want +got):\n%s", len(w.sent), diff)
	}
	if err := w.DeleteEndpoint(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	w.sent = nil
	for _, other := range w.of("acme") { // now it matches nobody
		if err := w.DeleteEndpoint(t.Context(), other); err != nil {
			t.Fatal(err)
		}
	}
	w.handle(w.handler(), w.received("m1", body, 3))
	moved := w.received("m1-room", body, 1)
	carried := message.Carried{ID: "evt_1", Origin: "m1", Attempts: 1, First: w.now, Released: w.now}
	moved.MessageAttributes = map[string]events.SQSMessageAttribute{}
	for name, a := range (&waiting.Item{Carried: carried}).Sendable() {
		moved.MessageAttributes[name] = events.SQSMessageAttribute{DataType: a.Type, StringValue: &a.Text}
	}
	w.handle(w.handler(), moved)
	if len(w.sent) != 2 || w.sent[0].EndpointID != a.ID || w.sent[1].EndpointID != a.ID {
		t.Errorf("where it matches nobody now it is sent to %+v", w.sent)
	}
	w.register("acme", "*")
	w.register("acme", "*")
	w.sent = nil
	w.handle(w.handler(), w.received("m3", text("evt_1", "acme", "user", "2"), 1))
	if len(w.sent) != 2 {
		t.Errorf("another event of the same id went to %d", len(w.sent))
	}
	records, _, err := w.EventsOf(t.Context(), event.PlaceOf("acme", w.now), "", 10)
	if err != nil || len(records) != 2 || string(records[0].Body) == string(records[1].Body) {
		t.Errorf("kept %+v, %v", records, err)
	}
}

// TestTraceGoesOn with each message, unless it is too long with it.
func TestTraceGoesOn(t *testing.T) {
	t.Parallel()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	longest := text("evt_1", "acme", "user", `"`+strings.Repeat("x", 1<<20-4<<10-200)+`"`)
	for name, c := range map[string]struct {
		body, state string
		want        int // attributes
	}{
		"with a state": {text("evt_1", "acme", "user", "1"), "a=1", 2}, "without": {text("evt_1", "acme", "user", "1"), "", 1},
		"a long event": {longest, "a=1", 2}, "too long with it": {longest, strings.Repeat("s", 5000), 0},
	} {
		w := newWorld(t)
		w.register("acme", "*")
		m := w.received("m1", c.body, 1)
		begun := parent
		m.MessageAttributes = map[string]events.SQSMessageAttribute{"traceparent": {DataType: "String", StringValue: &begun},
			"tracestate": {DataType: "String", StringValue: &c.state}}
		if failed := w.handle(w.handler(), m); len(failed) > 0 || len(w.attributes) != 1 {
			t.Fatalf("%s: failed %v, sent %d", name, failed, len(w.attributes))
		}
		got := w.attributes[0]
		if len(got) != c.want || c.want > 0 && !strings.HasPrefix(got["traceparent"].Text, parent[:36]) ||
			c.want == 2 && got["tracestate"].Text != c.state {
			t.Errorf("%s: sent with %v", name, got)
		}
	}
}

// TestHowOftenItIsSent: what is refused is tried three times, with pauses that grow, and
// no longer than the invocation lasts; what was taken is not sent again.
func TestHowOftenItIsSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refused int // of the sends
		left    time.Duration
		want    []int // messages in each
		held    bool
		took    time.Duration
	}{
		"once":         {1, time.Hour, []int{2}, false, 100 * time.Millisecond},
		"twice":        {2, time.Hour, []int{2}, false, 300 * time.Millisecond},
		"always":       {9, time.Hour, nil, true, 300 * time.Millisecond},
		"time is over": {9, 50 * time.Millisecond, nil, true, 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.register("acme", "*")
				w.register("acme", "*")
				w.fault = func(call string, n int) fault {
					if call == "send" && n <= c.refused {
						return fails
					}
					return works
				}
				ctx, stop := context.WithTimeout(t.Context(), c.left)
				defer stop()
				p := &post{needs: &w.handler().Needs, all: make(chan struct{})}
				begin := time.Now()
				p.expect()
				f := &fan{Item: &batch.Item{}, post: p, event: event.Event{ID: "evt_1", Tenant: "acme", Type: "a", Body: []byte("1")}}
				err := p.send(ctx, f, []string{"ep_1", "ep_2"})
				if (err != nil) != c.held || !slices.Equal(w.sizes, c.want) || time.Since(begin) != c.took {
					t.Errorf("%v, sent %v in %v", err, w.sizes, time.Since(begin))
				}
			})
		})
	}
}

// TestInMemory: of long events so many messages are made at a time as fit into the
// function's memory, one at least.
func TestInMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &post{needs: &w.handler().Needs, all: make(chan struct{})}
	p.expect()
	f := &fan{Item: &batch.Item{}, post: p, event: event.Event{ID: "evt_1", Tenant: "acme", Type: "a",
		Body: []byte(`"` + strings.Repeat("x", 1000<<10) + `"`)}}
	var to []string
	for n := range 20 {
		to = append(to, fmt.Sprint("ep_", n))
	}
	if err := p.send(t.Context(), f, to); err != nil || !slices.Equal(w.sizes, []int{8, 8, 4}) {
		t.Errorf("%v, sent %v", err, w.sizes)
	}
}

// TestBadEvents die by the queue's redrive policy, with a record.
func TestBadEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register("acme", "*")
	tooLong := text("evt_long", "acme", "a", `"`+strings.Repeat("x", 1<<20-4<<10-70)+`"`)
	h := w.handler()
	failed := w.handle(h, w.received("m1", `{"id":"evt_1","tenant":"acme"}`, 1), w.received("m2", `{`, 1), w.received("m3", tooLong, 1),
		w.received("m4", text("evt_4", "acme", "a", `"`+strings.Repeat("x", 1<<20-4<<10-200)+`"`), 1))
	slices.Sort(failed)
	if !slices.Equal(failed, []string{"m1", "m2", "m3"}) || len(w.sent) != 1 || w.hidden["m1"] != 0 || w.calls["audit"] != 0 {
		t.Errorf("failed %v, sent %d, hidden %v, calls %v", failed, len(w.sent), w.hidden, w.calls)
	}
	dead, err := w.NewestFailures(t.Context(), deadletter.EventFailures, attempt.PositionAt(w.now.Add(-time.Hour)), "", 10)
	why := map[string]string{}
	for _, r := range dead {
		why[r.WebhookID] = r.Reason
	}
	if err != nil || len(dead) != 3 || why["evt_1"] != `field "event_type": missing` || !strings.Contains(why["m2"], "not valid JSON") ||
		!strings.Contains(why["evt_long"], "bytes too long") {
		t.Errorf("%v: %v", err, why)
	}
	w.calls = map[string]int{}
	if failed := w.handle(h, w.received("m1", `{"id":"evt_1","tenant":"acme"}`, 2)); len(failed) != 1 || w.calls["read"]+w.calls["put"] != 0 {
		t.Errorf("drained: failed %v, calls %v", failed, w.calls)
	}
}

// TestFaults has every call of every kind go wrong, once and as long as the world
// lasts, in each way: no event is lost, none goes to another than its recipients, and
// what comes twice has the same webhook-id.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"roster", "endpoints", "keep", "send", "put", "read", "enter", "hide"} {
		for nth := 1; nth <= 4; nth++ {
			for how, f := range map[string]fault{"fails": fails, "does all the same": failsButDoes, "does a part": doesOnlyAPart} {
				t.Run(fmt.Sprintf("%s %d %s", name, nth, how), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { oneFault(t, name, nth, f) })
				})
			}
		}
	}
}

func oneFault(t *testing.T, name string, nth int, f fault) {
	w := newWorld(t)
	a, b := w.register("acme", "*"), w.register("acme", "user")
	w.fault = func(call string, n int) fault {
		if call == name && n >= nth && n < nth+3 { // as often as it is tried in one invocation
			return f
		}
		return works
	}
	bodies := map[string]string{"m1": text("evt_1", "acme", "user", "1"), "m2": text("", "acme", "user", "2"),
		"m3": text("evt_3", "acme", "x", "3")}
	left := slices.Sorted(maps.Keys(bodies))
	for receive := 1; len(left) > 0 && receive < 6; receive++ {
		var batch []events.SQSMessage
		for _, id := range left {
			batch = append(batch, w.received(id, bodies[id], receive))
		}
		left = w.handle(w.handler(), batch...) // another instance each time
		w.mu.Lock()
		w.now = w.now.Add(2 * time.Minute)
		w.mu.Unlock()
		if receive == 1 {
			w.register("acme", "*") // too late for what was kept
		}
	}
	w.fault = func(string, int) fault { return works }
	if failed := w.handle(w.handler(), w.released()...); len(failed) > 0 {
		t.Errorf("out of the room, and left: %v", failed)
	}
	got := w.to()
	for id, want := range map[string][]string{"evt_1": {a.ID, b.ID}, "m2": {a.ID, b.ID}, "evt_3": {a.ID}} {
		for _, to := range want {
			if !slices.Contains(got[id], to) {
				t.Errorf("%s was never sent to %s: %v; left %v", id, to, got, left)
			}
		}
	}
	if len(left) > 0 || len(got) != 3 {
		t.Errorf("left %v, sent %v", left, got)
	}
}
