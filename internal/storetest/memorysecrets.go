package storetest

import (
	"context"
	"maps"
	"strings"

	"github.com/efferent/efferent/internal/rotation"
)

// memorySecret is a secret of Memory.
type memorySecret struct {
	texts  map[string]string // by the version's ID
	labels map[string]string // the ID of who has it
}

func (s *memorySecret) give(label, id string) {
	if had := s.labels[label]; label == rotation.Current && had != "" {
		s.labels[rotation.Previous] = had
	}
	s.labels[label] = id
}

// ReadVersion is as rotation.Versions has it.
func (m *Memory) ReadVersion(_ context.Context, secret, label string) (rotation.Version, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.secrets[secret]
	if s == nil || s.labels[label] == "" {
		return rotation.Version{}, rotation.ErrNone
	}
	return rotation.Version{ID: s.labels[label], Text: s.texts[s.labels[label]]}, nil
}

// CreateSecret is as rotation.Store has it.
func (m *Memory) CreateSecret(_ context.Context, secret string, v rotation.Version) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.secrets[secret]
	switch {
	case strings.HasPrefix(secret, "arn:"):
		return rotation.ErrNone
	case s != nil && s.texts[v.ID] != v.Text:
		return rotation.ErrFaster
	case s != nil:
		return nil
	}
	if m.secrets == nil {
		m.secrets = map[string]*memorySecret{}
	}
	m.secrets[secret] = &memorySecret{map[string]string{v.ID: v.Text}, map[string]string{rotation.Current: v.ID}}
	return nil
}

// AddVersion is as rotation.Versions has it.
func (m *Memory) AddVersion(_ context.Context, secret string, v rotation.Version, labels ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.secrets[secret]
	if s == nil {
		return rotation.ErrNone
	}
	if text, ok := s.texts[v.ID]; ok && text == v.Text {
		return nil
	} else if ok {
		return rotation.ErrFaster
	}
	s.texts[v.ID] = v.Text
	for _, label := range labels {
		s.give(label, v.ID)
	}
	return nil
}

// MoveLabel is as rotation.Versions has it.
func (m *Memory) MoveLabel(_ context.Context, secret, label, from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.secrets[secret]
	if s == nil || s.labels[label] != from {
		return rotation.ErrFaster
	}
	if _, ok := s.texts[to]; !ok && to != "" {
		return rotation.ErrFaster
	}
	if to == "" {
		delete(s.labels, label)
		return nil
	}
	s.give(label, to)
	return nil
}

// VersionLabels is as SecretStore has it.
func (m *Memory) VersionLabels(_ context.Context, secret string) (map[string][]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.secrets[secret]
	if s == nil {
		return nil, rotation.ErrNone
	}
	all := map[string][]string{}
	for label, id := range maps.All(s.labels) {
		all[id] = append(all[id], label)
	}
	return all, nil
}
