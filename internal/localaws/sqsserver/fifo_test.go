package sqsserver_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// sendFIFO sends a body to a group, under a deduplication id unless it is "".
func (b *bundle) sendFIFO(queue, group, dedup, body string) *sqs.SendMessageOutput {
	b.t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: url(queue), MessageBody: &body, MessageGroupId: &group}
	if dedup != "" {
		in.MessageDeduplicationId = &dedup
	}
	out, err := b.SendMessage(b.t.Context(), in)
	b.must(err)
	return out
}

var byContent = attributes{"ContentBasedDeduplication": "true"}

func TestAGroupIsLockedWhileAMessageIsInFlight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		then func(b *bundle, got []types.Message) // a1 and a2 are in flight
		want []string
	}{
		"nothing":            {func(*bundle, []types.Message) {}, nil},
		"one deleted":        {func(b *bundle, got []types.Message) { b.delete("q.fifo", got[0]) }, nil},
		"both deleted":       {func(b *bundle, got []types.Message) { b.delete("q.fifo", got...) }, []string{"a3"}},
		"both visible again": {func(b *bundle, _ []types.Message) { b.advance(30 * time.Second) }, []string{"a1", "a2", "a3"}},
		"first deleted, second visible again": {func(b *bundle, got []types.Message) {
			b.delete("q.fifo", got[0])
			b.must(b.change("q.fifo", got[1], 0))
		}, []string{"a2", "a3"}},
		"second visible again, first in flight": {func(b *bundle, got []types.Message) { b.must(b.change("q.fifo", got[1], 0)) }, nil},
		"first visible again, second in flight": {func(b *bundle, got []types.Message) { b.must(b.change("q.fifo", got[0], 0)) },
			[]string{"a1"}},
		"first received again, then second visible": {func(b *bundle, got []types.Message) {
			b.must(b.change("q.fifo", got[0], 0))
			b.want("q.fifo", "a1")
			b.must(b.change("q.fifo", got[1], 0))
		}, nil},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", restart ", restart), func(t *testing.T) {
				t.Parallel()
				b := newBundle(t)
				b.create("q.fifo", byContent)
				for _, body := range []string{"a1", "a2"} {
					b.sendFIFO("q.fifo", "a", "", body)
				}
				got := b.want("q.fifo", "a1", "a2")
				b.sendFIFO("q.fifo", "a", "", "a3")
				b.sendFIFO("q.fifo", "b", "", "b1")
				if restart {
					b.restart()
				}
				b.delete("q.fifo", b.want("q.fifo", "b1")...)
				c.then(b, got)
				b.want("q.fifo", c.want...)
			})
		}
	}
}

func TestDeduplication(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set      attributes
		send     [][3]string // group, deduplication id, body
		between  func(b *bundle)
		received []string
	}{
		"by id":               {nil, [][3]string{{"a", "1", "x"}, {"a", "1", "y"}}, nil, []string{"x"}},
		"by id across groups": {nil, [][3]string{{"a", "1", "x"}, {"b", "1", "y"}}, nil, []string{"x"}},
		"per group": {attributes{"DeduplicationScope": "messageGroup"}, [][3]string{{"a", "1", "x"}, {"b", "1", "y"}}, nil,
			[]string{"x", "y"}},
		"by content":                {byContent, [][3]string{{"a", "", "x"}, {"a", "", "x"}, {"a", "", "y"}}, nil, []string{"x", "y"}},
		"an id goes before content": {byContent, [][3]string{{"a", "1", "x"}, {"a", "2", "x"}}, nil, []string{"x", "x"}},
		"just before five minutes": {nil, [][3]string{{"a", "1", "x"}, {"a", "1", "y"}},
			func(b *bundle) { b.advance(5*time.Minute - time.Millisecond) }, []string{"x"}},
		"after five minutes": {nil, [][3]string{{"a", "1", "x"}, {"a", "1", "y"}}, func(b *bundle) { b.advance(5 * time.Minute) },
			[]string{"x", "y"}},
		"over a restart": {nil, [][3]string{{"a", "1", "x"}, {"a", "1", "y"}}, func(b *bundle) { b.restart() }, []string{"x"}},
		"of one that was deleted": {nil, [][3]string{{"a", "1", "x"}, {"a", "1", "y"}},
			func(b *bundle) { b.delete("q.fifo", b.want("q.fifo", "x")...) }, nil},
		"of one that was not sent": {nil, [][3]string{{"a", "1", "x"}, {"a", "2", "y"}}, func(b *bundle) {
			b.store.fail(persisted)
			_, err := b.SendMessage(b.t.Context(), &sqs.SendMessageInput{QueueUrl: url("q.fifo"), MessageBody: aws.String("z"),
				MessageGroupId: aws.String("a"), MessageDeduplicationId: aws.String("2")})
			b.wantCode(err, "InternalFailure")
		}, []string{"x", "y"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q.fifo", c.set)
			ids := map[string]bool{}
			for i, s := range c.send {
				out := b.sendFIFO("q.fifo", s[0], s[1], s[2])
				ids[*out.MessageId+*out.SequenceNumber] = true
				if i == 0 && c.between != nil {
					c.between(b)
				}
			}
			b.restart()
			b.want("q.fifo", c.received...)
			if c.received != nil && len(ids) != len(c.received) {
				t.Fatalf("%d different answers", len(ids))
			}
		})
	}
}

func TestOldDeduplicationRecordsAreForgotten(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q.fifo", byContent)
	for i := range 300 {
		b.sendFIFO("q.fifo", "a", "", fmt.Sprint(i))
	}
	b.advance(5 * time.Minute)
	b.sendFIFO("q.fifo", "a", "", "new")
	if n := len(b.store.dedups); n != 1 {
		t.Fatalf("%d records", n)
	}
}

func TestSequenceNumbersGrow(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q.fifo", byContent)
	var numbers []string
	for i := range 5 {
		numbers = append(numbers, *b.sendFIFO("q.fifo", "a", "", fmt.Sprint(i)).SequenceNumber)
		b.delete("q.fifo", b.want("q.fifo", fmt.Sprint(i))...)
		b.restart() // though nothing is left in the store
	}
	if !slices.IsSorted(numbers) || len(slices.Compact(numbers)) != 5 {
		t.Fatalf("numbers %v", numbers)
	}
}

func TestConcurrentSendsAreReceivedInTheOrderOfTheirNumbers(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q.fifo", byContent)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() { b.sendFIFO("q.fifo", "a", "", fmt.Sprint(i)) })
	}
	var numbers []string
	for len(numbers) < 40 {
		for _, m := range b.receive("q.fifo") {
			numbers = append(numbers, m.Attributes["SequenceNumber"])
			b.delete("q.fifo", m)
		}
	}
	wg.Wait()
	if !slices.IsSorted(numbers) {
		t.Fatalf("received %v", numbers)
	}
}

func TestASendThatIsStillWrittenHoldsUpItsGroup(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]fault{"written": none, "failed": lost} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q.fifo", byContent)
			writing, release := make(chan struct{}), make(chan struct{})
			b.store.gate = func() { close(writing); <-release }
			done := make(chan error)
			go func() {
				_, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{
					QueueUrl: url("q.fifo"), MessageBody: aws.String("a1"), MessageGroupId: aws.String("a")})
				done <- err
			}()
			<-writing
			b.sendFIFO("q.fifo", "a", "", "a2")
			b.sendFIFO("q.fifo", "b", "", "b1")
			b.want("q.fifo", "b1")
			b.store.fail(outcome)
			close(release)
			if err := <-done; outcome == none {
				b.must(err)
				b.want("q.fifo", "a1", "a2")
			} else {
				b.wantCode(err, "InternalFailure")
				b.want("q.fifo", "a2")
			}
		})
	}
}

func TestARepeatedSendWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]fault{"that succeeds": none, "that fails": lost} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q.fifo", nil)
			writing, release := make(chan struct{}), make(chan struct{})
			b.store.gate = func() { close(writing); <-release }
			b.store.fail(outcome)
			send := func(done chan<- error) {
				_, err := b.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url("q.fifo"), MessageBody: aws.String("x"),
					MessageGroupId: aws.String("a"), MessageDeduplicationId: aws.String("1")})
				done <- err
			}
			first, second := make(chan error, 1), make(chan error, 1)
			go send(first)
			<-writing
			b.want("q.fifo")
			go send(second)
			close(release)
			if err := <-first; (err != nil) != (outcome == lost) {
				t.Fatal(err)
			}
			b.must(<-second)
			b.want("q.fifo", "x")
		})
	}
}

func TestAFIFOGroupGoesOnPastADeadLetter(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("dlq.fifo", nil)
	b.create("q.fifo", mergeAttributes(byContent, redrive("dlq.fifo", 1)))
	b.sendFIFO("q.fifo", "a", "", "a1")
	m := b.want("q.fifo", "a1")
	b.must(b.change("q.fifo", m[0], 0))
	b.sendFIFO("q.fifo", "a", "", "a2")
	b.advance(time.Second)
	b.want("q.fifo", "a2")
	b.restart()
	dead := b.want("dlq.fifo", "a1")[0]
	// A FIFO queue's dead letter starts its retention afresh.
	if at := dead.Attributes["SentTimestamp"]; at != "1795521601000" {
		t.Errorf("sent at %s", at)
	}
	if dead.Attributes["MessageGroupId"] != "a" || dead.Attributes["DeadLetterQueueSourceArn"] != arn("q.fifo") ||
		*dead.MessageId != *m[0].MessageId {
		t.Fatalf("got %+v", dead)
	}
}

// TestAFIFOQueuesDelayIsRetroactive: see "Amazon SQS delay queues".
func TestAFIFOQueuesDelayIsRetroactive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		delay   string
		restart bool
		after   time.Duration // the change, which comes 4 s after a1, a2 and a3
	}{
		"shorter":                      {"6", false, 2 * time.Second},
		"shorter, and a restart":       {"6", true, 2 * time.Second},
		"none":                         {"0", false, 0},
		"none, and a restart":          {"0", true, 0},
		"longer":                       {"900", false, 896 * time.Second},
		"longer, and a restart":        {"900", true, 896 * time.Second},
		"the same as before":           {"10", false, 6 * time.Second},
		"over before, and not shorter": {"3", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q.fifo", mergeAttributes(byContent, attributes{"DelaySeconds": "10"}))
			b.sendFIFO("q.fifo", "a", "", "a1")
			b.sendFIFO("q.fifo", "a", "", "a2")
			b.sendFIFO("q.fifo", "a", "", "a3")
			b.advance(4 * time.Second)
			_, err := b.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
				QueueUrl: url("q.fifo"), Attributes: attributes{"DelaySeconds": c.delay}})
			b.must(err)
			if c.restart {
				b.restart()
			}
			if c.after > 0 {
				b.advance(c.after - time.Millisecond)
				b.want("q.fifo")
				b.advance(time.Millisecond)
			}
			b.want("q.fifo", "a1", "a2", "a3")
		})
	}
}

func TestAHandleOfAFIFOQueueExpires(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q.fifo", byContent)
	b.sendFIFO("q.fifo", "a", "", "x")
	m := b.want("q.fifo", "x")[0]
	b.advance(30 * time.Second)
	_, err := b.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url("q.fifo"), ReceiptHandle: m.ReceiptHandle})
	b.wantCode(err, "InvalidParameterValue")
	b.want("q.fifo", "x")
}

func TestADeepGroupDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	for range 30 {
		b.sendFIFO("q", "noisy", "", "noisy")
	}
	b.sendFIFO("q", "quiet", "", "quiet")
	if bodies := bodiesOf(b.receive("q")); !slices.Contains(bodies, "quiet") {
		t.Fatalf("received %q", bodies)
	}
}
