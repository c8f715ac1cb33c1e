//go:build e2e

package docs

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/e2e/program"
	"github.com/efferent/efferent/internal/webhook"
)

// receivers are the programs that docs/events.md shows, and what runs each.
func receivers(t *testing.T) map[string]*exec.Cmd {
	t.Helper()
	python := os.Getenv("PYTHON")
	if python == "" {
		t.Fatal("PYTHON does not name the Python of build/clients-venv: use make test-docs")
	}
	folder := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(folder, "receiver"), "../receivers")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// JavaScript looks for libraries beside the program.
	inJavaScript := filepath.Join(folder, "receiver.mjs")
	if err := os.WriteFile(inJavaScript, []byte(read(t, "e2e/receivers/receiver.mjs")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := linked("../clients/node/node_modules", "node_modules")(folder); err != nil {
		t.Fatal(err)
	}
	inPython, err := filepath.Abs("../receivers/receiver.py")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*exec.Cmd{
		"main.go":      exec.Command(filepath.Join(folder, "receiver")),
		"receiver.py":  exec.Command(python, inPython),
		"receiver.mjs": exec.Command("node", inJavaScript),
	}
}

// TestReceivers sends what Efferent sends to each of the receivers that docs/events.md
// shows: they take it, print it once, and refuse what others have signed.
func TestReceivers(t *testing.T) {
	t.Parallel()
	allow, err := webhook.ParseAllowHTTP("loopback")
	if err != nil {
		t.Fatal(err)
	}
	c := webhook.NewClient(webhook.Options{AllowHTTP: allow, AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(c.Close)
	right, other := webhook.NewSecret(""), webhook.NewSecret("")
	for file, cmd := range receivers(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			at := address(t)
			cmd.Env = append(os.Environ(), "WEBHOOK_SECRET="+right, "ADDRESS="+at)
			server, err := program.Start(t.Context(), cmd, t.TempDir(), program.Listens(at))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Stop)
			for _, sent := range []struct {
				id       string
				secrets  []string
				at       time.Time
				accepted bool
			}{
				{"evt_1", []string{right}, time.Now(), true},
				{"evt_1", []string{right}, time.Now(), true},
				{"evt_2", []string{other, right}, time.Now(), true}, // while a rotation goes on
				{"evt_3", []string{other}, time.Now(), false},
				{"evt_4", []string{right}, time.Now().Add(-time.Hour), false},
			} {
				r := webhook.Request{URL: "http://" + at + "/in", ID: sent.id, EventType: "invoice.paid", Body: []byte(`{"å": 1.0}`), At: sent.at}
				for _, text := range sent.secrets {
					s, err := webhook.ParseSecret(text)
					if err != nil {
						t.Fatal(err)
					}
					r.Secrets = append(r.Secrets, s)
				}
				x := c.Post(t.Context(), r)
				if accepted := x.Status/100 == 2; accepted != sent.accepted || !accepted && x.Status != 401 {
					t.Errorf("%s: %+v", sent.id, x)
				}
			}
			const want = "evt_1 invoice.paid {\"å\": 1.0}\nevt_2 invoice.paid {\"å\": 1.0}"
			if got := server.Output(); got != want {
				t.Errorf("it printed %q, want %q", got, want)
			}
		})
	}
}

// TestReceiversAreThoseOfThePage: the page shows the files that are run, without the
// comments before a program.
func TestReceiversAreThoseOfThePage(t *testing.T) {
	t.Parallel()
	before := regexp.MustCompile(`^(//.*\n)+`)
	shown := files(read(t, "docs/events.md"))
	for _, file := range []string{"main.go", "receiver.py", "receiver.mjs"} {
		if is := before.ReplaceAllString(read(t, "e2e/receivers/"+file), ""); strings.TrimSpace(shown[file]) != strings.TrimSpace(is) {
			t.Errorf("docs/events.md shows another %s than e2e/receivers has", file)
		}
	}
}
