package sqsserver_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// TestNothingTwiceAndNothingLost has many senders and receivers at work on a
// store that fails now and then. The clock stands still, so no visibility
// timeout ends: whatever is received while somebody holds it is an error.
func TestNothingTwiceAndNothingLost(t *testing.T) {
	t.Parallel()
	for _, queue := range []string{"q", "q.fifo"} {
		t.Run(queue, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("dlq"+queue[1:], nil)
			b.create(queue, redrive("dlq"+queue[1:], 1000))
			b.store.next = func(*sqsserver.Changes) fault {
				if rand.N(20) > 0 {
					return none
				}
				return fault(1 + rand.N(2))
			}
			l := &ledger{b: b, queue: queue}
			var senders, receivers sync.WaitGroup
			for s := range 8 {
				senders.Go(func() { l.send(s) })
			}
			for range 8 {
				receivers.Go(l.receive)
			}
			senders.Wait()
			l.sent.Store(true)
			receivers.Wait()
			l.check()
		})
	}
}

// ledger knows what was sent, what is held and what was deleted.
type ledger struct {
	b                    *bundle
	queue                string
	sent                 atomic.Bool
	acked, held, deleted sync.Map
}

const sendsEach = 200

func (l *ledger) send(sender int) {
	for i := 0; i < sendsEach; {
		body := fmt.Sprintf("%d/%d", sender, i)
		in := &sqs.SendMessageInput{QueueUrl: url(l.queue), MessageBody: &body, MessageGroupId: aws.String(fmt.Sprint("g", sender%5))}
		if l.queue == "q.fifo" {
			in.MessageDeduplicationId = aws.String(fmt.Sprint(sender, "-", i))
		}
		if _, err := l.b.SendMessage(l.b.t.Context(), in); err == nil {
			l.acked.Store(body, true)
			i++
		}
	}
}

func (l *ledger) receive() {
	for {
		over := l.sent.Load()
		out, err := l.b.ReceiveMessage(l.b.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url(l.queue), MaxNumberOfMessages: 10})
		if err == nil && over && len(out.Messages) == 0 && l.b.attributes(l.queue)["ApproximateNumberOfMessages"] == "0" &&
			l.b.attributes(l.queue)["ApproximateNumberOfMessagesNotVisible"] == "0" {
			return
		}
		if err != nil {
			continue
		}
		for _, m := range out.Messages {
			l.handle(m)
		}
	}
}

// handle holds a message, and then gives it back or deletes it.
func (l *ledger) handle(m types.Message) {
	if _, twice := l.held.LoadOrStore(*m.MessageId, true); twice {
		l.b.t.Errorf("%s was received while it was held", *m.Body)
	}
	if _, gone := l.deleted.Load(*m.MessageId); gone {
		l.b.t.Errorf("%s was received after it was deleted", *m.Body)
	}
	giveBack := rand.N(4) == 0
	if !giveBack {
		l.deleted.Store(*m.MessageId, *m.Body)
	}
	l.held.Delete(*m.MessageId)
	for {
		var err error
		if giveBack {
			err = l.b.change(l.queue, m, 0)
		} else {
			_, err = l.b.DeleteMessage(l.b.t.Context(), &sqs.DeleteMessageInput{QueueUrl: url(l.queue), ReceiptHandle: m.ReceiptHandle})
		}
		if err == nil {
			return
		}
	}
}

func (l *ledger) check() {
	bodies := map[any]int{}
	l.deleted.Range(func(_, body any) bool { bodies[body]++; return true })
	l.acked.Range(func(body, _ any) bool {
		if bodies[body] != 1 {
			l.b.t.Errorf("%v was delivered %d times", body, bodies[body])
		}
		return true
	})
	// What failed but was persisted goes with the next write.
	l.b.store.next = nil
	if l.queue == "q" {
		l.b.send("q", "last")
		l.b.delete("q", l.b.want("q", "last")...)
	} else {
		l.b.sendFIFO("q.fifo", "g", "last", "last")
		l.b.delete("q.fifo", l.b.want("q.fifo", "last")...)
	}
	if n := l.b.store.rows(); n != 0 {
		l.b.t.Errorf("%d rows are left", n)
	}
}
