package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/efferent/efferent/internal/webhook"
)

// TestHandshake asks a receiver by OPTIONS, without a body and a signature, and only
// where webhooks may go.
func TestHandshake(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions || r.ContentLength > 0 ||
			r.Header.Get("webhook-signature") != "" || r.Header.Get("Content-Type") != "" {
			t.Errorf("%s of %d bytes, %v", r.Method, r.ContentLength, r.Header)
		}
		w.Header().Set("WebHook-Allowed-Origin", r.Header.Get("WebHook-Request-Origin"))
		w.Header().Set("WebHook-Allowed-Rate", r.Header.Get("WebHook-Request-Rate"))
		w.WriteHeader(http.StatusMethodNotAllowed)
	}))
	defer s.Close()
	http, err := webhook.ParseAllowHTTP("all")
	if err != nil {
		t.Fatal(err)
	}
	target, err := webhook.NewTarget(s.URL, "efferent/webhooks/a", "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	open := webhook.NewClient(webhook.Options{AllowHTTP: http, AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if c := webhook.ConsentOf(open.Post(t.Context(), target.Handshake("me.test", 60)), "me.test"); !c.Given || c.PerMinute != 60 {
		t.Errorf("it said %+v", c)
	}
	x := webhook.NewClient(webhook.Options{AllowHTTP: http}).Post(t.Context(), target.Handshake("me.test", 60))
	if !errors.Is(x.Err, webhook.ErrBlockedAddress) || webhook.ConsentOf(x, "me.test").Given {
		t.Errorf("the loopback may be asked: %+v", x)
	}
}
