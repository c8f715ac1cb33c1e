//go:build checkers

package efferent_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

// checker is one of the programs in the directory that the environment variable
// CHECKERS names (the Makefile installs them).
func checker(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	dir := os.Getenv("CHECKERS")
	if dir == "" {
		t.Fatal("CHECKERS does not name the directory of cfn-lint and checkov: use make lint-template")
	}
	return exec.Command(filepath.Join(dir, name), args...)
}

// templates are the files of the stack as it is, of one with options, and of that
// of `make dist`.
func templates(t *testing.T) (files []string) {
	t.Helper()
	dir := t.TempDir()
	for name, made := range map[string]template{
		"plain": synth(t, efferent.Props{}), "options": synth(t, many(t)), "dist": distributed(t),
	} {
		b, err := json.Marshal(made.json)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name+".json")
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// TestCheckers runs cfn-lint, which must find nothing at all, and checkov, which
// must find nothing that has no reason in findings.go, and all that has one.
func TestCheckers(t *testing.T) {
	files := templates(t)
	if out, err := checker(t, "cfn-lint", files...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("cfn-lint: %v\n%s", err, out)
	}
	var found []checked
	for _, file := range files {
		found = append(found, checkov(t, file)...)
	}
	for _, f := range efferent.Findings {
		if strings.HasPrefix(f.Check, "CKV") && !slices.ContainsFunc(found, func(c checked) bool { return c.ID == f.Check }) {
			t.Errorf("checkov does not find %s any more", f.Check)
		}
	}
}

// checked is a check of checkov on a resource.
type checked struct {
	ID       string `json:"check_id"`
	Resource string `json:"resource"`
	Name     string `json:"check_name"`
}

// checkov returns what it found and skipped, and fails the test for the rest. It is
// kept from asking its maker's servers.
func checkov(t *testing.T, file string) []checked {
	t.Helper()
	out, err := checker(t, "checkov", "--framework", "cloudformation", "--skip-download", "--output", "json", "--file", file).Output()
	var said struct {
		Results struct {
			Passed  []checked `json:"passed_checks"`
			Failed  []checked `json:"failed_checks"`
			Skipped []checked `json:"skipped_checks"`
		}
	}
	if json.Unmarshal(out, &said) != nil || len(said.Results.Passed) < 50 {
		t.Fatalf("checkov: %v\n%.2000s", err, out)
	}
	for _, c := range said.Results.Failed {
		t.Errorf("checkov finds in %s, and findings.go has no reason for it: %s %s, %s", filepath.Base(file), c.ID, c.Resource, c.Name)
	}
	return said.Results.Skipped
}
