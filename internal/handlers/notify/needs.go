// Package notify is the room that sends notifications: it takes a batch of SQS
// messages, hands each over to a provider, and goes on to the next channel
// when the class of a failure says so.
//
// The order of writes is what a crash anywhere may rely on:
//
//  1. the intents: one audit message with what is about to be handed over; if
//     it can't be written, nothing is;
//  2. before an SMS, the claim on it, on every receive: whoever has it sends,
//     and nobody sends a second one;
//  3. the hand-over, its record, and then the message's visibility, or the next
//     channel, announced by itself;
//  4. the outcomes: one audit message.
package notify

import (
	"context"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/ledger"
)

// Senders gives the sender of a channel. Errors: channel.ErrNotConfigured is
// for good; any other may pass. It is used by many goroutines at once.
type Senders interface {
	Sender(ctx context.Context, on channel.Name) (channel.Sender, error)
}

// Attempts keeps the records of attempts. It is used by many goroutines at
// once.
type Attempts interface {
	// OfMessage returns the records of one SQS message in order. A record
	// whose Put returned before the call is among them.
	OfMessage(ctx context.Context, notificationID, messageID string) ([]attempt.Record, error)
	// Put keeps records, durably once it returns nil. After an error any part
	// of them may have been kept. The same record may be put again.
	Put(ctx context.Context, records []attempt.Record) error
}

// Claims keeps who sends an SMS.
type Claims interface {
	claim.Store
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
