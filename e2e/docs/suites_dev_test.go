//go:build e2e

package docs

import "testing"

// TestSuites runs the suites of docs/testing.md, each with a dev of its own.
func TestSuites(t *testing.T) {
	t.Parallel()
	s := newSuites(t, "AWS_ENDPOINT_URL=")
	for name, suite := range map[string]func(*testing.T){"python": s.python, "go": s.golang, "javascript": s.javascript} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t)
		})
	}
}
