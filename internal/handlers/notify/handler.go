package notify

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/retry"
)

const (
	// margin is what an invocation keeps of its time to write down what
	// happened: hand-overs still open that long before its deadline are cut.
	margin = 2 * time.Second
	// handoverTime is what must be left of it for another hand-over to begin:
	// one that is cut is a failure that nobody knows the outcome of.
	handoverTime = 12 * time.Second
)

// actor is how this room's acts are signed in the ledger.
const actor = "efferent:notify"

// Handler sends batches of notifications. Every field is needed. It may be
// used by many goroutines at once.
type Handler struct {
	Senders  Senders
	Attempts Attempts
	Claims   Claims
	Queue    Queue
	Audit    Audit
	Policies retry.Policies
	// MaxReceives is the queue's maxReceiveCount.
	MaxReceives int
	Now         func() time.Time
	// Jitter gives numbers in [0,1).
	Jitter func() float64
	// Misconfigured counts the hand-overs that failed by configuration: an
	// operator must act. It must not block.
	Misconfigured func(on channel.Name)
	Log           *slog.Logger
}

// Handle sends a batch and says which messages are not done with
// (batchItemFailures, never nil). It never returns an error: that would bring
// back the sent ones too. Nothing of it runs on after it has returned.
func (h *Handler) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	b := &batch{Handler: h, writes: context.WithoutCancel(ctx), sends: ctx}
	if len(event.Records) > 0 {
		b.key = event.Records[0].MessageId
	}
	if deadline, ok := ctx.Deadline(); ok {
		var stop, stopWrites context.CancelFunc
		b.sends, stop = context.WithDeadline(ctx, deadline.Add(-margin))
		defer stop()
		b.writes, stopWrites = context.WithDeadline(b.writes, deadline)
		defer stopWrites()
		b.last = deadline.Add(-margin - handoverTime)
	}
	all := make([]*notice, len(event.Records))
	for i := range event.Records {
		all[i] = &notice{batch: b, msg: &event.Records[i]}
	}
	each(all, (*notice).prepare)
	b.announce(all)
	each(all, (*notice).run)
	b.conclude(all)

	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, n := range all {
		if n.state != done {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: n.msg.MessageId})
		}
	}
	return response, nil
}

// batch is one invocation.
type batch struct {
	*Handler
	// sends ends when hand-overs are cut; writes outlives them, so that what
	// happened is written down.
	sends, writes context.Context
	// last is when the last hand-over may begin; zero has no bound.
	last time.Time
	// key keeps an attempt and its outcome in one lane of the ledger.
	key string
}

// each runs step for all at once.
func each(all []*notice, step func(*notice)) {
	var steps sync.WaitGroup
	for _, n := range all {
		steps.Go(func() { step(n) })
	}
	steps.Wait()
}

// announce writes the intents. Without them nothing may leave the account:
// the messages come back when their visibility timeout ends, minutes later.
func (b *batch) announce(all []*notice) {
	var intents []ledger.Entry
	for _, n := range all {
		if n.state == ready {
			intents = append(intents, n.intent())
			n.announced = true
		}
	}
	if len(intents) == 0 {
		return
	}
	if err := b.Audit.Append(b.writes, b.key, intents); err != nil {
		b.Log.Error("nothing was sent: the audit queue can't be written", "messages", len(intents), "error", err)
		for _, n := range all {
			if n.state == ready {
				n.state = left
			}
		}
	}
}

// conclude writes the outcomes. Where that fails, what is recorded as sent
// comes back: its next receive writes the outcome, and sends nothing.
func (b *batch) conclude(all []*notice) {
	var outcomes []ledger.Entry
	for _, n := range all {
		outcomes = append(outcomes, n.outcomes...)
	}
	if len(outcomes) == 0 {
		return
	}
	if err := b.Audit.Append(b.writes, b.key, outcomes); err != nil {
		b.Log.Error("outcomes were not written to the audit queue", "outcomes", len(outcomes), "error", err)
		for _, n := range all {
			if n.state == done && n.recorded {
				n.state = left
			}
		}
	}
}
