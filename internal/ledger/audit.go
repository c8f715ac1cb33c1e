package ledger

import "context"

// Audit is the way to the ledger. It is used by many goroutines at once.
type Audit interface {
	// Append puts entries on their way. When it returns nil every entry will be
	// in the ledger; after an error any part of them may be. Entries of one key
	// stay in order.
	Append(ctx context.Context, key string, entries []Entry) error
}
