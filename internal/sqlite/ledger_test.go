package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/efferent/efferent/internal/storetest"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	storetest.TestLedger(t, func(t *testing.T) storetest.Ledger {
		db, err := Open(filepath.Join(t.TempDir(), "e.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return NewLedger(db)
	})
}
