package endpoints

import (
	"strings"
	"testing"
)

// TestKeysThatCantSign: a private key and a scheme that takes a shared one are never of
// one endpoint, whichever of them comes first.
func TestKeysThatCantSign(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.keepSecret("efferent/webhooks/acme/private", "whsk_bm90IGEga2V5LCBidXQgYXMgbG9uZyBhcyBvbmUgaXM=")
	private, shared := w.create("acme", `,"key":"whsk"`), w.create("acme", `,"signature":{"scheme":"convoy"}`)
	made := `{"url":"https://a.test/","event_types":["*"],"signature":{"scheme":"outpost"},`
	for _, c := range []struct {
		request, body string
		status        int
		says          string
	}{
		{"POST " + tenants + "acme/endpoints", made + `"key":"whsk"}`, 400, `field \"key\"`},
		{"POST " + tenants + "acme/endpoints", made + `"secret":"efferent/webhooks/acme/private"}`, 400, "signature.scheme"},
		{"POST " + tenants + "acme/endpoints", made + `"key":"whsec"}`, 201, ""},
		{"PATCH " + pathOf(private.Endpoint), `{"signature":{"scheme":"outpost"}}`, 400, "signature.scheme"},
		{"PATCH " + pathOf(private.Endpoint), `{"signature":{"scheme":"svix"}}`, 200, ""},
		{"PATCH " + pathOf(shared.Endpoint), `{"secret":"efferent/webhooks/acme/private"}`, 400, "signature.scheme"},
		{"PATCH " + pathOf(shared.Endpoint), `{"signature":{"timestamped":true}}`, 200, ""},
		{"POST " + pathOf(shared.Endpoint) + "/rotate", `{"key":"whsk"}`, 400, `field \"key\"`},
		{"POST " + pathOf(shared.Endpoint) + "/rotate", `{}`, 200, "whsec_"},
		{"POST " + pathOf(private.Endpoint) + "/rotate", `{"key":"whsk"}`, 200, "whpk_"},
	} {
		if out := w.ask(c.request, c.body); out.Code != c.status || !strings.Contains(out.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s", c.request, c.body, out.Code, out.Body)
		}
	}
}
