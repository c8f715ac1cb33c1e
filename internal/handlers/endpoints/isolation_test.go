package endpoints

import (
	"net/http"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/attempt"
)

// TestTenantsApart walks every route, as every kind of caller, with the wrong tenant
// and with ids that are empty, of another tenant, or encoded in odd ways: nothing of
// the other tenant is told, and nothing of it changes.
func TestTenantsApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own, other := w.create("acme", ""), w.create("Beta", `,"description":"the other's","headers":{"X-Other":"theirs"}`)
	w.tried(other.Endpoint, "evt_other", attempt.Delivered, "https://beta.test/called")
	text := w.secretText("Beta")
	token := get[Token](w, "POST "+tenants+"acme/tokens", "").Token
	before := w.ask("GET "+pathOf(other.Endpoint), "").Body.String()
	id := other.ID
	names := []string{ // of the other tenant, in all ways
		"Beta", "beta", "BETA", "Beta%20", "%42eta", "%2542eta", "Beta%2F", "acme%2F..%2FBeta", "acme/../Beta", "acme/%2e%2e/Beta",
		"acme%2f%2e%2e%2fBeta",
		"acme;Beta", "Bet%61", "B%C3%A9ta", "Beta%00", "%EF%BC%A2eta", "Beta.", "..", "%2e%2e", "", "*", "acme,Beta",
	}
	ids := []string{id, "", "%20", "%00", strings.ToLower(id), strings.ToUpper(id), id + "/", "%2F" + id, "..%2F" + id, "%252F" + id,
		"./" + id,
		"../../Beta/endpoints/" + id, "%2e%2e/" + id, "..%2f..%2fBeta%2fendpoints%2f" + id, "%65p" + id[2:], "%2565p" + id[2:],
		id + "%0a", id + "%20",
		id + "?tenant=Beta", id + "#", "*", "ep_", "%F0%9F%92%A9", id + "," + own.ID}
	var paths []string
	for _, name := range names {
		paths = append(paths, tenants+name+"/endpoints/"+id)
	}
	for _, one := range ids {
		paths = append(paths, tenants+"acme/endpoints/"+one)
	}
	callers := map[string][]string{"an operator": nil, "one of acme": {"Of: acme"}, "a token": {"Authorization: Bearer " + token}}
	for who, headers := range callers {
		for _, path := range paths {
			if who == "an operator" && strings.HasPrefix(path, pathOf(other.Endpoint)) {
				continue // who may
			}
			for _, door := range []string{"", "/token"} {
				walk(w, who, door+path, other, append(headers, "If-Match: *"))
			}
		}
	}
	if after := w.ask("GET "+pathOf(other.Endpoint), "").Body.String(); after != before || w.secretText("Beta") != text {
		t.Errorf("it was changed: %s\nnow %s", before, after)
	}
}

// walk tries each act on a path.
func walk(w *world, who, path string, other Endpoint, headers []string) {
	w.t.Helper()
	path, query, _ := strings.Cut(path, "?")
	for _, r := range new(Handler).Serves() {
		method, pattern, _ := strings.Cut(r.Pattern, " ")
		act := strings.TrimPrefix(strings.Replace(pattern, onEndpoint, "", 1), onTenant)
		target := path + act
		switch {
		case pattern == onTenant:
			target = strings.TrimSuffix(path[:strings.LastIndex(path, "/endpoints/")], "/") + "/endpoints"
		case !strings.HasPrefix(pattern, onEndpoint):
			target = path[:strings.LastIndex(path, "/endpoints/")] + strings.TrimPrefix(pattern, "/api/v1/tenants/{tenant}")
		}
		if query != "" {
			target += "?" + query
		}
		body := ""
		if method == http.MethodPatch {
			body = `{"description":"mine now"}`
		}
		if pattern == onTenant && method == http.MethodPost || strings.HasSuffix(pattern, "/tokens") {
			continue // which makes something of its own
		}
		out := w.ask(method+" "+strings.ReplaceAll(target, "#", "%23"), body, headers...)
		told := out.Body.String()
		for _, theirs := range []string{"beta.test", "theirs", "the other's", "evt_other", other.ReceiverKey} {
			if strings.Contains(told, theirs) {
				w.t.Errorf("%s: %s %s tells %q: %d %s", who, method, target, theirs, out.Code, told)
			}
		}
		if out.Code < 300 && !strings.Contains(told, `"items":[]`) && (strings.Contains(target, other.ID) || method != http.MethodGet) {
			w.t.Errorf("%s: %s %s: %d %s", who, method, target, out.Code, told)
		}
	}
}

// TestWrongTenantsTellNothing: what is another's is answered as what is not there.
func TestWrongTenantsTellNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.create("beta", "")
	w.create("acme", "")
	theirs := w.ask("GET "+tenants+"acme/endpoints/"+other.ID, "")
	nobodys := w.ask("GET "+tenants+"acme/endpoints/ep_"+strings.Repeat("0", 22), "")
	if theirs.Code != 404 || strings.ReplaceAll(theirs.Body.String(), other.ID, "ID") !=
		strings.ReplaceAll(nobodys.Body.String(), "ep_"+strings.Repeat("0", 22), "ID") {
		t.Errorf("another's: %d %s; nobody's: %s", theirs.Code, theirs.Body, nobodys.Body)
	}
	known := w.ask("GET "+tenants+"beta/endpoints", "", "Of: acme").Body.String()
	if unknown := w.ask("GET "+tenants+"gamma/endpoints", "", "Of: acme").Body.String(); known != unknown {
		t.Errorf("%s tells that there is one: %s", known, unknown)
	}
}

// TestSecretsOfOthers: who is limited to a tenant names that tenant's secrets only, and
// can't have another's sent to where they say.
func TestSecretsOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("beta", "")
	w.keepSecret("efferent/webhooks/acme/extra", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	w.keepSecret("efferent/webhooks/shared", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	w.keepSecret("efferent/webhooks/acme2", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	for reference, status := range map[string]int{
		"efferent/webhooks/acme/extra": 201, "efferent/webhooks/shared": 403, "efferent/webhooks/acme2": 403,
		"efferent/webhooks/beta":      403,
		"efferent/webhooks/acme/none": 400, "efferent/webhooks/acme#nothing": 400, "efferent/smtp": 400,
		"arn:aws:secretsmanager:eu-north-1:123456789012:secret:efferent/webhooks/acme-AbCdEf": 403,
	} {
		for _, field := range []string{`"secret":"` + reference + `"`, `"auth":{"X-Key":"` + reference + `"}`} {
			out := w.ask("POST "+tenants+"acme/endpoints", `{"url":"https://a.test/","event_types":["*"],`+field+`}`, "Of: acme")
			if out.Code != status {
				t.Errorf("%s: %d %s, want %d", field, out.Code, out.Body, status)
			}
		}
	}
	e := w.create("acme", `,"secret":"efferent/webhooks/shared","auth":{"Authorization":"efferent/webhooks/shared"}`)
	for request, body := range map[string]string{"GET /secret": "", "POST /rotate": "", "PATCH ": `{"url":"https://mine.test/"}`} {
		method, act, _ := strings.Cut(request, " ")
		if out := w.ask(method+" "+pathOf(e.Endpoint)+act, body, "Of: acme"); out.Code != 403 || strings.Contains(out.Body.String(),
			"whsec_") {
			t.Errorf("%s: %d %s", request, out.Code, out.Body)
		}
	}
	if out := w.ask("PATCH "+pathOf(e.Endpoint), `{"description":"x"}`, "Of: acme"); out.Code != 200 {
		t.Errorf("another field: %d %s", out.Code, out.Body)
	}
}

// TestOwnSecretsOnly: where nobody is told who is limited to what, nobody names another
// tenant's secrets, nor sees them.
func TestOwnSecretsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.keepSecret("efferent/webhooks/beta", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	before := w.create("acme", `,"secret":"efferent/webhooks/beta"`)
	w.rewire(func(n *Needs) { n.OwnSecrets = true })
	for _, field := range []string{"", `,"secret":"efferent/webhooks/beta"`, `,"auth":{"X-Key":"efferent/webhooks/beta"}`} {
		want := 403
		if field == "" {
			want = 201
		}
		if out := w.ask("POST "+tenants+"acme/endpoints", `{"url":"https://a.test/","event_types":["*"]`+field+`}`); out.Code != want {
			t.Errorf("%s: %d %s, want %d", field, out.Code, out.Body, want)
		}
	}
	for request, body := range map[string]string{"GET /secret": "", "POST /rotate": ""} {
		method, act, _ := strings.Cut(request, " ")
		if out := w.ask(method+" "+pathOf(before.Endpoint)+act, body); out.Code != 403 || strings.Contains(out.Body.String(), "whsec_") {
			t.Errorf("%s: %d %s", request, out.Code, out.Body)
		}
	}
}

// TestOddPaths: one tenant has one path, as a policy on paths has it. @ may be encoded,
// which many libraries do.
func TestOddPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.create("a@b.c", "")
	for path, status := range map[string]int{
		tenants + "a@b.c/endpoints/" + e.ID: 200, tenants + "a%40b.c/endpoints/" + e.ID: 200, tenants + "%61@b.c/endpoints/" + e.ID: 404,
		tenants + "a@b.c/%65ndpoints/" + e.ID: 404, tenants + "a@b.c/endpoints/%65p" + e.ID[2:]: 404,
		tenants + "a@b%2Ec/endpoints/" + e.ID:     404,
		tenants + "a@b.c/endpoints/" + e.ID + "/": 404, tenants + "A@b.c/endpoints/" + e.ID: 404,
		tenants + "a%2540b.c/endpoints/" + e.ID: 404,
		tenants + "a@b.c/./endpoints/" + e.ID:   404, tenants + "x/../a@b.c/endpoints/" + e.ID: 404,
		"/API/v1/tenants/a@b.c/endpoints/" + e.ID: 404,
	} {
		if out := w.ask("GET "+path, ""); out.Code != status {
			t.Errorf("%s: %d %s", path, out.Code, out.Body)
		}
	}
}
