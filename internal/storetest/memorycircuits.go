package storetest

import (
	"context"
	"maps"
	"slices"

	"github.com/efferent/efferent/internal/circuit"
)

// Circuits is as circuit.Store has it.
func (m *Memory) Circuits(ctx context.Context, names []circuit.Name) ([]circuit.State, error) {
	return m.KeptCircuits(ctx, circuit.Keys(names))
}

// KeptCircuits is as circuit.Store has it.
func (m *Memory) KeptCircuits(_ context.Context, keys []string) (found []circuit.State, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := map[string]bool{}
	for _, key := range keys {
		if s, ok := m.circuits[key]; ok && !asked[key] {
			found = append(found, s)
		}
		asked[key] = true
	}
	return found, nil
}

// PutCircuit is as circuit.Store has it.
func (m *Memory) PutCircuit(_ context.Context, s circuit.State) (now circuit.State, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, ok := m.circuits[s.Key()]
	if !ok {
		now = circuit.State{Name: s.Name}
	}
	if now.Version != s.Version-1 {
		return now, circuit.ErrChanged
	}
	if m.circuits == nil {
		m.circuits = map[string]circuit.State{}
	}
	m.circuits[s.Key()] = s
	return s, nil
}

// PageCircuits is as circuit.Store has it.
func (m *Memory) PageCircuits(_ context.Context, from string, limit int) (states []circuit.State, next string, err error) {
	if from != "" && !circuit.IsKey(from) {
		return nil, "", circuit.ErrCursor
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(m.circuits)) {
		if key <= from {
			continue
		}
		if len(states) == limit {
			return states, next, nil
		}
		states, next = append(states, m.circuits[key]), key
	}
	return states, "", nil
}
