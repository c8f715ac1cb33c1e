package replay

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/schemas"
)

// operation is what the document says of a path's method.
type operation struct {
	Parameters []reference
	Responses  map[string]reference
}

// reference is a part of the document, or where it stands.
type reference struct {
	Ref      string `json:"$ref"`
	Name, In string
	Content  map[string]any
}

// openAPI is schemas/openapi.json, as these tests read it.
type openAPI struct {
	Paths      map[string]map[string]operation
	Components struct {
		Parameters, Responses map[string]reference
	}
	compiler *jsonschema.Compiler
	mu       sync.Mutex
	mux      *http.ServeMux
}

const documentURL = "https://efferent.test/openapi.json"

// theDocument is read once. Its objects may have no property that they do not
// name: clients should bear more, and these tests find what is not told.
var theDocument = sync.OnceValue(func() *openAPI {
	d := &openAPI{compiler: jsonschema.NewCompiler(), mux: http.NewServeMux()}
	if err := json.Unmarshal(schemas.OpenAPI, d); err != nil {
		panic(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.OpenAPI))
	if err != nil {
		panic(err)
	}
	closeObjects(whole)
	if err := d.compiler.AddResource(documentURL, whole); err != nil {
		panic(err)
	}
	for path := range d.Paths {
		d.mux.Handle(path, http.NotFoundHandler())
	}
	return d
})

func closeObjects(value any) {
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			closeObjects(one)
		}
	case map[string]any:
		if _, said := v["additionalProperties"]; v["type"] == "object" && v["properties"] != nil && !said {
			v["additionalProperties"] = false
		}
		for _, one := range v {
			closeObjects(one)
		}
	}
}

func (d *openAPI) resolve(r reference) reference {
	if name, ok := strings.CutPrefix(r.Ref, "#/components/parameters/"); ok {
		return d.Components.Parameters[name]
	}
	if name, ok := strings.CutPrefix(r.Ref, "#/components/responses/"); ok {
		return d.Components.Responses[name]
	}
	return r
}

// TestDocumentHasEveryRoute: the document and the routes are about the same
// requests, and the same parameters.
func TestDocumentHasEveryRoute(t *testing.T) {
	t.Parallel()
	routes, documented := map[string][]string{}, map[string][]string{}
	for _, r := range new(Handler).routes() {
		routes[r.pattern] = slices.Sorted(slices.Values(r.parameters))
	}
	d := theDocument()
	for path, operations := range d.Paths {
		for method, o := range operations {
			var query []string
			for _, p := range o.Parameters {
				if p = d.resolve(p); p.In == "query" {
					query = append(query, p.Name)
				} else if !strings.Contains(path, "{"+p.Name+"}") {
					t.Errorf("%s has no parameter %q", path, p.Name)
				}
			}
			slices.Sort(query)
			documented[strings.ToUpper(method)+" "+path] = query
		}
	}
	if diff := cmp.Diff(routes, documented); diff != "" {
		t.Errorf("the routes (-) and the document (+) differ:\n%s", diff)
	}
}

// TestTypesAreDocumented: each field of an answer is a property of its schema, and
// required where it is always there.
func TestTypesAreDocumented(t *testing.T) {
	t.Parallel()
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any
				Required   []string
			}
		}
	}
	if err := json.Unmarshal(schemas.OpenAPI, &document); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"Problem": Problem{}, "Item": Item{}, "Items": Items{}, "Letter": Letter{}, "Attempt": attempt.Record{}, "Delivery": Delivery{},
		"Task": Task{}, "Started": Started{}, "Tasks": Tasks{}, "WaitingItem": WaitingItem{}, "WaitingItems": WaitingItems{},
		"WaitingCount": WaitingCount{}, "WaitingCounts": WaitingCounts{}, "Circuit": Circuit{}, "Circuits": Circuits{},
		"Checkpoints": Checkpoints{}, "Proofs": Proofs{},
	} {
		fields, required := []string{}, []string{}
		for i := range reflect.TypeOf(value).NumField() {
			field, options, _ := strings.Cut(reflect.TypeOf(value).Field(i).Tag.Get("json"), ",")
			fields = append(fields, field)
			if options != "omitzero" {
				required = append(required, field)
			}
		}
		said := document.Components.Schemas[name]
		if diff := cmp.Diff(sorted(fields), slices.Sorted(maps.Keys(said.Properties))); diff != "" {
			t.Errorf("%s: the type's fields (-) and the document's (+):\n%s", name, diff)
		}
		if diff := cmp.Diff(sorted(required), sorted(said.Required)); diff != "" {
			t.Errorf("%s: what is always there (-) and what is required (+):\n%s", name, diff)
		}
	}
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }

// conforms holds an answer to what the document says of it. Every answer of
// these tests passes here.
func conforms(t testing.TB, r *http.Request, out *httptest.ResponseRecorder) {
	t.Helper()
	d := theDocument()
	_, path := d.mux.Handler(r)
	method := strings.ToLower(strings.Replace(r.Method, http.MethodHead, http.MethodGet, 1))
	status, kind, pattern := strconv.Itoa(out.Code), out.Header().Get("Content-Type"), method+" "+path
	said, ok := d.Paths[path][method].Responses[status]
	if d.Paths[path][method].Responses == nil {
		if path != "" && out.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: the document has no such method, and the answer is %s", pattern, status)
		}
		return
	}
	if !ok {
		t.Errorf("%s: the document has no answer %s: %s", pattern, status, out.Body)
		return
	}
	at := "/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + method + "/responses/" + status
	if said.Ref != "" {
		at = strings.TrimPrefix(said.Ref, "#")
	}
	content := d.resolve(said).Content
	if len(content) == 0 {
		if out.Body.Len() > 0 || kind != "" {
			t.Errorf("%s: %s has a body, %s: %s", pattern, status, kind, out.Body)
		}
		return
	}
	if content[kind] == nil {
		t.Errorf("%s: %s is of the type %q, which the document has not", pattern, status, kind)
		return
	}
	if err := d.validate(at+"/content/"+strings.ReplaceAll(kind, "/", "~1")+"/schema", out.Body.Bytes()); err != nil {
		t.Errorf("%s: %s: %v: %s", pattern, status, err, out.Body)
	}
}

func (d *openAPI) validate(at string, body []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock() // the compiler keeps what it has compiled
	s, err := d.compiler.Compile(documentURL + "#" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(at))
	if err != nil {
		return err
	}
	return s.Validate(value)
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
		{"GET", "/dlq/webhook-failures%00/a", "", "", 404, "no dead-letter queue"},
		{"GET", "/circuits/%00", "", "", 404, "no circuit's id"},
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
			conforms(t, r, out)
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
