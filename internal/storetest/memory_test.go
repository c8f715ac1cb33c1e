package storetest

import "testing"

// TestMemory: a fake that is a store.
func TestMemory(t *testing.T) {
	t.Parallel()
	store := &Memory{}
	TestAttempts(t, store)
	TestFailures(t, store)
	TestOfEndpoints(t, store)
	TestClaims(t, store)
	TestWaiting(t, store)
	TestCircuits(t, store)
	TestEndpoints(t, store)
	TestEvents(t, store)
	TestKeys(t, store)
	TestPaces(t, store)
	TestRecipients(t, store)
	TestSecrets(t, store)
	TestSuppressions(t, store)
	TestTemplates(t, store)
}
