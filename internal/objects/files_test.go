package objects

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/storetest"
)

func TestFiles(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	storetest.TestFiles(t, NewFiles(root), func(t *testing.T, place, content string) {
		name := filepath.Join(root, filepath.FromSlash(place))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	})
}

// TestFilesOutside: no directory, and what leads out of it, has no files.
func TestFilesOutside(t *testing.T) {
	t.Parallel()
	if _, err := NewFiles(filepath.Join(t.TempDir(), "none")).File(t.Context(), "acme-files/a", 10); !errors.Is(err, channel.ErrNoFile) {
		t.Error(err)
	}
	root := t.TempDir()
	if err := os.Symlink("/etc", filepath.Join(root, "acme-files")); err != nil {
		t.Skip(err)
	}
	if got, err := NewFiles(root).File(t.Context(), "acme-files/hostname", 1<<20); err == nil {
		t.Errorf("a link leads out: %q", got)
	}
}
