package replay

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/ledger"
)

// History gives the attempts made under a webhook id, of all its messages, in
// any order; none where there are none. It is used by many goroutines at once.
type History interface {
	OfWebhook(ctx context.Context, webhookID string) ([]attempt.Record, error)
}

// Failures is the index of the attempts that sent a message to a dead-letter
// queue. A record that was put is in it soon, on DynamoDB within about a
// second. It is used by many goroutines at once.
type Failures interface {
	// NewestFailures returns up to limit records with this FailedIn, newest
	// first, whose Position is less than before and not less than from. An
	// empty before has no bound.
	NewestFailures(ctx context.Context, queue, from, before string, limit int) ([]attempt.Record, error)
	// ForgetFailures takes failures out of the index; the records stay. Those
	// that are not in it are passed over.
	ForgetFailures(ctx context.Context, records []attempt.Record) error
}

// Claims keeps who acts on which dead letter. Every method is durable and
// consistent once it returns nil; after an error it may have done its work or
// not. It is used by many goroutines at once.
type Claims interface {
	// TakeClaim keeps c if there is no claim on its item, or one that lapsed
	// before c.At and is not settled. Otherwise it returns the other claim and
	// claim.ErrTaken. A claim with the same Token is c itself, kept by a
	// request whose answer was lost.
	TakeClaim(ctx context.Context, c claim.Claim) (other claim.Claim, err error)
	// PutClaim keeps c instead of any other claim on its item.
	PutClaim(ctx context.Context, c claim.Claim) error
	// DropClaim removes the claim on c's item if it is c, unsettled: the one
	// with the same Token. It is no error if that is not there.
	DropClaim(ctx context.Context, c claim.Claim) error
	// ClaimsOn returns the claims on these items, in any order; at most 100
	// items.
	ClaimsOn(ctx context.Context, queue string, itemIDs []string) ([]claim.Claim, error)
}

// Letters is a dead-letter queue. It is used by many goroutines at once.
type Letters interface {
	// Receive returns up to 10 messages and hides them for hide, in whole
	// seconds. It waits for the first one for up to wait, in whole seconds;
	// when it waited and returns none, then all of the queue's messages are
	// hidden.
	Receive(ctx context.Context, hide, wait time.Duration) ([]events.SQSMessage, error)
	// Show makes received messages, any number of them, visible at once.
	Show(ctx context.Context, messages []events.SQSMessage) error
	// Delete removes received messages.
	Delete(ctx context.Context, messages []events.SQSMessage) error
	Count(ctx context.Context) (deadletter.Count, error)
}

// Source is the queue that a dead-letter queue's messages came from.
type Source interface {
	// Send sends a received message as a new one, with further attributes of
	// the type String, and returns its new id. Of the message's own attributes
	// it drops those that SQS has no room for. After an error it may have
	// been sent. Error: deadletter.ErrTooLarge.
	Send(ctx context.Context, m events.SQSMessage, attributes map[string]string) (messageID string, err error)
}

// Moves are SQS's message move tasks out of a dead-letter queue.
type Moves interface {
	// Start starts one that moves everything back to where it came from, at
	// most rate messages a second; 0 leaves that to SQS. Errors:
	// deadletter.ErrMoving, deadletter.ErrNoMoves.
	Start(ctx context.Context, rate int) error
	// List returns the latest ten, newest first. An endpoint without move tasks
	// has none.
	List(ctx context.Context) ([]deadletter.Move, error)
	// Cancel cancels one by its handle. Error: deadletter.ErrNoMove.
	Cancel(ctx context.Context, handle string) error
}

// Audit is the way to the ledger. When Append returns nil every entry will be
// in it; after an error any part of them may be. Entries of one key stay in
// order.
type Audit interface {
	Append(ctx context.Context, key string, entries []ledger.Entry) error
}
