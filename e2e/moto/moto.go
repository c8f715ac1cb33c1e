// Package moto starts moto's server, which plays DynamoDB in memory.
package moto

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/efferent/efferent/e2e/program"
)

// Start runs moto's server until the test ends, and returns its URL. The
// command is in the environment variable MOTO_SERVER (make test-dynamodb).
func Start(t *testing.T) string {
	t.Helper()
	server := os.Getenv("MOTO_SERVER")
	if server == "" {
		t.Fatal("MOTO_SERVER does not name moto's server: use make test-dynamodb")
	}
	address, err := program.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := program.Start(t.Context(), exec.Command(server, "-H", "127.0.0.1", "-p", port), t.TempDir(), program.Listens(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("moto said:\n%s", troubles(s.Output()))
		}
	})
	return "http://" + address
}

// troubles leaves out the requests that went well.
func troubles(output string) string {
	var rest strings.Builder
	for line := range strings.Lines(output) {
		if !strings.Contains(line, `HTTP/1.1" 200`) {
			rest.WriteString(line)
		}
	}
	return rest.String()
}
