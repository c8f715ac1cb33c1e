// Package batch is what handlers of SQS batches share: the way of a batch from
// its receipt to the response, and of each message in it.
//
// The order of writes is what a crash anywhere may rely on:
//
//  1. prepare: what is to be done with each message, by its history;
//  2. announce: one audit message with the intents of what is about to be
//     sent; if it can't be written, nothing is sent;
//  3. run: the sending; as each try fails, its record, and then its visibility
//     or its place in the waiting room; as tries succeed, their records, within
//     a second and many at a time;
//  4. conclude: what is left of the records and visibilities, then one audit
//     message with the outcomes, and what producers are told of those that are
//     the end of a message. Those that can't be written now are written with the
//     message's next receive.
//
// What a handler sends, and what a failure means, is its own: it brings a Job.
package batch

import (
	"context"
	"log/slog"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/trace"
	"github.com/efferent/efferent/internal/waiting"
)

// Attempts keeps the records of attempts, as attempt.Store promises.
type Attempts interface {
	OfMessage(ctx context.Context, webhookID, messageID string) ([]attempt.Record, error)
	OfWebhook(ctx context.Context, webhookID string) ([]attempt.Record, error)
	Put(ctx context.Context, records []attempt.Record) error
}

// Room is where messages wait for longer than SQS should hide them, as
// waiting.Store promises.
type Room interface {
	Enter(ctx context.Context, item waiting.Item) (waiting.State, error)
}

// Queue is the queue that the messages came from. It is used by many
// goroutines at once.
type Queue interface {
	// ChangeVisibility hides received messages, any number of them. After an
	// error any part of them may be hidden as asked.
	ChangeVisibility(ctx context.Context, hides []message.Hide) error
}

// Needs is what every handler of batches needs.
type Needs struct {
	Attempts Attempts
	Room     Room
	Queue    Queue
	Audit    ledger.Audit
	// Outcomes tells producers how each message ended; nil tells nobody.
	Outcomes *outcome.Teller `need:"optional"`
	// Redactors keep out of the ledger what must stay erasable.
	Redactors ledger.Redactors
	// Metrics is told, at the end of each batch, what it came to.
	Metrics metric.Recorder `need:"optional"`
	// Tracer makes spans of what is done with each message; without one, what its
	// producer says of its trace is passed on all the same.
	Tracer trace.Tracer `need:"optional"`
	// Waits is told, once a batch has been sending for a while, that it does little
	// any more but wait for those whom it sends to. It must not block.
	Waits    func(ctx context.Context) `need:"optional"`
	Policies retry.Policies
	// MaxReceives is the queue's maxReceiveCount.
	MaxReceives int
	// Concurrency is the most messages of one batch that are sent at a time; 0
	// means 128.
	Concurrency int `need:"optional"`
	// Go calls f on a goroutine of its own; nil takes one that the process keeps.
	Go  func(f func()) `need:"optional"`
	Now func() time.Time
	// Jitter gives numbers in [0,1).
	Jitter func() float64
	Log    *slog.Logger
}
