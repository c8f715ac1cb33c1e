//go:build localstack

package docs

import (
	"testing"

	"github.com/efferent/efferent/e2e/localstack"
)

// TestSuitesOnLocalStack runs the suites of docs/testing.md, each on a LocalStack
// of its own: what one serves to the poll of a worker that has ended is hidden
// for three minutes.
func TestSuitesOnLocalStack(t *testing.T) {
	t.Parallel()
	s := newSuites(t, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any",
		"EFFERENT_ALLOW_HTTP=loopback", "EFFERENT_ALLOW_CIDRS=127.0.0.0/8")
	for name, suite := range map[string]func(suites, *testing.T){
		"python": suites.python, "go": suites.golang, "javascript": suites.javascript,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := s
			own.env = append(s.env[:len(s.env):len(s.env)], "AWS_ENDPOINT_URL="+localstack.Start(t))
			suite(own, t)
		})
	}
}
