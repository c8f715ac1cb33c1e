package storetest

import (
	"cmp"
	"context"
	"slices"

	"github.com/efferent/efferent/internal/suppression"
)

// Suppressed is as suppression.Store has it.
func (m *Memory) Suppressed(_ context.Context, keys []suppression.Key) (map[suppression.Key]suppression.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[suppression.Key]suppression.Entry{}
	for _, key := range keys {
		if kept := m.suppressions[key]; kept.There() {
			found[key] = kept.Entry
		}
	}
	return found, nil
}

// AddSuppression is as suppression.Store has it.
func (m *Memory) AddSuppression(_ context.Context, e suppression.Entry) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.suppressions[e.Key()].Takes(e) {
		return false, nil
	}
	m.keepSuppression(e.Key(), suppression.Kept{Entry: e})
	return true, nil
}

// LiftSuppression is as suppression.Store has it.
func (m *Memory) LiftSuppression(_ context.Context, l suppression.Lifting) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.suppressions[l.Key]
	if !was.Lifts(l) {
		return false, nil
	}
	m.keepSuppression(l.Key, suppression.Kept{Lifted: l.At})
	return was.There(), nil
}

func (m *Memory) keepSuppression(key suppression.Key, kept suppression.Kept) {
	if m.suppressions == nil {
		m.suppressions = map[suppression.Key]suppression.Kept{}
	}
	m.suppressions[key] = kept
}

// ListSuppressions is as suppression.Store has it.
func (m *Memory) ListSuppressions(_ context.Context, p suppression.Page) (page []suppression.Entry, next string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, kept := range m.suppressions {
		if key.Tenant == p.Tenant && key.ID > p.After && kept.There() && p.Shows(kept.Entry) {
			page = append(page, kept.Entry)
		}
	}
	slices.SortFunc(page, func(a, b suppression.Entry) int { return cmp.Compare(a.ID, b.ID) })
	if len(page) > p.Limit {
		page = page[:p.Limit]
		next = page[p.Limit-1].ID
	}
	return page, next, nil
}
