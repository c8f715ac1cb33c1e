package batch

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
)

// Job is what a handler does with one message of a batch. Its methods are
// called in this order, each once, on goroutines of the message's own.
type Job interface {
	// Prepare decides what is to be done with the message, short of doing it:
	// it leaves the Item Ready, Refused, Troubled, or done with. Its ctx ends
	// after prepareTime: who is not ready then is left out.
	Prepare(ctx context.Context)
	// Intent announces the attempt that a Ready message is about to make. Without an
	// Action there is none: nothing is going to leave the account.
	Intent() ledger.Entry
	// Run makes the attempt of a Ready message, or settles a Refused one.
	Run(ctx context.Context)
	// Record is that of the attempt at hand, short of what came of it.
	Record() attempt.Record
	// Outcome tells the ledger what came of an attempt, nothing without an Action. It is also asked for
	// one that an invocation before this one made and could not tell of.
	Outcome(r attempt.Record) ledger.Entry
}

// Ender is a Job that is told of its message's end.
type Ender interface {
	// Ended says that an attempt was the last: the message was delivered by it, or goes to
	// the dead-letter queue after it. It may be told of twice where the invocation dies.
	Ended(r attempt.Record)
}

// Kind is what one handler's batches have in common.
type Kind struct {
	// Actor is how the handler's acts are signed in the ledger, IDName how its
	// log lines call the id of what it sends.
	Actor, IDName string
	// Queue is what the batches come from, without the stack's prefix.
	Queue string
	// Recalls says that what was tried before a message came out of the waiting
	// room decides what comes next, so that it must be read.
	Recalls bool
	// Finish is called at the end of a batch, with what it leaves to be written.
	Finish func(ctx context.Context)
	// Dead remembers which messages need not be looked up.
	Dead *Dead
	// Job makes the job of a message.
	Job func(*Item) Job
}

// Handle runs a batch and says which messages are not done with
// (batchItemFailures, never nil). It has no error: that would bring back what
// was sent too. Nothing of it runs on after it has returned.
func (n *Needs) Handle(ctx context.Context, event events.SQSEvent, kind Kind) events.SQSEventResponse {
	b := &batch{Needs: n, kind: kind}
	ctx, stop := b.share(ctx)
	defer stop()
	b.take(event)
	b.work(ctx)
	b.conclude()
	return b.response()
}

// batch is one invocation.
type batch struct {
	*Needs
	kind  Kind
	times times
	items []*Item

	visibilities visibilities
	successes    successes
	// oldest is an event, if anything was not delivered.
	oldest []metric.Event
}

// take makes an item of each message. SQS may hand out a message twice, in one
// batch too: it is one item then, by its latest receipt.
func (b *batch) take(event events.SQSEvent) {
	seen := make(map[string]*Item, len(event.Records))
	for i := range event.Records {
		msg := &event.Records[i]
		if twin, ok := seen[msg.MessageId]; ok {
			twin.receipts = append(twin.receipts, msg.ReceiptHandle)
			continue
		}
		item := &Item{batch: b, Msg: msg, receipts: []string{msg.ReceiptHandle}}
		item.job = b.kind.Job(item)
		seen[msg.MessageId] = item
		b.items = append(b.items, item)
	}
}

// key keeps an attempt and its outcome in one lane of the ledger.
func (b *batch) key() string { return b.items[0].Msg.MessageId }

// work runs each job on a goroutine of its own. They meet halfway: what is
// about to be sent is announced for all of them at once.
func (b *batch) work(ctx context.Context) {
	var prepared, finished sync.WaitGroup
	prepared.Add(len(b.items))
	finished.Add(len(b.items))
	announced := make(chan struct{})
	open := make(chan struct{}, cmp.Or(b.Concurrency, 128))
	start := b.Go
	if start == nil {
		start = goroutines.run
	}
	prepare, stop := context.WithTimeout(ctx, prepareTime)
	defer stop()
	for _, i := range b.items {
		start(func() {
			defer finished.Done()
			i.job.Prepare(prepare)
			prepared.Done()
			<-announced
			open <- struct{}{}
			i.run(ctx)
			i.endSpan()
			<-open
		})
	}
	prepared.Wait()
	b.announce()
	close(announced)
	defer b.waits(ctx)()
	finished.Wait()
}

// quick is how long a batch may be sending before it is said to wait.
const quick = 20 * time.Millisecond

func (b *batch) waits(ctx context.Context) (stop func()) {
	if b.Waits == nil {
		return func() {}
	}
	timer := time.AfterFunc(quick, func() { b.Waits(ctx) })
	return func() { timer.Stop() }
}

// run does what was prepared.
func (i *Item) run(ctx context.Context) {
	switch i.State {
	case Ready, Refused:
		i.job.Run(ctx)
	case Troubled:
		i.later()
	}
}

// announce writes the intents. Without them nothing may leave the account.
func (b *batch) announce() {
	intents := make([]ledger.Entry, 0, len(b.items))
	for _, i := range b.items {
		if i.State != Ready {
			continue
		}
		if e := i.job.Intent(); e.Action != "" {
			intents = append(intents, e)
		}
	}
	if len(intents) == 0 {
		return
	}
	ctx, stop := b.times.write()
	defer stop()
	if err := b.Audit.Append(ctx, b.key(), intents); err != nil {
		b.Log.ErrorContext(b.times.tells, "nothing was sent: the audit queue can't be written", "messages", len(intents), "error", err)
		for _, i := range b.items {
			if i.State == Ready {
				i.Trouble(unannounced)
			}
		}
	}
}

// unannounced is why a message is held whose attempt can't be announced.
const unannounced = "nothing was sent: the audit queue can't be written"

// conclude finishes what the items have left to the batch, and tells the
// outcomes.
func (b *batch) conclude() {
	b.successes.finish(b)
	b.finish()
	b.visibilities.finish(b)
	b.measure()
	b.tell()
	b.visibilities.finish(b) // of those that had to wait for it
	b.record()
}

func (b *batch) finish() {
	if b.kind.Finish == nil {
		return
	}
	ctx, stop := b.times.write()
	defer stop()
	b.kind.Finish(ctx)
}

func (b *batch) response() events.SQSEventResponse {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, i := range b.items {
		if i.State != Done && i.State != Moved {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: i.Msg.MessageId})
		}
	}
	return response
}
