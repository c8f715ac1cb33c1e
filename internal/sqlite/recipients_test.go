package sqlite

import (
	"testing"

	"github.com/efferent/efferent/internal/storetest"
)

func TestRecipients(t *testing.T) {
	t.Parallel()
	storetest.TestRecipients(t, NewRecipients(inMemory(t)))
}
