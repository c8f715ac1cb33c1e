package endpoints

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
)

// late is a store in which others are always faster: it shows nobody's roster, and has
// every change fail.
type late struct {
	*world
	tries *int
}

func (l late) Roster(context.Context, string) (endpoint.Roster, error) { return endpoint.Roster{}, nil }

func (l late) UpdateEndpoint(context.Context, endpoint.Endpoint) error {
	*l.tries++
	return fmt.Errorf("the test: %w", endpoint.ErrChanged)
}

func (l late) DeleteEndpoint(ctx context.Context, e endpoint.Endpoint) error {
	return l.UpdateEndpoint(ctx, e)
}

// TestMostEndpoints a tenant may have, also where two are made at once: what is refused
// leaves no key behind, and other tenants have their own.
func TestMostEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range w.most {
		w.create("acme", "")
	}
	const one = `{"url":"https://a.test/in","event_types":["*"]}`
	before := w.secretText("acme")
	refused := func(what string) {
		t.Helper()
		out := w.ask("POST "+tenants+"acme/endpoints", one)
		if out.Code != http.StatusConflict || !strings.Contains(out.Body.String(), "has 20 endpoints") || w.secretText("acme") != before {
			t.Errorf("%s: %d %s", what, out.Code, out.Body)
		}
	}
	refused("one more")
	if n := len(w.entries); n != w.most {
		t.Errorf("the ledger has %d entries", n)
	}
	tries := 0
	w.rewire(func(n *Needs) { n.Endpoints = late{w, &tries} })
	refused("that is only seen when it is kept")
	w.create("beta", "")
}

// TestOthersAreAlwaysFaster: after some tries a change is refused as a conflict, and the
// ledger is told of it once.
func TestOthersAreAlwaysFaster(t *testing.T) {
	t.Parallel()
	for request, body := range map[string]string{"PATCH ": `{"description":"x"}`, "POST /pause": "", "DELETE ": ""} {
		w := newWorld(t)
		e := w.create("acme", "")
		tries, told := 0, len(w.entries)
		w.rewire(func(n *Needs) { n.Endpoints = late{w, &tries} })
		method, act, _ := strings.Cut(request, " ")
		out := w.ask(method+" "+pathOf(e.Endpoint)+act, body)
		if out.Code != http.StatusConflict || tries != changeTries || len(w.entries)-told != 1 {
			t.Errorf("%s: %d %s, %d tries, %d entries", request, out.Code, out.Body, tries, len(w.entries)-told)
		}
		if text := w.secretText("acme"); !strings.Contains(text, e.ID) {
			t.Errorf("%s: its key is gone", request)
		}
	}
}

// TestWhy: what a state is explained by is one line of some length.
func TestWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := "POST " + pathOf(w.create("acme", "").Endpoint) + "/pause"
	long := strings.Repeat("å", 500)
	for why, status := range map[string]int{long: 200, long + "a": 400, `a\nb`: 400, `a\u0000`: 400} {
		if out := w.ask(at, `{"why":"`+why+`"}`); out.Code != status {
			t.Errorf("%.20q: %d %s", why, out.Code, out.Body)
		}
	}
	if e := get[Endpoint](w, at, `{"why":"  they asked "}`); e.Why != "paused by the operator: they asked" {
		t.Errorf("%q", e.Why)
	}
	if e := w.create("acme", `,"state":"disabled"`); e.State != endpoint.Disabled || e.Why != "disabled by the operator, from the start" {
		t.Errorf("%+v", e)
	}
}

// TestDeliveriesOfATenant: an attempt that names another tenant is not shown, whatever
// endpoint it names.
func TestDeliveriesOfATenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.create("acme", "")
	forged := e.Endpoint
	forged.Tenant = "beta"
	w.tried(forged, "evt_beta", attempt.Delivered, "https://beta.test/secret")
	w.tried(e.Endpoint, "evt_acme", attempt.Delivered, "https://acme.test/")
	if got := get[Deliveries](w, "GET "+pathOf(e.Endpoint)+"/deliveries", ""); len(got.Items) != 1 || got.Items[0].WebhookID != "evt_acme" {
		t.Errorf("got %+v", got)
	}
}

// TestWhatIsNoKey: an Idempotency-Key is 1 to 255 visible characters, once.
func TestWhatIsNoKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("acme", "")
	for key, status := range map[string]int{
		strings.Repeat("a", 255): 202, `"` + strings.Repeat("b", 255) + `"`: 202, "!~": 202, `"`: 202,
		strings.Repeat("a", 256): 400, `"` + strings.Repeat("a", 256) + `"`: 400, `""`: 400, "a b": 400, "": 400,
		"å": 400, "a\x7f": 400, "a\x01": 400,
	} {
		if out := w.ask(publish, paid, "Idempotency-Key: "+key); out.Code != status {
			t.Errorf("%.20q: %d %s", key, out.Code, out.Body)
		}
	}
}
