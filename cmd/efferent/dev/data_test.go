package dev

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/sqlite"
)

// dataCheck runs efferent data check, and returns its exit code and what it printed.
func dataCheck(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	out, err := commandtest.Command(append([]string{"data", "check"}, args...)...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return code, string(out)
}

func TestDataCheck(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "e.db")
	db, err := sqlite.Open(path)
	if err == nil {
		err = db.Do(t.Context(), func(tx *sqlite.Tx) error {
			_, err := tx.Exec(`INSERT INTO secrets VALUES ('efferent/webhooks/acme', 'no JSON')`)
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	if code, said := dataCheck(t, path); code != console.ExitCantTell || !strings.Contains(said, "in use by another process") {
		t.Errorf("in use: %d, %s", code, said)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	code, said := dataCheck(t, path)
	if code != console.ExitChanged || !strings.Contains(said, "efferent/webhooks/acme") || !strings.Contains(said, ".recover") {
		t.Errorf("a damaged row: %d, %s", code, said)
	}
	if code, said = dataCheck(t, "--json", path); code != console.ExitChanged ||
		!strings.Contains(said, `"damaged":["efferent/webhooks/acme"]`) {
		t.Errorf("a damaged row as JSON: %d, %s", code, said)
	}
	out, err := commandtest.Command("dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", path).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("efferent data check")) || bytes.Contains(out, []byte("no JSON")) {
		t.Errorf("a start with it: %v, %s", err, out)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if code, said := dataCheck(t, path); code != console.ExitCantTell {
		t.Errorf("no file: %d, %s", code, said)
	}
	if db, err = sqlite.Open(path); err == nil {
		err = db.Close()
	}
	if code, said := dataCheck(t, path); err != nil || code != 0 || !strings.Contains(said, "messages") {
		t.Errorf("a sound one: %d, %s, %v", code, said, err)
	}
}
