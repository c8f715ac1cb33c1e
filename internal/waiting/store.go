package waiting

import (
	"context"
	"time"
)

// Store is what a store of the room promises. Handlers ask for the methods that
// they need. It is used by many goroutines at once; what a call has written is
// seen by every call that begins after it, but for Page, which may lag.
type Store interface {
	// Enter puts an item into its place, durably once it returns without an
	// error, unless one with its key, Circuit and Due is there: whatever has become of
	// that one is left as it is. It returns the state of the one that is there
	// then. After an error the item may be there or not.
	Enter(ctx context.Context, item Item) (State, error)
	// In returns up to limit items of a place that wait, by Position: of those whose
	// Position is from or after it, of all where from is empty.
	In(ctx context.Context, place Place, from string, limit int) ([]Item, error)
	// Any reports whether items wait in a place. It may be late to know: by a
	// second or so.
	Any(ctx context.Context, place Place) (bool, error)
	// Count is how many items wait in a place, counted up to limit, and more says
	// that there may be more. It may be late to know, as Any, and may give up where
	// much was settled: then more is true too.
	Count(ctx context.Context, place Place, limit int) (n int, more bool, err error)
	// Settle leaves of each item what Item.Settled does. After an error any part
	// of them may be settled.
	Settle(ctx context.Context, items []Item, as State) error
	// Page returns up to limit of all items that wait, 1 or more, in no order, and
	// where to go on; next is empty at the end. A page may have none and still not
	// be the last. Error: ErrCursor, where from is not what a Page gave.
	Page(ctx context.Context, from string, limit int) (items []Item, next string, err error)
	// Lease gives holder a place until then, unless another holds it now. Who
	// holds it may take it again. It reports whether it is holder's.
	Lease(ctx context.Context, place Place, holder string, now, until time.Time) (bool, error)
	// Unlease gives a place back, if holder has it.
	Unlease(ctx context.Context, place Place, holder string) error
	// Swept is the minute before which no place has items that wait; zero where
	// nobody has said so yet. Sweep says so, unless it was said of a later one.
	Swept(ctx context.Context) (time.Time, error)
	Sweep(ctx context.Context, minute time.Time) error
}
