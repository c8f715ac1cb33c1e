package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	registered "github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/fanout"
	"github.com/efferent/efferent/internal/telemetry"
)

// eventTenants is how many tenants publish, each with as many endpoints as its events
// go to, and two that subscribe to something else.
const eventTenants = 100

// publishing is a world before whose deliver stands fanout.
type publishing struct {
	*world
	fan    *fanout.Handler
	events *awssqs.Queue
	// fanned is the bill of the queue events, of fanout, and of what it reads and keeps.
	fanned    *bill
	published int
}

// eventsCost prints the bill of a million events, of which each goes to so many
// endpoints.
func eventsCost(ctx context.Context, batch int) error {
	for _, n := range []int{1, 10} {
		if err := eventsAt(ctx, batch, n); err != nil {
			return fmt.Errorf("a fan-out of %d: %w", n, err)
		}
	}
	return nil
}

func eventsAt(ctx context.Context, batch, recipients int) error {
	const deliveries = 10_000
	p, err := newPublishing(ctx, batch, recipients)
	if err != nil {
		return err
	}
	defer p.stop()
	for p.published < deliveries/recipients {
		if err := p.publish(ctx, min(wave, deliveries-p.published*recipients)/recipients); err != nil {
			return err
		}
	}
	if n := p.endpoint.took(); n != deliveries {
		return fmt.Errorf("%d deliveries of %d", n, deliveries)
	}
	l, err := p.appended(ctx)
	if err != nil {
		return err
	}
	million := 1e6 / float64(p.published)
	fmt.Printf("\na million events of 1 KiB at a fan-out of %d, in batches of %d, until they are on the queue webhooks:\n", recipients, batch)
	fanned := printBill(p.fanned.times(million))
	fmt.Printf("\ntheir %s deliveries:\n", millions(recipients))
	delivered := printBill(sum(p.bill.times(million), p.breaks.times(million)))
	kept := priceOf(l.bill.times(million))
	fmt.Printf("\na million events at a fan-out of %d: $%.2f, and $%.2f of it their ledger; a million deliveries: $%.2f\n",
		recipients, fanned+delivered+kept, kept, (fanned+delivered+kept)/float64(recipients))
	return nil
}

func millions(n int) string {
	if n == 1 {
		return "million"
	}
	return strconv.Itoa(n) + " million"
}

func newPublishing(ctx context.Context, batch, recipients int) (*publishing, error) {
	w, err := newWorld(ctx, terms{batch: batch, instances: 1, body: invoice})
	if err != nil {
		return nil, err
	}
	p := &publishing{world: w, fanned: newBill()}
	p.events = &awssqs.Queue{API: counted{w.engine, p.fanned}, URL: "/events"}
	if err := p.register(ctx, recipients); err != nil {
		w.stop()
		return nil, err
	}
	if p.fan, err = p.fanout(); err != nil {
		w.stop()
		return nil, err
	}
	return p, nil
}

// register registers everybody's endpoints. What that costs is not of the events.
func (p *publishing) register(ctx context.Context, recipients int) error {
	store := &awsdynamodb.Endpoints{API: p.registered, Table: "endpoints"}
	for t := range eventTenants {
		for i := range recipients + 2 {
			e := registered.Endpoint{
				ID: registered.NewID(), Tenant: fmt.Sprintf("acct_%08d", t), URL: fmt.Sprintf("%s/efferent/%d/%d", p.endpoint.URL, t, i),
				EventTypes: []string{"invoice.*"}, Secret: secretName, State: registered.Enabled, Version: 1,
				Created: p.clock.Now(), Updated: p.clock.Now(), Description: "the one that the customer made first",
			}
			if i >= recipients {
				e.EventTypes = []string{"user.*", "order.created"}
			}
			if err := store.CreateEndpoint(ctx, e, 20); err != nil {
				return err
			}
		}
	}
	p.bill.waited()
	clear(p.bill.used)
	return nil
}

// fanout is the function, wired as lambdas/fanout does it.
func (p *publishing) fanout() (*fanout.Handler, error) {
	audit := &awssqs.Audit{API: counted{p.engine, p.fanned}, URL: "/audit.fifo", Lanes: 4}
	attempts := newTable("webhook_id", "message_attempt", p.fanned, p.clock.Now)
	attempts.indexes = p.attempts.indexes
	kept := newTable("place", "key", p.fanned, p.clock.Now)
	needs := handlerNeeds(&awsdynamodb.Attempts{API: attempts, Table: "attempts"}, p.events, audit)
	needs.Room = &awsdynamodb.Waiting{API: p.room, Table: "waiting", Now: p.clock.Now}
	needs.Now, needs.Redactors = p.clock.Now, redactors(p.clock.Now)
	needs.Metrics = &telemetry.EMF{Function: "efferent-fanout", Now: p.clock.Now, Out: p.fanned}
	needs.Log = slog.New(slog.NewJSONHandler(p.fanned, nil))
	return fanout.New(fanout.Needs{
		Needs:     needs,
		Endpoints: &registered.Book{Store: &awsdynamodb.Endpoints{API: p.registered.billed(p.fanned), Table: "endpoints"}},
		Events:    &awsdynamodb.Events{API: kept, Table: "events"},
		Sender:    &awssqs.Outgoing{API: counted{p.engine, p.fanned}, URLs: map[string]string{"webhooks": p.queue.URL}},
	})
}

// publish has producers publish n events, ten a request, and runs until all that
// comes of them is delivered.
func (p *publishing) publish(ctx context.Context, n int) error {
	for end := p.published + n; p.published < end; {
		var entries []types.SendMessageBatchRequestEntry
		for k := range min(perRequest, end-p.published) {
			text := fmt.Sprintf(`{"id":"evt_01KBFZ3V9Q4T2M7C%010d","tenant":"acct_%08d","event_type":"invoice.paid","body":%s}`,
				p.published, p.published*7919%eventTenants, p.body(p.published))
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(k)), MessageBody: &text})
			p.published++
		}
		if _, err := p.engine.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &p.events.URL, Entries: entries}); err != nil {
			return err
		}
		p.fanned.add("sqs", 1)
	}
	for {
		done, err := p.fanOut(ctx)
		if err != nil {
			return err
		}
		if done {
			return p.run(ctx)
		}
	}
}

// fanOut handles a batch of events; done says that there was none.
func (p *publishing) fanOut(ctx context.Context) (done bool, err error) {
	var messages []events.SQSMessage
	for len(messages) < p.batch {
		some, err := p.events.Receive(ctx, min(perRequest, p.batch-len(messages)))
		if err != nil {
			return false, err
		}
		if len(some) == 0 {
			break
		}
		messages = append(messages, some...)
	}
	if len(messages) == 0 {
		return true, nil
	}
	start := time.Now()
	out, err := p.fan.Handle(ctx, events.SQSEvent{Records: messages})
	if err != nil || len(out.BatchItemFailures) > 0 {
		return false, fmt.Errorf("%d of %d events failed: %w", len(out.BatchItemFailures), len(messages), err)
	}
	p.fanned.invoked(time.Since(start).Seconds(), 0)
	return false, p.events.Delete(ctx, messages)
}
