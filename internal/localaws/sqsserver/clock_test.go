package sqsserver_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jonboulle/clockwork"
)

// TestNothingEndsEarly: times are kept in milliseconds, and a visibility
// timeout or delay that begins between two of them must not end before its
// time.
func TestNothingEndsEarly(t *testing.T) {
	t.Parallel()
	second := func(b *bundle, queue string) *sqs.ReceiveMessageInput {
		return &sqs.ReceiveMessageInput{QueueUrl: url(queue), VisibilityTimeout: 1}
	}
	for name, c := range map[string]struct {
		queue string
		hide  func(b *bundle) // a message, for one second
	}{
		"a receive": {"q", func(b *bundle) {
			b.send("q", "a")
			_, err := b.ReceiveMessage(b.t.Context(), second(b, "q"))
			b.must(err)
		}},
		"a visibility change": {"q", func(b *bundle) {
			b.send("q", "a")
			b.must(b.change("q", b.want("q", "a")[0], 1))
		}},
		"a message's delay": {"q", func(b *bundle) {
			_, err := b.SendMessage(b.t.Context(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: aws.String("a"), DelaySeconds: 1})
			b.must(err)
		}},
		"a queue's delay": {"slow.fifo", func(b *bundle) { b.sendFIFO("slow.fifo", "g", "", "a") }},
		"a repeated receive": {"q.fifo", func(b *bundle) {
			b.sendFIFO("q.fifo", "g", "", "a")
			in := second(b, "q.fifo")
			in.ReceiveRequestAttemptId = aws.String("id")
			for range 2 {
				out, err := b.ReceiveMessage(b.t.Context(), in)
				b.must(err)
				if len(out.Messages) != 1 {
					b.t.Fatal("it was not repeated")
				}
			}
		}},
	} {
		for _, restart := range []bool{false, true} {
			for _, poll := range []bool{false, true} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					b := newBundle(t)
					b.create("q", nil)
					b.create("q.fifo", byContent)
					b.create("slow.fifo", mergeAttributes(byContent, attributes{"DelaySeconds": "1"}))
					b.advance(300 * time.Microsecond)
					c.hide(b)
					if restart {
						b.restart()
					}
					if poll {
						got := b.poll(b, c.queue, 20)
						b.blocked(2) // the wait's end, and the alarm for the message
						b.advance(time.Second - time.Nanosecond)
						b.blocked(2)
						b.advance(time.Millisecond)
						if bodies := bodiesOf(<-got); len(bodies) != 1 {
							t.Fatalf("received %q", bodies)
						}
						return
					}
					b.advance(time.Second - time.Nanosecond)
					b.want(c.queue)
					b.advance(time.Millisecond)
					b.want(c.queue, "a")
				})
			}
		}
	}
}

// What is to be visible at once is, also between two milliseconds.
func TestNoTimeAtAll(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.advance(300 * time.Microsecond)
	b.send("q", "a")
	for range 2 {
		b.must(b.change("q", b.want("q", "a")[0], 0))
	}
	b.must(b.change("q", b.want("q", "a")[0], 43200)) // twelve hours, not more
}

// TestTheClockWasSetBackBeforeTheStart: what was hidden waits for its time, and
// not for that of the clock too.
func TestTheClockWasSetBackBeforeTheStart(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.send("q", "received")
	b.want("q", "received")
	_, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url("q"), MessageBody: aws.String("delayed"), DelaySeconds: 30})
	b.must(err)
	b.clock = clockwork.NewFakeClockAt(start.Add(-time.Hour))
	b.restart()
	b.advance(30*time.Second - time.Millisecond)
	b.want("q")
	b.advance(time.Millisecond)
	if got := bodiesOf(b.receive("q")); len(got) != 2 {
		t.Errorf("received %q", got)
	}
}
