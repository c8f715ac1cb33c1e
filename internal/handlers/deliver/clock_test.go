package deliver_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/attempt"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/deliver"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/webhook"
)

// failing is an endpoint that is down, and its clock.
type failing struct {
	clock clockwork.Clock
	start time.Time
	at    []time.Duration
}

func (f *failing) Post(context.Context, webhook.Request) webhook.Exchange {
	f.at = append(f.at, f.clock.Since(f.start))
	return webhook.Exchange{Status: 503}
}

type anyKeys struct{}

func (anyKeys) Keys(context.Context, string, time.Time) (webhook.Keys, error) {
	return webhook.Keys{}, nil
}

// noCircuits lets everything pass.
type noCircuits struct{}

func (noCircuits) Ask(context.Context, ...circuit.Name) circuit.Ruling {
	return circuit.Ruling{Go: true}
}
func (noCircuits) Tell(context.Context, []circuit.Result)    {}
func (noCircuits) Await(context.Context, circuit.Name) error { return nil }

func (anyKeys) Changed(string, time.Time) {}

func (anyKeys) Redactor(context.Context, time.Time) *ledger.Redactor {
	return ledger.NewRedactor(nil, false)
}

// TestScriptedClock walks the clock a tenth of a second at a time over the real
// queue engine, and shows when each policy's attempts are made, exactly, and
// that the queue's own redrive then moves the message.
func TestScriptedClock(t *testing.T) {
	t.Parallel()
	s := func(n ...time.Duration) []time.Duration {
		for i := range n {
			n[i] *= time.Second
		}
		return n
	}
	for policy, want := range map[string][]time.Duration{
		"":     s(0, 1, 1+2, 1+2+4),
		"seed": s(0, 1, 1+2, 1+2+4),
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.send(`{"id":"evt_1","url":"https://a.test/","secret":"efferent/webhooks/a","event_type":"e","body":{},"retry":"` + policy + `"}`)
			for range 2000 {
				b.poll()
				b.clock.Advance(100 * time.Millisecond)
			}
			if diff := cmp.Diff(want, b.endpoint.at); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
			records, err := b.attempts.OfWebhook(t.Context(), "evt_1")
			if err != nil {
				t.Fatal(err)
			}
			if last := records[len(records)-1]; last.Verdict != attempt.Exhausted || len(records) != len(want) {
				t.Errorf("%d records, the last %+v", len(records), last)
			}
			failures := b.receive("webhook-failures")
			if len(failures) != 1 || failures[0].Attributes["DeadLetterQueueSourceArn"] != "arn:aws:sqs:us-east-1:000000000000:webhooks" {
				t.Errorf("in the dead-letter queue: %+v", failures)
			}
			if b.receives != 6 {
				t.Errorf("received %d times, want 6: attempts and draining", b.receives)
			}
		})
	}
}

// bench is the handler on the real engine, and a clock that only the test moves.
type bench struct {
	t        *testing.T
	clock    *clockwork.FakeClock
	engine   *sqsserver.Engine
	attempts *sqlite.Attempts
	endpoint *failing
	handler  *deliver.Handler
	receives int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	db, err := sqlite.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, clock: clockwork.NewFakeClockAt(time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)), attempts: sqlite.NewAttempts(db)}
	b.engine, err = sqsserver.Open(t.Context(), sqlite.NewQueues(db), sqsserver.Options{Clock: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.engine.Close(); db.Close() })
	b.create("webhook-failures", nil)
	b.create("webhooks", map[string]string{"VisibilityTimeout": "180",
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:webhook-failures","maxReceiveCount":6}`})
	b.create("audit.fifo", map[string]string{"FifoQueue": "true"})
	b.endpoint = &failing{clock: b.clock, start: b.clock.Now()}
	b.handler, err = deliver.New(deliver.Needs{
		Needs: batch.Needs{
			Attempts: b.attempts, Room: new(storetest.Memory),
			Queue: &awssqs.Queue{API: b.engine, URL: "/webhooks"}, Audit: &awssqs.Audit{API: b.engine, URL: "/audit.fifo"},
			Redactors: anyKeys{}, Policies: retry.Policies{}, MaxReceives: 6, Now: b.clock.Now, Jitter: func() float64 { return 0 },
			Log: slog.New(slog.DiscardHandler),
		},
		Sender: b.endpoint, Secrets: anyKeys{}, Circuits: noCircuits{}, MostHeld: time.Hour,
		Endpoints: &endpoint.Known{Store: new(storetest.Memory), Now: time.Now}, Disabler: &endpoint.Disabler{}, Auth: noAuth{},
		Pace: &pace.Keeper{Store: new(storetest.Memory), Now: time.Now, Log: slog.New(slog.DiscardHandler)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) create(name string, attributes map[string]string) {
	b.t.Helper()
	if _, err := b.engine.CreateQueue(b.t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) send(text string) {
	b.t.Helper()
	url := "/webhooks"
	if _, err := b.engine.SendMessage(b.t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &text}); err != nil {
		b.t.Fatal(err)
	}
}

// receive takes what is visible now.
func (b *bench) receive(queue string) []events.SQSMessage {
	b.t.Helper()
	messages, err := (&awssqs.Queue{API: noWait{b.engine}, URL: "/" + queue}).Receive(b.t.Context(), 10)
	if err != nil {
		b.t.Fatal(err)
	}
	return messages
}

// poll is one turn of the event source: all that is visible is handled.
func (b *bench) poll() {
	b.t.Helper()
	for messages := b.receive("webhooks"); len(messages) > 0; messages = b.receive("webhooks") {
		b.receives += len(messages)
		out, err := b.handler.Handle(b.t.Context(), events.SQSEvent{Records: messages})
		if err != nil || len(out.BatchItemFailures) != len(messages) {
			b.t.Fatalf("%+v, %v of an endpoint that is down", out, err)
		}
	}
}

// noWait receives what is there and does not wait for more.
type noWait struct{ *sqsserver.Engine }

func (n noWait) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (
	*sqs.ReceiveMessageOutput, error) {
	in.WaitTimeSeconds = 0
	return n.Engine.ReceiveMessage(ctx, in, o...)
}

// noAuth has no headers that are secrets.
type noAuth struct{}

func (noAuth) Text(context.Context, string, time.Time) (string, error) { return "", nil }
