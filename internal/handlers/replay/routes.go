package replay

import (
	"context"
	"fmt"
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
	pattern string // a method and a path, as http.ServeMux has them
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
	mux := http.NewServeMux()
	for _, r := range h.routes() {
		mux.Handle(r.pattern, h.handler(r))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { notHere(mux, w, r) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.EscapedPath() + "/"; strings.Contains(p, "/./") || strings.Contains(p, "/../") || strings.Contains(r.URL.Path, "//") {
			problem(w, http.StatusNotFound, "there is no such path in this API") // the mux would send clients elsewhere
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// notHere answers for a path that is none, or has other methods than that.
func notHere(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
		if _, pattern := mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); strings.Contains(pattern, " ") {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		problem(w, http.StatusNotFound, fmt.Sprintf("there is no %s %s in this API", r.Method, r.URL.Path))
		return
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
