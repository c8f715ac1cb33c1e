package deliver

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/retry"
)

// margin is what an invocation keeps of its time to write down what happened:
// exchanges still open that long before its deadline are cut.
const margin = 2 * time.Second

// actor is how this room's acts are signed in the ledger.
const actor = "efferent:deliver"

// Handler delivers batches. Every field but Concurrency is needed. It may be
// used by many goroutines at once.
type Handler struct {
	Sender   Sender
	Secrets  Secrets
	Attempts Attempts
	Queue    Queue
	Audit    Audit
	Policies retry.Policies
	// MaxReceives is the queue's maxReceiveCount.
	MaxReceives int
	// Concurrency is the most exchanges that one batch has open; 0 means 128.
	Concurrency int
	Now         func() time.Time
	// Jitter gives numbers in [0,1).
	Jitter func() float64
	Log    *slog.Logger
}

// Handle sends a batch and says which messages are not done with
// (batchItemFailures, never nil). It never returns an error: that would bring
// back the delivered ones too. Nothing of it runs on after it has returned.
func (h *Handler) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	b := &batch{Handler: h, writes: context.WithoutCancel(ctx), key: batchKey(event)}
	if deadline, ok := ctx.Deadline(); ok {
		var stop, stopWrites context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, deadline.Add(-margin))
		defer stop()
		b.writes, stopWrites = context.WithDeadline(b.writes, deadline)
		defer stopWrites()
	}
	all := make([]*delivery, len(event.Records))
	for i := range event.Records {
		all[i] = &delivery{batch: b, msg: &event.Records[i]}
	}
	b.deliver(ctx, all)
	b.conclude(all)

	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, d := range all {
		if d.state != done {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: d.msg.MessageId})
		}
	}
	return response, nil
}

// batch is one invocation.
type batch struct {
	*Handler
	// writes outlives the exchanges, so that what happened is written down.
	writes context.Context
	// key keeps an attempt and its outcome in one lane of the ledger.
	key string
}

func batchKey(event events.SQSEvent) string {
	if len(event.Records) == 0 {
		return ""
	}
	return event.Records[0].MessageId
}

// deliver runs each delivery on a goroutine of its own. They meet halfway: what
// is about to be sent is announced for all of them at once.
func (b *batch) deliver(ctx context.Context, all []*delivery) {
	var prepared, finished sync.WaitGroup
	prepared.Add(len(all))
	finished.Add(len(all))
	announced := make(chan struct{})
	open := make(chan struct{}, cmp.Or(b.Concurrency, 128))
	for _, d := range all {
		goroutines.run(func() {
			defer finished.Done()
			d.prepare(ctx)
			prepared.Done()
			<-announced
			open <- struct{}{}
			d.run(ctx)
			<-open
		})
	}
	prepared.Wait()
	b.announce(all)
	close(announced)
	finished.Wait()
}

// announce writes the intents. Without them nothing may leave the account:
// the messages come back when their visibility timeout ends, minutes later.
func (b *batch) announce(all []*delivery) {
	intents := make([]ledger.Entry, 0, len(all))
	for _, d := range all {
		if d.state == ready {
			intents = append(intents, d.intent())
		}
	}
	if len(intents) == 0 {
		return
	}
	if err := b.Audit.Append(b.writes, b.key, intents); err != nil {
		b.Log.Error("nothing was sent: the audit queue can't be written", "messages", len(intents), "error", err)
		for _, d := range all {
			if d.state == ready {
				d.state = left
			}
		}
	}
}

// conclude records the successes and writes the outcomes.
func (b *batch) conclude(all []*delivery) {
	records := make([]attempt.Record, 0, len(all))
	outcomes := make([]ledger.Entry, 0, len(all))
	for _, d := range all {
		if d.state == done && d.record.Verdict == attempt.Delivered && !d.recorded {
			records = append(records, d.record)
		}
		outcomes = append(outcomes, d.outcomes...)
	}
	recorded := true
	if len(records) > 0 {
		if err := b.Attempts.Put(b.writes, records); err != nil {
			// They are delivered: sending them again would be worse than a gap in the history.
			recorded = false
			b.Log.Error("deliveries were not recorded", "deliveries", len(records), "error", err)
		}
	}
	if len(outcomes) == 0 {
		return
	}
	if err := b.Audit.Append(b.writes, b.key, outcomes); err != nil {
		b.Log.Error("outcomes were not written to the audit queue", "outcomes", len(outcomes), "error", err)
		if recorded {
			b.comeBack(all)
		}
	}
}

// comeBack leaves the delivered messages in the queue: their next receive
// finds them recorded and writes the outcome that is missing now.
func (b *batch) comeBack(all []*delivery) {
	for _, d := range all {
		if d.state == done {
			d.state = left
		}
	}
}
