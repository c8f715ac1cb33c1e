package conformance

import (
	"math/big"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const deliveryLogic = "FIFO queue delivery logic in Amazon SQS"

var fifoChecks = []check{
	{name: "fifo/order-in-a-group", page: deliveryLogic, run: func(c *C) {
		url := c.fifo(nil)
		bodies := numbered("m", 10)
		c.sendTo(url, "g", bodies...)
		c.want(url, bodies...)
	}},
	{name: "fifo/order-of-a-batch", page: deliveryLogic, run: func(c *C) {
		url := c.fifo(attrs{"ContentBasedDeduplication": "true"})
		bodies := numbered("m", 20)
		c.sendMany(url, "g", bodies...)
		first := c.want(url, bodies[:10]...)
		for _, m := range first {
			c.delete(url, m)
		}
		c.want(url, bodies[10:]...)
	}},
	{name: "fifo/order-in-each-of-two-groups", page: deliveryLogic, run: func(c *C) {
		url := c.fifo(nil)
		for _, body := range numbered("", 3) {
			c.sendTo(url, "x", "x"+body)
			c.sendTo(url, "y", "y"+body)
		}
		byGroup := map[string]string{}
		for _, m := range c.get(url, 6) {
			byGroup[m.Attributes["MessageGroupId"]] += *m.Body + " "
		}
		equal(c, "group x", byGroup["x"], "x000 x001 x002 ")
		equal(c, "group y", byGroup["y"], "y000 y001 y002 ")
	}},
	{name: "fifo/SequenceNumber-grows", page: api("SendMessage"), run: func(c *C) {
		url := c.fifo(nil)
		var sent []string
		last := big.NewInt(-1)
		for _, body := range numbered("m", 5) {
			out, err := c.tryFIFO(url, "g", body, body)
			c.must(err)
			n, ok := new(big.Int).SetString(aws.ToString(out.SequenceNumber), 10)
			if !ok || n.Cmp(last) <= 0 || n.BitLen() > 128 {
				c.failf("SequenceNumber is %v after %v", aws.ToString(out.SequenceNumber), last)
			}
			last = n
			sent = append(sent, *out.SequenceNumber)
		}
		for i, m := range c.get(url, 5) {
			equal(c, "SequenceNumber", m.Attributes["SequenceNumber"], sent[i])
		}
	}},
	{name: "fifo/attributes-of-a-message", page: api("ReceiveMessage"), run: func(c *C) {
		url := c.fifo(nil)
		_, err := c.tryFIFO(url, "g", "d", "a")
		c.must(err)
		got := c.get1(url).Attributes
		equal(c, "MessageGroupId", got["MessageGroupId"], "g")
		equal(c, "MessageDeduplicationId", got["MessageDeduplicationId"], "d")
	}},
	{name: "fifo/a-group-is-needed", page: api("SendMessage"), run: func(c *C) {
		url := c.fifo(attrs{"ContentBasedDeduplication": "true"})
		_, err := c.try(url, "a")
		c.refused(err)
		_, err = c.sendBatch(url, entries("a"))
		c.refused(err, "InvalidParameterValue") // test_send_batch_missing_message_group_id_for_fifo_queue
		c.none(url)
	}},
	{name: "fifo/a-message-has-no-delay-of-its-own", page: api("SendMessage"), run: func(c *C) {
		url := c.fifo(nil)
		_, err := c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &url, DelaySeconds: 1,
			MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("d")})
		c.refused(err)
	}},
	{name: "fifo/a-queue's-delay", page: "Amazon SQS delay queues", passes: 2 * time.Second, run: func(c *C) {
		url := c.fifo(attrs{"DelaySeconds": "2"})
		c.sendTo(url, "g", "a", "b")
		c.noneFor(url, time.Second)
		c.pass(time.Second)
		c.want(url, "a", "b")
	}},
	{name: "fifo/ids-that-are-refused", page: api("SendMessage"), run: func(c *C) {
		url := c.fifo(nil)
		for _, id := range []string{"", "a b", "ä", "a\t", strings.Repeat("a", 129)} {
			c.at = id
			_, err := c.tryFIFO(url, id, "d", "a")
			c.refused(err)
			_, err = c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &url,
				MessageGroupId: aws.String("g"), MessageDeduplicationId: &id})
			c.refused(err)
		}
		c.none(url)
	}},
	{name: "fifo/ids-of-every-allowed-character", page: api("SendMessage"), run: func(c *C) {
		url := c.fifo(nil)
		id := "azAZ09!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
		for _, id := range []string{id, strings.Repeat("a", 128)} {
			_, err := c.tryFIFO(url, id, id, id)
			c.must(err)
		}
		for _, m := range c.get(url, 2) {
			equal(c, "MessageGroupId", m.Attributes["MessageGroupId"], *m.Body)
			equal(c, "MessageDeduplicationId", m.Attributes["MessageDeduplicationId"], *m.Body)
		}
	}},
}

var fifoLockChecks = []check{
	{name: "fifo-lock/a-group-waits-for-what-is-in-flight", page: deliveryLogic, run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "g", "a")
		m := c.get1(url)
		c.sendTo(url, "g", "b")
		c.none(url)
		c.delete(url, m)
		c.want(url, "b")
	}},
	{name: "fifo-lock/other-groups-do-not-wait", page: deliveryLogic, run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "x", "x0")
		c.want(url, "x0")
		c.sendTo(url, "x", "x1")
		c.sendTo(url, "y", "y0")
		c.want(url, "y0")
	}},
	{name: "fifo-lock/what-comes-back-comes-first", page: deliveryLogic, run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "g", "a")
		m := c.get1(url)
		c.sendTo(url, "g", "b")
		c.change(url, m, 0)
		c.want(url, "a", "b")
	}},
	{name: "fifo-lock/after-the-visibility-timeout", page: deliveryLogic, passes: 2 * time.Second, run: func(c *C) {
		url := c.fifo(attrs{"VisibilityTimeout": "2"})
		c.sendTo(url, "g", "a")
		c.want(url, "a")
		c.sendTo(url, "g", "b")
		c.none(url)
		c.pass(2 * time.Second)
		if got := *c.lookUntil(url)[0].Body; got != "a" {
			c.failf("received %q first, want a", got)
		}
	}},
	{name: "fifo-lock/a-part-of-a-batch-holds-the-group", page: deliveryLogic, run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "g", "a", "b")
		both := c.want(url, "a", "b")
		c.sendTo(url, "g", "c")
		c.delete(url, both[0])
		c.none(url)
		c.change(url, both[1], 0)
		c.want(url, "b", "c")
	}},
	{name: "fifo-lock/what-comes-back-is-received-though-later-ones-are-in-flight", run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "g", "a", "b", "c")
		got := c.want(url, "a", "b", "c")
		c.sendTo(url, "h", "d")
		c.change(url, got[0], 0)
		equal(c, "the bodies", bodies(c.lookUntil(url)), "d a")
		c.none(url)
	}, page: recorded("test_fifo_message_group_visibility_after_terminate_visibility_timeout")},
	{name: "fifo-lock/only-what-follows-the-first-in-flight", run: func(c *C) {
		for held, want := range []string{"", "a", "a b"} {
			c.at = held
			url := c.fifo(attrs{"VisibilityTimeout": "1"})
			c.sendTo(url, "g", "a", "b", "c")
			c.change(url, c.want(url, "a", "b", "c")[held], 100)
			c.pass(time.Second)
			equal(c, "the bodies", bodies(c.lookFrom(url)), want)
		}
	}, passes: 3 * time.Second, page: recorded("test_fifo_group_visibility_extends_with_change_message_visibility")},
	{name: "fifo-lock/a-group-goes-to-the-end-of-the-line", run: func(c *C) {
		url := c.fifo(nil)
		for _, body := range []string{"g1-m1", "g2-m1", "g2-m2", "g3-m1", "g1-m2"} {
			c.sendTo(url, body[:2], body)
		}
		out, err := c.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 3, VisibilityTimeout: 1})
		c.must(err)
		equal(c, "the bodies", bodies(out.Messages), "g1-m1 g1-m2 g2-m1")
		c.pass(time.Second)
		c.until("all are visible again", func() bool { return c.counts(url)[0] == "5" })
		got := bodies(c.lookUntil(url))
		if got != "g3-m1 g2-m1 g2-m2 g1-m1 g1-m2" { // of two that came back at once either may be first
			equal(c, "the bodies", got, "g3-m1 g1-m1 g1-m2 g2-m1 g2-m2")
		}
	}, passes: time.Second, page: recorded("test_fifo_receive_message_with_zero_visibility_timeout")},
	{name: "fifo-lock/a-late-delete-is-refused", page: api("ReceiveMessage"), passes: time.Second, run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "g", "a")
		m := c.lease(url, 1)
		c.pass(time.Second)
		c.until("the message is visible again", func() bool { return c.counts(url)[0] == "1" })
		c.refused(c.tryDelete(url, m))
		c.want(url, "a")
	}},
}

func bodies(messages []types.Message) string {
	var list []string
	for _, m := range messages {
		list = append(list, *m.Body)
	}
	return strings.Join(list, " ")
}

// lookFrom receives what is there.
func (c *C) lookFrom(url string) []types.Message {
	messages, err := c.lookFor(url, 0)
	c.must(err)
	return messages
}

// lookUntil receives what comes first.
func (c *C) lookUntil(url string) []types.Message {
	messages, err := c.lookFor(url, 5)
	c.must(err)
	if len(messages) == 0 {
		c.failf("received nothing")
	}
	return messages
}

// attemptChecks are about ReceiveRequestAttemptId.
var attemptChecks = []check{
	{name: "attempt/again-brings-the-same", page: api("ReceiveMessage"), run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "g", "a", "b")
		first, again := c.attempt(url, "id"), c.attempt(url, "id")
		equal(c, "the number of messages", len(first), 2)
		equal(c, "the number of messages again", len(again), 2)
		for i := range first {
			equal(c, "MessageId", *again[i].MessageId, *first[i].MessageId)
			equal(c, "ReceiptHandle", *again[i].ReceiptHandle, *first[i].ReceiptHandle)
		}
		c.delete(url, again[0])
		c.delete(url, first[1])
		equal(c, "the counts", c.counts(url), [3]string{"0", "0", "0"})
	}},
	{name: "attempt/another-brings-nothing", page: api("ReceiveMessage"), run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "g", "a")
		equal(c, "the number of messages", len(c.attempt(url, "id")), 1)
		equal(c, "the number of messages of another", len(c.attempt(url, "other")), 0)
		c.none(url)
	}},
	{name: "attempt/not-after-a-delete", page: api("ReceiveMessage"), run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "g", "a")
		c.delete(url, c.attempt(url, "id")[0])
		out, err := c.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, ReceiveRequestAttemptId: aws.String("id")})
		if err == nil && len(out.Messages) > 0 { // an error is as good
			c.failf("received a message that is deleted")
		}
	}},
	{name: "attempt/again-starts-the-visibility-timeout-again", page: api("ReceiveMessage"), passes: 50 * time.Second, run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "g", "a")
		equal(c, "the number of messages", len(c.attempt(url, "id")), 1)
		c.pass(20 * time.Second)
		equal(c, "the number of messages again", len(c.attempt(url, "id")), 1)
		c.noneFor(url, 29*time.Second)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "attempt/for-five-minutes", page: api("ReceiveMessage"), passes: 5 * time.Minute, run: func(c *C) {
		url := c.fifo(attrs{"VisibilityTimeout": "600"})
		c.sendTo(url, "g", "a")
		equal(c, "the number of messages", len(c.attempt(url, "id")), 1)
		c.pass(5 * time.Minute)
		equal(c, "the number of messages again", len(c.attempt(url, "id")), 0)
	}},
	{name: "attempt/ids-of-128-characters", page: api("ReceiveMessage"), run: func(c *C) {
		url := c.fifo(nil)
		c.attempt(url, strings.Repeat("~", 128))
		for _, id := range []string{"a b", "ä", strings.Repeat("a", 129)} {
			c.at = id
			_, err := c.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, ReceiveRequestAttemptId: &id})
			c.refused(err)
		}
	}},
}

func (c *C) attempt(url, id string) []types.Message {
	out, err := c.ReceiveMessage(c.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, ReceiveRequestAttemptId: &id})
	c.must(err)
	return out.Messages
}
