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
		h.Set("ETag", tagOf(t.Version))
	}
	if t.Location != "" {
		h.Set("Location", t.Location)
	}
	if t.Replayed {
		h.Set("Idempotent-Replayed", "true")
	}
}

// IfMatch is Precondition of what there is.
func IfMatch(r *http.Request, version int64) error { return Precondition(r, version, true) }

// Precondition refuses a request that was made for another version than the one that
// there is, or for none to be there (RFC 9110, sections 13.1.1 and 13.1.2). Without the
// headers any is good. A weak tag is none of ours, and matches nothing.
func Precondition(r *http.Request, version int64, there bool) error {
	given, none := r.Header.Values("If-Match"), r.Header.Values("If-None-Match")
	switch {
	case len(given) > 0 && !there:
		return Refuse(http.StatusPreconditionFailed, "there is none, and If-Match says that there is")
	case len(given) > 0 && !hasTag(given, version):
		return Refuse(http.StatusPreconditionFailed, `it was changed meanwhile: its version is "%d", and If-Match says %.80s; read it again`,
			version, strings.Join(given, ", "))
	case there && hasTag(none, version):
		return Refuse(http.StatusPreconditionFailed, `it is there: its version is "%d", and If-None-Match says %.80s`, version,
			strings.Join(none, ", "))
	}
	return nil
}

func hasTag(given []string, version int64) bool {
	for tag := range strings.SplitSeq(strings.Join(given, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == tagOf(version) {
			return true
		}
	}
	return false
}

// notModified reports whether who asks has the version already: a weak tag, which a
// proxy may have made of ours, is as good (RFC 9110, section 13.1.2).
func (t Tagged) notModified(r *http.Request) bool {
	given := strings.ReplaceAll(strings.Join(r.Header.Values("If-None-Match"), ","), "W/", "")
	return t.Version != 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) && hasTag([]string{given}, t.Version)
}

func tagOf(version int64) string { return fmt.Sprintf(`"%d"`, version) }
