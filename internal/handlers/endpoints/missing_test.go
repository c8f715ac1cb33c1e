package endpoints

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/waiting"
)

// outbox is the queue webhooks, which takes so many and then fails.
type outbox struct {
	takes int
	sent  []waiting.Outgoing
}

func (o *outbox) Send(_ context.Context, queue string, messages []waiting.Outgoing) (sent []int, err error) {
	for n, m := range messages {
		if o.takes--; o.takes < 0 || queue != "webhooks" {
			return sent, errFault
		}
		o.sent, sent = append(o.sent, m), append(sent, n)
	}
	return sent, nil
}

// missingWorld is a world with an endpoint that gets invoice.*, and events of a day.
func missingWorld(t *testing.T) (*world, *outbox) {
	t.Helper()
	w, out := newWorld(t), &outbox{takes: 1000}
	e := endpoint.Endpoint{ID: "ep_1", Tenant: "acme", URL: "https://a.test/in", EventTypes: []string{"invoice.*"},
		Secret: "efferent/webhooks/acme#ep_1", State: endpoint.Enabled, Version: 1, Created: w.now, Updated: w.now}
	if err := w.Memory.CreateEndpoint(t.Context(), e, 5); err != nil {
		t.Fatal(err)
	}
	w.rewire(func(n *Needs) { n.Recovery, n.Webhooks = &Recovery{Events: w, History: w}, out })
	return w, out
}

// publish keeps an event that was published so long before now.
func (w *world) publish(id, eventType string, ago time.Duration, recipients ...string) {
	body := []byte(`{"b": 1, "a":2}`)
	if _, err := w.KeepEvent(w.t.Context(), event.Record{Tenant: "acme", ID: id, Type: eventType, Body: body,
		Hash: event.HashOf(eventType, body), At: w.now.Add(-ago), Recipients: recipients}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) was(id string, v attempt.Verdict, to string) {
	if err := w.Put(w.t.Context(), []attempt.Record{{WebhookID: id, MessageID: "m-" + id + to, Attempt: 1, At: w.now, Verdict: v, Endpoint: to,
		EventType: "invoice.paid", Tenant: "acme"}}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) missing(body string) (int, Missing) {
	w.t.Helper()
	r := w.ask("POST /api/v1/tenants/acme/endpoints/ep_1/replay-missing", body)
	var m Missing
	if r.Code == http.StatusAccepted {
		if err := json.Unmarshal(r.Body.Bytes(), &m); err != nil {
			w.t.Fatal(err)
		}
	}
	return r.Code, m
}

func (w *world) since(ago time.Duration) string {
	return `{"since":"` + w.now.Add(-ago).Format(time.RFC3339) + `"}`
}

// TestMissing: what the endpoint should have had and was not tried with is sent, byte for
// byte and under its id; nothing else is.
func TestMissing(t *testing.T) {
	t.Parallel()
	w, out := missingWorld(t)
	w.publish("matches", "invoice.paid", 5*time.Hour)
	w.publish("meant", "order.made", time.Hour, "ep_1")
	w.publish("another", "order.made", time.Hour, "ep_2")
	w.publish("before", "invoice.paid", 7*time.Hour)
	w.publish("under-way", "invoice.paid", 10*time.Second)
	w.publish("other-endpoint-tried", "invoice.paid", time.Hour)
	w.was("other-endpoint-tried", attempt.Delivered, "ep_2")
	for _, v := range []attempt.Verdict{attempt.Delivered, attempt.Held, attempt.Exhausted} {
		w.publish("tried-"+string(v), "invoice.paid", time.Hour)
		w.was("tried-"+string(v), v, "ep_1")
	}
	long := event.Record{Tenant: "acme", ID: "long", Type: "invoice.paid", Hash: "h", At: w.now.Add(-time.Hour), Recipients: []string{"ep_1"}}
	if _, err := w.KeepEvent(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	code, got := w.missing(w.since(6 * time.Hour))
	if want := (Missing{Sent: 3, Examined: 8, Skipped: 1}); code != http.StatusAccepted || got != want {
		t.Errorf("%d, %+v", code, got)
	}
	var ids []string
	for _, m := range out.sent {
		before, after, _ := strings.Cut(m.Body, `","tenant":"acme","event_type":"`)
		ids = append(ids, strings.TrimPrefix(before, `{"endpoint":"ep_1","id":"`))
		if !strings.HasSuffix(after, `,"body":{"b": 1, "a":2}}`) || !strings.HasPrefix(m.Group, "acme/") {
			t.Errorf("sent is %+v", m)
		}
	}
	slices.Sort(ids)
	if !slices.Equal(ids, []string{"matches", "meant", "other-endpoint-tried"}) {
		t.Errorf("sent are %v", ids)
	}
	if a := w.actions(); a != "endpoint.replayed" {
		t.Errorf("the ledger has %q", a)
	}
}

// TestMissingGoesOn: a request that breaks off says where the next one goes on, and
// nothing is passed over.
func TestMissingGoesOn(t *testing.T) {
	t.Parallel()
	w, out := missingWorld(t)
	for n := range 300 {
		w.publish(fmt.Sprint("evt", n), "invoice.paid", time.Duration(n)*time.Minute+2*time.Minute)
	}
	body := w.since(10 * time.Hour)
	got := map[string]bool{}
	for range 20 {
		out.takes = 70
		code, m := w.missing(body)
		if code != http.StatusAccepted {
			t.Fatal(code)
		}
		for _, one := range out.sent {
			got[one.Body] = true
		}
		if m.Cursor == "" {
			break
		}
		body = strings.TrimSuffix(w.since(10*time.Hour), "}") + `,"cursor":"` + m.Cursor + `"}`
	}
	if len(got) != 300 {
		t.Errorf("%d of 300 were sent", len(got))
	}
}

// TestMissingRefusals: what is refused, and that nothing is sent then.
func TestMissingRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body   string
		setup  func(*world, *outbox)
		status int
	}{
		"no time":        {`{}`, nil, 400},
		"too long ago":   {`{"since":"2026-01-01T00:00:00Z"}`, nil, 400},
		"the wrong way":  {`{"since":"2026-11-25T08:00:00Z","until":"2026-11-25T07:00:00Z"}`, nil, 400},
		"another cursor": {`{"since":"2026-11-25T08:00:00Z","cursor":"x"}`, nil, 400},
		"unknown field":  {`{"since":"2026-11-25T08:00:00Z","missing":true}`, nil, 400},
		"no ledger":      {`{"since":"2026-11-25T08:00:00Z"}`, func(w *world, _ *outbox) { w.auditFails = true }, 503},
		"no queue":       {`{"since":"2026-11-25T08:00:00Z"}`, func(_ *world, o *outbox) { o.takes = 0 }, 503},
		"no events":      {`{"since":"2026-11-25T08:00:00Z"}`, func(w *world, _ *outbox) { w.rewire(func(n *Needs) { n.Recovery = nil }) }, 501},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, out := missingWorld(t)
			w.publish("a", "invoice.paid", time.Hour)
			if c.setup != nil {
				c.setup(w, out)
			}
			if code, _ := w.missing(c.body); code != c.status || len(out.sent) > 0 {
				t.Errorf("%d, sent %d", code, len(out.sent))
			}
		})
	}
}
