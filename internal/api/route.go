// Package api is what the handlers of the HTTP API under /api/v1 share: routes, what
// is refused before a handler looks at it, bodies, cursors, and problems.
package api

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// RequestTime is how long a request may work: API Gateway gives up after 30 s
// ("Quotas for configuring and running an HTTP API").
const RequestTime = 27 * time.Second

// Route is one kind of request. schemas/openapi.json tells others of it.
type Route struct {
	Pattern string // a method, and a path as http.ServeMux has it
	// Parameters are those that the query may have.
	Parameters []string
	// Anyone says that it tells the same to all who may ask. AnyTenant says that Answer
	// looks itself for which tenant a caller who is limited to one asks; of others it is
	// the path's {tenant}, and what has none is not for such callers.
	Anyone, AnyTenant bool
	// Secret says that it tells what a caller who may only look is not told.
	Secret bool
	// MaxBody is the most bytes of a body; 0 is MaxBody.
	MaxBody int64
	// Answer gives a status and what is written as JSON; nil for no body. A Refusal
	// among its errors is told to the caller as it is. See Tagged for headers.
	Answer func(*http.Request) (int, any, error)
}

// Guarded are routes whose requests check may refuse before they are answered, and whose
// errors are as told makes them for the caller.
func Guarded(routes []Route, check func(*http.Request) error, told func(error) error) []Route {
	for i, r := range routes {
		routes[i].Answer = func(q *http.Request) (int, any, error) {
			if err := check(q); err != nil {
				return 0, nil, err
			}
			status, value, err := r.Answer(q)
			return status, value, told(err)
		}
	}
	return routes
}

// Server serves routes to those who may use them.
type Server struct {
	// Caller says who makes a request. A Refusal is told to them as it is.
	Caller func(*http.Request) (Caller, error)
	// Log gets the errors that are not for the caller.
	Log *slog.Logger
}

// Routes are what handlers serve, each their own part of the API, on one address.
// A path may have its methods in several handlers.
func (s Server) Routes(parts ...[]Route) http.Handler {
	paths := map[string]methods{}
	for _, r := range slices.Concat(parts...) {
		method, path, _ := strings.Cut(r.Pattern, " ")
		if paths[path] == nil {
			paths[path] = methods{}
		}
		paths[path][method] = s.handler(r)
	}
	mux := http.NewServeMux()
	for path, of := range paths {
		mux.Handle(path, of)
	}
	mux.HandleFunc("/", noPath)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !straight(r) {
			noPath(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func noPath(w http.ResponseWriter, r *http.Request) {
	WriteProblem(w, http.StatusNotFound, fmt.Sprintf("there is no %s %.200s in this API", r.Method, r.URL.EscapedPath()))
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
	WriteProblem(w, http.StatusMethodNotAllowed, fmt.Sprintf("%s is not for %s: use %s", r.Method, r.URL.Path, strings.Join(allowed, " or ")))
}

// handler gives a request its time and writes its answer.
func (s Server) handler(to Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, stop := context.WithTimeout(r.Context(), RequestTime)
		defer stop()
		r.Body = http.MaxBytesReader(w, r.Body, cmp.Or(to.MaxBody, MaxBody))
		status, value, err := s.answer(to, r.WithContext(ctx))
		if tagged, ok := value.(Tagged); ok && err == nil {
			tagged.set(w.Header())
			if value = tagged.Value; tagged.notModified(r) {
				status, value = http.StatusNotModified, nil
			}
		}
		switch {
		case err != nil:
			s.refuse(w, r, err)
		case value == nil:
			w.WriteHeader(status)
		default:
			answer(w, status, "application/json", value)
		}
	})
}

func (s Server) answer(to Route, r *http.Request) (int, any, error) {
	caller, err := s.Caller(r)
	if err == nil {
		err = to.admit(r, caller)
	}
	if err == nil {
		err = asked(r, to.Parameters)
	}
	if err == nil {
		err = plain(r)
	}
	if err != nil {
		return 0, nil, err
	}
	return to.Answer(WithCaller(r, caller))
}
