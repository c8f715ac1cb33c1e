package storetest

import (
	"context"
	"maps"
	"slices"

	"github.com/efferent/efferent/internal/circuit"
)

// Circuits is as circuit.Store has it.
func (m *Memory) Circuits(_ context.Context, names []circuit.Name) (found []circuit.State, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := map[string]bool{}
	for _, n := range names {
		if s, ok := m.circuits[n.Key()]; ok && !asked[n.Key()] {
			found = append(found, s)
		}
		asked[n.Key()] = true
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
