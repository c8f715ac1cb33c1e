package sqlite

import (
	"testing"

	"github.com/efferent/efferent/internal/storetest"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	events := NewEvents(inMemory(t))
	storetest.TestEvents(t, events)
	storetest.TestKeys(t, events)
}
