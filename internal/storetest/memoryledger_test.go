package storetest

import "testing"

func TestMemoryLedger(t *testing.T) {
	t.Parallel()
	TestLedger(t, func(*testing.T) Ledger { return NewMemoryLedger() })
}
