package fanout

import (
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
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/event"
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
