// Package deliver is the room that sends webhooks: it takes a batch of SQS
// messages, signs and sends each, and settles what comes of it.
//
// The order of writes is what a crash anywhere may rely on:
//
//  1. the intents: one audit message with what is about to be sent; if it
//     can't be written, nothing is sent;
//  2. the exchanges; as each one fails, its record, then its visibility;
//     successes are recorded together;
//  3. the outcomes: one audit message.
package deliver

import (
	"context"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/webhook"
)

// Sender makes one exchange. It never fails as a whole: what went wrong is in
// the Exchange. It is used by many goroutines at once.
type Sender interface {
	Post(ctx context.Context, r webhook.Request) webhook.Exchange
}

// Secrets gives signing keys by reference (`name`, an ARN, either with #key).
// They were read at or after since, except that one secret is read at most once
// in half a minute: until then what is cached is given, however old that is
// against since. The zero since takes whatever is cached. Another Version means
// a newer secret.
//
// Errors: webhook.ErrSecretNotFound and webhook.ErrSecretUnusable are for
// good; any other may pass. It is used by many goroutines at once.
type Secrets interface {
	Keys(ctx context.Context, ref string, since time.Time) (webhook.Keys, error)
}

// Attempts keeps the records of attempts. It is used by many goroutines at
// once.
type Attempts interface {
	// OfMessage returns the records of one SQS message in order. A record
	// whose Put returned before the call is among them.
	OfMessage(ctx context.Context, webhookID, messageID string) ([]attempt.Record, error)
	// Put keeps records, durably once it returns nil. After an error any part
	// of them may have been kept. The same record may be put again.
	Put(ctx context.Context, records []attempt.Record) error
}

// Queue is the queue that the messages came from.
type Queue interface {
	// ChangeVisibility hides a message for d from now, in whole seconds of 0
	// to 12 hours; 0 shows it at once.
	ChangeVisibility(ctx context.Context, receiptHandle string, d time.Duration) error
}

// Audit is the way to the ledger. When Append returns nil every entry will be
// in it; after an error any part of them may be. Entries of one key stay in
// order.
type Audit interface {
	Append(ctx context.Context, key string, entries []ledger.Entry) error
}
