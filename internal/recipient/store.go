package recipient

import (
	"context"
	"errors"
)

// ErrChanged: a recipient was changed, made or removed by another since it was read.
var ErrChanged = errors.New("the recipient was changed meanwhile")

// Reader gives recipients, as Store promises.
type Reader interface {
	// Recipients returns those of these keys that there are, once each, in no order.
	Recipients(ctx context.Context, keys []Key) ([]Recipient, error)
}

// Store is what a store of recipients promises. It is used by many goroutines at once.
// What a call has written is seen by every call that begins after it, from anywhere. A
// write is durable once it returns nil; after an error other than ErrChanged it may have
// been made or not. Of two writes from the same version one is made.
type Store interface {
	Reader
	// PutRecipient keeps r in the place of version was; of 0, where there is none. Errors:
	// ErrChanged.
	PutRecipient(ctx context.Context, r Recipient, was int64) error
	// DeleteRecipient removes a recipient of this very version, with all that is kept of
	// them. Errors: ErrChanged.
	DeleteRecipient(ctx context.Context, key Key, version int64) error
	// ListRecipients returns the recipients of a tenant whose ids are after one, in the
	// order of their ids' bytes, at most limit; fewer than that are the last.
	ListRecipients(ctx context.Context, tenant, after string, limit int) ([]Recipient, error)
}
