package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/channel"
)

// Files reads attachments, as notify.Files promises.
type Files interface {
	File(ctx context.Context, place string, most int) ([]byte, error)
}

// TestFiles runs the suite of what notify.Files promises, over files in which put
// puts what is at a place of the bucket acme-files.
func TestFiles(t *testing.T, files Files, put func(t *testing.T, place, content string)) {
	t.Helper()
	put(t, "acme-files/invoices/räkning 1.pdf", "0123456789")
	put(t, "acme-files/invoices/empty", "")
	for name, c := range map[string]struct {
		place string
		most  int
		says  string // of what can't be attached
	}{
		"whole":                 {"acme-files/invoices/räkning 1.pdf", 10, ""},
		"too large by a byte":   {"acme-files/invoices/räkning 1.pdf", 9, "too large"},
		"no room at all":        {"acme-files/invoices/räkning 1.pdf", 0, "too large"},
		"empty":                 {"acme-files/invoices/empty", 10, "empty"},
		"not there":             {"acme-files/invoices/none.pdf", 10, "nothing under that key"},
		"another bucket":        {"acme-filesx/invoices/räkning 1.pdf", 10, "can't be attached"},
		"a way out":             {"acme-files/invoices/../../../../../etc/hostname", 1 << 20, "can't be attached"},
		"a bucket without keys": {"acme-files/", 10, "can't be attached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := files.File(t.Context(), c.place, c.most)
			switch {
			case c.says == "" && (err != nil || string(got) != "0123456789"):
				t.Errorf("got %q, %v", got, err)
			case c.says != "" && (!errors.Is(err, channel.ErrNoFile) || !strings.Contains(err.Error(), c.says) ||
				strings.Contains(err.Error(), "invoices")):
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
