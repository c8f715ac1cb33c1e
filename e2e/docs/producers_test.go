//go:build e2e || java

package docs

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

// producers are the programs of docs/producers.md, beside an efferent dev and an
// endpoint of their own.
type producers struct {
	suites
	arrived chan string // the ids of what the endpoint was sent
}

func newProducers(t *testing.T) *producers {
	t.Helper()
	p := &producers{suites: newSuites(t), arrived: make(chan string, 1000)}
	p.files = files(read(t, "docs/producers.md"))
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { p.arrived <- r.Header.Get("webhook-id") }))
	t.Cleanup(endpoint.Close)
	aws, api := address(t), address(t)
	efferent := filepath.Join(p.dir, "bin", "efferent")
	dev, err := program.Start(t.Context(), exec.Command(efferent, "dev", "--aws", aws, "--http", api, "--data", ":memory:"), t.TempDir(),
		func(ctx context.Context) error {
			cmd := exec.CommandContext(ctx, efferent, "secret", "put", "--dev", "--generate", "--endpoint-url", "http://"+aws,
				"efferent/webhooks/acme")
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Stop)
	p.env = append(p.env, "AWS_ENDPOINT_URL=http://"+aws, "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "AWS_REGION=us-east-1",
		"AWS_DEFAULT_REGION=us-east-1", "QUEUE_URL=http://"+aws+"/000000000000/webhooks", "ENDPOINT="+endpoint.URL+"/in")
	return p
}

func address(t *testing.T) string {
	t.Helper()
	free, err := program.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return free
}

// deliver runs one program, whose twelve webhooks must all arrive.
func (p *producers) deliver(t *testing.T, ids, file string, prepare func(dir string) error, command ...string) {
	t.Helper()
	p.run(t, file, prepare, command...)
	missing := map[string]bool{}
	for n := range 12 {
		missing[fmt.Sprintf("%s_%d", ids, n)] = true
	}
	for patience := time.After(time.Minute); len(missing) > 0; {
		select {
		case id := <-p.arrived:
			delete(missing, id)
		case <-patience:
			t.Fatalf("%s: these did not arrive: %v", file, missing)
		}
	}
}

func nothing(string) error { return nil }

// linked has a program find libraries that are installed elsewhere.
func linked(from, name string) func(dir string) error {
	return func(dir string) error {
		from, err := filepath.Abs(from)
		if err != nil {
			return err
		}
		return os.Symlink(from, filepath.Join(dir, name))
	}
}

// asModule makes a module that requires what this one does.
func asModule(t *testing.T) func(dir string) error {
	mod := strings.Replace(read(t, "go.mod"), "module github.com/efferent/efferent\n", "module shop\n", 1)
	sum := read(t, "go.sum")
	return func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "go.sum"), []byte(sum), 0o644)
	}
}
