package conformance

import "time"

var fifoRedriveChecks = []check{
	{name: "fifo-redrive/keeps-order-and-group", page: deadLetters, run: func(c *C) {
		url, dlq := c.fifoSource()
		c.sendTo(url, "g", "a", "b", "c")
		before := c.want(url, "a", "b", "c")
		for _, m := range before {
			c.change(url, m, 0)
		}
		c.untilDead(url, dlq, 3)
		for i, m := range c.want(dlq, "a", "b", "c") {
			equal(c, "MessageId", *m.MessageId, *before[i].MessageId)
			equal(c, "MessageGroupId", m.Attributes["MessageGroupId"], "g")
			equal(c, "DeadLetterQueueSourceArn", m.Attributes["DeadLetterQueueSourceArn"], c.arn(url))
		}
	}},
	{name: "fifo-redrive/lets-the-group-go-on", page: deadLetters, run: func(c *C) {
		url, dlq := c.fifoSource()
		c.sendTo(url, "g", "a")
		m := c.get1(url)
		c.sendTo(url, "g", "b")
		c.change(url, m, 0)
		c.want(url, "b")
		c.want(dlq, "a")
	}},
	{name: "fifo-redrive/the-message-id-becomes-the-deduplication-id", page: redrivePage, run: func(c *C) {
		url, dlq := c.fifoSource()
		_, err := c.tryFIFO(url, "g", "d", "a")
		c.must(err)
		m := c.get1(url)
		equal(c, "MessageDeduplicationId", m.Attributes["MessageDeduplicationId"], "d")
		c.change(url, m, 0)
		c.untilDead(url, dlq, 1)
		equal(c, "MessageDeduplicationId", c.get1(dlq).Attributes["MessageDeduplicationId"], *m.MessageId)
	}},
	{name: "fifo-redrive/messages-with-one-deduplication-id-are-all-kept", page: redrivePage, run: func(c *C) {
		dlq := c.fifo(nil)
		for _, body := range []string{"a", "b"} {
			url := c.fifo(c.redriveTo(dlq, 1))
			_, err := c.tryFIFO(url, body, "d", body)
			c.must(err)
			c.change(url, c.get1(url), 0)
			c.none(url)
		}
		if got := bodiesOf(c.get(dlq, 2)); !sameSet(got, []string{"a", "b"}) {
			c.failf("received %q", got)
		}
	}},
	{name: "fifo-redrive/retention-counts-from-the-move", page: "Setting-up dead-letter queue retention in Amazon SQS",
		passes: 5 * 24 * time.Hour, run: func(c *C) {
			url, dlq := c.fifoSource()
			c.sendTo(url, "g", "a")
			c.pass(24 * time.Hour)
			c.exhaust(url, dlq, 1, 1)
			c.pass(4*24*time.Hour - time.Second)
			c.change(dlq, c.get1(dlq), 0)
			c.pass(time.Second)
			c.none(dlq)
		}},
}

func (c *C) fifoSource() (url, dlq string) {
	dlq = c.fifo(nil)
	return c.fifo(c.redriveTo(dlq, 1)), dlq
}
