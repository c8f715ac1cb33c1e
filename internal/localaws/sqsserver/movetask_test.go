package sqsserver_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// deadLetters puts dead letters of a and of b into dlq.
func deadLetters(t *testing.T) *bundle {
	b := newBundle(t)
	b.create("dlq", nil)
	b.create("a", redrive("dlq", 1))
	b.create("b", redrive("dlq", 1))
	b.create("other", nil)
	b.send("a", "a1", "a2")
	b.send("b", "b1")
	b.fail("a", 1)
	b.fail("b", 1)
	b.wantCounts("dlq", 3, 0, 0)
	return b
}

// finished waits for the task of dlq to end.
func (b *bundle) finished() types.ListMessageMoveTasksResultEntry {
	b.t.Helper()
	for {
		task := b.task(arn("dlq"))
		if s := *task.Status; s != "RUNNING" && s != "CANCELLING" {
			return task
		}
	}
}

func TestDeadLettersGoBackWhereTheyCameFrom(t *testing.T) {
	t.Parallel()
	b := deadLetters(t)
	b.advance(time.Hour)
	before := b.receive("dlq")
	for _, m := range before {
		b.must(b.change("dlq", m, 0))
	}
	out, err := b.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq"))})
	b.must(err)
	if aws.ToString(out.TaskHandle) == "" {
		t.Fatal("no handle")
	}
	if task := b.finished(); *task.Status != "COMPLETED" || task.ApproximateNumberOfMessagesMoved != 3 ||
		*task.ApproximateNumberOfMessagesToMove != 3 || task.TaskHandle != nil || task.DestinationArn != nil {
		t.Fatalf("task %+v", task)
	}
	b.restart()
	b.wantCounts("dlq", 0, 0, 0)
	b.want("b", "b1")
	m := b.want("a", "a1", "a2")[0]
	want := map[string]string{"ApproximateReceiveCount": "1", "DeadLetterQueueSourceArn": "", "SentTimestamp": "1795525200000"}
	for k, v := range want {
		if m.Attributes[k] != v {
			t.Errorf("%s is %q, want %q", k, m.Attributes[k], v)
		}
	}
	for _, old := range before {
		if *old.MessageId == *m.MessageId {
			t.Error("it kept its message id")
		}
		b.delete("dlq", old) // a handle from before the move does nothing
	}
	b.wantCounts("a", 0, 2, 0)
}

func TestDeadLettersGoToADestination(t *testing.T) {
	t.Parallel()
	b := deadLetters(t)
	_, err := b.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{
		SourceArn: aws.String(arn("dlq")), DestinationArn: aws.String(arn("other"))})
	b.must(err)
	if task := b.finished(); *task.Status != "COMPLETED" || *task.DestinationArn != arn("other") {
		t.Fatalf("task %+v", task)
	}
	b.want("other", "a1", "a2", "b1")
}

func TestAMessageWithoutASourceStaysAndFailsTheTask(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("dlq", nil)
	b.create("q", redrive("dlq", 1))
	b.send("dlq", "sent by hand")
	b.send("q", "dead")
	b.fail("q", 1)
	_, err := b.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq"))})
	b.must(err)
	if task := b.finished(); *task.Status != "FAILED" || *task.FailureReason != "CouldNotDetermineMessageSource" ||
		task.ApproximateNumberOfMessagesMoved != 1 {
		t.Fatalf("task %+v", task)
	}
	b.want("dlq", "sent by hand")
	b.want("q", "dead")
}

func TestATaskKeepsItsRateAndGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	b := deadLetters(t)
	_, err := b.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{
		SourceArn: aws.String(arn("dlq")), MaxNumberOfMessagesPerSecond: aws.Int32(1)})
	b.must(err)
	b.blocked(1)
	b.wantCounts("dlq", 2, 0, 0)
	if _, err := b.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq"))}); err == nil {
		t.Fatal("two tasks at once")
	}
	b.advance(999 * time.Millisecond)
	b.wantCounts("dlq", 2, 0, 0)
	b.advance(time.Millisecond)
	b.blocked(1)
	b.wantCounts("dlq", 1, 0, 0)
	b.restart()
	if task := b.finished(); *task.Status != "COMPLETED" || task.ApproximateNumberOfMessagesMoved != 3 ||
		*task.MaxNumberOfMessagesPerSecond != 1 {
		t.Fatalf("task %+v", task)
	}
	b.wantCounts("dlq", 0, 0, 0)
	b.wantCounts("a", 2, 0, 0)
	b.wantCounts("b", 1, 0, 0)
}

func TestATaskIsCancelled(t *testing.T) {
	t.Parallel()
	b := deadLetters(t)
	out, err := b.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{
		SourceArn: aws.String(arn("dlq")), MaxNumberOfMessagesPerSecond: aws.Int32(1)})
	b.must(err)
	b.blocked(1)
	if task := b.task(arn("dlq")); *task.TaskHandle != *out.TaskHandle {
		t.Fatalf("task %+v", task)
	}
	cancelled, err := b.CancelMessageMoveTask(t.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: out.TaskHandle})
	b.must(err)
	if cancelled.ApproximateNumberOfMessagesMoved != 1 {
		t.Fatalf("moved %d", cancelled.ApproximateNumberOfMessagesMoved)
	}
	if task := b.finished(); *task.Status != "CANCELLED" {
		t.Fatalf("task %+v", task)
	}
	b.wantCounts("dlq", 2, 0, 0)
	_, err = b.CancelMessageMoveTask(t.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: out.TaskHandle})
	b.wantCode(err, "AWS.SimpleQueueService.UnsupportedOperation")
	for handle, code := range map[string]string{
		"nope": "InvalidParameterValue",
		"bm8=": "InvalidParameterValue",
		base64.StdEncoding.EncodeToString([]byte(`{"taskId":"1"}`)):                                   "InvalidParameterValue",
		base64.StdEncoding.EncodeToString([]byte(`{"taskId":"1","sourceArn":"` + arn("dlq") + `"}`)):  "ResourceNotFoundException",
		base64.StdEncoding.EncodeToString([]byte(`{"taskId":"1","sourceArn":"` + arn("nope") + `"}`)): "ResourceNotFoundException",
	} {
		_, err = b.CancelMessageMoveTask(t.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle})
		b.wantCode(err, code)
	}
}

func TestTasksThatAreRefused(t *testing.T) {
	t.Parallel()
	b := deadLetters(t)
	b.create("f.fifo", nil)
	for name, c := range map[string]struct {
		in   sqs.StartMessageMoveTaskInput
		code string
	}{
		"no source":            {sqs.StartMessageMoveTaskInput{}, "MissingParameter"},
		"an unknown source":    {sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("x"))}, "ResourceNotFoundException"},
		"no dead-letter queue": {sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("a"))}, "InvalidParameterValue"},
		"an unknown destination": {sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq")),
			DestinationArn: aws.String(arn("x"))}, "ResourceNotFoundException"},
		"itself": {sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq")), DestinationArn: aws.String(arn("dlq"))},
			"InvalidParameterValue"},
		"another type": {sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq")), DestinationArn: aws.String(arn("f.fifo"))},
			"InvalidParameterValue"},
		"a rate of 0": {sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq")), MaxNumberOfMessagesPerSecond: aws.Int32(0)},
			"InvalidParameterValue"},
		"a high rate": {sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq")), MaxNumberOfMessagesPerSecond: aws.Int32(501)},
			"InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.StartMessageMoveTask(t.Context(), &c.in)
			(&bundle{t: t}).wantCode(err, c.code)
		})
	}
}
