package objects

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/efferent/efferent/internal/storetest"
)

func TestObjects(t *testing.T) {
	t.Parallel()
	t.Run("directory", func(t *testing.T) {
		t.Parallel()
		storetest.TestObjects(t, func(t *testing.T) storetest.Objects { return NewDirectory(filepath.Join(t.TempDir(), "new", "ledger")) })
	})
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		storetest.TestObjects(t, func(*testing.T) storetest.Objects { return NewMemory() })
	})
}

func TestDirectoryStaysInside(t *testing.T) {
	t.Parallel()
	d := NewDirectory(filepath.Join(t.TempDir(), "ledger"))
	for _, path := range []string{"../out", "/etc/out", "a/../../out", "", "a//b"} {
		if err := d.Put(t.Context(), path, nil); err == nil {
			t.Errorf("put %q", path)
		}
		if _, err := d.Get(t.Context(), path); err == nil {
			t.Errorf("got %q", path)
		}
	}
}

// TestDirectoryLeavesNothing shows that only objects are in the directory, for
// others' tools to read it as it lies.
func TestDirectoryLeavesNothing(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d := NewDirectory(root)
	for _, b := range []string{"a", "a", "b"} {
		_ = d.Put(t.Context(), "x/a", []byte(b))
		_ = d.Replace(t.Context(), "x/b", []byte(b))
	}
	found, err := os.ReadDir(filepath.Join(root, "x"))
	if err != nil || len(found) != 2 {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestReplaceAndList(t *testing.T) {
	t.Parallel()
	type store interface {
		storetest.Objects
		Replace(ctx context.Context, path string, b []byte) error
		List(ctx context.Context, prefix, after string) ([]string, error)
	}
	for name, s := range map[string]store{"directory": NewDirectory(t.TempDir()), "memory": NewMemory()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := s.List(t.Context(), "lane-0/checkpoints/", ""); err != nil || len(got) != 0 {
				t.Errorf("got %v, %v of nothing", got, err)
			}
			for _, b := range []string{"1", "2"} {
				if err := s.Replace(t.Context(), "lane-0/checkpoint", []byte(b)); err != nil {
					t.Fatal(err)
				}
			}
			for _, path := range []string{"lane-0/checkpoints/02", "lane-0/checkpoints/01", "lane-0/checkpoints/x/1", "lane-1/checkpoints/1"} {
				if err := s.Put(t.Context(), path, []byte(path)); err != nil {
					t.Fatal(err)
				}
			}
			if b, err := s.Get(t.Context(), "lane-0/checkpoint"); err != nil || string(b) != "2" {
				t.Errorf("got %q, %v", b, err)
			}
			got, err := s.List(t.Context(), "lane-0/checkpoints/", "")
			if want := []string{"lane-0/checkpoints/01", "lane-0/checkpoints/02"}; err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
			got, err = s.List(t.Context(), "lane-0/checkpoints/", "lane-0/checkpoints/01")
			if want := []string{"lane-0/checkpoints/02"}; err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v after the first, want %v", got, err, want)
			}
		})
	}
}
