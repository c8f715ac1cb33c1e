//go:build e2e

package docs

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/efferent/efferent/e2e/localstack"
)

// TestCommands runs the commands of every page. The pages run one after the
// other, each with a state and with ports of its own.
func TestCommands(t *testing.T) {
	clone := filepath.Join(t.TempDir(), "efferent")
	copyRepository(t, "../..", clone)
	command := build(t, clone)
	var notRun int
	for _, page := range pages(t, clone) {
		text, err := os.ReadFile(filepath.Join(clone, page))
		if err != nil {
			t.Fatal(err)
		}
		blocks, err := parse(string(text))
		if err != nil {
			t.Errorf("%s: %v", page, err)
			continue
		}
		t.Run(page, func(t *testing.T) {
			r := newReader(t, clone, command, sqsFor(t, page))
			for _, b := range blocks {
				if b.NotRun != "" {
					notRun++
					t.Logf("%s:%d is not run: %s", page, b.Line, b.NotRun)
					continue
				}
				if !r.run(t, fmt.Sprintf("%s:%d", page, b.Line), b) {
					return // what follows rests on it
				}
			}
		})
	}
	t.Logf("%d blocks were not run", notRun)
}

// build builds the command once: to link it anew for each that the pages show
// would take most of the time. The demo of README is left as a reader runs it.
func build(t *testing.T, clone string) string {
	t.Helper()
	command := filepath.Join(t.TempDir(), "efferent")
	cmd := exec.Command("go", "build", "-o", command, "./cmd/efferent")
	cmd.Dir = clone
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return command
}

// onLocalStack is the page whose commands need one.
const onLocalStack = "docs/worker.md"

// sqsFor is the address of the LocalStack that a page is about; empty where it is
// about an efferent dev.
func sqsFor(t *testing.T, page string) string {
	t.Helper()
	if page != onLocalStack {
		return ""
	}
	if os.Getenv("LOCALSTACK_PYTHON") == "" {
		t.Skip("it needs LocalStack: make e2e-localstack runs it")
	}
	return strings.TrimPrefix(localstack.Start(t), "http://")
}

func pages(t *testing.T, root string) (all []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			page, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, page)
		}
	}
	if !slices.Contains(all, "README.md") {
		t.Fatalf("README.md is not among the pages: %v", all)
	}
	return all
}

// copyRepository copies the working tree, without what is built or installed.
func copyRepository(t *testing.T, from, to string) {
	t.Helper()
	built := []string{".git", ".venv", "build", "cdk.out"}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case slices.Contains(built, rel), d.Name() == "node_modules":
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), content, info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
}

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
