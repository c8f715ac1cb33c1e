package conformance

import (
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var receiveChecks = []check{
	{name: "receive/one-unless-more-are-asked-for", page: api("ReceiveMessage"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a", "b")
		out, err := c.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 5})
		c.must(err)
		equal(c, "the number of messages", len(out.Messages), 1)
	}},
	{name: "receive/ten-and-not-more", page: api("ReceiveMessage"), run: func(c *C) {
		url := c.queue(nil)
		c.sendMany(url, "", numbered("m", 12)...)
		if n := len(c.look(url)); n == 0 || n > 10 {
			c.failf("received %d messages, want 1 to 10", n)
		}
	}},
	{name: "receive/each-message-once-within-its-visibility-timeout", page: "Amazon SQS visibility timeout", run: func(c *C) {
		url := c.queue(attrs{"VisibilityTimeout": "600"})
		bodies := numbered("m", 60)
		c.sendMany(url, "", bodies...)
		var all []types.Message
		for len(all) < len(bodies) {
			all = append(all, c.look(url)...)
		}
		if got := bodiesOf(all); !sameSet(got, bodies) {
			c.failf("received %q, want %q", got, bodies)
		}
	}},
	{name: "receive/receivers-at-once-share-the-messages", page: "Amazon SQS visibility timeout", run: func(c *C) {
		url := c.queue(attrs{"VisibilityTimeout": "600"})
		bodies := numbered("m", 40)
		c.sendMany(url, "", bodies...)
		var mu sync.Mutex
		var all []string
		var receivers sync.WaitGroup
		for range 4 {
			receivers.Go(func() {
				for {
					got, err := c.lookFor(url, 0)
					mu.Lock()
					all = append(all, bodiesOf(got)...)
					enough := len(all) >= len(bodies)
					mu.Unlock()
					if err != nil || enough {
						return
					}
				}
			})
		}
		receivers.Wait()
		if !sameSet(all, bodies) {
			c.failf("received %q, want %q", all, bodies)
		}
	}},
	{name: "receive/nothing-from-an-empty-queue", page: api("ReceiveMessage"), run: func(c *C) {
		c.none(c.queue(nil))
	}},
	{name: "receive/from-no-queue-is-QueueDoesNotExist", page: api("ReceiveMessage"), run: func(c *C) {
		_, err := c.lookFor(c.queue(nil)+"-missing", 0)
		fails[*types.QueueDoesNotExist](c, err)
	}},
	{name: "receive/MaxNumberOfMessages-is-1-to-10", page: api("ReceiveMessage"), run: func(c *C) {
		url := c.queue(nil)
		for _, n := range []int32{-1, 11} {
			c.at = n
			_, err := c.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: n})
			c.refused(err, "InvalidParameterValue")
		}
	}},
	{name: "receive/WaitTimeSeconds-is-0-to-20", page: "Amazon SQS short and long polling", run: func(c *C) {
		url := c.queue(nil)
		for _, n := range []int32{-1, 21} {
			c.at = n
			_, err := c.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: n})
			c.refused(err, "InvalidParameterValue")
		}
	}},
	{name: "receive/VisibilityTimeout-is-0-to-12-hours", page: "Amazon SQS visibility timeout", run: func(c *C) {
		url := c.queue(nil)
		for _, n := range []int32{-1, 43201} {
			c.at = n
			_, err := c.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, VisibilityTimeout: n})
			c.refused(err, "InvalidParameterValue")
		}
	}},
}

var systemAttributeChecks = []check{
	{name: "system-attributes/all", page: api("ReceiveMessage"), run: func(c *C) {
		c.wantSystem(&sqs.ReceiveMessageInput{MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}},
			"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp")
	}},
	{name: "system-attributes/all-by-the-older-name", page: api("ReceiveMessage"), run: func(c *C) {
		//lint:ignore SA1019 older clients use it
		c.wantSystem(&sqs.ReceiveMessageInput{AttributeNames: []types.QueueAttributeName{"All"}},
			"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp")
	}},
	{name: "system-attributes/some", page: api("ReceiveMessage"), run: func(c *C) {
		c.wantSystem(&sqs.ReceiveMessageInput{MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			"SentTimestamp", "AWSTraceHeader"}}, "SentTimestamp")
	}},
	{name: "system-attributes/some-by-the-older-name", page: api("ReceiveMessage"), run: func(c *C) {
		//lint:ignore SA1019 older clients use it
		c.wantSystem(&sqs.ReceiveMessageInput{AttributeNames: []types.QueueAttributeName{"ApproximateReceiveCount", "SenderId"}},
			"ApproximateReceiveCount", "SenderId")
	}},
	{name: "system-attributes/none-unless-asked-for", page: api("ReceiveMessage"), run: func(c *C) {
		c.wantSystem(&sqs.ReceiveMessageInput{})
	}},
	{name: "system-attributes/SentTimestamp-is-in-milliseconds", page: api("ReceiveMessage"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		c.isNow("SentTimestamp", c.milliseconds(c.get1(url), "SentTimestamp"))
	}},
	{name: "system-attributes/receives-are-counted", page: api("ReceiveMessage"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		var ids, handles []string
		for n := range 3 {
			m := c.get1(url)
			equal(c, "ApproximateReceiveCount", m.Attributes["ApproximateReceiveCount"], strconv.Itoa(n+1))
			c.change(url, m, 0)
			ids, handles = append(ids, *m.MessageId), append(handles, *m.ReceiptHandle)
		}
		if ids[0] != ids[1] || handles[0] == handles[1] || handles[1] == handles[2] {
			c.failf("the ids are %q, the receipt handles %q", ids, handles)
		}
	}},
	{name: "system-attributes/the-first-receive-stays-the-first", page: api("ReceiveMessage"), passes: 3 * time.Second, run: func(c *C) {
		url := c.queue(nil)
		c.must(c.sendLater(url, "a", 1))
		c.pass(time.Second)
		m := c.lease(url, 2)
		sent, first := c.milliseconds(m, "SentTimestamp"), c.milliseconds(m, "ApproximateFirstReceiveTimestamp")
		c.isNow("ApproximateFirstReceiveTimestamp", first)
		if first.Sub(sent) < time.Second {
			c.failf("it was sent at %v and first received at %v", sent, first)
		}
		c.pass(2 * time.Second)
		m = c.get1(url)
		equal(c, "SentTimestamp", c.milliseconds(m, "SentTimestamp"), sent)
		equal(c, "ApproximateFirstReceiveTimestamp", c.milliseconds(m, "ApproximateFirstReceiveTimestamp"), first)
	}},
}

// lease receives one message for a time, in seconds.
func (c *C) lease(url string, seconds int32) types.Message {
	out, err := c.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, VisibilityTimeout: seconds, WaitTimeSeconds: 5,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	if err != nil || len(out.Messages) != 1 {
		c.failf("received %v, want one message (%v)", out, err)
	}
	return out.Messages[0]
}

func (c *C) milliseconds(m types.Message, attribute string) time.Time {
	n, err := strconv.ParseInt(m.Attributes[attribute], 10, 64)
	c.must(err)
	return time.UnixMilli(n)
}

// wantSystem sends a message and wants these attributes of it.
func (c *C) wantSystem(in *sqs.ReceiveMessageInput, want ...string) {
	url := c.queue(nil)
	c.send(url, "a")
	in.QueueUrl, in.WaitTimeSeconds = aws.String(url), 5
	out, err := c.ReceiveMessage(c.ctx, in)
	c.must(err)
	equal(c, "the number of messages", len(out.Messages), 1)
	got := out.Messages[0].Attributes
	equal(c, "the number of attributes", len(got), len(want))
	for _, name := range want {
		if got[name] == "" {
			c.failf("there is no %s in %v", name, got)
		}
	}
}
