package dev

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/schemas"
)

// marker is in all that the tenant Beta has, and in nothing else.
const marker = "only-betas"

// bodies are what requests with a body send; each could be meant.
var bodies = map[string]string{
	"POST /dlq/{queue}/replay": `{"tenant":"Beta"}`, "POST /waiting/release": `{"tenant":"Beta"}`, "POST /waiting/drop": `{"tenant":"Beta"}`,
	"POST /circuits/open":      `{"tenant":"Beta","url":"https://beta.test/in","for":"1h","why":"x"}`,
	"POST /circuits/{id}/open": `{"for":"1h","why":"x"}`,
	"POST /events":             `{"id":"evt_1","tenant":"Beta","event_type":"invoice.paid","body":{}}`,

	"POST {tenant}/endpoints":                       `{"url":"https://acme.test/in","event_types":["*"]}`,
	"PATCH {tenant}/endpoints/{endpoint_id}":        `{"description":"mine now"}`,
	"POST {tenant}/endpoints/{endpoint_id}/pause":   `{"why":"x"}`,
	"POST {tenant}/endpoints/{endpoint_id}/disable": `{"why":"x"}`,
	"POST {tenant}/endpoints/{endpoint_id}/resume":  `{"why":"x"}`, "POST {tenant}/endpoints/{endpoint_id}/enable": `{"why":"x"}`,
	"POST {tenant}/endpoints/{endpoint_id}/rotate": `{"grace":"0s"}`, "POST {tenant}/endpoints/{endpoint_id}/test": `{"event_type":"a.b"}`,
	"POST {tenant}/endpoints/{endpoint_id}/verify":         ``,
	"POST {tenant}/endpoints/{endpoint_id}/replay":         `{"since":"2020-01-01T00:00:00Z"}`,
	"POST {tenant}/endpoints/{endpoint_id}/replay-missing": `{"since":"` + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + `"}`,
	"POST {tenant}/tokens":                                 `{"expires_in":"1h"}`,

	"PUT {tenant}/recipients/{recipient_id}":   `{"addresses":{"email":"eve@acme.test"}}`,
	"PATCH {tenant}/recipients/{recipient_id}": `{"addresses":{"email":"eve@acme.test"}}`,
	"POST {tenant}/suppressions":               `{"channel":"email","address":"eve@acme.test"}`,
	"POST {tenant}/suppressions/import":        `{"items":[{"channel":"email","address":"eve@acme.test"}]}`,
	"PUT {tenant}/templates/{template}":        `{"parts":{"body":"changed"}}`, "POST {tenant}/templates/{template}/use": `{"version":1}`,
	"POST {tenant}/templates/{template}/preview":                    `{"data":{}}`,
	"POST {tenant}/templates/{template}/versions/{version}/preview": `{"data":{}}`,
}

// documented is an operation of schemas/openapi.json.
type documented struct {
	method, path string
	body, cursor bool
}

// name is its method and path without what begins all of them.
func (o documented) name() string {
	return o.method + " " + strings.Replace(strings.TrimPrefix(o.path, "/api/v1"), "/tenants/{tenant}", "{tenant}", 1)
}

func (o documented) tenants() bool { return strings.Contains(o.path, "{tenant}") }

// everyOperation is the whole of the document, and so of the routes, which are held to it.
func everyOperation(t *testing.T) (all []documented) {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			RequestBody any
			Parameters  []struct {
				Ref string `json:"$ref"`
			}
		}
	}
	if err := json.Unmarshal(schemas.OpenAPI, &document); err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(document.Paths[path])) {
			of := document.Paths[path][method]
			o := documented{method: strings.ToUpper(method), path: path, body: of.RequestBody != nil}
			for _, p := range of.Parameters {
				o.cursor = o.cursor || p.Ref == "#/components/parameters/Cursor"
			}
			if _, there := bodies[o.name()]; there != o.body {
				t.Errorf("%s: a body is documented: %v, and one is here: %v", o.name(), o.body, there)
			}
			all = append(all, o)
		}
	}
	return all
}

// apart is a dev with two tenants. The ids in paths are Beta's.
type apart struct {
	*commandtest.Running
	ids   map[string]string
	token map[string]string // of acme
}

func newApart(t *testing.T) *apart {
	t.Helper()
	a := &apart{startWith(t, ":memory:", map[string]string{settings.TokenSecret: "efferent/tokens"}), map[string]string{}, map[string]string{}}
	a.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	receiver := scenario.NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if strings.Contains(r.URL.Path, "later") {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
	})
	for range 2 { // so that there are cursors
		a.own(t, receiver.URL)
	}
	a.post(t, "POST /events", `{"id":"evt_beta","tenant":"Beta","event_type":"invoice.paid","body":{"x":"`+marker+`"}}`)
	a.Send(t, scenario.Text("evt_later", receiver.URL+"/later/"+marker, `"tenant":"Beta"`))
	a.ids["item_id"], a.ids["queue"] = a.Parked(t, "webhook-failures", 2)[0].ItemID, "webhook-failures"
	a.WaitFor(t, 1)
	a.ids["id"] = a.CircuitWith(t, func(c replay.Circuit) bool { return c.Phase == replay.PhaseOpen }).ID
	a.ids["webhook_id"], a.ids["task_id"] = "evt_beta", "task"
	for _, body := range []string{`{}`, `{"read_only":true}`} {
		a.token[body] = a.post(t, "POST /tenants/acme/tokens", body)["token"].(string)
	}
	return a
}

// own makes Beta one more of all that a tenant has; ids are those of the last.
func (a *apart) own(t *testing.T, receiver string) {
	t.Helper()
	n := fmt.Sprint(len(a.ids))
	e := a.post(t, "POST /tenants/Beta/endpoints", `{"url":"`+receiver+`/`+marker+n+`","event_types":["*"],"description":"`+marker+`"}`)
	address := marker + n + `@beta.test`
	s := a.post(t, "POST /tenants/Beta/suppressions", `{"channel":"email","address":"`+address+`"}`)
	a.ids["endpoint_id"], a.ids["suppression_id"] = e["id"].(string), s["id"].(string)
	a.ids["recipient_id"], a.ids["template"], a.ids["version"] = "user_"+n, "welcome"+n, "1"
	a.post(t, "PUT /tenants/Beta/recipients/user_"+n, `{"addresses":{"email":"`+address+`"}}`)
	a.post(t, "PUT /tenants/Beta/templates/welcome"+n, `{"parts":{"body":"`+marker+`"}}`)
}

// post makes a request that must succeed.
func (a *apart) post(t *testing.T, request, body string) (answer map[string]any) {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	status, text := a.ask(t, method, "/api/v1"+path, body, "")
	if err := json.Unmarshal([]byte(text), &answer); status >= 300 || err != nil {
		t.Fatalf("%s: %d %s, %v", request, status, text, err)
	}
	return answer
}

// ask makes a request as who bears a token, if that is not empty, and follows nothing.
func (a *apart) ask(t *testing.T, method, path, body, token string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, a.HTTPURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// fill is a path with the name of a tenant, and ids changed in a way.
func (a *apart) fill(path, tenant string, change func(id string) string) string {
	path = strings.ReplaceAll(path, "{tenant}", tenant)
	for name, id := range a.ids {
		path = strings.ReplaceAll(path, "{"+name+"}", change(id))
	}
	return path
}

func asIs(id string) string { return id }

// oddNames are ways to write another tenant's name, or none, in a path.
var oddNames = []string{
	"Beta", "beta", "BETA", "Beta%20", "%42eta", "%2542eta", "Beta%2F", "acme%2F..%2FBeta", "acme/../Beta", "acme/%2e%2e/Beta",
	"acme%2f%2e%2e%2fBeta", "acme/./../Beta", "acme/%252e%252e/Beta", "acme;Beta", "Bet%61", "B%C3%A9ta", "%CE%92eta", "%EF%BC%A2eta",
	"Beta%00",
	"acme%00Beta", "Beta.", "..", ".", "%2e%2e", "%2e", "", "/", "-", "*", "acme,Beta", "acme%0aBeta", "Beta%3F", "Beta%23",
}

// oddIDs change an id of another tenant.
var oddIDs = []func(id string) string{
	asIs,
	func(id string) string { return "..%2F" + id }, func(id string) string { return "%2e%2e/" + id },
	func(id string) string { return "%2F" + id }, func(id string) string { return id + "%00" }, func(id string) string { return id + "/" },
	func(id string) string { return "%25" + fmt.Sprintf("%02x", id[0]) + id[1:] },
	func(id string) string { return fmt.Sprintf("%%%02x", id[0]) + id[1:] },
	func(string) string { return "" }, func(string) string { return "." }, func(string) string { return "*" },
	func(id string) string { return "..%2f..%2fBeta%2fendpoints%2f" + id },
}

// state is what an operator sees of Beta.
func (a *apart) state(t *testing.T, all []documented) string {
	t.Helper()
	var b strings.Builder
	for _, o := range all {
		if o.method == http.MethodGet && o.tenants() {
			status, text := a.ask(t, o.method, a.fill(o.path, "Beta", asIs), "", "")
			fmt.Fprintf(&b, "%s: %d %s\n", o.name(), status, text)
		}
	}
	for _, path := range []string{"/dlq?queue=webhook-failures", "/waiting", "/circuits?phase=all"} {
		_, text := a.ask(t, http.MethodGet, "/api/v1"+path, "", "")
		b.WriteString(text)
	}
	return b.String()
}

// TestTenantsApart walks every operation of the API as every kind of caller who is limited
// to one tenant, with another's name and ids in odd ways, in paths, queries, bodies and
// cursors: nothing of the other is told, and nothing of it changes.
func TestTenantsApart(t *testing.T) {
	t.Parallel()
	a, all := newApart(t), everyOperation(t)
	before := a.state(t, all)
	if n := strings.Count(before, marker); n < 10 {
		t.Fatalf("there is too little to be seen: %s", before)
	}
	for _, o := range all {
		for _, token := range a.token {
			for _, door := range []string{"", "/token"} {
				a.walk(t, o, "a token", door, func(method, path, body string) (int, string, bool) {
					status, text := a.ask(t, method, path, body, token)
					return status, text, true
				})
			}
		}
		a.walk(t, o, "who signs, limited by paths", "", func(method, path, body string) (status int, text string, let bool) {
			if !letIn(path) {
				return 0, "", false
			}
			status, text = a.ask(t, method, path, body, "")
			return status, text, true
		})
	}
	if after := a.state(t, all); after != before {
		t.Errorf("it was changed: %s\nnow %s", before, after)
	}
}

// letIn is a policy of IAM on acme's paths, as written and as decoded: which one it is
// held to is not documented.
func letIn(path string) bool {
	const acme = "/api/v1/tenants/acme/"
	u, err := url.Parse(path)
	return err == nil && (strings.HasPrefix(u.EscapedPath(), acme) || strings.HasPrefix(u.Path, acme))
}

// walk tries an operation in every way.
func (a *apart) walk(t *testing.T, o documented, who, door string, ask func(method, path, body string) (int, string, bool)) {
	t.Helper()
	check := func(path, body string, mayBe bool) {
		t.Helper()
		for _, method := range []string{o.method, http.MethodHead, http.MethodOptions} {
			status, text, let := ask(method, door+path, body)
			if !let {
				return
			}
			if strings.Contains(text, marker) || status/100 == 3 || status >= 500 || status < 300 && !mayBe {
				t.Errorf("%s: %s %s%s %s: %d %s", who, method, door, path, body, status, text)
			}
		}
	}
	body := bodies[o.name()]
	if !o.tenants() {
		for _, change := range oddIDs {
			check(a.fill(o.path, "", change), body, o.path == "/api/v1/openapi.json")
		}
		return
	}
	for _, name := range oddNames {
		check(a.fill(o.path, name, asIs), body, false)
	}
	for _, change := range oddIDs {
		check(a.fill(o.path, "acme", change), body, true)
	}
	check(a.fill(o.path, "acme", asIs)+"?tenant=Beta", body, true)
	if o.body {
		check(a.fill(o.path, "acme", asIs), strings.Replace(cmp.Or(body, `{"x":1}`), "{", `{"tenant":"Beta",`, 1), true)
	}
	if o.cursor {
		_, page := a.ask(t, o.method, a.fill(o.path, "Beta", asIs)+"?limit=1", "", "")
		var of struct{ Cursor string }
		if err := json.Unmarshal([]byte(page), &of); err != nil || of.Cursor == "" && !strings.HasSuffix(o.path, "/deliveries") {
			t.Errorf("%s has no second page: %s, %v", o.name(), page, err)
		}
		check(a.fill(o.path, "acme", asIs)+"?cursor="+of.Cursor, body, true)
	}
}
