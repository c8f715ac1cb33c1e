package webhook

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/efferent/efferent/internal/trace"
)

// TestFollow: the endpoint is told of the trace; what the message's own headers say of
// one goes out as it stands.
func TestFollow(t *testing.T) {
	t.Parallel()
	const parent, own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00"
	place, _ := trace.Parse(parent, "congo=t61")
	var got http.Header
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	t.Cleanup(endpoint.Close)
	c := client(t)
	for name, one := range map[string]struct {
		headers       http.Header
		place         trace.Context
		parent, state string
		names         bool
	}{
		"none":               {nil, trace.Context{}, "", "", false},
		"its producer's":     {nil, place, parent, "congo=t61", false},
		"its own":            {http.Header{"Traceparent": {own}, "Tracestate": {"a=b"}}, place, own, "a=b", true},
		"its own, malformed": {http.Header{"Traceparent": {"00-what"}}, place, "00-what", "", false},
		"a state alone":      {http.Header{"Tracestate": {"a=b"}}, place, parent, "congo=t61", false},
	} {
		r := Request{URL: endpoint.URL, ID: "evt", EventType: "e", Body: []byte("{}"), Headers: one.headers, Trace: one.place,
			Secrets: []Secret{secret(t, "s")}}
		if x := c.Post(t.Context(), r); x.Status != http.StatusOK {
			t.Fatalf("%s: %+v", name, x)
		}
		if got.Get("traceparent") != one.parent || got.Get("tracestate") != one.state {
			t.Errorf("%s: sent with %q, %q", name, got.Get("traceparent"), got.Get("tracestate"))
		}
		if _, names := (Message{Headers: one.headers}).Trace(); names != one.names {
			t.Errorf("%s: its headers name a trace: %v", name, names)
		}
	}
}
