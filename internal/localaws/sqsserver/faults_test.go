package sqsserver_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// TestAFailingStoreLosesNothing lets one write of each operation fail, before
// or after it was persisted. The operation must say so, leave things as they
// were for all to see, and succeed when it is repeated.
func TestAFailingStoreLosesNothing(t *testing.T) {
	t.Parallel()
	receive := func(b *bundle) error {
		_, err := b.ReceiveMessage(b.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url("q")})
		return err
	}
	type fixture struct{ m types.Message }
	inFlight := func(b *bundle, f *fixture) {
		b.send("q", "a")
		f.m = b.want("q", "a")[0]
	}
	operations := map[string]struct {
		before func(b *bundle, f *fixture)
		do     func(b *bundle, f *fixture) error
		// as: visible, in flight and delayed in q, then visible in dlq; once
		// it has failed, and once it was repeated.
		failed, repeated [4]int
	}{
		"send": {func(*bundle, *fixture) {}, func(b *bundle, _ *fixture) error {
			_, err := b.SendMessage(b.t.Context(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: aws.String("a")})
			return err
		}, [4]int{}, [4]int{1, 0, 0, 0}},
		"delayed send": {func(*bundle, *fixture) {}, func(b *bundle, _ *fixture) error {
			_, err := b.SendMessage(b.t.Context(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: aws.String("a"), DelaySeconds: 9})
			return err
		}, [4]int{}, [4]int{0, 0, 1, 0}},
		"receive": {func(b *bundle, _ *fixture) { b.send("q", "a") },
			func(b *bundle, _ *fixture) error { return receive(b) }, [4]int{1, 0, 0, 0}, [4]int{0, 1, 0, 0}},
		"delete": {inFlight, func(b *bundle, f *fixture) error {
			_, err := b.DeleteMessage(b.t.Context(), &sqs.DeleteMessageInput{QueueUrl: url("q"), ReceiptHandle: f.m.ReceiptHandle})
			return err
		}, [4]int{0, 1, 0, 0}, [4]int{}},
		"purge": {func(b *bundle, f *fixture) {
			inFlight(b, f)
			b.send("q", "b")
		}, func(b *bundle, _ *fixture) error { return b.purge("q") }, [4]int{1, 1, 0, 0}, [4]int{}},
		"visibility change": {inFlight, func(b *bundle, f *fixture) error { return b.change("q", f.m, 0) },
			[4]int{0, 1, 0, 0}, [4]int{1, 0, 0, 0}},
		"visibility change of a message that is visible": {func(b *bundle, f *fixture) {
			inFlight(b, f)
			b.must(b.change("q", f.m, 0))
		}, func(b *bundle, f *fixture) error { return b.change("q", f.m, 9) }, [4]int{1, 0, 0, 0}, [4]int{0, 1, 0, 0}},
		"redrive": {func(b *bundle, f *fixture) {
			b.send("q", "a")
			for range 2 {
				inFlightAgain := b.want("q", "a")[0]
				b.must(b.change("q", inFlightAgain, 0))
			}
		}, func(b *bundle, _ *fixture) error { return receive(b) }, [4]int{1, 0, 0, 0}, [4]int{0, 0, 0, 1}},
	}
	for name, c := range operations {
		for _, f := range []fault{lost, persisted} {
			for _, restart := range []bool{false, true} {
				t.Run(fmt.Sprint(name, ", fault ", f, ", restart ", restart), func(t *testing.T) {
					t.Parallel()
					b := newBundle(t)
					b.create("dlq", nil)
					b.create("q", redrive("dlq", 2))
					fx := &fixture{}
					c.before(b, fx)
					wantAll := func(want [4]int) {
						t.Helper()
						b.wantCounts("q", want[0], want[1], want[2])
						b.wantCounts("dlq", want[3], 0, 0)
					}
					b.store.fail(f)
					err := c.do(b, fx)
					b.wantCode(err, "InternalFailure")
					if !errors.Is(err, errFault) {
						t.Fatalf("the cause is lost: %v", err)
					}
					wantAll(c.failed)
					b.must(c.do(b, fx))
					wantAll(c.repeated)
					if restart {
						// What was repeated is what the store has, and once only.
						b.restart()
						wantAll(c.repeated)
					}
				})
			}
		}
	}
}

func TestAFailedBatchTellsEachEntry(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.store.fail(lost)
	out, err := b.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url("q"), Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("1"), MessageBody: aws.String("x")}, {Id: aws.String("2"), MessageBody: aws.String("\x00")}}})
	b.must(err)
	codes := map[string]string{}
	for _, f := range out.Failed {
		codes[*f.Id] = fmt.Sprint(*f.Code, " ", f.SenderFault)
	}
	if len(out.Successful) != 0 || codes["1"] != "InternalFailure false" || codes["2"] != "InvalidMessageContents true" {
		t.Fatalf("got %v, %v", out.Successful, codes)
	}
	b.wantCounts("q", 0, 0, 0)
}

func TestAReceiveThatCannotReadGivesBack(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.send("q", "a")
	b.restart() // the contents are in the store only
	b.store.unreadable = true
	_, err := b.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url("q")})
	b.wantCode(err, "InternalFailure")
	b.wantCounts("q", 1, 0, 0)
	b.store.unreadable = false
	if m := b.want("q", "a")[0]; m.Attributes["ApproximateReceiveCount"] != "1" {
		t.Fatalf("received %s times", m.Attributes["ApproximateReceiveCount"])
	}
}

// A delete that failed but was persisted, and was not repeated.
func TestAMessageThatIsGoneFromTheStoreIsNotReceived(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.send("q", "a", "b")
	m := b.want("q", "a", "b")
	b.restart() // the contents are in the store only
	b.store.fail(persisted)
	_, err := b.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url("q"), ReceiptHandle: m[0].ReceiptHandle})
	b.wantCode(err, "InternalFailure")
	b.advance(time.Minute)
	b.want("q", "b")
	b.wantCounts("q", 0, 1, 0)
}

func TestAQueueThatWasNotCreatedIsNotThere(t *testing.T) {
	t.Parallel()
	for _, f := range []fault{lost, persisted} {
		b := newBundle(t)
		b.store.fail(f)
		_, err := b.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
		b.wantCode(err, "InternalFailure")
		_, err = b.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("q")})
		b.wantCode(err, "AWS.SimpleQueueService.NonExistentQueue")
		b.create("q", nil)
		b.restart()
		b.send("q", "a")
		b.want("q", "a")
	}
}

func TestATaskFailsWithTheStoreAndLosesNothing(t *testing.T) {
	t.Parallel()
	for _, f := range []fault{lost, persisted} {
		t.Run(fmt.Sprint(f), func(t *testing.T) {
			t.Parallel()
			b := deadLetters(t)
			b.store.failOnMove(f)
			_, err := b.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq"))})
			b.must(err)
			if task := b.finished(); *task.Status != "FAILED" {
				t.Fatalf("task %+v", task)
			}
			b.wantCounts("dlq", 3, 0, 0)
			_, err = b.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn("dlq"))})
			b.must(err)
			if task := b.finished(); *task.Status != "COMPLETED" {
				t.Fatalf("task %+v", task)
			}
			b.restart()
			b.want("a", "a1", "a2")
			b.want("b", "b1")
			b.wantCounts("dlq", 0, 0, 0)
		})
	}
}
