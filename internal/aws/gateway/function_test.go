package gateway_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/efferent/efferent/internal/aws/gateway"
)

// TestPathsAreDecodedOnce: API Gateway has decoded a path, and nobody decodes it again.
func TestPathsAreDecodedOnce(t *testing.T) {
	t.Parallel()
	for rawPath, want := range map[string]string{
		"/tenants/a@b.c/x": "/tenants/a@b.c/x", "/tenants/a%40b.c/x": "/tenants/a@b.c/x",
		"/tenants/%42eta/x": "/tenants/%2542eta/x", "/tenants/%2542eta/x": "/tenants/%252542eta/x",
		"/tenants/%2e%2e/x": "/tenants/%252e%252e/x", "/tenants/a%2Fb/x": "/tenants/a%252Fb/x", "/%": "/%25", "/%zz": "/%25zz",
		"/a b": "/a%20b", "/ä": "/%C3%A4", "/a?b": "/a%3Fb", "/a#b": "/a%23b", "/a\x00b": "/a%00b", "/../x": "/../x", "//x": "//x",
		"/": "/",
	} {
		var got string
		function := gateway.Function(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r.URL.EscapedPath()
			body, err := io.ReadAll(r.Body)
			if r.URL.RawQuery != "q=%2520" || string(body) != "a%b" || err != nil {
				t.Errorf("%q: the query is %s, the body %q, %v", rawPath, r.URL.RawQuery, body, err)
			}
		}))
		path, err := json.Marshal(rawPath)
		if err != nil {
			t.Fatal(err)
		}
		event := `{"version":"2.0","rawPath":` + string(path) + `,"rawQueryString":"q=%2520","body":"a%b","headers":{"host":"api.test"},` +
			`"requestContext":{"http":{"method":"GET"}}}`
		if _, err := function.Invoke(t.Context(), []byte(event)); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", rawPath, got, err, want)
		}
	}
	if _, err := gateway.Function(http.NotFoundHandler()).Invoke(t.Context(), []byte(`[]`)); err == nil {
		t.Error("what is no event is taken")
	}
}

// FuzzPaths: whatever API Gateway saw is what is answered for, decoded no further.
func FuzzPaths(f *testing.F) {
	for _, seed := range []string{"/", "/a@b", "/a%40b", "/%2e%2e/", "//x", "/%", "/ä?#;", "/\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rawPath string) {
		if !utf8.ValidString(rawPath) || !strings.HasPrefix(rawPath, "/") {
			return // neither is in an event
		}
		var got string
		path, err := json.Marshal(rawPath)
		if err != nil {
			t.Fatal(err)
		}
		event := `{"version":"2.0","rawPath":` + string(path) + `,"headers":{"host":"api.test"},"requestContext":{"http":{"method":"GET"}}}`
		function := gateway.Function(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.Path }))
		if _, err := function.Invoke(t.Context(), []byte(event)); err != nil || got != strings.ReplaceAll(rawPath, "%40", "@") {
			t.Errorf("%q: got %q, %v", rawPath, got, err)
		}
	})
}
