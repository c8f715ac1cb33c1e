package objects

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/efferent/efferent/internal/ledger"
)

// Memory keeps objects as long as the process lives. It may be used by many
// goroutines at once.
type Memory struct {
	mu   sync.Mutex
	kept map[string][]byte
}

// NewMemory returns an empty one.
func NewMemory() *Memory { return &Memory{kept: map[string][]byte{}} }

// Put keeps b under path. Where other bytes are, they stay, and the error is
// ledger.ErrChanged.
func (m *Memory) Put(_ context.Context, path string, b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if kept, ok := m.kept[path]; ok {
		if !bytes.Equal(kept, b) {
			return fmt.Errorf("object %s holds other bytes: %w", path, ledger.ErrChanged)
		}
		return nil
	}
	m.kept[path] = bytes.Clone(b)
	return nil
}

// Replace keeps b under path, whatever is there.
func (m *Memory) Replace(_ context.Context, path string, b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[path] = bytes.Clone(b)
	return nil
}

// Get returns what is under path, or ledger.ErrNotFound.
func (m *Memory) Get(_ context.Context, path string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.kept[path]
	if !ok {
		return nil, fmt.Errorf("object %s: %w", path, ledger.ErrNotFound)
	}
	return bytes.Clone(b), nil
}

// List returns the paths under a prefix that ends in a slash and after a path,
// in order, without those of folders below it.
func (m *Memory) List(_ context.Context, prefix, after string) (paths []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for path := range m.kept {
		if rest, ok := strings.CutPrefix(path, prefix); ok && !strings.Contains(rest, "/") && path > after {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}
