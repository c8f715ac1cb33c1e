package storetest

import (
	"cmp"
	"context"
	"slices"

	"github.com/efferent/efferent/internal/recipient"
)

// Recipients is as recipient.Store has it.
func (m *Memory) Recipients(_ context.Context, keys []recipient.Key) (found []recipient.Recipient, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := map[recipient.Key]bool{}
	for _, k := range keys {
		if r, ok := m.recipients[k]; ok && !asked[k] {
			found = append(found, r)
		}
		asked[k] = true
	}
	return found, nil
}

// PutRecipient is as recipient.Store has it.
func (m *Memory) PutRecipient(_ context.Context, r recipient.Recipient, was int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.recipients[r.Key()].Version != was {
		return recipient.ErrChanged
	}
	if m.recipients == nil {
		m.recipients = map[recipient.Key]recipient.Recipient{}
	}
	m.recipients[r.Key()] = r
	return nil
}

// DeleteRecipient is as recipient.Store has it.
func (m *Memory) DeleteRecipient(_ context.Context, key recipient.Key, version int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.recipients[key]; !ok || r.Version != version {
		return recipient.ErrChanged
	}
	delete(m.recipients, key)
	return nil
}

// ListRecipients is as recipient.Store has it.
func (m *Memory) ListRecipients(_ context.Context, tenant, after string, limit int) (all []recipient.Recipient, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, r := range m.recipients {
		if k.Tenant == tenant && k.ID > after {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b recipient.Recipient) int { return cmp.Compare(a.ID, b.ID) })
	return all[:min(limit, len(all))], nil
}
