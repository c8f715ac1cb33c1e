package origin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header, value string
		status        int
	}{
		"no browser":                 {"X", "", 200},
		"an image of another site":   {"Sec-Fetch-Site", "cross-site", 403},
		"another port":               {"Sec-Fetch-Site", "same-site", 403},
		"what is not known":          {"Sec-Fetch-Site", "x", 403},
		"an older browser's form":    {"Origin", "http://evil.test", 403},
		"another port, older":        {"Origin", "http://example.com:1", 403},
		"a sandboxed page":           {"Origin", "null", 403},
		"what is no URL":             {"Origin", "http://[", 403},
		"a page of this origin":      {"Sec-Fetch-Site", "same-origin", 200},
		"what was typed into a bar":  {"Sec-Fetch-Site", "none", 200},
		"an older browser's own one": {"Origin", "http://example.com", 200},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			r, w := httptest.NewRequest(method, "/", nil), httptest.NewRecorder()
			r.Header.Set(c.header, c.value)
			Only(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("%s, %s: status %d, want %d", name, method, w.Code, c.status)
			}
			if kind := w.Header().Get("Content-Type"); w.Code == 403 && (kind != "application/problem+json" || !json.Valid(w.Body.Bytes())) {
				t.Errorf("%s, %s: %s: %s", name, method, kind, w.Body)
			}
		}
	}
}
