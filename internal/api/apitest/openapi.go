// Package apitest holds handlers of the HTTP API to schemas/openapi.json.
package apitest

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

	"github.com/efferent/efferent/internal/api"
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

// openAPI is schemas/openapi.json.
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
// name: clients should bear more, and tests find what is not told.
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

// Routes holds a handler's routes to those of the document's whose path is the
// handler's: they are about the same requests, and the same parameters.
func Routes(t testing.TB, of []api.Route, ours func(path string) bool) {
	t.Helper()
	routes, documented := map[string][]string{}, map[string][]string{}
	for _, r := range of {
		routes[r.Pattern] = sorted(r.Parameters)
	}
	d := theDocument()
	for path, operations := range d.Paths {
		if !ours(path) {
			continue
		}
		for method, o := range operations {
			documented[strings.ToUpper(method)+" "+path] = d.parameters(t, path, o)
		}
	}
	if diff := cmp.Diff(routes, documented); diff != "" {
		t.Errorf("the routes (-) and the document (+) differ:\n%s", diff)
	}
}

// parameters are those of the query.
func (d *openAPI) parameters(t testing.TB, path string, o operation) (query []string) {
	for _, p := range o.Parameters {
		switch p = d.resolve(p); {
		case p.In == "query":
			query = append(query, p.Name)
		case p.In == "path" && !strings.Contains(path, "{"+p.Name+"}"):
			t.Errorf("%s has no parameter %q", path, p.Name)
		}
	}
	slices.Sort(query)
	return query
}

// Types holds types to the schemas of these names: each field of a type is a property
// of its schema, and required where it is always there.
func Types(t testing.TB, types map[string]any) {
	t.Helper()
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
	for name, value := range types {
		fields, required := fieldsOf(reflect.TypeOf(value))
		said := document.Components.Schemas[name]
		if diff := cmp.Diff(sorted(fields), slices.Sorted(maps.Keys(said.Properties))); diff != "" {
			t.Errorf("%s: the type's fields (-) and the document's (+):\n%s", name, diff)
		}
		if diff := cmp.Diff(sorted(required), sorted(said.Required)); diff != "" {
			t.Errorf("%s: what is always there (-) and what is required (+):\n%s", name, diff)
		}
	}
}

// fieldsOf are the names of a type's fields, and of those that are always there. What is
// embedded has its own.
func fieldsOf(of reflect.Type) (fields, required []string) {
	fields, required = []string{}, []string{}
	for i := range of.NumField() {
		field, options, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		switch {
		case of.Field(i).Anonymous && field == "":
			more, needed := fieldsOf(of.Field(i).Type)
			fields, required = append(fields, more...), append(required, needed...)
			continue
		case options != "omitzero":
			required = append(required, field)
		}
		fields = append(fields, field)
	}
	return fields, required
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }

// Conforms holds an answer to what the document says of it.
func Conforms(t testing.TB, r *http.Request, out *httptest.ResponseRecorder) {
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
