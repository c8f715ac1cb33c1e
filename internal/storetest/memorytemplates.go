package storetest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/efferent/efferent/internal/template"
)

// templates are those in memory.
type templates struct {
	heads    map[templateKey]template.Head
	versions map[templateKey]map[int64]template.Template
}

type templateKey struct{ tenant, name string }

// TemplateHead is as template.Store has it.
func (m *Memory) TemplateHead(_ context.Context, tenant, name string) (template.Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, ok := m.templates.heads[templateKey{tenant, name}]
	if !ok {
		return h, template.ErrNotFound
	}
	h.Versions = slices.Clone(h.Versions)
	return h, nil
}

// Template is as template.Store has it.
func (m *Memory) Template(_ context.Context, tenant, name string, version int64) (template.Template, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.templates.versions[templateKey{tenant, name}][version]
	if !ok {
		return t, template.ErrNotFound
	}
	return t, nil
}

// TemplateHeads is as template.Store has it.
func (m *Memory) TemplateHeads(_ context.Context, tenant, after string, most int) (all []template.Head, more bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range m.templates.heads {
		if h.Tenant == tenant && h.Name > after && !h.Deleted() {
			h.Versions = slices.Clone(h.Versions)
			all = append(all, h)
		}
	}
	slices.SortFunc(all, func(a, b template.Head) int { return strings.Compare(a.Name, b.Name) })
	return all[:min(most, len(all))], len(all) > most, nil
}

// WriteTemplate is as template.Store has it.
func (m *Memory) WriteTemplate(_ context.Context, h template.Head, add *template.Template) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writeTemplate(h, add)
}

// MakeTemplate is as template.Store has it.
func (m *Memory) MakeTemplate(_ context.Context, h template.Head, add template.Template, most int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	there := 0
	for _, other := range m.templates.heads {
		if other.Tenant == h.Tenant && !other.Deleted() {
			there++
		}
	}
	if there >= most {
		return template.ErrTooMany
	}
	return m.writeTemplate(h, &add)
}

func (m *Memory) writeTemplate(h template.Head, add *template.Template) error {
	key := templateKey{h.Tenant, h.Name}
	if m.templates.heads[key].Revision != h.Revision-1 {
		return template.ErrChanged
	}
	if m.templates.heads == nil {
		m.templates = templates{map[templateKey]template.Head{}, map[templateKey]map[int64]template.Template{}}
	}
	h.Versions = slices.Clone(h.Versions)
	m.templates.heads[key] = h
	if add != nil {
		all := maps.Clone(m.templates.versions[key])
		if all == nil {
			all = map[int64]template.Template{}
		}
		all[add.Version] = *add
		m.templates.versions[key] = all
	}
	return nil
}

// DropVersions is as template.Store has it.
func (m *Memory) DropVersions(_ context.Context, tenant, name string, versions []int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range versions {
		delete(m.templates.versions[templateKey{tenant, name}], v)
	}
	return nil
}
