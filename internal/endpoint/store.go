package endpoint

import (
	"context"
	"errors"
)

// What a Store says of a write that it has not made.
var (
	// ErrNotFound: there is no such endpoint.
	ErrNotFound = errors.New("there is no such endpoint")
	// ErrChanged: it was changed by another since it was read.
	ErrChanged = errors.New("the endpoint was changed meanwhile")
	// ErrTaken: there is one with this id.
	ErrTaken = errors.New("there is an endpoint with this id already")
	// ErrTooMany: its tenant has as many as it may have.
	ErrTooMany = errors.New("the tenant has as many endpoints as it may have")
)

// Roster is which endpoints a tenant has.
type Roster struct {
	// IDs are in the order in which they were created.
	IDs []string
	// Version changes with every write of one of them. It is 0 where there never was
	// one.
	Version int64
}

// Store is what a store of endpoints promises. It is used by many goroutines at
// once. What a call has written is seen by every call that begins after it, from
// anywhere. A write changes the endpoint and its tenant's roster, both or neither,
// durably once it returns nil; after an error that is none of the above it may have
// been made or not. Of two writes from the same version one is made.
type Store interface {
	// Endpoints returns those of these ids that there are, once each, in no order.
	Endpoints(ctx context.Context, ids []string) ([]Endpoint, error)
	// Roster returns a tenant's.
	Roster(ctx context.Context, tenant string) (Roster, error)
	// CreateEndpoint keeps a new one, whose Version is 1, if its tenant has fewer than
	// most. Errors: ErrTaken, ErrTooMany.
	CreateEndpoint(ctx context.Context, e Endpoint, most int) error
	// UpdateEndpoint keeps an endpoint in the place of the version before its own.
	// Errors: ErrNotFound, ErrChanged.
	UpdateEndpoint(ctx context.Context, e Endpoint) error
	// DeleteEndpoint removes an endpoint of this very version. Errors: ErrNotFound,
	// ErrChanged.
	DeleteEndpoint(ctx context.Context, e Endpoint) error
}
