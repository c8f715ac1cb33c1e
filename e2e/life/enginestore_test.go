package life

import (
	"context"
	"sync"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// engineStore is the engine's, and tells of move tasks that have ended.
type engineStore struct {
	sqsserver.Store
	moved chan struct{}
}

func (s engineStore) Apply(ctx context.Context, c *sqsserver.Changes) error {
	err := s.Store.Apply(ctx, c)
	for _, t := range c.PutTasks {
		if err == nil && t.Status != "RUNNING" && t.Status != "CANCELLING" {
			s.moved <- struct{}{}
		}
	}
	return err
}

// memory keeps the messages' contents, which is all that an engine asks for that
// has no deep queue and never starts again. It is for lives by the thousand; the others have SQLite.
type memory struct {
	mu       sync.Mutex
	contents map[int64]sqsserver.Content
}

func (m *memory) Load(context.Context, sqsserver.Loader) error { return nil }

func (m *memory) Apply(_ context.Context, c *sqsserver.Changes) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, put := range c.PutMessages {
		m.contents[put.Key] = put.Content
	}
	for _, key := range c.Deletes {
		delete(m.contents, key)
	}
	return nil
}

func (m *memory) Messages(_ context.Context, keys []int64) (map[int64]sqsserver.StoredMessage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[int64]sqsserver.StoredMessage{}
	for _, key := range keys {
		if content, ok := m.contents[key]; ok {
			found[key] = sqsserver.StoredMessage{Content: content}
		}
	}
	return found, nil
}
