// Package gocloud tries gocloud.dev's pubsub on the SQS at AWS_ENDPOINT_URL. It
// is a module of its own, since the product needs none of what it needs.
package gocloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"gocloud.dev/gcerrors"
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/awssnssqs"
)

// patience is how long anything may take: the machine may be busy.
const patience = 5 * time.Minute

// Every message once, by four receivers on two subscriptions, the second of
// which is opened by its URL.
func TestEveryMessageOnce(t *testing.T) {
	t.Parallel()
	q := create(t, nil)
	topic := q.topic(t, nil)
	subscriptions := []*pubsub.Subscription{q.subscription(t, 20*time.Second), q.byURL(t)}
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprintf("é %d < & > \U0001F600", i))
	}
	var sends sync.WaitGroup
	for _, text := range want {
		sends.Go(func() {
			if err := topic.Send(t.Context(), &pubsub.Message{Body: []byte(text)}); err != nil {
				t.Error(err)
			}
		})
	}
	var mu sync.Mutex
	var got []string
	ctx, enough := context.WithTimeout(t.Context(), patience)
	defer enough()
	var receivers sync.WaitGroup
	for i := range 4 {
		receivers.Go(func() {
			for {
				m, err := subscriptions[i%2].Receive(ctx)
				if err != nil {
					return // there is enough
				}
				m.Ack()
				mu.Lock()
				got = append(got, string(m.Body))
				if len(got) == len(want) {
					enough()
				}
				mu.Unlock()
			}
		})
	}
	sends.Wait()
	receivers.Wait()
	q.empty(t)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %d messages %q, want %d", len(got), got, len(want))
	}
}

// Bodies of any bytes, and metadata with any characters.
func TestBodiesAndMetadata(t *testing.T) {
	t.Parallel()
	q := create(t, nil)
	topic, subscription := q.topic(t, nil), q.subscription(t, 20*time.Second)
	for _, body := range []string{"\xff\x00\x01", "{\"a\":1}", "\t\r\n é"} {
		sent := &pubsub.Message{Body: []byte(body), Metadata: map[string]string{"a key/ü": "a value\n&=é", "k..2": "v"}}
		if err := topic.Send(t.Context(), sent); err != nil {
			t.Fatal(err)
		}
		got, err := subscription.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got.Ack()
		if string(got.Body) != body || fmt.Sprint(got.Metadata) != fmt.Sprint(sent.Metadata) {
			t.Errorf("got %q %q, sent %q %q", got.Body, got.Metadata, body, sent.Metadata)
		}
	}
	q.empty(t)
}

// What is given back comes again at once, and at the third time it is a dead letter.
func TestNack(t *testing.T) {
	t.Parallel()
	dead := create(t, nil)
	policy, err := json.Marshal(map[string]any{"deadLetterTargetArn": dead.arn(t), "maxReceiveCount": 3})
	if err != nil {
		t.Fatal(err)
	}
	q := create(t, map[string]string{"RedrivePolicy": string(policy), "VisibilityTimeout": "43200"})
	topic, subscription := q.topic(t, nil), q.subscription(t, time.Second)
	for i := range 10 {
		if err := topic.Send(t.Context(), &pubsub.Message{Body: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	receives := map[string]int{}
	for range 3*5 + 5 { // the even ones are acknowledged at once
		m, err := subscription.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		receives[string(m.Body)]++
		if m.Body[0]%2 == 0 {
			m.Ack()
		} else {
			m.Nack()
		}
	}
	letters := dead.subscription(t, 20*time.Second)
	for range 5 {
		go subscription.Receive(t.Context()) // SQS moves what is received once too often
		m, err := letters.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m.Ack()
		if receives[string(m.Body)] != 3 {
			t.Errorf("the dead letter %q was received %d times", m.Body, receives[string(m.Body)])
		}
	}
	q.empty(t)
	dead.empty(t)
}

// A FIFO queue: the batches that the library makes keep the order of each group,
// and what is sent again is not received again.
func TestFIFO(t *testing.T) {
	t.Parallel()
	q := create(t, map[string]string{"FifoQueue": "true"})
	topic, subscription := q.topic(t, nil), q.subscription(t, 20*time.Second)
	for i := range 10 {
		for _, group := range []string{"a", "b"} {
			for range 2 {
				err := topic.Send(t.Context(), &pubsub.Message{
					Body:     []byte(group),
					Metadata: map[string]string{"n": fmt.Sprint(i)},
					BeforeSend: func(as func(any) bool) error {
						var entry *types.SendMessageBatchRequestEntry
						if !as(&entry) {
							return errors.New("it sends by something else")
						}
						entry.MessageGroupId, entry.MessageDeduplicationId = &group, aws.String(fmt.Sprint(group, i))
						return nil
					},
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	got := map[string]string{}
	for range 20 {
		m, err := subscription.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m.Ack()
		got[string(m.Body)] += m.Metadata["n"]
	}
	if got["a"] != "0123456789" || got["b"] != "0123456789" {
		t.Errorf("got %v", got)
	}
	q.empty(t)
}

// The library tells what kind of error it is by the code.
func TestErrors(t *testing.T) {
	t.Parallel()
	q := create(t, nil)
	q.url += "-none"
	err := q.topic(t, nil).Send(t.Context(), &pubsub.Message{Body: []byte("x")})
	if gcerrors.Code(err) != gcerrors.NotFound {
		t.Errorf("sending to a queue that is not there: %v, which is %v", err, gcerrors.Code(err))
	}
	if _, err := q.subscription(t, 0).Receive(t.Context()); gcerrors.Code(err) != gcerrors.NotFound {
		t.Errorf("receiving from it: %v, which is %v", err, gcerrors.Code(err))
	}
}

// queue is one that a test made.
type queue struct {
	client *sqs.Client
	url    string
}

func create(t *testing.T, attributes map[string]string) queue {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := awssnssqs.DialSQS(cfg)
	name := fmt.Sprintf("client-%s-%d", t.Name(), time.Now().UnixNano())
	if attributes["FifoQueue"] != "" {
		name += ".fifo"
	}
	made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return queue{client, *made.QueueUrl}
}

func (q queue) topic(t *testing.T, options *awssnssqs.TopicOptions) *pubsub.Topic {
	topic := awssnssqs.OpenSQSTopic(t.Context(), q.client, q.url, options)
	t.Cleanup(func() { shutdown(t, topic.Shutdown) })
	return topic
}

func (q queue) subscription(t *testing.T, wait time.Duration) *pubsub.Subscription {
	s := awssnssqs.OpenSubscription(t.Context(), q.client, q.url, &awssnssqs.SubscriptionOptions{Raw: true, WaitTime: wait})
	t.Cleanup(func() { shutdown(t, s.Shutdown) })
	return s
}

// byURL opens a subscription as a setting would name it; the library makes an
// https URL of that.
func (q queue) byURL(t *testing.T) *pubsub.Subscription {
	t.Helper()
	u, err := url.Parse(q.url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := pubsub.OpenSubscription(t.Context(), awssnssqs.SQSScheme+"://"+u.Host+u.Path+"?raw=true&waittime=20s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, s.Shutdown) })
	return s
}

// shutdown waits until all that was acknowledged is deleted.
func shutdown(t *testing.T, end func(context.Context) error) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	if err := end(ctx); err != nil {
		t.Errorf("shutting down: %v", err)
	}
}

func (q queue) attributes(t *testing.T, names ...types.QueueAttributeName) map[string]string {
	t.Helper()
	out, err := q.client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: names})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes
}

func (q queue) arn(t *testing.T) string {
	t.Helper()
	return q.attributes(t, types.QueueAttributeNameQueueArn)["QueueArn"]
}

// empty waits until the queue holds no message in whichever state.
func (q queue) empty(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		counts := q.attributes(t, types.QueueAttributeNameApproximateNumberOfMessages,
			types.QueueAttributeNameApproximateNumberOfMessagesNotVisible, types.QueueAttributeNameApproximateNumberOfMessagesDelayed)
		left := 0
		for _, n := range counts {
			if n != "0" {
				left++
			}
		}
		if left == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is not empty: %v", q.url, counts)
		}
	}
}
