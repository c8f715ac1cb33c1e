package sqlite

import (
	"testing"

	"github.com/efferent/efferent/internal/storetest"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	storetest.TestTemplates(t, NewTemplates(inMemory(t)))
}
