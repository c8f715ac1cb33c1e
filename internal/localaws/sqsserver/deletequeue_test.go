package sqsserver_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const nonExistent = "AWS.SimpleQueueService.NonExistentQueue"

func (b *bundle) tryRemove(queue string) error {
	_, err := b.DeleteQueue(b.t.Context(), &sqs.DeleteQueueInput{QueueUrl: url(queue)})
	return err
}

func (b *bundle) remove(queue string) {
	b.t.Helper()
	b.must(b.tryRemove(queue))
}

func (b *bundle) purge(queue string) error {
	_, err := b.PurgeQueue(b.t.Context(), &sqs.PurgeQueueInput{QueueUrl: url(queue)})
	return err
}

// exists is whether there is such a queue.
func (b *bundle) exists(queue string) bool {
	b.t.Helper()
	_, err := b.GetQueueUrl(b.t.Context(), &sqs.GetQueueUrlInput{QueueName: &queue})
	if gone := new(types.QueueDoesNotExist); errors.As(err, &gone) {
		return false
	}
	b.must(err)
	return true
}

func TestADeletedQueueIsGoneWithItsMessages(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.create("other", nil)
	b.send("q", "in flight")
	old := b.want("q", "in flight")
	b.send("q", "visible")
	b.send("other", "kept")
	b.remove("q")
	for range 2 {
		if b.exists("q") || b.store.rows() != 1 {
			t.Fatalf("left %d rows", b.store.rows())
		}
		b.wantCode(b.tryRemove("q"), nonExistent)
		b.wantCode(b.purge("q"), nonExistent)
		_, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: aws.String("x")})
		b.wantCode(err, nonExistent)
		_, err = b.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url("q")})
		b.wantCode(err, nonExistent)
		_, err = b.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url("q"), ReceiptHandle: old[0].ReceiptHandle})
		b.wantCode(err, nonExistent)
		b.restart()
	}
	b.want("other", "kept")
}

func TestAQueueOfTheSameNameIsAnother(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		b := newBundle(t)
		b.create("q.fifo", nil)
		b.sendFIFO("q.fifo", "a", "1", "old")
		old := b.want("q.fifo", "old")
		b.sendFIFO("q.fifo", "b", "2", "old too")
		b.remove("q.fifo")
		if restart {
			b.restart()
		}
		b.create("q.fifo", byContent) // with other attributes, at once
		b.want("q.fifo")
		b.sendFIFO("q.fifo", "a", "1", "new") // its id is not a repeated one
		_, err := b.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url("q.fifo"), ReceiptHandle: old[0].ReceiptHandle})
		if !restart { // afterwards the queue's number may be the same; the message's is not
			b.wantCode(err, "ReceiptHandleIsInvalid")
		}
		b.restart()
		b.want("q.fifo", "new")
	}
}

func TestReceivesThatWaitEndWithTheirQueue(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	ended := make(chan error)
	for range 3 {
		go func() {
			_, err := b.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: url("q"), WaitTimeSeconds: 20})
			ended <- err
		}()
	}
	b.blocked(3)
	b.remove("q")
	for range 3 {
		b.wantCode(<-ended, nonExistent)
	}
}

// A queue is deleted while something is written that puts a message into it.
func TestADeletedQueueLeavesNothingInTheStore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		writes  func(b *bundle)
		removed string
	}{
		"a send":                     {func(b *bundle) { _ = b.trySend("q") }, "q"},
		"a dead letter":              {func(b *bundle) { b.receive("q") }, "dlq"},
		"a dead letter, its source":  {func(b *bundle) { b.receive("q") }, "q"},
		"a redrive":                  {(*bundle).startMove, "back"},
		"a redrive, its source":      {(*bundle).startMove, "olddlq"},
		"a receive":                  {func(b *bundle) { b.receive("visible") }, "visible"},
		"a change of its attributes": {func(b *bundle) { _ = b.tag("q", map[string]string{"a": "b"}) }, "q"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			for _, dlq := range []string{"dlq", "olddlq", "visible"} {
				b.create(dlq, nil)
			}
			b.create("q", redrive("dlq", 1))
			b.create("back", redrive("olddlq", 1))
			b.send("back", "old")
			b.fail("back", 1)
			b.send("visible", "x")
			b.send("q", "dead")
			b.must(b.change("q", b.want("q", "dead")[0], 0))

			writing, release, wrote, removed := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan error)
			b.store.gate, b.store.gateMoves = func() { close(writing); <-release }, strings.Contains(name, "redrive")
			go func() { defer close(wrote); c.writes(b) }()
			<-writing
			go func() { removed <- b.tryRemove(c.removed) }()
			for range 1000 {
				runtime.Gosched() // the delete must not get ahead, though it could
			}
			close(release)
			<-wrote
			b.must(<-removed)
			b.tasksEnd()
			b.store.wantNoOrphans(t)
			before := b.allCounts()
			b.restart()
			if after := b.allCounts(); after != before || b.exists(c.removed) {
				t.Errorf("there is %s, after a restart %s", before, after)
			}
		})
	}
}

// tasksEnd waits until no task is at work.
func (b *bundle) tasksEnd() {
	for b.store.anyTask("RUNNING") {
		runtime.Gosched()
	}
}

func (s *memory) anyTask(status string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
		if t.Status == status {
			return true
		}
	}
	return false
}

// allCounts says how many messages each queue has.
func (b *bundle) allCounts() (all string) {
	b.t.Helper()
	list, err := b.ListQueues(b.t.Context(), &sqs.ListQueuesInput{})
	b.must(err)
	for _, u := range list.QueueUrls {
		name := path.Base(u)
		a := b.attributes(name)
		all += fmt.Sprintf("%s: %s, %s; ", name, a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"])
	}
	return all
}

func (b *bundle) trySend(queue string) error {
	_, err := b.SendMessage(b.t.Context(), &sqs.SendMessageInput{QueueUrl: url(queue), MessageBody: aws.String("x")})
	return err
}

// startMove moves the letters of olddlq back.
func (b *bundle) startMove() {
	_, err := b.StartMessageMoveTask(b.t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("olddlq"))})
	b.must(err)
}

// wantNoOrphans fails when a message's queue is not kept.
func (s *memory) wantNoOrphans(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		if _, there := s.queues[m.Queue]; !there {
			t.Errorf("message %d is of queue %d, which is gone", m.Key, m.Queue)
		}
	}
}

func TestWithoutItsDeadLetterQueueAMessageStays(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("dlq", nil)
	b.create("q", redrive("dlq", 1))
	b.send("q", "a")
	b.remove("dlq")
	for range 3 {
		b.must(b.change("q", b.want("q", "a")[0], 0))
	}
	b.create("dlq", nil) // the policy names it, so it is used again
	b.want("q")
	b.want("dlq", "a")
}

func TestATaskEndsWithItsQueues(t *testing.T) {
	t.Parallel()
	for _, removed := range []string{"dlq", "other"} {
		t.Run(removed, func(t *testing.T) {
			t.Parallel()
			b := deadLetters(t)
			_, err := b.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq")),
				DestinationArn: aws.String(arn("other")), MaxNumberOfMessagesPerSecond: aws.Int32(1)})
			b.must(err)
			b.blocked(1)
			b.remove(removed)
			if removed == "dlq" {
				b.tasksEnd() // at once
				b.restart()
				b.create("dlq", nil)
			}
			b.advance(time.Second)
			if removed == "other" {
				b.blocked(1)
				b.advance(time.Second)
			}
			task := b.finished()
			if *task.Status != "FAILED" || *task.FailureReason != nonExistent || task.ApproximateNumberOfMessagesMoved != 1 {
				t.Fatalf("task %+v", task)
			}
			if removed == "other" {
				b.wantCounts("dlq", 2, 0, 0)
			}
		})
	}
}

func TestPurge(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.create("other", nil)
	b.send("other", "kept")
	b.send("q", "in flight")
	held := b.want("q", "in flight")
	_, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: aws.String("delayed"), DelaySeconds: 9})
	b.must(err)
	for range 2500 {
		b.send("q", "visible")
	}
	b.must(b.purge("q"))
	b.wantCounts("q", 0, 0, 0)
	b.delete("q", held...)
	b.send("q", "after")
	b.restart()
	b.wantCounts("q", 1, 0, 0)
	b.want("q", "after")
	b.want("other", "kept")
	if n := b.store.rows(); n != 2 {
		t.Errorf("%d rows", n)
	}
}

func TestAPurgeThatFailsForgetsLater(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q.fifo", byContent)
	b.sendFIFO("q.fifo", "g", "", "a")
	b.store.fail(lost)
	b.wantCode(b.purge("q.fifo"), "InternalFailure")
	b.delete("q.fifo", b.want("q.fifo", "a")...)
	b.must(b.purge("q.fifo"))
	b.sendFIFO("q.fifo", "g", "", "b")
	if n := len(b.store.dedups); n != 1 {
		t.Errorf("the store has %d deduplication records, want that of b only", n)
	}
}

func TestAPurgeAMinute(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.create("other", nil)
	b.must(b.purge("q"))
	b.advance(time.Minute - time.Millisecond)
	err := b.purge("q")
	b.wantCode(err, "AWS.SimpleQueueService.PurgeQueueInProgress")
	if e := new(types.PurgeQueueInProgress); !errors.As(err, &e) {
		t.Errorf("%T", err)
	}
	b.must(b.purge("other"))
	b.advance(time.Millisecond)
	b.must(b.purge("q"))
}
