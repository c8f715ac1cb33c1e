package endpoints

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/waiting"
)

// Send is the queue events.
func (w *world) Send(_ context.Context, queue string, messages []waiting.Outgoing) (sent []int, err error) {
	if w.send != nil {
		if err := w.send(); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, m := range messages {
		e, err := event.Decode([]byte(m.Body))
		if err != nil || queue != "events" || m.Group != e.Tenant {
			w.t.Errorf("%s: sent to %s, group %q: %v", m.Body, queue, m.Group, err)
		}
		w.published, sent = append(w.published, e), append(sent, i)
	}
	return sent, nil
}

func (w *world) wait(_ context.Context, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// sent are the events that were published: their ids and bodies.
func (w *world) sent() (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.published {
		all = append(all, e.ID+" "+string(e.Body))
	}
	return all
}

const (
	publish = "POST /api/v1/events"
	paid    = `{"id":"evt_1","tenant":"acme","event_type":"invoice.paid","body":{"a": 1}}`
)

func TestPublish(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all, big := w.create("acme", ""), w.create("acme", `,"filter":{"a":[{"numeric":[">",5]}]}`)
	w.create("globex", "")
	for _, c := range []struct {
		request, body string
		want          Published
		sent          string
	}{
		{publish, paid, Published{"evt_1", "acme", "invoice.paid", []string{all.ID}, false}, `evt_1 {"a": 1}`},
		{publish + "?dry_run=false", strings.Replace(paid, "1}", "6}", 1),
			Published{"evt_1", "acme", "invoice.paid", []string{all.ID, big.ID}, false},
			`evt_1 {"a": 6}`},
		{publish + "?dry_run=true", paid, Published{"evt_1", "acme", "invoice.paid", []string{all.ID}, true}, ""},
		{publish, strings.Replace(paid, "acme", "nobody", 1), Published{"evt_1", "nobody", "invoice.paid", []string{}, false}, `evt_1 {"a": 1}`},
		{publish, `{"specversion":"1.0","id":"7","source":"/s","type":"a","subject":"acme","data":[]}`,
			Published{"7", "acme", "a", []string{all.ID}, false}, "7 []"},
		{publish, `{"id":"8","detail-type":"Order Placed","source":"s","detail":{"tenant":"acme"}}`,
			Published{"8", "acme", "Order Placed", []string{all.ID}, false}, `8 {"tenant":"acme"}`},
	} {
		w.published = nil
		if got := get[Published](w, c.request, c.body); !gocmp.Equal(got, c.want) {
			t.Errorf("%s %s: %+v", c.request, c.body, got)
		}
		if got := strings.Join(w.sent(), ","); got != c.sent {
			t.Errorf("%s %s: sent %s", c.request, c.body, got)
		}
	}
	w.published = nil
	if id := get[Published](w, publish, strings.Replace(paid, `"id":"evt_1",`, "", 1)).ID; len(id) < 20 || w.published[0].ID != id {
		t.Errorf("made the id %s, sent %+v", id, w.published)
	}
}

// TestBinaryCloudEvents has what CloudEvents' SDKs send unless they are told otherwise:
// attributes in headers, with what is not plain ASCII escaped.
func TestBinaryCloudEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("acme", "")
	usual := []string{"Ce-Specversion: 1.0", "Ce-Source: /s", "Ce-Type: invoice.paid", "Ce-Id: 7", "Ce-Tenant: acme", "Ce-Note: %C3%A9%"}
	for _, c := range []struct {
		body   string
		more   []string
		status int
		says   string
	}{
		{`{"b": 1, "b":2}`, nil, 202, `"id":"7"`},
		{`{"id":"8","tenant":"globex"}`, nil, 202, `"tenant":"acme"`},
		{`5`, []string{"Content-Type: application/vnd.acme+json"}, 202, `"event_type":"invoice.paid"`},
		{paid, []string{"Content-Type: application/cloudevents+json"}, 202, `"id":"evt_1"`},
		{paid, []string{"Ce-Specversion: "}, 202, `"id":"evt_1"`},
		{`{"b": 1}`, []string{"Ce-Type: a..b"}, 400, `field \"type\"`},
		{`{"b": 1}`, []string{"Ce-Specversion: 0.3"}, 400, `field \"specversion\"`},
		{`{"b": 1}`, []string{"Ce-Data: {}"}, 400, `field \"data\": appears more than once`},
		{`{"b": 1}`, []string{"Ce-Tenant: globex", "Of: acme"}, 403, "limited to the tenant acme"},
		{`{"b": 1}, "tenant": "globex"`, nil, 400, "is not valid JSON"},
	} {
		out := w.ask(publish, c.body, append(slices.Clone(usual), c.more...)...)
		if out.Code != c.status || !strings.Contains(out.Body.String(), c.says) {
			t.Errorf("%s %v: %d %s", c.body, c.more, out.Code, out.Body)
		}
	}
	if got := w.sent(); len(got) != 5 || got[0] != `7 {"b": 1, "b":2}` || got[2] != "7 5" {
		t.Errorf("sent %q", got)
	}
}

func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Replace(paid, `{"a": 1}`, `"`+strings.Repeat("x", 1<<20-80)+`"`, 1)
	for _, c := range []struct {
		request, body, header string
		status                int
		says                  string
	}{
		{publish, "", "", 400, "is empty"},
		{publish, `{`, "", 400, "the body is not valid JSON"},
		{publish, `{"tenant":"acme"}`, "", 400, `field \"event_type\": missing`},
		{publish + "?dry_run=yes", paid, "", 400, "dry_run"},
		{publish, paid, "Idempotency-Key: ", 400, "Idempotency-Key"},
		{publish, paid, "Idempotency-Key: a b", 400, "Idempotency-Key"},
		{publish, paid, "Idempotency-Key: " + strings.Repeat("k", 256), 400, "Idempotency-Key"},
		{publish, paid, "Of: globex", 403, "limited to the tenant globex"},
		{publish, paid, "Content-Type: text/plain", 415, "application/json"},
		{publish, long, "", 413, "bytes too long"},
		{publish, strings.Repeat(" ", 1<<20) + paid, "", 413, "longer than"},
		{"GET /api/v1/events", "", "", 405, "use POST"},
	} {
		var headers []string
		if c.header != "" {
			headers = []string{c.header}
		}
		if out := w.ask(c.request, c.body, headers...); out.Code != c.status || !strings.Contains(out.Body.String(), c.says) {
			t.Errorf("%s %.60s %s: %d %s", c.request, c.body, c.header, out.Code, out.Body)
		}
	}
	if len(w.published) > 0 {
		t.Errorf("published %.200v", w.sent())
	}
	if out := w.ask(publish, paid, "Of: acme"); out.Code != http.StatusAccepted {
		t.Errorf("its own tenant: %d %s", out.Code, out.Body)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.create("acme", "")
	const key, body = "Idempotency-Key: k-1", `{"tenant":"acme","event_type":"a","body":{"a":1,"b":[2]}}`
	one := w.ask(publish, body, key)
	w.create("acme", "") // which the first request did not know of
	for _, same := range []string{body, `{"body":{"b":[2],"a":1.0},"event_type":"\u0061" , "tenant":"acme"}`} {
		again := w.ask(publish, same, key)
		if again.Code != 202 || again.Body.String() != one.Body.String() || again.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("%s: %d %s, first %s", same, again.Code, again.Body, one.Body)
		}
	}
	if !strings.Contains(one.Body.String(), `["`+first.ID+`"]`) || one.Header().Get("Idempotent-Replayed") != "" {
		t.Errorf("first: %s %v", one.Body, one.Header())
	}
	for _, other := range []string{strings.Replace(body, "2", "3", 1), strings.Replace(body, `"a","body"`, `"b","body"`, 1),
		strings.Replace(body, `{"t`, `{"id":"evt_1","t`, 1)} {
		if out := w.ask(publish, other, `Idempotency-Key: "k-1"`); out.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", other, out.Code, out.Body)
		}
	}
	if n := len(w.sent()); n != 1 {
		t.Errorf("%d were published", n)
	}
	get[Published](w, publish, strings.Replace(body, "acme", "globex", 1), key)
	get[Published](w, publish, body, "Idempotency-Key: k-2")
	w.wait(t.Context(), event.KeyRetention)
	get[Published](w, publish, strings.Replace(body, "2", "3", 1), key)
	if n := len(w.sent()); n != 4 {
		t.Errorf("%d were published of another tenant, under another key, and a day later", n)
	}
}

// TestAPublishThatBroke is sent again by the next request under its key, as the same
// event: at its end nothing is lost, and what came twice is told by its id.
func TestAPublishThatBroke(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("acme", "")
	w.send = func() error { return errFault }
	const body = `{"tenant":"acme","event_type":"a","body":1}`
	out := w.ask(publish, body, "Idempotency-Key: k")
	if out.Code != http.StatusServiceUnavailable || strings.Contains(out.Body.String(), "secret") {
		t.Fatalf("%d %s", out.Code, out.Body)
	}
	w.send = nil
	began := w.time()
	again := get[Published](w, publish, body, "Idempotency-Key: k")
	if waited := w.time().Sub(began); waited < patience || waited > 2*patience {
		t.Errorf("it waited %s for the first", waited)
	}
	if third := get[Published](w, publish, body, "Idempotency-Key: k"); third.ID != again.ID {
		t.Errorf("%+v, then %+v", again, third)
	}
	if got := w.sent(); len(got) != 1 || got[0] != again.ID+" 1" {
		t.Errorf("sent %v", got)
	}
}

// TestPublishesAtOnce under one key are one event.
func TestPublishesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("acme", "")
	var all sync.WaitGroup
	var mu sync.Mutex
	bodies, statuses := map[string]int{}, map[int]int{}
	for n := range 8 {
		all.Go(func() {
			out := w.ask(publish, fmt.Sprintf(`{"tenant":"acme","event_type":"a","body":%d}`, n%2), "Idempotency-Key: k")
			mu.Lock()
			defer mu.Unlock()
			if statuses[out.Code]++; out.Code == http.StatusAccepted {
				bodies[out.Body.String()]++
			}
		})
	}
	all.Wait()
	if len(bodies) != 1 || statuses[202] != 4 || statuses[422] != 4 {
		t.Errorf("answers %v %v", statuses, bodies)
	}
	ids := map[string]bool{}
	for _, e := range w.published {
		ids[e.ID] = true
	}
	if len(ids) != 1 {
		t.Errorf("sent %v", w.sent())
	}
}
