package conformance

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

var delayChecks = []check{
	{name: "delay/of-a-message", page: "Amazon SQS message timers", passes: 2 * time.Second, run: func(c *C) {
		url := c.queue(nil)
		c.must(c.sendLater(url, "a", 2))
		c.noneFor(url, time.Second)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "delay/of-a-queue", page: "Amazon SQS delay queues", passes: 2 * time.Second, run: func(c *C) {
		url := c.queue(attrs{"DelaySeconds": "2"})
		c.send(url, "a")
		c.noneFor(url, time.Second)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "delay/a-message's-goes-before-the-queue's", page: "Amazon SQS message timers", passes: time.Second, run: func(c *C) {
		url := c.queue(attrs{"DelaySeconds": "900"})
		c.must(c.sendLater(url, "a", 1))
		c.none(url)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "delay/to-the-second", page: "Amazon SQS delay queues", passes: 15 * time.Minute, run: func(c *C) {
		url := c.queue(nil)
		c.must(c.sendLater(url, "a", 900))
		c.noneFor(url, 15*time.Minute-time.Second)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "delay/is-0-to-900-seconds", page: api("SendMessage"), run: func(c *C) {
		url := c.queue(nil)
		for _, seconds := range []int32{-1, 901} {
			c.refused(c.sendLater(url, "a", seconds), "InvalidParameterValue")
		}
	}},
	{name: "delay/is-over-when-receives-count", page: "Amazon SQS delay queues", passes: time.Second, run: func(c *C) {
		url := c.queue(nil)
		c.must(c.sendLater(url, "a", 1))
		c.none(url)
		c.pass(time.Second)
		equal(c, "ApproximateReceiveCount", c.get1(url).Attributes["ApproximateReceiveCount"], "1")
	}},
	{name: "delay/a-standard-queue's-change-is-not-retroactive", page: "Amazon SQS delay queues", passes: 15 * time.Minute, run: func(c *C) {
		url := c.queue(attrs{"DelaySeconds": "900"})
		c.send(url, "a")
		c.must(c.set(url, attrs{"DelaySeconds": "0"}))
		c.pass(2 * time.Minute) // attributes may take a minute to propagate
		c.none(url)
		c.send(url, "b")
		c.want(url, "b")
		c.pass(13 * time.Minute)
		c.get(url, 2)
	}},
	{name: "delay/a-fifo-queue's-change-is-retroactive", page: "Amazon SQS delay queues", passes: 2 * time.Minute, run: func(c *C) {
		url := c.fifo(attrs{"DelaySeconds": "900"})
		c.sendTo(url, "g", "a")
		c.none(url)
		c.must(c.set(url, attrs{"DelaySeconds": "0"}))
		c.pass(2 * time.Minute)
		c.want(url, "a")
	}},
}

func (c *C) sendLater(url, body string, seconds int32) error {
	_, err := c.SendMessage(c.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, DelaySeconds: seconds})
	return err
}
