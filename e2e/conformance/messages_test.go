package conformance

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// send sends messages with no more than a body.
func (c *C) send(url string, bodies ...string) {
	for _, body := range bodies {
		_, err := c.try(url, body)
		c.must(err)
	}
}

func (c *C) try(url, body string) (*sqs.SendMessageOutput, error) {
	return c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body})
}

// sendTo sends messages of a group to a FIFO queue, in order, each with its
// body as deduplication id.
func (c *C) sendTo(url, group string, bodies ...string) {
	for _, body := range bodies {
		_, err := c.tryFIFO(url, group, body, body)
		c.must(err)
	}
}

// tryFIFO: an empty dedup is none.
func (c *C) tryFIFO(url, group, dedup, body string) (*sqs.SendMessageOutput, error) {
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, MessageGroupId: &group}
	if dedup != "" {
		in.MessageDeduplicationId = &dedup
	}
	return c.SendMessage(c.ctx, in)
}

// numbered are n bodies.
func numbered(prefix string, n int) (bodies []string) {
	for i := range n {
		bodies = append(bodies, fmt.Sprintf("%s%03d", prefix, i))
	}
	return bodies
}

// sendMany sends messages of a group, in batches.
func (c *C) sendMany(url, group string, bodies ...string) {
	for part := range slices.Chunk(bodies, 10) {
		in := &sqs.SendMessageBatchInput{QueueUrl: &url}
		for i, body := range part {
			e := types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(body)}
			if group != "" {
				e.MessageGroupId = &group
			}
			in.Entries = append(in.Entries, e)
		}
		out, err := c.SendMessageBatch(c.ctx, in)
		c.must(err)
		equal(c, "the number of failed entries", len(out.Failed), 0)
	}
}

// look receives at once what is there, up to ten messages, with all that is
// known of them.
func (c *C) look(url string) []types.Message {
	messages, err := c.lookFor(url, 0)
	c.must(err)
	return messages
}

func (c *C) lookFor(url string, seconds int32) ([]types.Message, error) {
	return c.lookWithin(c.ctx, url, seconds)
}

func (c *C) lookWithin(ctx context.Context, url string, seconds int32) ([]types.Message, error) {
	out, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: seconds, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return nil, err
	}
	return out.Messages, nil
}

// get receives n messages, no more, and waits for them.
func (c *C) get(url string, n int) (all []types.Message) {
	for len(all) < n {
		messages, err := c.lookFor(url, 5)
		if err != nil || len(messages) == 0 {
			c.failf("received %q, and waited in vain for %d more (%v)", bodiesOf(all), n-len(all), err)
		}
		all = append(all, messages...)
	}
	if len(all) > n {
		c.failf("received %q, want %d messages", bodiesOf(all), n)
	}
	return all
}

func (c *C) get1(url string) types.Message { return c.get(url, 1)[0] }

// want gets messages with these bodies, in this order on a FIFO queue.
func (c *C) want(url string, bodies ...string) []types.Message {
	messages := c.get(url, len(bodies))
	got, want := bodiesOf(messages), slices.Clone(bodies)
	if a := messages[0].Attributes; a["SequenceNumber"] == "" {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		c.failf("received %q, want %q", got, want)
	}
	return messages
}

// none wants nothing to be visible.
func (c *C) none(url string) {
	if got := c.look(url); len(got) > 0 {
		c.failf("received %q, want nothing", bodiesOf(got))
	}
}

// noneFor wants nothing to be visible for a time, in whole seconds.
func (c *C) noneFor(url string, d time.Duration) {
	c.pass(d)
	seconds := int32(d / time.Second)
	if c.endpoint.clock != nil {
		seconds = 0
	}
	got, err := c.lookFor(url, seconds)
	c.must(err)
	if len(got) > 0 {
		c.failf("received %q, want nothing for %v", bodiesOf(got), d)
	}
}

func bodiesOf(messages []types.Message) []string {
	bodies := []string{}
	for _, m := range messages {
		bodies = append(bodies, aws.ToString(m.Body))
	}
	return bodies
}

func (c *C) delete(url string, m types.Message) {
	_, err := c.DeleteMessage(c.ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
	c.must(err)
}

func (c *C) tryChange(url string, m types.Message, seconds int32) error {
	_, err := c.ChangeMessageVisibility(c.ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds})
	return err
}

func (c *C) change(url string, m types.Message, seconds int32) { c.must(c.tryChange(url, m, seconds)) }

// received is what a receive in the background has brought.
type received struct {
	messages []types.Message
	err      error
}

// inBackground starts a receive that waits. One that is to wait for 20 seconds
// fails unless it is woken before.
func (c *C) inBackground(url string, seconds int32) <-chan received {
	done := make(chan received, 1)
	go func() {
		ctx, stop := context.WithTimeout(c.ctx, c.endpoint.wake)
		defer stop()
		messages, err := c.lookWithin(ctx, url, seconds)
		done <- received{messages, err}
	}()
	return done
}

// exhaust uses up the receives of the n messages in a queue with a redrive policy,
// and waits until they are in dlq.
func (c *C) exhaust(url, dlq string, n, receives int) {
	for range receives {
		messages := c.get(url, n)
		for _, m := range messages {
			c.change(url, m, 0)
		}
	}
	c.untilDead(url, dlq, n)
}

// untilDead waits until there are n messages in the dead-letter queue: they are
// moved there when somebody wants to receive them from url.
func (c *C) untilDead(url, dlq string, n int) {
	c.until("the messages are in the dead-letter queue", func() bool {
		c.none(url)
		return c.counts(dlq)[0] == strconv.Itoa(n)
	})
}
