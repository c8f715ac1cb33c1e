// Package scenario is what every way of running Efferent must do: in one
// process, as a worker on somebody's queues, and deployed. Each scenario sends
// real messages with the AWS SDK and looks at what a receiver gets, at what is
// recorded, and at what is in the dead-letter queue.
package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/efferent/efferent/internal/attempt"
)

// The secret that scenarios sign with.
const (
	SecretName  = "efferent/webhooks/scenario"
	SecretValue = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// BusSource is the source of events on a bus.
const BusSource = "scenario.shop"

// patience is how long a scenario waits for what should come at once: long, for
// the machine may be busy with other things.
const patience = 5 * time.Minute

// glance is for how many seconds Failures hides what it sees.
const glance = 2

// Stack is a running Efferent.
type Stack struct {
	SQS     *sqs.Client
	Secrets *secretsmanager.Client
	// Prefix is what the queues' names begin with.
	Prefix string
	// History gives the attempts recorded under a webhook id, oldest first.
	History func(ctx context.Context, webhookID string) ([]attempt.Record, error)
	// API makes one request to the API; nil where there is none.
	API func(ctx context.Context, method, path, body string) (status int, answer []byte, err error)
	// Outcomes is the URL of the queue that is told of everything; nil where there is none.
	Outcomes *string
	// PutEvent puts an event with the source BusSource on an EventBridge bus whose events
	// are published, and returns its id; nil where there is none.
	PutEvent func(ctx context.Context, detailType, detail string) (id string, err error)

	// Callback makes one request of Twilio's to the API; nil where Twilio is not asked to
	// report.
	Callback func(ctx context.Context, path, signature, form string) (status int, err error)

	looking sync.Mutex
	seen    []string // bodies of dead letters, by any of the tests
}

// Config speaks to a local endpoint with credentials that it does not look at.
func Config(endpoint string) aws.Config {
	return aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

// QueueURL finds one of the stack's queues.
func (s *Stack) QueueURL(t *testing.T, name string) *string {
	t.Helper()
	name = s.Prefix + name
	out, err := s.SQS.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		t.Fatalf("the URL of %s: %v", name, err)
	}
	return out.QueueUrl
}

// Attributes are a queue's attributes.
func (s *Stack) Attributes(t *testing.T, name string) map[string]string {
	t.Helper()
	out, err := s.SQS.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: s.QueueURL(t, name), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		t.Fatalf("the attributes of %s: %v", name, err)
	}
	return out.Attributes
}

// PutSecret creates a secret.
func (s *Stack) PutSecret(t *testing.T, name, value string) {
	t.Helper()
	if _, err := s.Secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value}); err != nil {
		t.Fatalf("create the secret %s: %v", name, err)
	}
}

// Text is a webhook message; more are further fields of it.
func Text(id, url string, more ...string) string {
	fields := append([]string{
		fmt.Sprintf(`"id":%q,"url":%q,"secret":%q,"event_type":"scenario.run","body":{"id": %q}`, id, url, SecretName, id)}, more...)
	return "{" + strings.Join(fields, ",") + "}"
}

// Send puts up to ten messages on the webhooks queue in one batch.
func (s *Stack) Send(t *testing.T, texts ...string) {
	t.Helper()
	s.SendTo(t, "webhooks", texts...)
}

// SendTo is Send for another queue.
func (s *Stack) SendTo(t *testing.T, queue string, texts ...string) {
	t.Helper()
	entries := make([]types.SendMessageBatchRequestEntry, len(texts))
	for i, text := range texts {
		id := fmt.Sprint(i)
		entries[i] = types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &text}
	}
	in := &sqs.SendMessageBatchInput{QueueUrl: s.QueueURL(t, queue), Entries: entries}
	out, err := s.SQS.SendMessageBatch(t.Context(), in, once)
	if answered := new(smithyhttp.ResponseError); errors.As(err, &answered) && answered.HTTPStatusCode() == http.StatusOK {
		return // MiniStack took it, and then closed the connection on its own answer
	}
	if err != nil || len(out.Failed) > 0 {
		t.Fatalf("send: %v, %+v", err, out)
	}
}

// once has a request sent a single time: what was taken and not answered would be
// there twice. So it goes by a connection of its own, which nobody closes before.
func once(o *sqs.Options) {
	transport := http.DefaultTransport
	if c, ok := o.HTTPClient.(*http.Client); ok && c.Transport != nil {
		transport = c.Transport
	}
	own := transport.(*http.Transport).Clone()
	own.DisableKeepAlives = true
	o.RetryMaxAttempts, o.HTTPClient = 1, &http.Client{Transport: own}
}

// Attempts waits until a delivery has come to its end and returns its attempts.
func (s *Stack) Attempts(t *testing.T, id string) []attempt.Record {
	t.Helper()
	return s.AttemptsUntil(t, id, attempt.Verdict.Final)
}

// AttemptsUntil waits until the last attempt's verdict is as wanted.
func (s *Stack) AttemptsUntil(t *testing.T, id string, wanted func(attempt.Verdict) bool) []attempt.Record {
	t.Helper()
	return s.historyUntil(t, id, func(records []attempt.Record) bool {
		n := len(records)
		return n > 0 && wanted(records[n-1].Verdict)
	})
}

func (s *Stack) historyUntil(t *testing.T, id string, wanted func([]attempt.Record) bool) []attempt.Record {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		records, err := s.History(ctx, id)
		if err != nil {
			t.Fatalf("attempts of %s: %v", id, err)
		}
		if wanted(records) {
			return records
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s has not come to its end: %+v", id, records)
		}
	}
}

// Verdicts is a line about attempts: "1:503:retryable 2:200:delivered".
func Verdicts(records []attempt.Record) string {
	var all []string
	for _, r := range records {
		all = append(all, fmt.Sprintf("%d:%d:%s", r.Attempt, r.Status, r.Verdict))
	}
	return strings.Join(all, " ")
}

// Failures looks into a dead-letter queue until every one of the messages that
// hold these texts was seen there, and checks that SQS itself moved them. What
// it sees shows again by itself after a glance: to give a message back takes its
// receipt, and an answer that got lost leaves none.
func (s *Stack) Failures(t *testing.T, queue, source string, texts ...string) {
	t.Helper()
	url, sourceARN := s.QueueURL(t, queue), s.Attributes(t, source)["QueueArn"]
	s.looking.Lock() // two who look hide messages from each other
	defer s.looking.Unlock()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for {
		missing := without(texts, s.seen)
		if len(missing) == 0 {
			return
		}
		out, err := s.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
			VisibilityTimeout: glance, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
		if err != nil {
			t.Fatalf("%s does not hold %q: %v", queue, missing, err)
		}
		for _, m := range out.Messages {
			if m.Attributes["DeadLetterQueueSourceArn"] == sourceARN {
				s.seen = append(s.seen, *m.Body)
			} else {
				t.Errorf("a message in %s has the source %q, want %q", queue, m.Attributes["DeadLetterQueueSourceArn"], sourceARN)
			}
		}
	}
}

// without drops the texts that one of the bodies holds.
func without(texts, bodies []string) (rest []string) {
	for _, text := range texts {
		if !slices.ContainsFunc(bodies, func(body string) bool { return strings.Contains(body, text) }) {
			rest = append(rest, text)
		}
	}
	return rest
}
