// Package localstack starts LocalStack without Docker: its SQS and Secrets
// Manager, in memory.
package localstack

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Server is a running LocalStack.
type Server struct {
	URL string
	cmd *exec.Cmd
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
	t.Cleanup(s.Stop)
	return s.URL
}

// Run runs LocalStack on a free port of the loopback, with its files in dir,
// and waits until it answers.
func Run(ctx context.Context, python, dir string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	log, err := os.Create(filepath.Join(dir, "localstack.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if python, err = filepath.Abs(python); err != nil { // it is started in dir
		return nil, err
	}
	c := exec.Command(python, "-m", "localstack.runtime.main")
	c.Dir, c.Stdout, c.Stderr = dir, log, log
	c.Env = append(os.Environ(), "GATEWAY_LISTEN="+address, "LOCALSTACK_HOST="+address, "SERVICES=sqs,secretsmanager",
		"SKIP_SSL_CERT_DOWNLOAD=1", "DISABLE_EVENTS=1", "LOCALSTACK_VOLUME_DIR="+dir)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start LocalStack: %w", err)
	}
	s := &Server{URL: "http://" + address, cmd: c}
	if err := answers(ctx, s.URL); err != nil {
		s.Stop()
		output, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("LocalStack does not answer: %w\n%s", err, output)
	}
	return s, nil
}

// Stop ends it and its children.
func (s *Server) Stop() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	_ = s.cmd.Wait()
}

func answers(ctx context.Context, url string) error {
	ctx, stop := context.WithTimeout(ctx, 2*time.Minute)
	defer stop()
	for tick := time.NewTicker(200 * time.Millisecond); ; {
		resp, err := http.Get(url + "/_localstack/health")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("it answers %s", resp.Status)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}
