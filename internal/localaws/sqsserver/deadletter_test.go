package sqsserver_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// fail receives what is in the queue until it is not returned any more.
func (b *bundle) fail(queue string, times int) {
	b.t.Helper()
	for range times {
		for _, m := range b.receive(queue) {
			b.must(b.change(queue, m, 0))
		}
	}
	b.want(queue)
}

func TestAMessageMovesAtTheReceiveAfterTheLast(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"": false, "over restarts": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("dlq", nil)
			b.create("q", redrive("dlq", 2))
			sent, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: aws.String("a"),
				MessageAttributes: map[string]types.MessageAttributeValue{"k": {DataType: aws.String("String"), StringValue: aws.String("v")}}})
			b.must(err)
			for range 2 {
				m := b.want("q", "a")
				b.advance(31 * time.Second)
				if m[0].Attributes["DeadLetterQueueSourceArn"] != "" {
					t.Fatal("it has a stamp before it moved")
				}
				if restart {
					b.restart()
				}
			}
			b.wantCounts("dlq", 0, 0, 0)
			b.want("q")
			b.wantCounts("q", 0, 0, 0)
			b.wantCounts("dlq", 1, 0, 0)
			if restart {
				b.restart()
			}
			m := b.want("dlq", "a")[0]
			for k, v := range map[string]string{"DeadLetterQueueSourceArn": arn("q"), "ApproximateReceiveCount": "3",
				"SentTimestamp": "1795521600000"} {
				if m.Attributes[k] != v {
					t.Errorf("%s is %q, want %q", k, m.Attributes[k], v)
				}
			}
			if *m.MessageId != *sent.MessageId || aws.ToString(m.MD5OfMessageAttributes) != *sent.MD5OfMessageAttributes {
				t.Errorf("it is another message: %+v", m)
			}
			b.delete("dlq", m)
			b.restart()
			b.want("dlq")
			b.want("q")
		})
	}
}

func TestAQueueThatIsItsOwnDeadLetterQueueKeepsItsMessages(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	_, err := b.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url("q"), Attributes: redrive("q", 1)})
	b.must(err)
	b.send("q", "a")
	for range 3 {
		b.must(b.change("q", b.want("q", "a")[0], 0))
	}
}

func TestADeadLetterQueueOfADeadLetterQueueCountsAnew(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("last", nil)
	b.create("dlq", redrive("last", 2))
	b.create("q", redrive("dlq", 2))
	b.send("q", "a")
	b.fail("q", 2)
	b.fail("dlq", 2)
	if m := b.want("last", "a")[0]; m.Attributes["DeadLetterQueueSourceArn"] != arn("dlq") || m.Attributes["ApproximateReceiveCount"] != "5" {
		t.Fatalf("got %v", m.Attributes)
	}
}

func TestADeleteWhileItsMessageMovesLeavesItAlone(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("dlq", nil)
	b.create("q", redrive("dlq", 1))
	b.send("q", "a")
	m := b.want("q", "a")
	b.must(b.change("q", m[0], 0))
	writing, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	b.store.gate = func() { close(writing); <-release }
	go func() { defer close(done); b.want("q") }()
	<-writing
	b.delete("q", m...) // it has been received again, so this does nothing
	close(release)
	<-done
	b.restart()
	b.want("dlq", "a")
}

func TestALongPollGoesOnAfterAMove(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("dlq", nil)
	b.create("q", redrive("dlq", 1))
	b.send("q", "dead", "alive")
	m := b.want("q", "dead", "alive")
	b.must(b.change("q", m[0], 0))
	b.delete("q", m[1])
	got := b.poll(b, "q", 20)
	b.blocked(1)
	b.send("q", "next")
	if bodies := bodiesOf(<-got); len(bodies) != 1 || bodies[0] != "next" {
		t.Fatalf("received %q", bodies)
	}
	b.want("dlq", "dead")
}

func (b *bundle) task(source string) types.ListMessageMoveTasksResultEntry {
	b.t.Helper()
	out, err := b.ListMessageMoveTasks(b.t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: &source})
	b.must(err)
	return out.Results[0]
}
