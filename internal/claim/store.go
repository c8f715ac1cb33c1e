package claim

import "context"

// Store is what keeping claims promises. Every method is durable and consistent
// once it returns nil; after an error it may have done its work or not. It is
// used by many goroutines at once.
type Store interface {
	// TakeClaim keeps c if there is no claim on its item, or one that has lapsed
	// at c.At and is not settled. A claim with the same Token is c itself, kept by
	// a request whose answer was lost; but a settled one is never undone, not
	// even by c. Otherwise it returns the other claim and ErrTaken.
	TakeClaim(ctx context.Context, c Claim) (other Claim, err error)
	// PutClaim keeps c instead of any other claim on its item.
	PutClaim(ctx context.Context, c Claim) error
	// DropClaim removes the claim on c's item if it is c, unsettled: the one with
	// the same Token. It is no error if that is not there.
	DropClaim(ctx context.Context, c Claim) error
}
