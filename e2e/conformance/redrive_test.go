package conformance

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const deadLetters = "Using dead-letter queues in Amazon SQS"

var redriveChecks = []check{
	{name: "redrive/after-maxReceiveCount-receives", page: deadLetters, run: func(c *C) {
		url, dlq := c.source(3)
		c.send(url, "a")
		for range 3 {
			m := c.get1(url)
			equal(c, "the counts of the dead-letter queue", c.counts(dlq), [3]string{"0", "0", "0"})
			c.change(url, m, 0)
		}
		c.none(url)
		c.want(dlq, "a")
	}},
	{name: "redrive/when-the-visibility-timeout-ends", page: deadLetters, passes: time.Second, run: func(c *C) {
		url, dlq := c.source(1)
		c.send(url, "a")
		c.lease(url, 1)
		c.none(url)
		c.pass(time.Second)
		c.untilDead(url, dlq, 1)
	}},
	{name: "redrive/not-what-is-deleted-in-time", page: deadLetters, run: func(c *C) {
		url, dlq := c.source(1)
		c.send(url, "a")
		c.delete(url, c.get1(url))
		c.none(url)
		c.none(dlq)
	}},
	{name: "redrive/keeps-the-message", page: deadLetters, run: func(c *C) {
		url, dlq := c.source(1)
		_, err := c.sendWith(url, "a", every)
		c.must(err)
		before := c.get1(url)
		c.change(url, before, 0)
		c.none(url)
		after := c.get1(dlq)
		equal(c, "MessageId", *after.MessageId, *before.MessageId)
		equal(c, "Body", *after.Body, "a")
		equal(c, "MD5OfMessageAttributes", aws.ToString(after.MD5OfMessageAttributes), md5OfAttributes(every))
	}},
	{name: "redrive/DeadLetterQueueSourceArn", page: api("Message"), run: func(c *C) {
		url, dlq := c.source(1)
		c.send(url, "a")
		equal(c, "DeadLetterQueueSourceArn before", c.get1(url).Attributes["DeadLetterQueueSourceArn"], "")
		c.must(c.set(url, attrs{"VisibilityTimeout": "0"}))
		c.send(url, "b")
		c.want(url, "b")
		c.none(url)
		equal(c, "DeadLetterQueueSourceArn", c.get1(dlq).Attributes["DeadLetterQueueSourceArn"], c.arn(url))
	}},
	{name: "redrive/keeps-the-time-it-was-sent-at", page: "Setting-up dead-letter queue retention in Amazon SQS", passes: time.Second,
		run: func(c *C) {
			url, dlq := c.source(1)
			c.send(url, "a")
			m := c.lease(url, 1)
			c.pass(time.Second)
			c.untilDead(url, dlq, 1)
			equal(c, "SentTimestamp", c.get1(dlq).Attributes["SentTimestamp"], m.Attributes["SentTimestamp"])
		}},
	{name: "redrive/retention-counts-from-the-send", page: "Setting-up dead-letter queue retention in Amazon SQS", passes: 4 * 24 * time.Hour,
		run: func(c *C) {
			url, dlq := c.source(1)
			c.send(url, "a")
			c.pass(24 * time.Hour)
			c.exhaust(url, dlq, 1, 1)
			c.pass(3*24*time.Hour - time.Second)
			c.change(dlq, c.get1(dlq), 0)
			c.pass(time.Second)
			c.none(dlq)
		}},
	{name: "redrive/a-message-sent-to-the-dead-letter-queue-stays", page: deadLetters, run: func(c *C) {
		_, dlq := c.source(1)
		c.send(dlq, "a")
		for range 3 {
			m := c.get1(dlq)
			equal(c, "DeadLetterQueueSourceArn", m.Attributes["DeadLetterQueueSourceArn"], "")
			c.change(dlq, m, 0)
		}
	}},
	{name: "redrive/maxReceiveCount-as-a-string", page: deadLetters, run: func(c *C) {
		dlq := c.queue(nil)
		url := c.queue(attrs{"RedrivePolicy": toJSON(map[string]string{"deadLetterTargetArn": c.arn(dlq), "maxReceiveCount": "1"})})
		c.send(url, "a")
		c.exhaust(url, dlq, 1, 1)
		c.want(dlq, "a")
	}},
	{name: "redrive/a-policy-set-later", page: deadLetters, run: func(c *C) {
		url, dlq := c.queue(nil), c.queue(nil)
		c.send(url, "a")
		for range 2 {
			c.change(url, c.get1(url), 0)
		}
		c.must(c.set(url, c.redriveTo(dlq, 2)))
		c.untilDead(url, dlq, 1)
	}},
	{name: "redrive/a-policy-taken-away", page: deadLetters, run: func(c *C) {
		url, _ := c.source(1)
		c.send(url, "a")
		c.change(url, c.get1(url), 0)
		c.must(c.set(url, attrs{"RedrivePolicy": ""}))
		c.want(url, "a")
	}},
	{name: "redrive/the-sources-are-listed", page: api("ListDeadLetterSourceQueues"), run: func(c *C) {
		dlq := c.queue(nil)
		var urls []string
		for range 3 {
			urls = append(urls, c.queue(c.redriveTo(dlq, 1)))
		}
		c.queue(c.redriveTo(c.queue(nil), 1))
		out := c.sources(&sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dlq})
		if !sameSet(out.QueueUrls, urls) || out.NextToken != nil {
			c.failf("listed %v, want %v; the token is %v", out.QueueUrls, urls, aws.ToString(out.NextToken))
		}
	}},
	{name: "redrive/the-sources-are-listed-in-pages", page: api("ListDeadLetterSourceQueues"), run: func(c *C) {
		dlq := c.queue(nil)
		var urls, got []string
		for range 3 {
			urls = append(urls, c.queue(c.redriveTo(dlq, 1)))
		}
		in := &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dlq, MaxResults: aws.Int32(2)}
		for _, length := range []int{2, 1} {
			out := c.sources(in)
			equal(c, "the length of the page", len(out.QueueUrls), length)
			got, in.NextToken = append(got, out.QueueUrls...), out.NextToken
		}
		if !sameSet(got, urls) || in.NextToken != nil {
			c.failf("listed %v, want %v; the last token is %v", got, urls, aws.ToString(in.NextToken))
		}
	}},
	{name: "redrive/no-sources-are-listed", page: api("ListDeadLetterSourceQueues"), run: func(c *C) {
		url := c.queue(nil)
		equal(c, "the number of sources", len(c.sources(&sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &url}).QueueUrls), 0)
		missing := url + "-missing"
		_, err := c.ListDeadLetterSourceQueues(c.ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &missing})
		fails[*types.QueueDoesNotExist](c, err)
	}},
}

// source makes a queue with a redrive policy, and its dead-letter queue.
func (c *C) source(maxReceives int) (url, dlq string) {
	dlq = c.queue(nil)
	return c.queue(c.redriveTo(dlq, maxReceives)), dlq
}

func (c *C) sources(in *sqs.ListDeadLetterSourceQueuesInput) *sqs.ListDeadLetterSourceQueuesOutput {
	out, err := c.ListDeadLetterSourceQueues(c.ctx, in)
	c.must(err)
	return out
}

// allowChecks are about who may name a queue as dead-letter queue.
var allowChecks = []check{
	{name: "redrive-allow/allowAll", page: api("SetQueueAttributes"), run: func(c *C) {
		c.queue(c.redriveTo(c.dlqFor("allowAll"), 1))
	}},
	{name: "redrive-allow/denyAll", page: api("SetQueueAttributes"), run: func(c *C) {
		dlq := c.dlqFor("denyAll")
		_, err := c.create(c.name(), c.redriveTo(dlq, 1))
		c.refused(err)
		c.refused(c.set(c.queue(nil), c.redriveTo(dlq, 1)))
	}},
	{name: "redrive-allow/byQueue", page: api("SetQueueAttributes"), run: func(c *C) {
		friend, stranger := c.queue(nil), c.queue(nil)
		dlq := c.dlqFor("byQueue", c.arn(friend))
		c.must(c.set(friend, c.redriveTo(dlq, 1)))
		c.refused(c.set(stranger, c.redriveTo(dlq, 1)))
	}},
	{name: "redrive-allow/byQueue-names-10-at-most", page: api("SetQueueAttributes"), run: func(c *C) {
		url := c.queue(nil)
		arn := c.arn(url)
		arns := numbered(arn, 11)
		c.refused(c.set(url, allow("byQueue", arns...)))
		c.must(c.set(url, allow("byQueue", arns[:10]...)))
	}},
	{name: "redrive-allow/only-byQueue-names-queues", page: api("SetQueueAttributes"), run: func(c *C) {
		url := c.queue(nil)
		for _, permission := range []string{"allowAll", "denyAll", "perhaps"} {
			c.refused(c.set(url, allow(permission, c.arn(url))))
		}
	}},
	{name: "redrive-allow/is-given-back", page: api("GetQueueAttributes"), run: func(c *C) {
		policy := allow("denyAll")["RedriveAllowPolicy"]
		equal(c, "RedriveAllowPolicy", c.attribute(c.dlqFor("denyAll"), "RedriveAllowPolicy"), policy)
	}},
}

func (c *C) dlqFor(permission string, arns ...string) (url string) {
	return c.queue(allow(permission, arns...))
}

func allow(permission string, arns ...string) attrs {
	policy := map[string]any{"redrivePermission": permission}
	if arns != nil {
		policy["sourceQueueArns"] = arns
	}
	return attrs{"RedriveAllowPolicy": toJSON(policy)}
}

// inDeadLetters puts messages into the dead-letter queue of url.
func (c *C) inDeadLetters(url, dlq string, bodies ...string) {
	c.sendMany(url, "", bodies...)
	c.exhaust(url, dlq, len(bodies), 1)
}
