package replay

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/waiting"
)

// History gives the attempts that were made, as attempt.Store promises.
type History interface {
	OfMessage(ctx context.Context, webhookID, messageID string) ([]attempt.Record, error)
	OfWebhook(ctx context.Context, webhookID string) ([]attempt.Record, error)
}

// Failures is the index of the attempts that sent a message to a dead-letter
// queue. A record that was put is in it soon, on DynamoDB within about a
// second. It is used by many goroutines at once.
type Failures interface {
	// NewestFailures returns up to limit failures of a queue, newest first, whose
	// Position is before before and not before from. An empty bound is none. They
	// come without their Response.
	NewestFailures(ctx context.Context, queue string, from, before attempt.Position, limit int) ([]attempt.Record, error)
	// ForgetFailures takes failures out of the index; the records stay. Those
	// that are not in it are passed over.
	ForgetFailures(ctx context.Context, records []attempt.Record) error
}

// Records keeps what became of a message, as attempt.Store promises.
type Records interface {
	Put(ctx context.Context, records []attempt.Record) error
}

// Room shows what waits, as waiting.Store promises.
type Room interface {
	Page(ctx context.Context, from string, limit int) (items []waiting.Item, next string, err error)
	Count(ctx context.Context, place waiting.Place, limit int) (n int, more bool, err error)
}

// Claims keeps who acts on which dead letter.
type Claims interface {
	claim.Store
	// ClaimsOn returns the claims on these items, once each and in any order; at
	// most 100 items. It is as consistent as the others.
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
	// deadletter.ErrMoving, deadletter.ErrMovesUnsupported.
	Start(ctx context.Context, rate int) error
	// List returns the latest ten, newest first. An endpoint without move tasks
	// has none.
	List(ctx context.Context) ([]deadletter.Move, error)
	// Cancel cancels one by its handle. Error: deadletter.ErrMoveEnded.
	Cancel(ctx context.Context, handle string) error
}
