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

// Start runs LocalStack on a free port of the loopback until the test ends, and
// returns its URL. The Python that has it is in the environment variable
// LOCALSTACK_PYTHON (make e2e-localstack).
func Start(t *testing.T) string {
	t.Helper()
	python := os.Getenv("LOCALSTACK_PYTHON")
	if python == "" {
		t.Fatal("LOCALSTACK_PYTHON does not name the Python that has LocalStack: use make e2e-localstack")
	}
	dir := t.TempDir()
	address := freeAddress(t)
	log, err := os.Create(filepath.Join(dir, "localstack.log"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(python, "-m", "localstack.runtime.main")
	c.Dir, c.Stdout, c.Stderr = dir, log, log
	c.Env = append(os.Environ(), "GATEWAY_LISTEN="+address, "LOCALSTACK_HOST="+address, "SERVICES=sqs,secretsmanager",
		"SKIP_SSL_CERT_DOWNLOAD=1", "DISABLE_EVENTS=1", "LOCALSTACK_VOLUME_DIR="+dir)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatalf("start LocalStack: %v", err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		_ = c.Wait()
		_ = log.Close()
	})
	url := "http://" + address
	if err := answers(t.Context(), url); err != nil {
		output, _ := os.ReadFile(log.Name())
		t.Fatalf("LocalStack does not answer: %v\n%s", err, output)
	}
	return url
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
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
