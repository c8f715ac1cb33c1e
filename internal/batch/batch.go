package batch

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
)

// Margin is what an invocation keeps of its time to write down what happened:
// what is still being sent that long before its deadline is cut.
const Margin = 2 * time.Second

// markTime is what of that is left for what could not be written of it.
const markTime = 500 * time.Millisecond

// Job is what a handler does with one message of a batch. Its methods are
// called in this order, each once, on goroutines of the message's own.
type Job interface {
	// Prepare decides what is to be done with the message, short of doing it:
	// it leaves the Item Ready, Refused, or done with. Its ctx ends when what
	// is being sent is cut.
	Prepare(ctx context.Context)
	// Intent announces the attempt that a Ready message is about to make.
	Intent() ledger.Entry
	// Run makes the attempt of a Ready message, or settles a Refused one.
	Run(ctx context.Context)
	// Outcome tells the ledger what came of an attempt. It is also asked for
	// one that an invocation before this one made and could not tell of.
	Outcome(r attempt.Record) ledger.Entry
}

// Kind is what one handler's batches have in common.
type Kind struct {
	// Actor is how the handler's acts are signed in the ledger, IDName how its
	// log lines call the id of what it sends.
	Actor, IDName string
	// Job makes the job of a message.
	Job func(*Item) Job
}

// Handle runs a batch and says which messages are not done with
// (batchItemFailures, never nil). It has no error: that would bring back what
// was sent too. Nothing of it runs on after it has returned.
func (n *Needs) Handle(ctx context.Context, event events.SQSEvent, kind Kind) events.SQSEventResponse {
	b := &batch{Needs: n, kind: kind, writes: context.WithoutCancel(ctx)}
	b.tells = b.writes
	if deadline, ok := ctx.Deadline(); ok {
		var stop, stopWrites context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, deadline.Add(-Margin))
		defer stop()
		b.writes, stopWrites = context.WithDeadline(b.writes, deadline)
		defer stopWrites()
		var stopTells context.CancelFunc
		b.tells, stopTells = context.WithDeadline(b.writes, deadline.Add(-markTime))
		defer stopTells()
	}
	b.take(event)
	b.work(ctx)
	b.conclude()
	return b.response()
}

// batch is one invocation.
type batch struct {
	*Needs
	kind Kind
	// writes outlives what is being sent, so that what happened is written down.
	writes context.Context
	// tells is for telling the ledger of outcomes. It ends before writes does, so
	// that what could not be told is marked.
	tells context.Context
	items []*Item
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
	for _, i := range b.items {
		goroutines.run(func() {
			defer finished.Done()
			i.job.Prepare(ctx)
			prepared.Done()
			<-announced
			if i.State != Ready && i.State != Refused {
				return
			}
			open <- struct{}{}
			i.job.Run(ctx)
			<-open
		})
	}
	prepared.Wait()
	b.announce()
	close(announced)
	finished.Wait()
}

// announce writes the intents. Without them nothing may leave the account:
// the messages come back when their visibility timeout ends, minutes later.
func (b *batch) announce() {
	intents := make([]ledger.Entry, 0, len(b.items))
	for _, i := range b.items {
		if i.State == Ready {
			intents = append(intents, i.job.Intent())
		}
	}
	if len(intents) == 0 {
		return
	}
	if err := b.Audit.Append(b.writes, b.key(), intents); err != nil {
		b.Log.Error("nothing was sent: the audit queue can't be written", "messages", len(intents), "error", err)
		for _, i := range b.items {
			if i.State == Ready {
				i.State = Left
			}
		}
	}
}

// conclude records what was sent and tells the outcomes.
func (b *batch) conclude() {
	b.record()
	b.tell()
}

// record keeps the records of what was sent. Where that fails it is done with
// all the same: a gap in the history beats a second sending.
func (b *batch) record() {
	items, records := make([]*Item, 0, len(b.items)), make([]attempt.Record, 0, len(b.items))
	for _, i := range b.items {
		if i.State == Done && !i.recorded {
			items, records = append(items, i), append(records, i.sent)
		}
	}
	if len(records) == 0 {
		return
	}
	if err := b.Attempts.Put(b.writes, records); err != nil {
		b.Log.Error("what was sent was not recorded", "messages", len(records), "error", err)
		return
	}
	for _, i := range items {
		i.recorded = true
	}
}

func (b *batch) response() events.SQSEventResponse {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, i := range b.items {
		if i.State != Done {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: i.Msg.MessageId})
		}
	}
	return response
}
