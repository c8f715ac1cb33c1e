// Package localstack starts LocalStack without Docker: its SQS and Secrets
// Manager, in memory.
package localstack

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/efferent/efferent/e2e/program"
)

// Server is a running LocalStack.
type Server struct {
	URL string
	*program.Server
}

// Start runs LocalStack until the test ends, and returns its URL. The Python
// that has it is in the environment variable LOCALSTACK_PYTHON (make
// e2e-localstack).
func Start(t *testing.T) string {
	t.Helper()
	python := os.Getenv("LOCALSTACK_PYTHON")
	if python == "" {
		t.Fatal("LOCALSTACK_PYTHON does not name the Python that has LocalStack: use make e2e-localstack")
	}
	s, err := Run(t.Context(), python, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("LocalStack said:\n%s", s.Output())
		}
	})
	return s.URL
}

// Run runs LocalStack on a free port of the loopback, with its files in dir,
// and waits until it answers.
func Run(ctx context.Context, python, dir string) (*Server, error) {
	address, err := program.FreeAddress()
	if err != nil {
		return nil, err
	}
	if python, err = filepath.Abs(python); err != nil { // it is started in dir
		return nil, err
	}
	c := exec.Command(python, "-m", "localstack.runtime.main")
	c.Env = append(os.Environ(), "GATEWAY_LISTEN="+address, "LOCALSTACK_HOST="+address, "SERVICES=sqs,secretsmanager",
		"SKIP_SSL_CERT_DOWNLOAD=1", "DISABLE_EVENTS=1", "LOCALSTACK_VOLUME_DIR="+dir)
	s := &Server{URL: "http://" + address}
	s.Server, err = program.Start(ctx, c, dir, s.healthy)
	return s, err
}

// healthy reports whether it answers; it listens earlier than that.
func (s *Server) healthy(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/_localstack/health", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}
