package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/jonboulle/clockwork"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/circuit"
	registered "github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/deliver"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/webhook"
)

const (
	// perRequest is the most messages of one request to SQS.
	perRequest = 10
	// customers is how many endpoints there are, unless it is said otherwise.
	customers = 1000
	// wave is how many messages are in the queue at a time.
	wave = 1000
)

// world is deliver on queues and tables that count what AWS would bill, one
// invocation after the other, by a clock that is moved on when there is nothing
// to do.
type world struct {
	clock          *clockwork.FakeClock
	engine         *sqsserver.Engine
	attempts, room *table
	circuits       *table
	registered     *table // the endpoints
	endpoint       *receiver
	queue          *awssqs.Queue
	// instances of the function: one of them is handed each batch.
	instances []*deliver.Handler
	dice      *rand.Rand
	batch     int // messages an invocation
	customers int
	body      func(i int) string
	sent      int

	// bill is deliver's, its queue's and its table's; waits is what the waiting
	// room adds, breaks what the circuits do.
	bill, waits, breaks *bill
	stop                func()
}

// terms are what a world is made with.
type terms struct {
	batch, instances int
	customers        int // 0 is customers
	policies         string
	body             func(i int) string
}

func newWorld(ctx context.Context, t terms) (*world, error) {
	w := &world{clock: clockwork.NewFakeClockAt(time.Date(2026, 11, 10, 12, 0, 0, 123_456_789, time.UTC)), batch: t.batch, body: t.body,
		customers: cmp.Or(t.customers, customers), dice: rand.New(rand.NewPCG(3, 0)),
		bill: newBill(), waits: newBill(), breaks: newBill(), endpoint: newReceiver()}
	w.attempts = newTable("webhook_id", "message_attempt", w.bill, w.clock.Now)
	w.attempts.indexes = []index{{"failed_in", "failed_at", "record"}, {"sent_to", "sent_at", "record"}}
	w.circuits = newTable("circuit", "", w.breaks, w.clock.Now)
	w.registered = newTable("id", "", w.bill, w.clock.Now)
	w.room = newTable("place", "position", w.waits, w.clock.Now)
	policies, err := retry.ParsePolicies(t.policies)
	if err != nil {
		return nil, err
	}
	engine, stop, err := openQueues(ctx, w.clock)
	if err != nil {
		return nil, err
	}
	w.engine, w.stop = engine, func() { w.endpoint.Close(); stop() }
	w.queue = &awssqs.Queue{API: counted{w.engine, w.bill}, URL: "/webhooks"}
	for range t.instances {
		h, err := w.deliver(policies)
		if err != nil {
			w.stop()
			return nil, err
		}
		w.instances = append(w.instances, h)
	}
	return w, nil
}

// deliver is the function, wired as lambdas/deliver does it.
func (w *world) deliver(policies retry.Policies) (*deliver.Handler, error) {
	allow, err := webhook.ParseAllowHTTP("loopback")
	if err != nil {
		return nil, err
	}
	audit := &awssqs.Audit{API: counted{w.engine, w.bill}, URL: "/audit.fifo", Lanes: 4}
	needs := handlerNeeds(&awsdynamodb.Attempts{API: w.attempts, Table: "attempts"}, w.queue, audit)
	metrics := &telemetry.EMF{Function: "efferent-deliver", Now: w.clock.Now, Out: w.bill}
	needs.Room = &awsdynamodb.Waiting{API: w.room, Table: "waiting", Now: w.clock.Now}
	needs.Policies, needs.Now, needs.Metrics, needs.Redactors = policies, w.clock.Now, metrics, redactors(w.clock.Now)
	needs.Log = slog.New(slog.NewJSONHandler(w.bill, nil))
	return deliver.New(deliver.Needs{
		Needs: needs,
		Sender: clocked{webhook.NewClient(webhook.Options{
			AllowHTTP: allow, AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}), w.clock},
		Secrets: &awssecrets.Signing{API: w.bill, Now: w.clock.Now},
		Circuits: &circuit.Keeper{
			Store: w.circuitStore(), Now: w.clock.Now, Jitter: needs.Jitter, Log: needs.Log,
			Changed: (&circuit.Journal{Audit: audit, Redactors: needs.Redactors, Actor: "efferent:deliver", Log: needs.Log}).Changed,
		},
		Endpoints: &registered.Known{Store: &awsdynamodb.Endpoints{API: w.registered, Table: "endpoints"}, Now: w.clock.Now},
		Disabler:  &registered.Disabler{}, Auth: &awssecrets.Values{API: w.bill, Now: w.clock.Now},
		Pace:     &pace.Keeper{Store: new(storetest.Memory), Now: w.clock.Now, Log: needs.Log},
		MostHeld: settings.DefaultMaxHeld,
	})
}

// clocked makes exchanges that take as long as is said of them, by the clock that
// all else goes by.
type clocked struct {
	*webhook.Client
	clock *clockwork.FakeClock
}

func (c clocked) Post(ctx context.Context, r webhook.Request) webhook.Exchange {
	at := c.clock.Now()
	x := c.Client.Post(ctx, r)
	if !x.Started.IsZero() {
		x.Started, x.Duration = at, time.Duration(answer*float64(time.Second))
	}
	return x
}

func (w *world) circuitStore() *awsdynamodb.Circuits {
	return &awsdynamodb.Circuits{API: w.circuits, Table: "circuits", Now: w.clock.Now}
}

func (b *bill) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	b.add("secretop", 1)
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(secretValue), VersionId: aws.String("v1")}, nil
}

// send has a producer send n webhooks, ten a request or one, and runs until
// nothing is visible or hidden.
func (w *world) send(ctx context.Context, n int) error {
	for end := w.sent + n; w.sent < end; {
		if err := w.fill(ctx, min(wave, end-w.sent)); err != nil {
			return err
		}
		if err := w.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) fill(ctx context.Context, n int) error {
	for each := 0; n > 0; n -= each {
		each = min(w.batch, perRequest, n)
		var entries []types.SendMessageBatchRequestEntry
		for k := range each {
			id := fmt.Sprintf("evt_01KBFZ3V9Q4T2M7C%010d", w.sent)
			url := fmt.Sprintf("%s/efferent/acct_%08d", w.endpoint.URL, w.sent*7919%w.customers)
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(k)),
				MessageBody: aws.String(webhookText(id, url, w.body(w.sent)))})
			w.sent++
		}
		if _, err := w.engine.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &w.queue.URL, Entries: entries}); err != nil {
			return err
		}
		w.bill.add("sqs", 1)
	}
	return nil
}

// run handles what is in the queue until there is nothing.
func (w *world) run(ctx context.Context) error {
	for {
		visible, hidden, err := w.depth(ctx)
		switch {
		case err != nil:
			return err
		case visible > 0:
			if err := w.visible(ctx); err != nil {
				return err
			}
		case hidden > 0:
			w.clock.Advance(time.Second)
		default:
			return nil
		}
	}
}

// visible handles what is visible.
func (w *world) visible(ctx context.Context) error {
	for {
		visible, _, err := w.depth(ctx)
		if err != nil || visible == 0 {
			return err
		}
		if err := w.invoke(ctx, min(visible, w.batch)); err != nil {
			return err
		}
	}
}

func (w *world) depth(ctx context.Context) (visible, hidden int, err error) {
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible, types.QueueAttributeNameApproximateNumberOfMessagesDelayed}
	out, err := w.engine.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &w.queue.URL, AttributeNames: names})
	if err != nil {
		return 0, 0, err
	}
	n := func(i int) int { return number(out.Attributes[string(names[i])]) }
	return n(0), n(1) + n(2), nil
}

// invoke hands n messages to an instance, as Lambda gathers them.
func (w *world) invoke(ctx context.Context, n int) error {
	var messages []events.SQSMessage
	for len(messages) < n {
		some, err := w.queue.Receive(ctx, min(perRequest, n-len(messages)))
		if err != nil {
			return err
		}
		if len(some) == 0 { // SQS took the others to the dead-letter queue
			break
		}
		messages = append(messages, some...)
	}
	if len(messages) == 0 {
		return nil
	}
	exchanges := w.endpoint.took()
	start := time.Now()
	out, _ := w.instances[w.dice.IntN(len(w.instances))].Handle(ctx, events.SQSEvent{Records: messages})
	took := time.Since(start).Seconds()
	if w.endpoint.took() > exchanges {
		took += answer
		w.clock.Advance(time.Duration(answer * float64(time.Second)))
	}
	w.bill.invoked(took, 0)
	w.waits.waited()
	w.breaks.waited()
	return w.queue.Delete(ctx, notIn(messages, out.BatchItemFailures))
}

// notIn leaves the messages that are done with.
func notIn(messages []events.SQSMessage, failures []events.SQSBatchItemFailure) (done []events.SQSMessage) {
	failed := map[string]bool{}
	for _, f := range failures {
		failed[f.ItemIdentifier] = true
	}
	for _, m := range messages {
		if !failed[m.MessageId] {
			done = append(done, m)
		}
	}
	return done
}

// receiver answers every webhook alike, or those of one in so many so, and the
// others with 200.
type receiver struct {
	*httptest.Server

	mu       sync.Mutex
	status   int
	text     string
	oneIn    int
	requests int
}

func newReceiver() *receiver {
	e := &receiver{status: http.StatusOK, oneIn: 1}
	e.Server = httptest.NewServer(e)
	return e
}

func (e *receiver) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	e.mu.Lock()
	e.requests++
	status, text, oneIn := e.status, e.text, e.oneIn
	e.mu.Unlock()
	id := in.Header.Get("webhook-id")
	if n := number(id[len(id)-10:]); (n+n/customers)%oneIn > 0 { // not of the same customers always
		status, text = http.StatusOK, ""
	}
	out.WriteHeader(status)
	_, _ = io.WriteString(out, text)
}

func (e *receiver) answer(status int, text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status, e.text = status, text
}

// took is how many requests there were.
func (e *receiver) took() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requests
}

// appended brings what is on audit.fifo into a ledger, which is billed for.
func (w *world) appended(ctx context.Context) (*countedLedger, error) {
	l, err := newCountedLedger(w.engine, newBill(), w.clock.Now)
	if err != nil {
		return nil, err
	}
	err = l.append(ctx)
	l.bill.used["s3gb"] *= lives
	return l, err
}
