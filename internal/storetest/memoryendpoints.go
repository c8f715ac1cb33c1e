package storetest

import (
	"context"
	"slices"

	"github.com/efferent/efferent/internal/endpoint"
)

// endpoints are those in memory, and the rosters of their tenants.
type endpoints struct {
	byID    map[string]endpoint.Endpoint
	rosters map[string]endpoint.Roster
}

// Endpoints is as endpoint.Store has it.
func (m *Memory) Endpoints(_ context.Context, ids []string) (found []endpoint.Endpoint, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := map[string]bool{}
	for _, id := range ids {
		if e, ok := m.endpoints.byID[id]; ok && !asked[id] {
			found = append(found, e)
		}
		asked[id] = true
	}
	return found, nil
}

// Roster is as endpoint.Store has it.
func (m *Memory) Roster(_ context.Context, tenant string) (endpoint.Roster, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.endpoints.rosters[tenant]
	r.IDs = slices.Clone(r.IDs)
	return r, nil
}

// CreateEndpoint is as endpoint.Store has it.
func (m *Memory) CreateEndpoint(_ context.Context, e endpoint.Endpoint, most int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.endpoints.byID[e.ID]; ok {
		return endpoint.ErrTaken
	}
	r := m.endpoints.rosters[e.Tenant]
	if len(r.IDs) >= most {
		return endpoint.ErrTooMany
	}
	r.IDs = append(slices.Clone(r.IDs), e.ID)
	m.endpoints.write(e, r)
	return nil
}

// UpdateEndpoint is as endpoint.Store has it.
func (m *Memory) UpdateEndpoint(_ context.Context, e endpoint.Endpoint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.endpoints.has(e, e.Version-1); err != nil {
		return err
	}
	m.endpoints.write(e, m.endpoints.rosters[e.Tenant])
	return nil
}

// DeleteEndpoint is as endpoint.Store has it.
func (m *Memory) DeleteEndpoint(_ context.Context, e endpoint.Endpoint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.endpoints.has(e, e.Version); err != nil {
		return err
	}
	r := m.endpoints.rosters[e.Tenant]
	r.IDs = slices.DeleteFunc(slices.Clone(r.IDs), func(id string) bool { return id == e.ID })
	m.endpoints.write(e, r)
	delete(m.endpoints.byID, e.ID)
	return nil
}

func (s *endpoints) has(e endpoint.Endpoint, version int64) error {
	kept, ok := s.byID[e.ID]
	switch {
	case !ok || kept.Tenant != e.Tenant:
		return endpoint.ErrNotFound
	case kept.Version != version:
		return endpoint.ErrChanged
	}
	return nil
}

func (s *endpoints) write(e endpoint.Endpoint, r endpoint.Roster) {
	if s.byID == nil {
		s.byID, s.rosters = map[string]endpoint.Endpoint{}, map[string]endpoint.Roster{}
	}
	s.byID[e.ID] = e
	r.Version++
	s.rosters[e.Tenant] = r
}
