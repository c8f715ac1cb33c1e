package replay

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/api/apitest"
	"github.com/efferent/efferent/internal/attempt"
)

// TestDocumentHasEveryRoute that is not another handler's.
func TestDocumentHasEveryRoute(t *testing.T) {
	t.Parallel()
	apitest.Routes(t, new(Handler).routes(), func(path string) bool {
		return (!strings.HasPrefix(path, "/api/v1/tenants/") || strings.HasSuffix(path, "/{endpoint_id}/replay")) && path != "/api/v1/events"
	})
}

func TestTypesAreDocumented(t *testing.T) {
	t.Parallel()
	apitest.Types(t, map[string]any{
		"Problem": api.Problem{}, "Item": Item{}, "Items": Items{}, "Letter": Letter{}, "Attempt": attempt.Record{}, "Delivery": Delivery{},
		"Task": Task{}, "Started": Started{}, "Tasks": Tasks{}, "WaitingItem": WaitingItem{}, "WaitingItems": WaitingItems{},
		"WaitingCount": WaitingCount{}, "WaitingCounts": WaitingCounts{}, "Circuit": Circuit{}, "Circuits": Circuits{},
		"Checkpoints": Checkpoints{}, "Proofs": Proofs{},
	})
}

// TestRequestsThatAreNone are those that no handler looks at.
func TestRequestsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path, header, body string
		status                     int
		says                       string // or the header Allow
	}{
		{"PUT", "/dlq", "", "", 405, "GET, HEAD"},
		{"OPTIONS", "/dlq/webhook-failures/m1", "", "", 405, "DELETE, GET, HEAD"},
		{"TRACE", "/waiting/drop", "", "", 405, "POST"},
		{"HEAD", "/waiting/drop", "", "", 405, "POST"},
		{"GET", "/circuits/open", "", "", 405, "POST"}, // "open" is no id
		{"DELETE", "/dlq/webhook-failures/tasks", "", "", 405, "GET, HEAD"},
		{"POST", "/dlq/webhook-failures/replay", "", "null", 400, "not a JSON object"},
		{"POST", "/dlq/webhook-failures/replay", "", " null ", 400, "not a JSON object"},
		{"POST", "/dlq/webhook-failures/replay", "", "[]", 400, "not a JSON object"},
		{"POST", "/waiting/release", "", "null", 400, "not a JSON object"},
		{"GET", "/dlq/", "", "", 404, "there is no GET"},
		{"GET", "/dlq//tasks", "", "", 404, "there is no GET"},
		{"GET", "/dlq/../dlq", "", "", 404, "there is no GET"},
		{"GET", "/deliveries/%2e%2e", "", "", 404, "no webhook's id"},
		{"GET", "/deliveries/a%2Fb", "", "", 404, "no webhook's id"},
		{"GET", "/deliveries/%00", "", "", 404, "no webhook's id"},
		{"GET", "/deliveries/%ff%fe", "", "", 404, "no webhook's id"},
		{"GET", "/audit/proofs/" + strings.Repeat("a", 4000), "", "", 404, "no webhook's id"},
		{"GET", "/dlq/webhook-failures/a%20b", "", "", 404, "no item's id"},
		{"DELETE", "/dlq/webhook-failures/tasks/%C3%A4", "", "", 404, "no task's id"},
		{"GET", "/dlq/webhook-failures%00/a", "", "", 404, "needs to be encoded"},
		{"GET", "/circuits/%00", "", "", 404, "needs to be encoded"},
		{"GET", "/dlq?queue=webhook-failures&tenant=%zz", "", "", 400, "badly encoded"},
		{"GET", "/dlq?queue=webhook-failures;tenant=acme", "", "", 400, "badly encoded"},
		{"GET", "/dlq?queue=webhook-failures&tenant=a&tenant=b", "", "", 400, "stands there 2 times"},
		{"GET", "/dlq?queue=webhook-failures&tenant=", "", "", 400, "is empty"},
		{"GET", "/dlq?queue=webhook-failures&limit=%2B5", "", "", 400, "limit"},
		{"GET", "/dlq?queue=webhook-failures&limit=99999999999999999999", "", "", 400, "limit"},
		{"GET", "/dlq?queue=webhook-failures&cursor=LTEgMjAyNi0xMS0yNFQwODowMDowMC4wMDAwMDAwMDBaIw", "", "", 400, "cursor"},
		{"GET", "/dlq?queue=webhook-failures&cursor=" + strings.Repeat("A", 9000), "", "", 400, "cursor"},
		{"GET", "/deliveries/evt_1?tenant=acme", "", "", 400, `unknown`},
		{"POST", "/dlq/webhook-failures/replay?tenant=acme", "", "{}", 400, "unknown"},
		{"POST", "/circuits/open?why=x", "", "{}", 400, "unknown"},
		{"POST", "/waiting/drop", "Content-Type: text/xml", `{"all":true}`, 415, "application/json"},
		{"POST", "/waiting/drop", "Content-Type: multipart/form-data; boundary=a", `{"all":true}`, 415, "application/json"},
		{"POST", "/waiting/drop", "Content-Type: nonsense/", `{"all":true}`, 415, "application/json"},
		{"POST", "/waiting/drop", "Content-Encoding: gzip", `{"all":true}`, 415, "encoded"},
		{"POST", "/waiting/drop", "Content-Type: application/json; charset=utf-8", `{}`, 400, "names nothing"},
		{"POST", "/waiting/drop", "Content-Type: application/vnd.api+json", `{}`, 400, "names nothing"},
		{"POST", "/waiting/drop", "Content-Type: application/x-www-form-urlencoded", `{}`, 400, "names nothing"},
	} {
		t.Run(c.method+" "+c.path+" "+c.header, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := httptest.NewRequest(c.method, "/api/v1"+c.path, strings.NewReader(c.body))
			if name, value, ok := strings.Cut(c.header, ": "); ok {
				r.Header.Set(name, value)
			}
			out := httptest.NewRecorder()
			w.handler().Routes().ServeHTTP(out, r)
			apitest.Conforms(t, r, out)
			got := out.Header().Get("Allow") + strings.ReplaceAll(out.Body.String(), `\"`, `"`)
			if out.Code != c.status || !strings.Contains(got, c.says) ||
				out.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %s, want %d and %q", out.Code, got, c.status, c.says)
			}
			if len(w.calls) > 0 {
				t.Errorf("calls were made for nothing: %v", w.calls)
			}
		})
	}
}

// TestTheDocumentIsServed, with HEAD too.
func TestTheDocumentIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if out := w.ask("GET", "/api/v1/openapi.json", ""); out.Code != 200 || !strings.Contains(out.Body.String(), `"openapi":"3.1.0"`) {
		t.Errorf("got %d %.100s", out.Code, out.Body)
	}
	if out := w.ask("HEAD", "/api/v1/waiting", ""); out.Code != 200 {
		t.Errorf("HEAD: got %d %.100s", out.Code, out.Body)
	}
}
