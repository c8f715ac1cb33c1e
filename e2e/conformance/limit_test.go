package conformance

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const standardQuotas = "Amazon SQS standard queue quotas"

// limitChecks are about the limit of messages in flight, on our own endpoint,
// where it can be made small.
var limitChecks = []check{
	{name: "in-flight/one-too-many-is-OverLimit", page: standardQuotas, inFlight: 3, run: func(c *C) {
		url := c.overLimit()
		_, err := c.lookFor(url, 0)
		fails[*types.OverLimit](c, err)
	}},
	{name: "in-flight/a-receive-brings-up-to-the-limit", page: standardQuotas, inFlight: 3, run: func(c *C) {
		url := c.queue(nil)
		c.sendMany(url, "", numbered("m", 5)...)
		equal(c, "the number of messages", len(c.look(url)), 3)
	}},
	{name: "in-flight/a-long-poll-brings-nothing-and-no-error", page: standardQuotas, inFlight: 3, passes: 2 * time.Second, run: func(c *C) {
		waiting := c.inBackground(c.overLimit(), 2)
		c.timers(2)
		c.pass(2 * time.Second)
		c.wantAwaited(waiting)
	}},
	{name: "in-flight/a-delete-makes-room", page: standardQuotas, inFlight: 1, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		m := c.get1(url)
		c.send(url, "b")
		c.delete(url, m)
		c.want(url, "b")
	}},
	{name: "in-flight/a-delete-wakes-a-long-poll", page: standardQuotas, inFlight: 1, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		m := c.get1(url)
		c.send(url, "b")
		waiting := c.inBackground(url, 20)
		c.timers(2)
		c.delete(url, m)
		c.wantAwaited(waiting, "b")
	}},
	{name: "in-flight/the-end-of-a-visibility-timeout-makes-room", page: standardQuotas, inFlight: 3, passes: 30 * time.Second,
		run: func(c *C) {
			url := c.overLimit()
			c.pass(30 * time.Second)
			equal(c, "the number of messages", len(c.look(url)), 3)
		}},
	{name: "in-flight/delayed-messages-are-not-in-flight", page: standardQuotas, inFlight: 1, run: func(c *C) {
		url := c.queue(nil)
		c.must(c.sendLater(url, "later", 900))
		c.send(url, "a")
		c.want(url, "a")
	}},
	{name: "in-flight/queues-count-apart", page: standardQuotas, inFlight: 3, run: func(c *C) {
		c.overLimit()
		url := c.queue(nil)
		c.send(url, "a")
		c.want(url, "a")
	}},
	{name: "in-flight/a-fifo-queue-gives-no-error", page: "Amazon SQS FIFO queue quotas", inFlight: 1, run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "x", "a")
		m := c.get1(url)
		c.sendTo(url, "y", "b")
		c.none(url)
		c.delete(url, m)
		c.want(url, "b")
	}},
}

// overLimit makes a queue with three messages in flight, and one more.
func (c *C) overLimit() (url string) {
	url = c.queue(nil)
	c.send(url, "a", "b", "c")
	c.get(url, 3)
	c.send(url, "d")
	return url
}
