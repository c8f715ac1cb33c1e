package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Problem is how the API tells what is wrong: problem details (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// Refusal is an error whose text the caller may see.
type Refusal struct {
	Status int
	Detail string
}

func (r *Refusal) Error() string { return r.Detail }

// Refuse is a Refusal with any status.
func Refuse(status int, format string, args ...any) error {
	return &Refusal{status, fmt.Sprintf(format, args...)}
}

// NotFound is a Refusal with the status 404.
func NotFound(format string, args ...any) error { return Refuse(http.StatusNotFound, format, args...) }

// BadRequest is a Refusal with the status 400.
func BadRequest(format string, args ...any) error {
	return Refuse(http.StatusBadRequest, format, args...)
}

// Conflict is a Refusal with the status 409.
func Conflict(format string, args ...any) error { return Refuse(http.StatusConflict, format, args...) }

// unavailable is an error of ours with what a caller may know of it.
type unavailable struct {
	detail string
	err    error
}

func (u *unavailable) Error() string { return u.detail + ": " + u.err.Error() }
func (u *unavailable) Unwrap() error { return u.err }

// Unavailable is an error of ours, answered by 503, with what the caller may know of
// it; nil where err is nil.
func Unavailable(detail string, err error) error {
	if err == nil {
		return nil
	}
	return &unavailable{detail, err}
}

// PublicDetail is what the caller may know of an error of ours; empty for nothing.
func PublicDetail(err error) string {
	var u *unavailable
	if errors.As(err, &u) {
		return u.detail
	}
	return ""
}

// refuse tells the caller of an error. What is not meant for them is logged, and told
// as something that may pass.
func (s Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var known *Refusal
	if errors.As(err, &known) {
		WriteProblem(w, known.Status, known.Detail)
		return
	}
	s.Log.ErrorContext(r.Context(), "a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	WriteProblem(w, http.StatusServiceUnavailable, cmp.Or(PublicDetail(err), "this can't be done now")+"; try again")
}

// WriteProblem answers with a problem.
func WriteProblem(w http.ResponseWriter, status int, detail string) {
	answer(w, status, "application/problem+json", Problem{"about:blank", http.StatusText(status), status, detail})
}

func answer(w http.ResponseWriter, status int, contentType string, value any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	// An error here means that the client is gone.
	_ = json.MarshalWrite(w, value, jsontext.AllowInvalidUTF8(true)) // such as a path's, which become U+FFFD
}
