package storetest

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// room is the waiting room of Memory.
type room struct {
	items  map[roomKey]waiting.Item
	leases map[waiting.Place]lease
	swept  time.Time
}

type roomKey struct {
	place    waiting.Place
	position string
}

type lease struct {
	holder string
	until  time.Time
}

func placed(i waiting.Item) roomKey { return roomKey{i.Place(), i.Position()} }

func inOrder(a, b waiting.Item) int {
	return cmp.Or(cmp.Compare(a.Place(), b.Place()), cmp.Compare(a.Position(), b.Position()))
}

// apart is a copy that shares nothing with i.
func apart(i waiting.Item) waiting.Item {
	i.Attributes, i.Carried.Held = maps.Clone(i.Attributes), maps.Clone(i.Carried.Held)
	for name, a := range i.Attributes {
		i.Attributes[name] = message.Attribute{Type: a.Type, Text: a.Text, Binary: bytes.Clone(a.Binary)}
	}
	return i
}

// Enter is as waiting.Store has it.
func (m *Memory) Enter(_ context.Context, item waiting.Item) (waiting.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if there, ok := m.room.items[placed(item)]; ok {
		return there.State, nil
	}
	if item.State != waiting.Waiting {
		item = item.Settled(item.State)
	}
	m.keep(item)
	return item.State, nil
}

func (m *Memory) keep(item waiting.Item) {
	if m.room.items == nil {
		m.room.items = map[roomKey]waiting.Item{}
	}
	m.room.items[placed(item)] = apart(item)
}

// In is as waiting.Store has it.
func (m *Memory) In(_ context.Context, place waiting.Place, from string, limit int) ([]waiting.Item, error) {
	return m.waits(limit, func(k roomKey) bool { return k.place == place && k.position >= from }), nil
}

// Any is as waiting.Store has it.
func (m *Memory) Any(_ context.Context, place waiting.Place) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, i := range m.room.items {
		if k.place == place && i.State == waiting.Waiting {
			return true, nil
		}
	}
	return false, nil
}

// Count is as waiting.Store has it.
func (m *Memory) Count(_ context.Context, place waiting.Place, limit int) (n int, more bool, err error) {
	all := m.waits(limit+1, func(k roomKey) bool { return k.place == place })
	return min(limit, len(all)), len(all) > limit, nil
}

// waits gives the first of what waits, in order.
func (m *Memory) waits(limit int, wanted func(roomKey) bool) (all []waiting.Item) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []roomKey
	for k, i := range m.room.items {
		if i.State == waiting.Waiting && wanted(k) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b roomKey) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.position, b.position))
	})
	for _, k := range keys[:min(limit, len(keys))] {
		all = append(all, apart(m.room.items[k]))
	}
	return all
}

// Settle is as waiting.Store has it.
func (m *Memory) Settle(_ context.Context, items []waiting.Item, as waiting.State) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range items {
		m.keep(i.Settled(as))
	}
	return nil
}

// Page is as waiting.Store has it.
func (m *Memory) Page(_ context.Context, from string, limit int) (items []waiting.Item, next string, err error) {
	place, position, err := waiting.ParseCursor(from)
	if err != nil {
		return nil, "", err
	}
	all := m.waits(limit+1, func(k roomKey) bool { return k.place > place || k.place == place && k.position > position })
	if len(all) <= limit {
		return all, "", nil
	}
	last := all[limit-1]
	return all[:limit], waiting.Cursor(last.Place(), last.Position()), nil
}

// Room is all that there is in the waiting room, in order, what was settled too.
func (m *Memory) Room() []waiting.Item {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.room.items), inOrder)
}

// Lease is as waiting.Store has it.
func (m *Memory) Lease(_ context.Context, place waiting.Place, holder string, now, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l, ok := m.room.leases[place]; ok && l.holder != holder && l.until.After(now) {
		return false, nil
	}
	if m.room.leases == nil {
		m.room.leases = map[waiting.Place]lease{}
	}
	m.room.leases[place] = lease{holder, until}
	return true, nil
}

// Unlease is as waiting.Store has it.
func (m *Memory) Unlease(_ context.Context, place waiting.Place, holder string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.room.leases[place].holder == holder {
		delete(m.room.leases, place)
	}
	return nil
}

// Swept is as waiting.Store has it.
func (m *Memory) Swept(context.Context) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.room.swept, nil
}

// Sweep is as waiting.Store has it.
func (m *Memory) Sweep(_ context.Context, minute time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if minute.After(m.room.swept) {
		m.room.swept = minute.UTC()
	}
	return nil
}
