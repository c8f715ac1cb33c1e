//go:build e2e || localstack || java

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// suites are the three test suites of docs/testing.md, each in a project of its
// own that has what the page says it needs.
type suites struct {
	dir   string
	files map[string]string
	env   []string
}

// newSuites builds the command, and reads the page.
func newSuites(t *testing.T, env ...string) suites {
	t.Helper()
	s := suites{dir: t.TempDir(), files: files(read(t, "docs/testing.md"))}
	build := exec.Command("go", "build", "-o", filepath.Join(s.dir, "bin", "efferent"), "./cmd/efferent")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.env = append(os.Environ(), "PATH="+filepath.Join(s.dir, "bin")+":"+os.Getenv("PATH"))
	s.env = append(s.env, env...)
	return s
}

// run saves a file of the page in a folder of its own, and runs a command there.
func (s suites) run(t *testing.T, file string, prepare func(dir string) error, command ...string) {
	t.Helper()
	text := s.files[file]
	if text == "" {
		t.Fatalf("docs/testing.md has no file %s", file)
	}
	dir := filepath.Join(s.dir, strings.ReplaceAll(file, ".", "-"))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := prepare(dir); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, s.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", command, err, out)
	}
}

// python needs PYTHON, an interpreter that has pytest and the libraries.
func (s suites) python(t *testing.T) {
	python := os.Getenv("PYTHON")
	if python == "" {
		t.Fatal("PYTHON does not name the Python of build/clients-venv: use make test-docs or make e2e-localstack")
	}
	s.run(t, "test_webhooks.py", func(string) error { return nil }, python, "-m", "pytest", "-q", "-p", "no:cacheprovider")
}

// golang is in a module that requires what this one does.
func (s suites) golang(t *testing.T) {
	s.run(t, "webhooks_test.go", func(dir string) error {
		mod := strings.Replace(read(t, "go.mod"), "module github.com/efferent/efferent\n", "module billing\n", 1)
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "go.sum"), []byte(read(t, "go.sum")), 0o644)
	}, "go", "test", "-count=1", ".")
}

// javascript has the libraries of e2e/clients/node.
func (s suites) javascript(t *testing.T) {
	modules, err := filepath.Abs("../clients/node/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, "webhooks.test.mjs", func(dir string) error { return os.Symlink(modules, filepath.Join(dir, "node_modules")) }, "node", "--test")
}
