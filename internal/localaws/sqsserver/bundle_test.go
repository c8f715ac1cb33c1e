package sqsserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// bundle is an engine on a clock that stands still and a store that can fail.
type bundle struct {
	*sqsserver.Engine
	t     *testing.T
	clock *clockwork.FakeClock
	store *memory
	// near and inFlight are options of the engine.
	near, inFlight int
	// options, if there is one, changes how the engine is opened.
	options func(*sqsserver.Options)
}

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func newBundle(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, clock: clockwork.NewFakeClockAt(start), store: newMemory(), inFlight: 50}
	b.open()
	return b
}

func (b *bundle) open() {
	b.t.Helper()
	o := sqsserver.Options{Clock: b.clock, InFlightLimit: b.inFlight, NearLimit: b.near, Logger: slog.New(slog.DiscardHandler)}
	if b.options != nil {
		b.options(&o)
	}
	e, err := sqsserver.Open(b.t.Context(), b.store, o)
	b.must(err)
	b.t.Cleanup(func() { e.Close() })
	b.Engine = e
}

// restart is what a kill and a start do: memory is gone, the store is not.
func (b *bundle) restart() {
	b.t.Helper()
	b.must(b.Engine.Close())
	b.open()
}

func (b *bundle) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// wantCode fails unless err has one of the codes of SQS's errors.
func (b *bundle) wantCode(err error, code string) {
	b.t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		b.t.Fatalf("got error %v, want %s", err, code)
	}
}

func url(name string) *string { return aws.String("http://127.0.0.1/000000000000/" + name) }

func arn(name string) string { return "arn:aws:sqs:us-east-1:000000000000:" + name }

type attributes map[string]string

func redrive(to string, most int) attributes {
	policy, _ := json.Marshal(map[string]any{"deadLetterTargetArn": arn(to), "maxReceiveCount": most})
	return attributes{"RedrivePolicy": string(policy)}
}

func (b *bundle) create(name string, set attributes) {
	b.t.Helper()
	if strings.HasSuffix(name, ".fifo") && set["FifoQueue"] == "" {
		set = mergeAttributes(set, attributes{"FifoQueue": "true"})
	}
	_, err := b.CreateQueue(b.t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: set})
	b.must(err)
}

func mergeAttributes(sets ...attributes) attributes {
	all := attributes{}
	for _, set := range sets {
		for k, v := range set {
			all[k] = v
		}
	}
	return all
}

func (b *bundle) send(queue string, bodies ...string) {
	b.t.Helper()
	for _, body := range bodies {
		_, err := b.SendMessage(b.t.Context(), &sqs.SendMessageInput{QueueUrl: url(queue), MessageBody: aws.String(body)})
		b.must(err)
	}
}

// receiver is the engine or its Poller.
type receiver interface {
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
}

func (b *bundle) receiveBy(r receiver, queue string, max int32) []types.Message {
	b.t.Helper()
	out, err := r.ReceiveMessage(b.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url(queue), MaxNumberOfMessages: max,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"}})
	b.must(err)
	return out.Messages
}

func (b *bundle) receive(queue string) []types.Message {
	b.t.Helper()
	return b.receiveBy(b, queue, 10)
}

// want receives and fails unless the bodies are these, in this order.
func (b *bundle) want(queue string, bodies ...string) []types.Message {
	b.t.Helper()
	got := b.receive(queue)
	if !slices.Equal(bodiesOf(got), bodies) {
		b.t.Fatalf("%s: received %q, want %q", queue, bodiesOf(got), bodies)
	}
	return got
}

func bodiesOf(messages []types.Message) (bodies []string) {
	for _, m := range messages {
		bodies = append(bodies, *m.Body)
	}
	return bodies
}

func (b *bundle) delete(queue string, messages ...types.Message) {
	b.t.Helper()
	for _, m := range messages {
		_, err := b.DeleteMessage(b.t.Context(), &sqs.DeleteMessageInput{QueueUrl: url(queue), ReceiptHandle: m.ReceiptHandle})
		b.must(err)
	}
}

func (b *bundle) change(queue string, m types.Message, seconds int32) error {
	_, err := b.ChangeMessageVisibility(b.t.Context(), &sqs.ChangeMessageVisibilityInput{
		QueueUrl: url(queue), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds})
	return err
}

func (b *bundle) attributes(queue string) map[string]string {
	b.t.Helper()
	out, err := b.GetQueueAttributes(b.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url(queue),
		AttributeNames: []types.QueueAttributeName{"All"}})
	b.must(err)
	return out.Attributes
}

// wantCounts checks how many messages are visible, in flight and delayed.
func (b *bundle) wantCounts(queue string, visible, inFlight, delayed int) {
	b.t.Helper()
	a := b.attributes(queue)
	got := []string{a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"], a["ApproximateNumberOfMessagesDelayed"]}
	want := []string{strconv.Itoa(visible), strconv.Itoa(inFlight), strconv.Itoa(delayed)}
	if !slices.Equal(got, want) {
		b.t.Fatalf("%s: visible, in flight, delayed: %v, want %v", queue, got, want)
	}
}

// advance moves the clock.
func (b *bundle) advance(d time.Duration) { b.clock.Advance(d) }
