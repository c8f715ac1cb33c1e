package conformance

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

const fairQueues = "How Amazon SQS fair queues work"

// fairChecks are about message groups on standard queues. How many of a quiet
// tenant's messages go before a noisy one's is not checked: AWS calls its
// thresholds approximate.
var fairChecks = []check{
	{name: "fair/a-group-is-accepted-and-given-back", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(nil)
		_, err := c.tryFIFO(url, "tenant", "", "a")
		c.must(err)
		got := c.get1(url).Attributes
		equal(c, "MessageGroupId", got["MessageGroupId"], "tenant")
		equal(c, "SequenceNumber", got["SequenceNumber"], "")
	}},
	{name: "fair/a-group-does-not-lock", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(nil)
		c.sendMany(url, "tenant", "a")
		c.get1(url)
		c.sendMany(url, "tenant", "b")
		c.want(url, "b")
	}},
	{name: "fair/a-group-does-not-deduplicate", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(nil)
		c.sendMany(url, "tenant", "a", "a")
		c.want(url, "a", "a")
	}},
	{name: "fair/ids-that-are-refused", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(nil)
		for _, id := range []string{"", "a b", "ä", strings.Repeat("a", 129)} {
			c.at = id
			_, err := c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &url, MessageGroupId: aws.String(id)})
			c.refused(err)
		}
	}},
	{name: "fair/quiet-tenants-go-before-a-noisy-one", page: fairQueues, run: func(c *C) {
		url := c.noisy()
		c.sendMany(url, "quiet", numbered("q", 3)...)
		c.sendMany(url, "silent", numbered("s", 3)...)
		c.wantAmongNext(url, append(numbered("q", 3), numbered("s", 3)...)...)
	}},
	{name: "fair/a-noisy-tenant-is-served-when-it-is-alone", page: fairQueues, run: func(c *C) {
		equal(c, "the number of messages", len(c.lookUntil(c.noisy())), 10)
	}},
}

// noisy makes a queue with a noisy tenant: one that has more than a tenth of
// the messages in flight, 40 of them, and more waiting.
func (c *C) noisy() (url string) {
	url = c.queue(attrs{"VisibilityTimeout": "600"})
	c.sendMany(url, "noisy", numbered("n", 80)...)
	for n := 0; n < 40; {
		n += len(c.lookUntil(url))
	}
	return url
}

// wantAmongNext wants these messages among the next ten.
func (c *C) wantAmongNext(url string, bodies ...string) {
	next := bodiesOf(c.lookUntil(url))
	left := map[string]bool{}
	for _, body := range bodies {
		left[body] = true
	}
	for _, body := range next {
		delete(left, body)
	}
	if len(left) > 0 {
		c.failf("received %q, and of the quiet tenants' %q %d are missing", next, bodies, len(left))
	}
}
