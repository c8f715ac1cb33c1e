package replay

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/deadletter"
)

// Problem is how the API tells what is wrong: problem details (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// refusal is an error whose text the caller may see.
type refusal struct {
	status int
	detail string
}

func (r *refusal) Error() string { return r.detail }

func notFound(format string, args ...any) error {
	return &refusal{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &refusal{http.StatusConflict, fmt.Sprintf(format, args...)}
}

// refuse maps an error to its status. What is not meant for the caller is
// logged, and told as something that may pass.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var known *refusal
	switch {
	case errors.As(err, &known):
		problem(w, known.status, known.detail)
	case errors.Is(err, deadletter.ErrMoving):
		problem(w, http.StatusConflict, "a message move task of this queue is running; wait for its end, or cancel it")
	case errors.Is(err, deadletter.ErrMoveEnded):
		problem(w, http.StatusConflict, "the message move task is not running any more")
	case errors.Is(err, deadletter.ErrMovesUnsupported):
		problem(w, http.StatusNotImplemented, "this SQS endpoint has no message move tasks; replay by a filter instead")
	case errors.Is(err, deadletter.ErrTooLarge):
		problem(w, http.StatusUnprocessableEntity, "the message is too large to carry its webhook-id and policy along; "+
			"replay all, by SQS's own move task, takes it as it is")
	default:
		h.Log.ErrorContext(r.Context(), "a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		problem(w, http.StatusServiceUnavailable, cmp.Or(publicDetail(err), "this can't be done now")+"; try again")
	}
}

// unavailable is an error of ours with what a caller may know of it.
type unavailable struct {
	detail string
	err    error
}

func (u *unavailable) Error() string { return u.detail + ": " + u.err.Error() }
func (u *unavailable) Unwrap() error { return u.err }

func publicDetail(err error) string {
	var u *unavailable
	if errors.As(err, &u) {
		return u.detail
	}
	return ""
}

func problem(w http.ResponseWriter, status int, detail string) {
	answer(w, status, "application/problem+json", Problem{"about:blank", http.StatusText(status), status, detail})
}

func answer(w http.ResponseWriter, status int, contentType string, value any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	// An error here means that the client is gone.
	_ = json.MarshalWrite(w, value, jsontext.AllowInvalidUTF8(true)) // such as a path's, which become U+FFFD
}
