package api

import (
	"fmt"
	"net/http"
	"strings"
)

// Tagged is an answer with headers.
type Tagged struct {
	// Version is an entity tag's, if not 0; Location is where what was made stands.
	Version  int64
	Location string
	// Replayed says that it is the answer that was given to the same request before.
	Replayed bool
	Value    any
}

func (t Tagged) set(h http.Header) {
	if t.Version != 0 {
		h.Set("ETag", fmt.Sprintf(`"%d"`, t.Version))
	}
	if t.Location != "" {
		h.Set("Location", t.Location)
	}
	if t.Replayed {
		h.Set("Idempotent-Replayed", "true")
	}
}

// IfMatch refuses a request that was made for another version than the one that there
// is (RFC 9110, section 13.1.1). Without the header any is good. A weak tag is none
// of ours, and matches nothing.
func IfMatch(r *http.Request, version int64) error {
	given := r.Header.Values("If-Match")
	if len(given) == 0 {
		return nil
	}
	for tag := range strings.SplitSeq(strings.Join(given, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == fmt.Sprintf(`"%d"`, version) {
			return nil
		}
	}
	return Refuse(http.StatusPreconditionFailed, `it was changed meanwhile: its version is "%d", and If-Match says %.80s; read it again`,
		version, strings.Join(given, ", "))
}
