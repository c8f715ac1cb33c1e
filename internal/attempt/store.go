package attempt

import "context"

// Store is what a store of attempts promises. Handlers ask for the methods that
// they need. It is used by many goroutines at once.
type Store interface {
	// Put keeps records, durably once it returns nil. After an error any part of
	// them may have been kept. The same record may be put again, and come twice
	// in one call. Of two records of one attempt, in one call or in two, that is
	// kept which settles more (Verdict.Rank), and the later where they settle as
	// much; that the other is passed over is no error.
	Put(ctx context.Context, records []Record) error
	// OfMessage returns the attempts of one SQS message in order. A record whose
	// Put returned before the call is among them.
	OfMessage(ctx context.Context, webhookID, messageID string) ([]Record, error)
	// OfWebhook returns the attempts made under a webhook id, message by message,
	// whoever sent them and whereto: ids are not unique. It reads as OfMessage
	// does.
	OfWebhook(ctx context.Context, webhookID string) ([]Record, error)
}

// OfEndpoints is the index of the attempts that were made at registered endpoints. A
// record that was put is in it soon, on DynamoDB within about a second, and as long as
// it is kept. It is used by many goroutines at once.
type OfEndpoints interface {
	// NewestOfEndpoint returns up to limit attempts at an endpoint, newest first, whose
	// Position is before before and not before from. An empty bound is none. They may
	// come without their Response.
	NewestOfEndpoint(ctx context.Context, endpoint string, from, before Position, limit int) ([]Record, error)
}
