package storetest

import (
	"context"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/attempt"
)

// reported is a record with what was reported of it.
func (m *Memory) reported(k recordKey) attempt.Record {
	r := m.records[k]
	if rep, ok := m.reports[k]; ok {
		return r.With(rep)
	}
	return r
}

// PutReport is as attempt.Reports has it.
func (m *Memory) PutReport(_ context.Context, r attempt.Record, rep attempt.Report) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.reports[keyOf(r)].Version != rep.Version-1 {
		return attempt.ErrReported
	}
	if m.reports == nil {
		m.reports = map[recordKey]attempt.Report{}
	}
	m.reports[keyOf(r)] = rep
	return nil
}

// KeepOnward is as onward.Store has it.
func (m *Memory) KeepOnward(_ context.Context, webhookID, sortKey string, message []byte, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.onward == nil {
		m.onward = map[recordKey][]byte{}
	}
	m.onward[recordKey{webhookID, sortKey}] = slices.Clone(message)
	return nil
}

// Onward is as onward.Store has it.
func (m *Memory) Onward(_ context.Context, webhookID, sortKey string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.onward[recordKey{webhookID, sortKey}]), nil
}
