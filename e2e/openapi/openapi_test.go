//go:build e2e

// Package openapi has schemathesis try the HTTP API of efferent dev by its own
// document (schemas/openapi.json), with real messages behind it.
package openapi

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/e2e/program"
)

// TestSchemathesis makes some 1,500 requests, good and bad, single and in a row.
// SCHEMATHESIS is its command; SCHEMATHESIS_FLAGS say more, such as "-n 1000".
func TestSchemathesis(t *testing.T) {
	command := os.Getenv("SCHEMATHESIS")
	if command == "" {
		t.Skip("SCHEMATHESIS is not set: make test-api does it")
	}
	s := serve(t)
	s.fill(t)
	args := []string{"--config-file", "schemathesis.toml", "run", s.http + "/api/v1/openapi.json", "--seed", "1042", "-n", "10"}
	st := exec.CommandContext(t.Context(), command, append(args, strings.Fields(os.Getenv("SCHEMATHESIS_FLAGS"))...)...)
	st.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "EFFERENT_API_URL="+s.http)
	out, err := st.CombinedOutput()
	if err != nil {
		t.Errorf("schemathesis: %v\n%s", err, out)
	}
	t.Logf("%s", out[max(0, len(out)-4000):])
}

// stack is an efferent dev, and an endpoint that takes nothing.
type stack struct{ efferent, aws, http, endpoint string }

func serve(t *testing.T) *stack {
	t.Helper()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/later") {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
	}))
	t.Cleanup(endpoint.Close)
	dir := t.TempDir()
	s := &stack{efferent: filepath.Join(dir, "efferent"), endpoint: endpoint.URL}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", s.efferent, "../../cmd/efferent").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	aws, api := freeAddress(t), freeAddress(t)
	s.aws, s.http = "http://"+aws, "http://"+api
	command := exec.Command(s.efferent, "dev", "--aws", aws, "--http", api, "--data", ":memory:")
	command.Env = append(os.Environ(), "EFFERENT_TOKEN_SECRET=efferent/tokens")
	dev, err := program.Start(t.Context(), command, dir,
		func(ctx context.Context) error { return s.count(ctx, "/api/v1/circuits", 0) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Stop)
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := program.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// fill makes dead letters of both kinds, messages that wait, and circuits.
func (s *stack) fill(t *testing.T) {
	t.Helper()
	s.run(t, "secret", "put", "--dev", "--generate", "efferent/webhooks/acme")
	for range 3 {
		s.run(t, "endpoints", "create", "--dev", "--tenant", "beta", "--type", "*", "https://hooks.beta.test/in")
	}
	const each = 8
	for n := range each {
		for _, path := range []string{"/refused", fmt.Sprintf("/later-%d", n)} {
			s.run(t, "send", "--dev", "--url", s.endpoint+path, "--secret", "efferent/webhooks/acme", "--event", "invoice.paid", "--body", "{}",
				"--tenant", "acme", "--id", fmt.Sprintf("evt_%d", n))
		}
		s.run(t, "notify", "--dev", "--channel", "email", "--recipient", "ann@acme.test", "--body", "It is paid.", "--id", fmt.Sprintf("n_%d", n))
	}
	for _, path := range []string{"/api/v1/dlq?queue=webhook-failures", "/api/v1/dlq?queue=notification-failures", "/api/v1/waiting"} {
		for ctx := t.Context(); s.count(ctx, path, each) != nil; {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				t.Fatal(s.count(context.Background(), path, each))
			}
		}
	}
}

func (s *stack) run(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.efferent, args...)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+s.aws, "EFFERENT_API_URL="+s.http)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// count is nil when a list has at least n items.
func (s *stack) count(ctx context.Context, path string, n int) error {
	var list struct{ Items []struct{} }
	if err := get(ctx, s.http+path, &list); err != nil {
		return err
	}
	if len(list.Items) < n {
		return fmt.Errorf("%s has %d items, not %d", path, len(list.Items), n)
	}
	return nil
}
