package conformance

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var deleteQueueChecks = []check{
	{name: "delete-queue/then-it-does-not-exist", page: api("DeleteQueue"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		m := c.get1(url)
		c.must(c.deleteQueue(url))
		c.until("the queue is gone", func() bool { _, err := c.urlOf(nameOf(url)); return err != nil })
		_, sent := c.try(url, "a")
		_, looked := c.lookFor(url, 0)
		_, found := c.urlOf(nameOf(url))
		_, asked := c.named(url, "All")
		_, deleted := c.DeleteMessage(c.ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
		for _, err := range []error{sent, looked, found, asked, deleted, c.tryChange(url, m, 1), c.deleteQueue(url)} {
			fails[*types.QueueDoesNotExist](c, err)
		}
	}},
	{name: "delete-queue/ends-a-receive-that-waits", page: api("DeleteQueue"), passes: 20 * time.Second, run: func(c *C) {
		url := c.queue(nil)
		waiting := c.inBackground(url, 20)
		c.timers(1)
		c.must(c.deleteQueue(url))
		c.pass(20 * time.Second)
		equal(c, "the number of messages", len((<-waiting).messages), 0)
	}},
	{name: "delete-queue/one-that-does-not-exist", page: api("DeleteQueue"), run: func(c *C) {
		fails[*types.QueueDoesNotExist](c, c.deleteQueue(c.queue(nil)+"-missing"))
	}},
	{name: "delete-queue/ends-the-lists-that-name-it", page: api("DeleteQueue"), run: func(c *C) {
		url := c.queue(nil)
		c.must(c.deleteQueue(url))
		c.until("it is not listed", func() bool {
			return len(c.list(&sqs.ListQueuesInput{QueueNamePrefix: aws.String(nameOf(url))}).QueueUrls) == 0
		})
	}},
	{name: "purge/takes-every-message", page: api("PurgeQueue"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "in flight")
		c.get(url, 1)
		c.send(url, "visible")
		_, err := c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &url, DelaySeconds: 900})
		c.must(err)
		c.must(c.purge(url))
		c.until("the queue is empty", func() bool { return c.counts(url) == [3]string{"0", "0", "0"} })
		c.none(url)
	}},
	{name: "purge/messages-in-flight-do-not-come-back", page: api("PurgeQueue"), passes: time.Minute, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		m := c.get1(url)
		c.must(c.purge(url))
		c.pass(time.Minute)
		c.none(url)
		c.delete(url, m)
	}},
	{name: "purge/twice-within-a-minute-is-PurgeQueueInProgress", page: api("PurgeQueue"), run: func(c *C) {
		url := c.queue(nil)
		c.must(c.purge(url))
		fails[*types.PurgeQueueInProgress](c, c.purge(url))
	}},
	{name: "purge/again-after-a-minute", page: api("PurgeQueue"), passes: time.Minute, run: func(c *C) {
		url := c.queue(nil)
		c.must(c.purge(url))
		c.pass(time.Minute)
		c.must(c.purge(url))
	}},
	{name: "purge/no-queue-is-QueueDoesNotExist", page: api("PurgeQueue"), run: func(c *C) {
		fails[*types.QueueDoesNotExist](c, c.purge(c.queue(nil)+"-missing"))
	}},
}

func (c *C) purge(url string) error {
	_, err := c.PurgeQueue(c.ctx, &sqs.PurgeQueueInput{QueueUrl: &url})
	return err
}
