package storetest

import (
	"context"

	"github.com/efferent/efferent/internal/pace"
)

// Take is as pace.Store has it.
func (m *Memory) Take(_ context.Context, a pace.Ask) (pace.State, []pace.Turn, error) {
	var turns []pace.Turn
	now := m.pace(a.Key, func(s pace.State) pace.State {
		s, turns = pace.Take(s, a)
		return s
	})
	return now, turns, nil
}

// Slow is as pace.Store has it.
func (m *Memory) Slow(_ context.Context, r pace.Slow) (pace.State, error) {
	return m.pace(r.Key, func(s pace.State) pace.State { return pace.Slower(s, r) }), nil
}

func (m *Memory) pace(key string, change func(pace.State) pace.State) pace.State {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.paces == nil {
		m.paces = map[string]pace.State{}
	}
	m.paces[key] = change(m.paces[key])
	return m.paces[key]
}

// Paces is as pace.Store has it.
func (m *Memory) Paces(_ context.Context, keys []string) (map[string]pace.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]pace.State{}
	for _, key := range keys {
		if s, ok := m.paces[key]; ok {
			found[key] = s
		}
	}
	return found, nil
}
