package suppression

import (
	"context"
	"time"

	"github.com/efferent/efferent/internal/channel"
)

// Reader tells who is suppressed, as Store promises.
type Reader interface {
	// Suppressed returns those of these keys that are on the list, by key.
	Suppressed(ctx context.Context, keys []Key) (map[Key]Entry, error)
}

// Store is what a store of suppressed addresses promises. It is used by many goroutines
// at once, of many processes. What a call has changed is seen by every call that begins
// after it, durably once it returns nil; after an error it may have been made or not,
// and can be made again.
//
// Reports come twice, late, and in the wrong order. So what is on the list is decided by
// when things happened: a lifting is remembered for Retention, and a report of what was
// before it changes nothing. Times are in milliseconds.
type Store interface {
	Reader
	// AddSuppression puts an entry on the list, and reports whether it did. It does not
	// where an entry for the address is there whose reason is as strong, or where one
	// was lifted after its Since; that does not hold for what is added by hand.
	AddSuppression(ctx context.Context, e Entry) (added bool, err error)
	// LiftSuppression takes an entry from the list, and reports whether one was there to
	// be lifted.
	LiftSuppression(ctx context.Context, l Lifting) (lifted bool, err error)
	// ListSuppressions returns a page of a tenant's list, in an order of its own that
	// stays. A page may have fewer than asked for, or none; next is where the list goes
	// on, empty at its end.
	ListSuppressions(ctx context.Context, p Page) (entries []Entry, next string, err error)
}

// Lifting is what takes an address from the list.
type Lifting struct {
	Key
	// At is when it happened.
	At time.Time
	// Only lifts an entry of this reason that is not later than At: START lifts a Stop,
	// and no bounce. Empty lifts what there is.
	Only Reason
}

// Page says which part of a tenant's list is meant.
type Page struct {
	Tenant string
	// Channel and Reason leave out the others; empty for all.
	Channel channel.Name
	Reason  Reason
	// After is the next of the page before; empty for the first.
	After string
	// Limit is how many entries it has at most.
	Limit int
}

// Shows reports whether an entry is none of those that the page leaves out.
func (p Page) Shows(e Entry) bool {
	return (p.Channel == "" || p.Channel == e.Channel) && (p.Reason == "" || p.Reason == e.Reason)
}

// Retention is how long a lifting is remembered: longer than a report is late.
const Retention = 30 * 24 * time.Hour
