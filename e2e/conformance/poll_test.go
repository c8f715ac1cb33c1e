package conformance

import "time"

// pollChecks: what wakes a receive that waits is there long before its time is
// over.
var pollChecks = []check{
	{name: "poll/a-send-wakes-it", page: "Amazon SQS short and long polling", run: func(c *C) {
		url := c.queue(nil)
		waiting := c.inBackground(url, 20)
		c.timers(1)
		c.send(url, "a")
		c.wantAwaited(waiting, "a")
	}},
	{name: "poll/a-batch-wakes-it", page: "Amazon SQS short and long polling", run: func(c *C) {
		url := c.queue(nil)
		waiting := c.inBackground(url, 20)
		c.timers(1)
		c.sendMany(url, "", "a")
		c.wantAwaited(waiting, "a")
	}},
	{name: "poll/a-message-made-visible-wakes-it", page: "Amazon SQS visibility timeout", run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		m := c.get1(url)
		waiting := c.inBackground(url, 20)
		c.timers(2)
		c.change(url, m, 0)
		c.wantAwaited(waiting, "a")
	}},
	{name: "poll/the-end-of-a-visibility-timeout-wakes-it", page: "Amazon SQS visibility timeout", passes: 2 * time.Second, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		c.lease(url, 2)
		waiting := c.inBackground(url, 20)
		c.timers(2)
		c.pass(2 * time.Second)
		c.wantAwaited(waiting, "a")
	}},
	{name: "poll/the-end-of-a-delay-wakes-it", page: "Amazon SQS delay queues", passes: 2 * time.Second, run: func(c *C) {
		url := c.queue(nil)
		c.must(c.sendLater(url, "a", 2))
		waiting := c.inBackground(url, 20)
		c.timers(2)
		c.pass(2 * time.Second)
		c.wantAwaited(waiting, "a")
	}},
	{name: "poll/the-next-of-a-group-wakes-it", page: "FIFO queue delivery logic in Amazon SQS", run: func(c *C) {
		url := c.fifo(nil)
		c.sendTo(url, "g", "a")
		m := c.get1(url)
		c.sendTo(url, "g", "b")
		waiting := c.inBackground(url, 20)
		c.timers(2)
		c.delete(url, m)
		c.wantAwaited(waiting, "b")
	}},
	{name: "poll/ends-with-nothing", page: "Amazon SQS short and long polling", passes: 2 * time.Second, run: func(c *C) {
		waiting := c.inBackground(c.queue(nil), 2)
		c.timers(1)
		c.pass(2 * time.Second)
		c.wantAwaited(waiting)
	}},
	{name: "poll/as-long-as-the-queue-says", page: "Amazon SQS short and long polling", run: func(c *C) {
		url := c.queue(attrs{"ReceiveMessageWaitTimeSeconds": "20"})
		waiting := c.inBackground(url, 0)
		c.timers(1)
		c.send(url, "a")
		c.wantAwaited(waiting, "a")
	}},
	{name: "poll/the-request's-time-goes-before-the-queue's", page: "Amazon SQS short and long polling", passes: time.Second, run: func(c *C) {
		url := c.queue(attrs{"ReceiveMessageWaitTimeSeconds": "20"})
		waiting := c.inBackground(url, 1)
		c.timers(1)
		c.pass(time.Second)
		c.wantAwaited(waiting)
	}},
	{name: "poll/brings-no-more-than-there-is", page: "Amazon SQS short and long polling", run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		messages, err := c.lookFor(url, 20) // does not wait for nine more
		c.must(err)
		equal(c, "the number of messages", len(messages), 1)
	}},
	{name: "poll/two-that-wait-get-one-each", page: "Amazon SQS short and long polling", run: func(c *C) {
		url := c.queue(nil)
		first, second := c.inBackground(url, 20), c.inBackground(url, 20)
		c.timers(2)
		c.send(url, "a")
		var got received
		select {
		case got = <-first:
			first = second
		case got = <-second:
		}
		c.must(got.err)
		c.send(url, "b")
		c.wantAwaited(first, "b")
	}},
}

func (c *C) wantAwaited(waiting <-chan received, bodies ...string) {
	got := <-waiting
	c.must(got.err)
	if b := bodiesOf(got.messages); !sameSet(b, bodies) {
		c.failf("the receive that waited brought %q, want %q", b, bodies)
	}
}
