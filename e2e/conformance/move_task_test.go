package conformance

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// moveTaskChecks are about the tasks themselves.
var moveTaskChecks = []check{
	{name: "move-task/a-running-one", page: api("ListMessageMoveTasks"), run: func(c *C) {
		arn, to, handle := c.slowMove(1)
		task := c.task(arn)
		equal(c, "Status", *task.Status, "RUNNING")
		equal(c, "TaskHandle", aws.ToString(task.TaskHandle), handle)
		equal(c, "SourceArn", *task.SourceArn, arn)
		equal(c, "DestinationArn", aws.ToString(task.DestinationArn), to)
		equal(c, "MaxNumberOfMessagesPerSecond", aws.ToInt32(task.MaxNumberOfMessagesPerSecond), 1)
		c.isNow("StartedTimestamp", time.UnixMilli(task.StartedTimestamp))
	}},
	{name: "move-task/a-completed-one", page: api("ListMessageMoveTasks"), run: func(c *C) {
		url, dlq := c.source(1)
		c.inDeadLetters(url, dlq, "a", "b")
		arn := c.arn(dlq)
		c.move(&sqs.StartMessageMoveTaskInput{SourceArn: &arn})
		task := c.task(arn)
		equal(c, "Status", *task.Status, "COMPLETED")
		equal(c, "ApproximateNumberOfMessagesMoved", task.ApproximateNumberOfMessagesMoved, 2)
		equal(c, "ApproximateNumberOfMessagesToMove", aws.ToInt64(task.ApproximateNumberOfMessagesToMove), 2)
		if task.TaskHandle != nil || task.DestinationArn != nil || task.MaxNumberOfMessagesPerSecond != nil || task.FailureReason != nil {
			c.failf("the task has what it should not have: %+v", task)
		}
	}},
	{name: "move-task/the-newest-are-listed-first", page: api("ListMessageMoveTasks"), passes: 2 * time.Second, run: func(c *C) {
		url, dlq := c.source(1)
		arn := c.arn(dlq)
		for _, body := range []string{"a", "b"} {
			c.inDeadLetters(url, dlq, body)
			c.move(&sqs.StartMessageMoveTaskInput{SourceArn: &arn})
			c.delete(url, c.get1(url))
			c.pass(time.Second)
		}
		list := c.tasks(arn, 10)
		equal(c, "the number of tasks", len(list), 2)
		if list[0].StartedTimestamp <= list[1].StartedTimestamp {
			c.failf("the tasks started at %d and %d", list[0].StartedTimestamp, list[1].StartedTimestamp)
		}
		out, err := c.ListMessageMoveTasks(c.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn})
		c.must(err)
		equal(c, "the number of tasks unless told", len(out.Results), 1)
	}},
	{name: "move-task/none-is-listed", page: api("ListMessageMoveTasks"), run: func(c *C) {
		_, dlq := c.source(1)
		equal(c, "the number of tasks", len(c.tasks(c.arn(dlq), 10)), 0)
	}},
	{name: "move-task/ten-are-listed-at-most", page: api("ListMessageMoveTasks"), run: func(c *C) {
		_, dlq := c.source(1)
		_, err := c.ListMessageMoveTasks(c.ctx, &sqs.ListMessageMoveTasksInput{
			SourceArn: aws.String(c.arn(dlq)), MaxResults: aws.Int32(11)})
		c.refused(err)
	}},
	{name: "move-task/of-no-queue-is-ResourceNotFoundException", page: api("ListMessageMoveTasks"), run: func(c *C) {
		missing := aws.String(c.arn(c.queue(nil)) + "-missing")
		_, err := c.ListMessageMoveTasks(c.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: missing})
		fails[*types.ResourceNotFoundException](c, err)
		_, err = c.startMove(&sqs.StartMessageMoveTaskInput{SourceArn: missing})
		fails[*types.ResourceNotFoundException](c, err)
	}},
	{name: "move-task/to-no-queue-is-ResourceNotFoundException", page: api("StartMessageMoveTask"), run: func(c *C) {
		_, dlq := c.source(1)
		arn := c.arn(dlq)
		_, err := c.startMove(&sqs.StartMessageMoveTaskInput{SourceArn: &arn, DestinationArn: aws.String(arn + "-missing")})
		fails[*types.ResourceNotFoundException](c, err)
	}},
	{name: "move-task/to-a-queue-of-the-same-type", page: redrivePage, run: func(c *C) {
		_, dlq := c.source(1)
		_, err := c.startMove(&sqs.StartMessageMoveTaskInput{SourceArn: aws.String(c.arn(dlq)), DestinationArn: aws.String(c.arn(c.fifo(nil)))})
		c.refused(err)
	}},
	{name: "move-task/only-from-a-dead-letter-queue", page: api("StartMessageMoveTask"), run: func(c *C) {
		_, err := c.startMove(&sqs.StartMessageMoveTaskInput{SourceArn: aws.String(c.arn(c.queue(nil)))})
		c.refused(err)
	}},
	{name: "move-task/rate-is-1-to-500", page: api("StartMessageMoveTask"), run: func(c *C) {
		_, dlq := c.source(1)
		for _, n := range []int32{-1, 0, 501} {
			_, err := c.startMove(&sqs.StartMessageMoveTaskInput{SourceArn: aws.String(c.arn(dlq)), MaxNumberOfMessagesPerSecond: &n})
			c.refused(err)
		}
	}},
	{name: "move-task/one-at-a-time", page: api("StartMessageMoveTask"), run: func(c *C) {
		arn, _, _ := c.slowMove(1)
		_, err := c.startMove(&sqs.StartMessageMoveTaskInput{SourceArn: &arn})
		c.refused(err)
		equal(c, "the number of tasks", len(c.tasks(arn, 10)), 1)
	}},
	{name: "move-task/cancel", page: api("CancelMessageMoveTask"), run: func(c *C) {
		arn, _, handle := c.slowMove(1)
		out, err := c.CancelMessageMoveTask(c.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle})
		c.must(err)
		if n := out.ApproximateNumberOfMessagesMoved; n < 0 || n >= 10 {
			c.failf("the answer is that %d messages were moved", n)
		}
		c.untilEnded(arn, "CANCELLED")
		equal(c, "TaskHandle", aws.ToString(c.task(arn).TaskHandle), "")
		if n := c.task(arn).ApproximateNumberOfMessagesMoved; n >= 10 {
			c.failf("%d messages were moved", n)
		}
		_, err = c.startMove(&sqs.StartMessageMoveTaskInput{SourceArn: &arn})
		c.must(err)
	}},
	{name: "move-task/a-cancelled-one-is-not-cancelled-again", page: api("CancelMessageMoveTask"), run: func(c *C) {
		arn, _, handle := c.slowMove(1)
		in := &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle}
		_, err := c.CancelMessageMoveTask(c.ctx, in)
		c.must(err)
		c.untilEnded(arn, "CANCELLED")
		_, err = c.CancelMessageMoveTask(c.ctx, in)
		c.refused(err)
	}},
	{name: "move-task/a-completed-one-is-not-cancelled", page: api("CancelMessageMoveTask"), run: func(c *C) {
		url, dlq := c.source(1)
		c.inDeadLetters(url, dlq, "a")
		arn := c.arn(dlq)
		handle, err := c.startMove(&sqs.StartMessageMoveTaskInput{SourceArn: &arn})
		c.must(err)
		c.untilEnded(arn, "COMPLETED")
		_, err = c.CancelMessageMoveTask(c.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle})
		c.refused(err)
	}},
	{name: "move-task/an-unknown-one-is-not-cancelled", page: api("CancelMessageMoveTask"), run: func(c *C) {
		_, err := c.CancelMessageMoveTask(c.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: aws.String("rubbish")})
		c.refused(err)
	}},
	{name: "move-task/a-destination-that-goes-away", page: api("ListMessageMoveTasks"), passes: time.Second, run: func(c *C) {
		arn, to, _ := c.slowMove(5)
		c.until("some are moved", func() bool { return c.task(arn).ApproximateNumberOfMessagesMoved > 0 })
		c.timers(1)
		url, err := c.urlOf(to[strings.LastIndexByte(to, ':')+1:])
		c.must(err)
		c.must(c.deleteQueue(url))
		c.pass(time.Second)
		c.untilEnded(arn, "FAILED")
		if aws.ToString(c.task(arn).FailureReason) == "" {
			c.failf("the task has no FailureReason")
		}
	}},
}

// slowMove starts a task that has ten messages to move, so many a second.
func (c *C) slowMove(rate int32) (arn, to, handle string) {
	url, dlq := c.source(1)
	c.inDeadLetters(url, dlq, numbered("m", 10)...)
	arn, to = c.arn(dlq), c.arn(c.queue(nil))
	handle, err := c.startMove(&sqs.StartMessageMoveTaskInput{SourceArn: &arn, DestinationArn: &to,
		MaxNumberOfMessagesPerSecond: &rate})
	c.must(err)
	return arn, to, handle
}
