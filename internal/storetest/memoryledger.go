package storetest

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/efferent/efferent/internal/ledger"
)

// MemoryLedger is a Ledger for tests. It may be used by many goroutines at
// once.
type MemoryLedger struct {
	mu     sync.Mutex
	heads  map[string]ledger.Head
	staged map[string][]ledger.Staged
}

// NewMemoryLedger returns an empty one.
func NewMemoryLedger() *MemoryLedger {
	return &MemoryLedger{heads: map[string]ledger.Head{}, staged: map[string][]ledger.Staged{}}
}

// Head returns the lane's head.
func (m *MemoryLedger) Head(_ context.Context, lane string) (ledger.Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.heads[lane]
	h.Edge = h.Edge.Clone()
	return h, nil
}

// Move replaces the head of version now.Version-1.
func (m *MemoryLedger) Move(_ context.Context, lane string, now ledger.Head) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.heads[lane].Version != now.Version-1 {
		return ledger.ErrMoved
	}
	now.Edge = now.Edge.Clone()
	m.heads[lane] = now
	return nil
}

// Stage keeps s.
func (m *MemoryLedger) Stage(ctx context.Context, lane string, s ledger.Staged) error {
	if err := m.Drop(ctx, lane, []ledger.Staged{s}); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := append(m.staged[lane], s)
	slices.SortStableFunc(all, func(a, b ledger.Staged) int { return cmp.Compare(a.End, b.End) })
	m.staged[lane] = all
	return nil
}

// Staged returns all that is staged.
func (m *MemoryLedger) Staged(_ context.Context, lane string) ([]ledger.Staged, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.staged[lane]), nil
}

// Drop removes some of what Staged returned.
func (m *MemoryLedger) Drop(_ context.Context, lane string, staged []ledger.Staged) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.staged[lane] = slices.DeleteFunc(m.staged[lane], func(s ledger.Staged) bool {
		return slices.ContainsFunc(staged, func(d ledger.Staged) bool { return d.End == s.End && d.Root == s.Root })
	})
	return nil
}
