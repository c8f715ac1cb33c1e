package replay

import (
	"net/http"

	"github.com/go-json-experiment/json"
)

// Problem is how the API tells what is wrong: problem details (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func problem(w http.ResponseWriter, status int, detail string) {
	answer(w, status, "application/problem+json", Problem{"about:blank", http.StatusText(status), status, detail})
}

func answer(w http.ResponseWriter, status int, contentType string, value any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	// An error here means that the client is gone.
	_ = json.MarshalWrite(w, value)
}
