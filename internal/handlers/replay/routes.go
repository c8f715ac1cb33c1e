package replay

import (
	"context"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/schemas"
)

// route is one kind of request. schemas/openapi.json tells others of it.
type route struct {
	pattern string // a method, and a path as http.ServeMux has it
	// parameters are those that the query may have.
	parameters []string
	answer     func(*http.Request) (int, any, error)
}

func (h *Handler) routes() []route {
	return []route{
		{"GET /api/v1/openapi.json", nil, document},
		{"GET /api/v1/deliveries/{webhook_id}", nil, h.delivery},
		{"GET /api/v1/audit/checkpoints", nil, h.checkpoints},
		{"GET /api/v1/audit/proofs/{webhook_id}", nil, h.proofs},
		{"GET /api/v1/dlq", listParameters, h.list},
		{"GET /api/v1/dlq/{queue}/{item_id}", []string{"cursor"}, h.show},
		{"DELETE /api/v1/dlq/{queue}/{item_id}", []string{"cursor"}, h.discard},
		{"POST /api/v1/dlq/{queue}/replay/{item_id}", []string{"cursor"}, h.replayOne},
		{"POST /api/v1/dlq/{queue}/replay", nil, h.replaySome},
		{"GET /api/v1/dlq/{queue}/tasks", nil, h.tasks},
		{"DELETE /api/v1/dlq/{queue}/tasks/{task_id}", nil, h.cancel},
		{"GET /api/v1/waiting", slices.Concat(waitingParameters, []string{"limit", "cursor"}), h.waits},
		{"GET /api/v1/waiting/counts", slices.Concat(waitingParameters, []string{"cursor"}), h.waitingCounts},
		{"POST /api/v1/waiting/release", nil, h.release},
		{"POST /api/v1/waiting/drop", nil, h.drop},
		{"GET /api/v1/circuits", circuitParameters, h.circuits},
		{"GET /api/v1/circuits/{id}", nil, h.circuit},
		{"POST /api/v1/circuits/open", nil, h.openNewCircuit},
		{"POST /api/v1/circuits/{id}/open", nil, h.openCircuit},
		{"POST /api/v1/circuits/{id}/close", nil, h.closeCircuit},
	}
}

// document answers GET /api/v1/openapi.json.
func document(*http.Request) (int, any, error) {
	return http.StatusOK, jsontext.Value(schemas.OpenAPI), nil
}

// Routes returns the API's routes.
func (h *Handler) Routes() http.Handler {
	paths := map[string]methods{}
	for _, r := range h.routes() {
		method, path, _ := strings.Cut(r.pattern, " ")
		if paths[path] == nil {
			paths[path] = methods{}
		}
		paths[path][method] = h.handler(r)
	}
	mux := http.NewServeMux()
	for path, of := range paths {
		mux.Handle(path, of)
	}
	mux.HandleFunc("/", noPath)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.EscapedPath() + "/"; strings.Contains(p, "/./") || strings.Contains(p, "/../") || strings.Contains(r.URL.Path, "//") {
			noPath(w, r) // the mux would send clients elsewhere
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func noPath(w http.ResponseWriter, r *http.Request) {
	problem(w, http.StatusNotFound, fmt.Sprintf("there is no %s %s in this API", r.Method, r.URL.Path))
}

// methods are what answers on a path, by the method. GET answers HEAD too.
type methods map[string]http.Handler

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	to := m[r.Method]
	if r.Method == http.MethodHead {
		to = m[http.MethodGet]
	}
	if to != nil {
		to.ServeHTTP(w, r)
		return
	}
	allowed := slices.Sorted(maps.Keys(m))
	if m[http.MethodGet] != nil {
		allowed = append(allowed, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	problem(w, http.StatusMethodNotAllowed, fmt.Sprintf("%s is not for %s: use %s", r.Method, r.URL.Path, strings.Join(allowed, " or ")))
}

// handler gives a request its time and writes its answer.
func (h *Handler) handler(to route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, stop := context.WithTimeout(r.Context(), requestTime)
		defer stop()
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		status, value, err := 0, any(nil), asked(r, to.parameters)
		if err == nil {
			status, value, err = to.answer(r.WithContext(ctx))
		}
		switch {
		case err != nil:
			h.refuse(w, r, err)
		case value == nil:
			w.WriteHeader(status)
		default:
			answer(w, status, "application/json", value)
		}
	})
}

// asked refuses what no handler looks at: it would do something else than was
// meant. Repeated, empty, unknown and badly encoded parameters are such, since a
// filter that was mistyped must not mean everything; and ids that nothing can have,
// which would be searched for.
func asked(r *http.Request, parameters []string) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("the query is badly encoded")
	}
	if err := known(query, parameters); err != nil {
		return err
	}
	for _, name := range parameters {
		switch values := query[name]; {
		case len(values) > 1:
			return badRequest("parameter %s: stands there %d times", name, len(values))
		case len(values) == 1 && values[0] == "" && name != "cursor": // an empty cursor begins
			return badRequest("parameter %s: is empty; leave it out if it is not meant", name)
		}
	}
	for _, name := range []string{"webhook_id", "item_id", "task_id"} {
		if id := r.PathValue(name); id != "" && !message.ValidID(id) {
			return notFound("%.80q is no %s: those are 1 to 128 of A-Z, a-z, 0-9, _ and -", id, strings.TrimSuffix(name, "_id")+"'s id")
		}
	}
	return nil
}

// checkType refuses a body that says it is something else than JSON. What curl
// says when it is told nothing passes.
func checkType(r *http.Request) error {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return &refusal{http.StatusUnsupportedMediaType, "the body is encoded; send it as it is"}
	}
	given := r.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(given)
	switch {
	case given == "", kind == "application/json", kind == "application/x-www-form-urlencoded":
		return nil
	case err == nil && strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"):
		return nil
	}
	return &refusal{http.StatusUnsupportedMediaType, "the body must be application/json"}
}
