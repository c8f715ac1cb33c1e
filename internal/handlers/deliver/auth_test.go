package deliver

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
)

// TestAuth: headers that are secrets are sent, before what the message says; a rotated
// one is seen when the old one is refused; and none is logged, recorded or told of.
func TestAuth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, denied401, ok200)
	w.auth = map[string]string{"efferent/webhooks/acme/auth": "Bearer sesame1", "efferent/webhooks/acme/key#k": "sesame2"}
	w.registers(func(e *endpoint.Endpoint) {
		e.Headers = map[string]string{"X-Plain": "a"}
		e.Auth = map[string]string{"authorization": "efferent/webhooks/acme/auth", "X-Api-Key": "efferent/webhooks/acme/key#k"}
	})
	w.authCached = map[string]string{"efferent/webhooks/acme/auth": "Bearer sesame0"}
	text := strings.Replace(toEndpoint("a"), `"body"`, `"headers":{"Authorization":"none","X-Own":"b"},"body"`, 1)
	if failed := w.handle(aMessage("a", text, 1)); len(failed) > 0 || len(w.posts) != 2 {
		t.Fatalf("failed %v, %d posts", failed, len(w.posts))
	}
	for n, want := range []string{"Bearer sesame0", "Bearer sesame1"} {
		h := w.posts[n].Headers
		if h.Get("Authorization") != want || h.Get("X-Api-Key") != "sesame2" || h.Get("X-Plain") != "a" || h.Get("X-Own") != "b" {
			t.Errorf("%d: %v", n, h)
		}
	}
	if r := w.recorded("a"); len(r) != 2 || !r[0].Uncounted || r[1].Verdict != attempt.Delivered {
		t.Errorf("recorded are %+v", r)
	}
	if all := w.lines.String() + strings.Join(w.log, " "); strings.Contains(all, "sesame") {
		t.Errorf("logged: %s", all)
	}
}

// TestNoAuth: without its secret nothing is sent, for good.
func TestNoAuth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ok200)
	w.auth = map[string]string{}
	w.registers(func(e *endpoint.Endpoint) { e.Auth = map[string]string{"Authorization": "efferent/webhooks/acme/none"} })
	w.handle(aMessage("a", toEndpoint("a"), 1))
	if r := w.recorded("a"); len(r) != 1 || r[0].Verdict != attempt.Permanent || !strings.Contains(r[0].Reason, "the header Authorization") ||
		len(w.posts) > 0 {
		t.Errorf("recorded are %+v", r)
	}
}
