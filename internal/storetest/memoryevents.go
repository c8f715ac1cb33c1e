package storetest

import (
	"cmp"
	"context"
	"slices"

	"github.com/efferent/efferent/internal/event"
)

// events are those in memory, by place and key, and the keys of requests.
type events struct {
	records map[[2]string]event.Record
	keys    map[[2]string]event.Key
}

// KeepEvent is as event.Store has it.
func (m *Memory) KeepEvent(_ context.Context, r event.Record) (recipients []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.events.records == nil {
		m.events.records = map[[2]string]event.Record{}
	}
	at := [2]string{r.Place(), r.Key()}
	if kept, ok := m.events.records[at]; ok {
		return slices.Clone(kept.Recipients), nil
	}
	if r.Body = slices.Clone(r.Body); len(r.Body) > event.MaxKept {
		r.Body = nil
	}
	r.Recipients = slices.Clone(r.Recipients)
	m.events.records[at] = r
	return slices.Clone(r.Recipients), nil
}

// EventsOf is as event.Store has it.
func (m *Memory) EventsOf(_ context.Context, place, after string, limit int) (records []event.Record, next string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, r := range m.events.records {
		if at[0] == place && at[1] > after {
			records = append(records, r)
		}
	}
	slices.SortFunc(records, func(a, b event.Record) int { return cmp.Compare(a.Key(), b.Key()) })
	if len(records) > limit {
		records = records[:limit]
		next = records[limit-1].Key()
	}
	return records, next, nil
}

// TakeKey is as event.Keys has it.
func (m *Memory) TakeKey(_ context.Context, k event.Key) (event.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if kept, ok := m.events.keys[[2]string{k.Tenant, k.Name}]; ok && k.At.Sub(kept.At) < event.KeyRetention {
		return kept, nil
	}
	m.events.put(k)
	return k, nil
}

// PutKey is as event.Keys has it.
func (m *Memory) PutKey(_ context.Context, k event.Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events.put(k)
	return nil
}

func (e *events) put(k event.Key) {
	if e.keys == nil {
		e.keys = map[[2]string]event.Key{}
	}
	k.Endpoints = slices.Clone(k.Endpoints)
	e.keys[[2]string{k.Tenant, k.Name}] = k
}
