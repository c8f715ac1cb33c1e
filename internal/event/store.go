package event

import (
	"context"
	"time"
)

// Store is what a store of events promises. It is used by many goroutines at once.
type Store interface {
	// KeepEvent keeps a record, durably once it returns nil, if none of its place and
	// key is kept, and returns the recipients of the one that is kept then. After an
	// error it may be kept or not. Who asks again gets the same recipients, as long as
	// the record is kept: for the store's retention after At.
	KeepEvent(ctx context.Context, r Record) (recipients []string, err error)
	// EventsOf returns some of the records of one place, in the order of their keys,
	// beginning after one; "" is the beginning. next is empty at the end. What was kept
	// before it was called is seen.
	EventsOf(ctx context.Context, place, after string, limit int) (records []Record, next string, err error)
}

// Retention is how long a record is kept, unless the store is told otherwise.
const Retention = 14 * 24 * time.Hour

// Key is what a tenant's Idempotency-Key stands for: one request, and what came of it.
type Key struct {
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
	// Hash is that of the request: equal JSON has the same.
	Hash string `json:"hash"`
	// EventID is the id of the event that it publishes.
	EventID string `json:"event_id"`
	// Endpoints are the ids of those that matched.
	Endpoints []string `json:"endpoints"`
	// At is when it was first used.
	At time.Time `json:"at"`
	// Holder is the request that took it first.
	Holder string `json:"holder"`
	// Sent says that the event is in the queue for certain.
	Sent bool `json:"sent,omitzero"`
}

// KeyRetention is how long a key stands for its request, after At.
const KeyRetention = 24 * time.Hour

// Keys is what a store of keys promises. It is used by many goroutines at once. What a
// call has written is seen by every call that begins after it, from anywhere.
type Keys interface {
	// TakeKey keeps a key, durably once it returns nil, if none of its tenant and name
	// is kept whose At is less than KeyRetention before its own, and returns the one
	// that is kept then. After an error it may be kept or not.
	TakeKey(ctx context.Context, k Key) (Key, error)
	// PutKey keeps a key in any case.
	PutKey(ctx context.Context, k Key) error
}
