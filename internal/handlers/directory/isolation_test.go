package directory

import (
	"net/http"
	"strings"
	"testing"
)

// TestNothingOfOthers: whoever is limited to a tenant, and whoever writes another's name
// in a path in whatever way, is shown and changes nothing of the other, by no route.
func TestNothingOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.add("Beta", "ann@acme.test").ID
	w.add("-", "ann@acme.test")
	w.keep("Beta", "user_7", `{"addresses":{"email":"ann@acme.test"}}`)
	w.keep("-", "user_7", `{"addresses":{"email":"ann@acme.test"}}`)
	all := func() string {
		return w.ask("GET "+tenants+"Beta/suppressions", "").Body.String() + w.ask("GET "+tenants+"Beta/recipients", "").Body.String()
	}
	before := all()
	bodies := map[string]string{"suppressions": `{"channel":"email","address":"eve@acme.test"}`,
		"import": `{"items":[{"channel":"email","address":"eve@acme.test"}]}`}
	for _, name := range []string{"Beta", "beta", "%42eta", "Beta%20", "%2542eta", "acme/../Beta", "acme%2F..%2FBeta", "Bet%61", "-", "%2d",
		"", "*", "acme,Beta", "Beta."} {
		for _, r := range new(Handler).Serves() {
			method, pattern, _ := strings.Cut(r.Pattern, " ")
			path := strings.NewReplacer("{tenant}", name, "{suppression_id}", id, "{recipient_id}", "user_7").Replace(pattern)
			body := ""
			switch method {
			case http.MethodPost:
				body = bodies[path[strings.LastIndex(path, "/")+1:]]
			case http.MethodPut, http.MethodPatch:
				body = `{"channels":["email"]}`
			}
			out := w.ask(method+" "+path, body, "Of: acme")
			if told := out.Body.String(); out.Code < 300 || strings.Contains(told, "ann@") {
				t.Errorf("%s %s: %d %s", method, path, out.Code, told)
			}
		}
	}
	if after := all(); after != before {
		t.Errorf("it was changed: %s\nnow %s", before, after)
	}
	if own := w.ask("GET "+tenants+"acme/suppressions/"+id, "", "Of: acme"); own.Code != 404 {
		t.Errorf("another's entry under one's own name: %d %s", own.Code, own.Body)
	}
	if own := w.ask("GET "+tenants+"acme/recipients/user_7", "", "Of: acme"); own.Code != 404 {
		t.Errorf("another's recipient under one's own name: %d %s", own.Code, own.Body)
	}
	if w.actions() != "suppression.added suppression.added recipient.put recipient.put" {
		t.Errorf("the ledger was told %s", w.actions())
	}
}

// TestWhoMayOnlyLook changes nothing.
func TestWhoMayOnlyLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.add("acme", "ann@acme.test").ID
	w.keep("acme", "user_7", "{}")
	for request, status := range map[string]int{
		"GET " + tenants + "acme/suppressions": 200, "GET " + tenants + "acme/suppressions/" + id: 200,
		"POST " + tenants + "acme/suppressions": 403, "POST " + tenants + "acme/suppressions/import": 403,
		"DELETE " + tenants + "acme/suppressions/" + id: 403,
		"GET " + tenants + "acme/recipients":            200, "GET " + tenants + "acme/recipients/user_7": 200,
		"PUT " + tenants + "acme/recipients/user_7": 403, "PATCH " + tenants + "acme/recipients/user_7": 403,
		"DELETE " + tenants + "acme/recipients/user_7": 403,
	} {
		if out := w.ask(request, "", "Of: acme", "Looks: yes"); out.Code != status {
			t.Errorf("%s: %d %s", request, out.Code, out.Body)
		}
	}
}
