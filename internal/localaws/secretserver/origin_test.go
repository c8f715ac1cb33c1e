package secretserver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/localaws/secretserver"
)

// TestOrigin: no web page of another origin may read a secret.
func TestOrigin(t *testing.T) {
	t.Parallel()
	s, err := secretserver.Open(t.Context(), &memory{}, secretserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]int{"http://evil.test": http.StatusForbidden, "http://example.com": http.StatusOK} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
		r.Header.Set("X-Amz-Target", "secretsmanager.ListSecrets")
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		secretserver.NewHandler(s).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d %s", origin, w.Code, w.Body)
		}
	}
}
