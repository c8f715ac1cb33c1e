package sqlite

import (
	"testing"

	"github.com/efferent/efferent/internal/storetest"
)

func TestEndpoints(t *testing.T) {
	t.Parallel()
	storetest.TestEndpoints(t, NewEndpoints(inMemory(t)))
}
