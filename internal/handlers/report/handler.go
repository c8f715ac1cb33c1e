// Package report is the room that takes in what providers report of notifications that
// they took, by the queue reports.
//
// The order of writes is what a crash anywhere may rely on:
//
//  1. the report is kept with its attempt, by one conditional write, as due;
//  2. what follows from it: the list of those who are not sent to any more, the ledger,
//     the producers, and the next channel's message;
//  3. the report is kept as done, and its message leaves the queue.
//
// A message that is received again finds its own report as due, and does the second step
// again: all of it can be done twice. Of the next channel's message there are two then, and
// one of them goes on: notify claims it. Another report of the same attempt, late, double or out of order,
// finds one that it does not outrank, and changes nothing.
package report

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/report/onward"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/waiting"
)

// Attempts keeps attempts and what is reported of them, as attempt.Store and
// attempt.Reports promise.
type Attempts interface {
	attempt.Reports
	OfMessage(ctx context.Context, webhookID, messageID string) ([]attempt.Record, error)
}

// Queue hides received messages. After an error any part of them may be hidden as asked.
type Queue interface {
	ChangeVisibility(ctx context.Context, hides []message.Hide) error
}

// Suppressions is the list of those who are not sent to, as suppression.Store promises.
type Suppressions interface {
	AddSuppression(ctx context.Context, e suppression.Entry) (added bool, err error)
	LiftSuppression(ctx context.Context, l suppression.Lifting) (lifted bool, err error)
}

// Needs is what a Handler needs, all of it.
type Needs struct {
	Attempts     Attempts
	Messages     onward.Store
	Suppressions Suppressions
	Queue        Queue
	// Notifications sends to the queue notifications.
	Notifications waiting.Sender
	Audit         ledger.Audit
	// Redactors keep out of the ledger what must stay erasable.
	Redactors ledger.Redactors
	// Outcomes tells producers; nil tells nobody.
	Outcomes *outcome.Teller `need:"optional"`
	Metrics  metric.Recorder `need:"optional"`
	// MaxReceives is the queue's maxReceiveCount.
	MaxReceives int
	Now         func() time.Time
	Log         *slog.Logger
}

// Handler takes batches of reports in. It may be used by many goroutines at once.
type Handler struct{ Needs }

// New returns a Handler. Its error names each need that is missing.
func New(n Needs) (*Handler, error) {
	if err := need.All(n); err != nil {
		return nil, fmt.Errorf("the handler of reports: %w", err)
	}
	return &Handler{n}, nil
}

// margin is what an invocation keeps of its time, to say when its messages come back.
const margin = 2 * time.Second

// Handle takes a batch in and says which messages are not done with. Its error is always
// nil: one would bring back the others too.
func (h *Handler) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	work, stop := context.WithCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		work, stop = context.WithDeadline(ctx, deadline.Add(-margin))
	}
	defer stop()
	all := make([]*item, len(event.Records))
	var done sync.WaitGroup
	for i := range event.Records {
		all[i] = &item{Handler: h, msg: &event.Records[i], receives: message.ReceiveCount(event.Records[i].Attributes)}
		done.Go(func() { all[i].run(work) })
	}
	done.Wait()
	return h.response(ctx, all), nil
}

func (h *Handler) response(ctx context.Context, all []*item) events.SQSEventResponse {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	var hides []message.Hide
	var counts []metric.Event
	for _, i := range all {
		counts = append(counts, i.counts...)
		if !i.done {
			hides = append(hides, message.Hide{ReceiptHandle: i.msg.ReceiptHandle, For: i.wait})
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: i.msg.MessageId})
		}
	}
	if len(hides) > 0 {
		if err := h.Queue.ChangeVisibility(ctx, hides); err != nil {
			h.Log.WarnContext(ctx, "the visibility was not changed; messages come back when their timeout ends", "messages", len(hides),
				"error", err)
		}
	}
	metric.To(h.Metrics, counts...)
	return response
}
