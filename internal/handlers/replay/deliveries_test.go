package replay

import (
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
)

func TestDelivery(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, path string
		setup              func(*world)
		status             int
		contains           string
	}{
		{"known", "GET", "/api/v1/deliveries/evt_1", nil, 200, `"attempts":[{"webhook_id":"evt_1","origin":"b","message_id":"b","attempt":1,`},
		{"unknown", "GET", "/api/v1/deliveries/evt_2", nil, 404, "older than 30 days"},
		{"store is down", "GET", "/api/v1/deliveries/evt_1", func(w *world) { w.fault["history"] = on(1, fails) }, 503, "try again"},
		{"no such path", "GET", "/api/v2", nil, 404, "no GET /api/v2"},
		{"another method", "POST", "/api/v1/deliveries/evt_1", nil, 405, "POST is not for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.record([]attempt.Record{
				{WebhookID: "evt_1", MessageID: "a", Attempt: 1, At: start.Add(time.Minute), Verdict: attempt.Delivered, Status: 200},
				{WebhookID: "evt_1", MessageID: "b", Attempt: 2, At: start, Verdict: attempt.Exhausted},
				{WebhookID: "evt_1", MessageID: "b", Attempt: 1, At: start, Verdict: attempt.Retryable, Reason: "503"},
			}...)
			if c.setup != nil {
				c.setup(w)
			}
			out := w.ask(c.method, c.path, "")
			if out.Code != c.status || !strings.Contains(out.Body.String(), c.contains) {
				t.Errorf("got %d %s, want %d and %s", out.Code, out.Body, c.status, c.contains)
			}
		})
	}
}

// TestDeliveryIsInOrder: one origin after the other, that which was tried first
// first, with what was replayed; records from before there were origins too.
func TestDeliveryIsInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	records := []attempt.Record{
		{WebhookID: "e", MessageID: "a", Attempt: 1, At: start.Add(time.Minute)}, {WebhookID: "e", MessageID: "b", Attempt: 2, At: start},
		{WebhookID: "e", MessageID: "b", Attempt: 1, At: start},
		{WebhookID: "e", Origin: "b", MessageID: "0", Attempt: 1, At: start.Add(time.Hour)},
		{WebhookID: "e", Origin: "c", MessageID: "c", Attempt: 1, At: start.Add(time.Second)},
	}
	for i := range records {
		records[i].Verdict = attempt.Retryable
	}
	w.record(records...)
	var order []string
	for _, r := range get[Delivery](w, "GET", "/api/v1/deliveries/e", "").Attempts {
		order = append(order, r.Origin+"/"+r.SortKey())
	}
	if want := "b/b#0001 b/b#0002 b/0#0001 c/c#0001 a/a#0001"; strings.Join(order, " ") != want {
		t.Errorf("got %v, want %s", order, want)
	}
}
