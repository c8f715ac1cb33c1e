package conformance

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var handleChecks = []check{
	{name: "handles/rubbish-is-ReceiptHandleIsInvalid", page: api("ChangeMessageVisibility"), run: func(c *C) {
		url := c.queue(nil)
		for _, handle := range []string{"rubbish", "YWJj", strings.Repeat("A", 400)} {
			m := types.Message{ReceiptHandle: &handle}
			fails[*types.ReceiptHandleIsInvalid](c, c.tryChange(url, m, 0))
			fails[*types.ReceiptHandleIsInvalid](c, c.tryDelete(url, m))
		}
	}},
	{name: "handles/change-a-message-that-is-visible-again",
		page:   recorded("test_change_message_visibility_after_visibility_timeout_expiration"),
		passes: time.Second, run: func(c *C) {
			url := c.queue(nil)
			c.send(url, "a")
			m := c.lease(url, 1)
			c.pass(time.Second)
			c.until("the message is visible again", func() bool { return c.counts(url) == [3]string{"1", "0", "0"} })
			c.change(url, m, 10)
			c.none(url)
			c.change(url, m, 0)
			c.change(url, m, 10)
			c.none(url)
		}},
	{name: "handles/an-older-one-changes-the-message", page: recorded("test_terminate_visibility_timeout_after_receive"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		older := c.get1(url)
		c.change(url, older, 0)
		c.want(url, "a")
		c.change(url, older, 0)
		c.want(url, "a")
	}},
	{name: "handles/of-a-fifo-queue-expire", page: api("ChangeMessageVisibility"), run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "g", "a")
		m := c.get1(url)
		c.change(url, m, 0)
		c.refused(c.tryChange(url, m, 10))
		c.want(url, "a")
	}},
	{name: "handles/a-deleted-message-is-not-changed", page: api("ChangeMessageVisibility"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		m := c.get1(url)
		c.delete(url, m)
		c.refused(c.tryChange(url, m, 10))
	}},
	{name: "handles/an-older-one-deletes-nothing", page: api("DeleteMessage"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		older := c.get1(url)
		c.change(url, older, 0)
		newer := c.get1(url)
		c.delete(url, older)
		c.change(url, newer, 0)
		c.want(url, "a")
	}},
}

var deleteChecks = []check{
	{name: "delete/a-message-in-flight", page: api("DeleteMessage"), passes: 30 * time.Second, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		c.delete(url, c.get1(url))
		c.noneFor(url, 30*time.Second)
		equal(c, "the counts", c.counts(url), [3]string{"0", "0", "0"})
	}},
	{name: "delete/twice", page: api("DeleteMessage"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		m := c.get1(url)
		c.delete(url, m)
		c.delete(url, m)
	}},
	{name: "delete/only-its-own", page: api("DeleteMessage"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a", "b")
		var left string
		for _, m := range c.want(url, "a", "b") {
			if left == "" {
				c.delete(url, m)
				left = map[string]string{"a": "b", "b": "a"}[*m.Body]
			} else {
				c.change(url, m, 0)
			}
		}
		c.want(url, left)
	}},
	{name: "delete/one-that-is-visible-again", page: api("DeleteMessage"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		m := c.get1(url)
		c.change(url, m, 0)
		c.delete(url, m)
		c.none(url)
	}},
	{name: "delete/batch", page: api("DeleteMessageBatch"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a", "b")
		in := &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("bad"), ReceiptHandle: aws.String("rubbish")}}}
		for _, m := range c.want(url, "a", "b") {
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: m.Body, ReceiptHandle: m.ReceiptHandle})
		}
		out, err := c.DeleteMessageBatch(c.ctx, in)
		c.must(err)
		equal(c, "the number of successful entries", len(out.Successful), 2)
		equal(c, "the number of failed entries", len(out.Failed), 1)
		equal(c, "the failed Id", *out.Failed[0].Id, "bad")
		equal(c, "the Code", *out.Failed[0].Code, "ReceiptHandleIsInvalid")
		equal(c, "SenderFault", out.Failed[0].SenderFault, true)
		equal(c, "the counts", c.counts(url), [3]string{"0", "0", "0"})
	}},
	{name: "delete/batch-with-one-message-twice", page: api("DeleteMessageBatch"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		handle := c.get1(url).ReceiptHandle
		out, err := c.DeleteMessageBatch(c.ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url,
			Entries: []types.DeleteMessageBatchRequestEntry{{Id: aws.String("a"), ReceiptHandle: handle},
				{Id: aws.String("b"), ReceiptHandle: handle}}})
		c.must(err)
		equal(c, "the number of successful entries", len(out.Successful), 2)
	}},
}

func (c *C) tryDelete(url string, m types.Message) error {
	_, err := c.DeleteMessage(c.ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
	return err
}

// retentionChecks are about how long a queue keeps messages.
var retentionChecks = []check{
	{name: "retention/a-message-goes", page: "Amazon SQS message quotas", passes: time.Minute, run: func(c *C) {
		url := c.queue(attrs{"MessageRetentionPeriod": "60"})
		c.send(url, "a", "b")
		c.pass(59 * time.Second)
		c.change(url, c.lease(url, 1), 0)
		c.pass(time.Second)
		c.none(url)
		equal(c, "the counts", c.counts(url), [3]string{"0", "0", "0"})
	}},
	{name: "retention/four-days-unless-told", page: "Amazon SQS message quotas", passes: 96 * time.Hour, run: func(c *C) {
		url := c.queue(attrs{"VisibilityTimeout": "1"})
		c.send(url, "a")
		c.pass(96*time.Hour - time.Second)
		c.want(url, "a")
		c.pass(time.Second)
		c.none(url)
	}},
	{name: "retention/a-change-is-for-messages-that-are-there", page: api("SetQueueAttributes"), passes: 17 * time.Minute, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		c.pass(time.Minute)
		c.must(c.set(url, attrs{"MessageRetentionPeriod": "60"}))
		c.pass(16 * time.Minute) // it can take 15 minutes
		c.none(url)
	}},
}
