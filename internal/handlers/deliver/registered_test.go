package deliver

import (
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
)

// registered is an endpoint of acme's.
func registered() endpoint.Endpoint {
	return endpoint.Endpoint{
		ID: "ep_1", Tenant: "acme", URL: "https://hooks.a.test/in?token=t", EventTypes: []string{"*"}, Secret: "efferent/webhooks/acme#ep_1",
		Retry: "once", Timeout: "3s", Headers: map[string]string{"X-A": "b"}, State: endpoint.Enabled, Version: 1,
	}
}

// register keeps an endpoint in the place of the one that there is.
func (w *world) register(e endpoint.Endpoint) {
	w.t.Helper()
	kept, err := w.store.Endpoints(w.t.Context(), []string{e.ID})
	switch {
	case err != nil:
	case len(kept) == 0:
		err = w.store.CreateEndpoint(w.t.Context(), e, 10)
	default:
		err = w.store.UpdateEndpoint(w.t.Context(), e)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func toRegistered(id, more string) string {
	return `{"id":"` + id + `","endpoint":"ep_1","event_type":"e","body":{"n": 1}` + more + `}`
}

// TestToAnEndpoint: the message goes where its endpoint is now, as that wants it,
// and the record says so.
func TestToAnEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, busy503, ok200)
	w.register(registered())
	policies := `,"retry":"seed","headers":{"X-B":"c"}`
	w.handle(aMessage("a", toRegistered("a", policies), 1))
	moved := registered()
	moved.URL, moved.Version = "https://new.a.test/in", 2
	w.register(moved)
	w.now = w.now.Add(time.Minute)
	if failed := w.handle(aMessage("a", toRegistered("a", policies+`,"tenant":"acme"`), 2)); len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}
	records := w.recorded("a")
	if len(records) != 2 {
		t.Fatalf("recorded are %+v", records)
	}
	for n, url := range []string{"https://hooks.a.test/in?token=t", "https://new.a.test/in"} {
		r, sent := records[n], w.posts[n]
		if r.URL != url || r.Endpoint != "ep_1" || r.Tenant != "acme" || sent.URL != url {
			t.Errorf("attempt %d went to %s, and recorded is %+v", n+1, sent.URL, r)
		}
		if sent.Timeout != 3*time.Second || sent.Headers.Get("X-A") != "b" || sent.Headers.Get("X-B") != "c" {
			t.Errorf("attempt %d: %v, %v", n+1, sent.Timeout, sent.Headers)
		}
	}
	for _, e := range w.entries {
		if e.Tenant != "acme" {
			t.Errorf("an entry of the tenant %q", e.Tenant)
		}
	}
}

// TestNoSuchEndpoint: whoever asks for what is not there, or for another tenant's,
// is told the same, for good. What can't be read is trouble of our own.
func TestNoSuchEndpoint(t *testing.T) {
	t.Parallel()
	broken := registered()
	broken.URL = "nowhere"
	other := registered()
	other.ID = "ep_2"
	const none = `field "endpoint": there is no endpoint ep_1; it may have been deleted`
	for name, c := range map[string]struct {
		endpoint endpoint.Endpoint
		err      error
		more     string
		verdict  attempt.Verdict
		reason   string
	}{
		"none":             {other, nil, ``, attempt.Permanent, none},
		"another tenant's": {registered(), nil, `,"tenant":"globex"`, attempt.Permanent, none},
		"can't be meant":   {broken, nil, ``, attempt.Permanent, `the endpoint ep_1: field "url": must begin with https:// (or http://)`},
		"can't be read":    {registered(), errFault, ``, attempt.Held, `the endpoint ep_1 can't be read: injected fault`},
		"beside a url": {registered(), nil, `,"url":"https://a.test"`, attempt.Permanent,
			`field "url": may not stand beside endpoint, which has its own`},
		"beside a secret": {registered(), nil, `,"secret":"efferent/webhooks/a"`, attempt.Permanent,
			`field "secret": may not stand beside endpoint, which has its own`},
		"its policy is none": {policy("nosuch"), nil, ``, attempt.Permanent, `unknown retry policy: "nosuch"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ok200)
			w.register(c.endpoint)
			w.endpointsErr = c.err
			w.handle(aMessage("a", toRegistered("a", c.more), 1))
			records := w.recorded("a")
			if len(records) != 1 || records[0].Verdict != c.verdict || !strings.Contains(records[0].Reason, c.reason) || len(w.posts) > 0 {
				t.Errorf("recorded are %+v, posted %d", records, len(w.posts))
			}
		})
	}
}

func policy(name string) endpoint.Endpoint {
	e := registered()
	e.Retry = name
	return e
}

// TestCircuitOfAnEndpoint: it stays the same where the URL changes, and is not that of
// the same URL in a message.
func TestCircuitOfAnEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, busy503)
	w.register(registered())
	w.handle(aMessage("a", toRegistered("a", ""), 1))
	found, err := w.store.Circuits(t.Context(), []circuit.Name{endpoint.Circuit("ep_1"),
		{Scope: circuit.Endpoint, Tenant: "acme", URL: "https://hooks.a.test/in"}})
	if err != nil || len(found) != 1 || found[0].Name != endpoint.Circuit("ep_1") {
		t.Errorf("%+v, %v", found, err)
	}
}
