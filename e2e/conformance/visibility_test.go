package conformance

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const visibilityTimeout = "Amazon SQS visibility timeout"

var visibilityChecks = []check{
	{name: "visibility/of-a-queue", page: visibilityTimeout, passes: 3 * time.Second, run: func(c *C) {
		url := c.queue(attrs{"VisibilityTimeout": "3"})
		c.send(url, "a")
		c.want(url, "a")
		c.noneFor(url, 2*time.Second)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "visibility/30-seconds-unless-told", page: visibilityTimeout, passes: 30 * time.Second, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		c.want(url, "a")
		c.noneFor(url, 29*time.Second)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "visibility/of-a-receive", page: api("ReceiveMessage"), passes: 2 * time.Second, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		c.lease(url, 2)
		c.none(url)
		c.pass(2 * time.Second)
		c.want(url, "a")
	}},
	{name: "visibility/of-0-hides-nothing", page: visibilityTimeout, run: func(c *C) {
		url := c.queue(attrs{"VisibilityTimeout": "0"})
		c.send(url, "a")
		c.want(url, "a")
		c.want(url, "a")
	}},
	{name: "visibility/is-ended", page: visibilityTimeout, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		c.change(url, c.get1(url), 0)
		c.want(url, "a")
	}},
	{name: "visibility/is-made-longer", page: api("ChangeMessageVisibility"), passes: 3 * time.Second, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		c.change(url, c.lease(url, 1), 3)
		c.noneFor(url, 2*time.Second)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "visibility/is-made-shorter", page: api("ChangeMessageVisibility"), passes: time.Second, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		c.change(url, c.get1(url), 1)
		c.none(url)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "visibility/counts-from-the-change", page: api("ChangeMessageVisibility"), passes: 25 * time.Second, run: func(c *C) {
		url := c.queue(attrs{"VisibilityTimeout": "60"})
		c.send(url, "a")
		m := c.get1(url)
		c.pass(15 * time.Second)
		c.change(url, m, 10)
		c.noneFor(url, 9*time.Second)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "visibility/a-change-is-for-one-receive", page: api("ChangeMessageVisibility"), passes: 40 * time.Second, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		c.change(url, c.get1(url), 10)
		c.pass(10 * time.Second)
		c.want(url, "a")
		c.noneFor(url, 29*time.Second)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "visibility/is-changed-again-and-again", page: visibilityTimeout, passes: 2 * time.Minute, run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		m := c.get1(url)
		for range 6 {
			c.noneFor(url, 20*time.Second)
			c.change(url, m, 30)
		}
		c.delete(url, m)
	}},
	{name: "visibility/is-0-to-12-hours", page: api("ChangeMessageVisibility"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a")
		m := c.get1(url)
		for _, seconds := range []int32{-1, 43201} {
			c.refused(c.tryChange(url, m, seconds), "InvalidParameterValue")
		}
	}},
	{name: "visibility/no-more-than-12-hours-in-all", page: visibilityTimeout, passes: 12 * time.Hour, run: func(c *C) {
		url := c.queue(attrs{"VisibilityTimeout": "43200"})
		c.send(url, "a")
		m := c.get1(url)
		c.pass(time.Hour)
		c.refused(c.tryChange(url, m, 11*3600+1))
		c.change(url, m, 11*3600)
		c.noneFor(url, 11*time.Hour-time.Second)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "visibility/12-hours-start-again-with-a-receive", page: visibilityTimeout, passes: 24 * time.Hour, run: func(c *C) {
		url := c.queue(attrs{"VisibilityTimeout": "43200"})
		c.send(url, "a")
		c.get1(url)
		c.pass(12 * time.Hour)
		m := c.get1(url)
		c.pass(11 * time.Hour)
		c.change(url, m, 3600)
		c.noneFor(url, time.Hour-time.Second)
		c.pass(time.Second)
		c.want(url, "a")
	}},
	{name: "visibility/batch", page: api("ChangeMessageVisibilityBatch"), run: func(c *C) {
		url := c.queue(nil)
		c.send(url, "a", "b")
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("bad"), ReceiptHandle: aws.String("rubbish")}}}
		for _, m := range c.want(url, "a", "b") {
			in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{Id: m.Body, ReceiptHandle: m.ReceiptHandle})
		}
		out, err := c.ChangeMessageVisibilityBatch(c.ctx, in)
		c.must(err)
		equal(c, "the number of successful entries", len(out.Successful), 2)
		equal(c, "the number of failed entries", len(out.Failed), 1)
		equal(c, "the failed Id", *out.Failed[0].Id, "bad")
		equal(c, "the Code", *out.Failed[0].Code, "ReceiptHandleIsInvalid")
		equal(c, "SenderFault", out.Failed[0].SenderFault, true)
		c.want(url, "a", "b")
	}},
}
