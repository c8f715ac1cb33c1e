package conformance

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const redrivePage = "Learn how to configure a dead-letter queue redrive in Amazon SQS"

// moveChecks are about what a message move task does to messages.
var moveChecks = []check{
	{name: "move/to-where-the-messages-came-from", page: redrivePage, run: func(c *C) {
		dlq := c.queue(nil)
		first, second := c.queue(c.redriveTo(dlq, 1)), c.queue(c.redriveTo(dlq, 1))
		c.sendMany(first, "", "a")
		c.sendMany(second, "", "b")
		c.change(first, c.get1(first), 0)
		c.exhaust(second, dlq, 1, 1)
		c.untilDead(first, dlq, 2)
		c.move(&sqs.StartMessageMoveTaskInput{SourceArn: aws.String(c.arn(dlq))})
		c.want(first, "a")
		c.want(second, "b")
		c.none(dlq)
	}},
	{name: "move/to-a-queue-of-choice", page: api("StartMessageMoveTask"), run: func(c *C) {
		url, dlq := c.source(1)
		other := c.queue(nil)
		c.inDeadLetters(url, dlq, "a", "b")
		c.move(&sqs.StartMessageMoveTaskInput{SourceArn: aws.String(c.arn(dlq)), DestinationArn: aws.String(c.arn(other))})
		c.want(other, "a", "b")
		c.none(url)
		c.none(dlq)
	}},
	{name: "move/messages-are-new-ones", page: redrivePage, run: func(c *C) {
		url, dlq := c.source(1)
		_, err := c.sendWith(url, "a", every)
		c.must(err)
		before := c.get1(url)
		c.change(url, before, 0)
		c.untilDead(url, dlq, 1)
		c.move(&sqs.StartMessageMoveTaskInput{SourceArn: aws.String(c.arn(dlq))})
		after := c.get1(url)
		if *after.MessageId == *before.MessageId {
			c.failf("the message has its old id")
		}
		equal(c, "MD5OfMessageAttributes", aws.ToString(after.MD5OfMessageAttributes), md5OfAttributes(every))
		equal(c, "ApproximateReceiveCount", after.Attributes["ApproximateReceiveCount"], "1")
		equal(c, "DeadLetterQueueSourceArn", after.Attributes["DeadLetterQueueSourceArn"], "")
	}},
	{name: "move/messages-can-become-dead-letters-again", page: redrivePage, run: func(c *C) {
		url, dlq := c.source(1)
		c.inDeadLetters(url, dlq, "a")
		c.move(&sqs.StartMessageMoveTaskInput{SourceArn: aws.String(c.arn(dlq))})
		c.exhaust(url, dlq, 1, 1)
		c.want(dlq, "a")
	}},
	{name: "move/messages-start-their-retention-again", page: redrivePage, passes: 6 * 24 * time.Hour, run: func(c *C) {
		url, dlq := c.source(1)
		c.must(c.set(dlq, attrs{"MessageRetentionPeriod": "1209600"}))
		c.inDeadLetters(url, dlq, "a")
		c.pass(6 * 24 * time.Hour) // more than the source keeps them
		c.move(&sqs.StartMessageMoveTaskInput{SourceArn: aws.String(c.arn(dlq))})
		m := c.get1(url)
		c.isNow("SentTimestamp", c.milliseconds(m, "SentTimestamp"))
	}},
	{name: "move/messages-of-a-fifo-queue-keep-their-order", page: redrivePage, run: func(c *C) {
		dlq := c.fifo(nil)
		url := c.fifo(c.redriveTo(dlq, 1))
		bodies := numbered("m", 5)
		c.sendTo(url, "g", bodies...)
		for _, m := range c.want(url, bodies...) {
			c.change(url, m, 0)
		}
		c.untilDead(url, dlq, 5)
		c.move(&sqs.StartMessageMoveTaskInput{SourceArn: aws.String(c.arn(dlq))})
		equal(c, "MessageGroupId", c.want(url, bodies...)[0].Attributes["MessageGroupId"], "g")
	}},
	{name: "move/messages-in-flight-stay", page: redrivePage, run: func(c *C) {
		url, dlq := c.source(1)
		c.inDeadLetters(url, dlq, "a")
		m := c.get1(dlq)
		c.move(&sqs.StartMessageMoveTaskInput{SourceArn: aws.String(c.arn(dlq))})
		c.none(url)
		c.delete(dlq, m)
	}},
	{name: "move/no-faster-than-asked-for", page: api("StartMessageMoveTask"), passes: 2 * time.Second, run: func(c *C) {
		url, dlq := c.source(1)
		c.inDeadLetters(url, dlq, numbered("m", 6)...)
		arn := c.arn(dlq)
		_, err := c.startMove(&sqs.StartMessageMoveTaskInput{SourceArn: &arn, MaxNumberOfMessagesPerSecond: aws.Int32(2)})
		c.must(err)
		for _, moved := range []int64{2, 4} {
			c.until("some are moved", func() bool { return c.task(arn).ApproximateNumberOfMessagesMoved >= moved })
			if n := c.task(arn).ApproximateNumberOfMessagesMoved; c.endpoint.clock != nil && n != moved {
				c.failf("%d were moved, want %d", n, moved)
			}
			c.timers(1)
			c.pass(time.Second)
		}
		c.untilEnded(arn, "COMPLETED")
		c.want(url, numbered("m", 6)...)
	}},
}

// move runs a task to its end.
func (c *C) move(in *sqs.StartMessageMoveTaskInput) {
	_, err := c.startMove(in)
	c.must(err)
	c.untilEnded(*in.SourceArn, "COMPLETED")
}

func (c *C) startMove(in *sqs.StartMessageMoveTaskInput) (handle string, err error) {
	out, err := c.StartMessageMoveTask(c.ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.TaskHandle), nil
}

func (c *C) tasks(arn string, most int32) []types.ListMessageMoveTasksResultEntry {
	out, err := c.ListMessageMoveTasks(c.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn, MaxResults: &most})
	c.must(err)
	return out.Results
}

// task is the newest task of a source.
func (c *C) task(arn string) types.ListMessageMoveTasksResultEntry {
	list := c.tasks(arn, 1)
	equal(c, "the number of tasks", len(list), 1)
	return list[0]
}

func (c *C) untilEnded(arn, status string) {
	var got string
	c.until("the task has ended", func() bool {
		got = aws.ToString(c.task(arn).Status)
		return got != "RUNNING" && got != "CANCELLING"
	})
	equal(c, "Status", got, status)
}
