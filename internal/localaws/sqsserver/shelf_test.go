package sqsserver_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// newDeep is a bundle whose queues keep no more than three messages in memory.
func newDeep(t *testing.T) *bundle {
	t.Helper()
	b := newBundle(t)
	b.near = 3
	b.restart()
	return b
}

func (b *bundle) sendMany(queue, group string, from, to int) (bodies []string) {
	b.t.Helper()
	for i := from; i < to; i++ {
		body := fmt.Sprint(group, i)
		in := &sqs.SendMessageInput{QueueUrl: url(queue), MessageBody: &body}
		if group != "" {
			in.MessageGroupId = &group
		}
		_, err := b.SendMessage(b.t.Context(), in)
		b.must(err)
		bodies = append(bodies, body)
	}
	return bodies
}

// drain receives until nothing comes, and deletes what it got.
func (b *bundle) drain(queue string) (bodies []string) {
	b.t.Helper()
	for {
		got := b.receive(queue)
		if len(got) == 0 {
			return bodies
		}
		bodies = append(bodies, bodiesOf(got)...)
		b.delete(queue, got...)
	}
}

func TestADeepQueueIsAsAnyOther(t *testing.T) {
	t.Parallel()
	const n = 600
	for name, c := range map[string]struct {
		between func(b *bundle)
		want    int // of the n messages
	}{
		"at once":         {func(*bundle) {}, n},
		"after a restart": {func(b *bundle) { b.restart() }, n},
		"its store failed meanwhile": {func(b *bundle) {
			b.want("q", "0", "1", "2")
			b.store.unreadable = true
			_, err := b.ReceiveMessage(b.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url("q"), MaxNumberOfMessages: 10})
			b.wantCode(err, "InternalFailure")
			b.store.unreadable = false
			b.advance(time.Minute)
		}, n},
		"purged":               {func(b *bundle) { b.must(b.purge("q")) }, 0},
		"purged and restarted": {func(b *bundle) { b.must(b.purge("q")); b.restart() }, 0},
		"a purge that failed": {func(b *bundle) {
			for _, f := range []fault{lost, persisted} {
				b.store.fail(f)
				b.wantCode(b.purge("q"), "InternalFailure")
			}
			b.must(b.purge("q"))
		}, 0},
		"past its retention":                   {func(b *bundle) { b.advance(4*24*time.Hour + 1) }, 0},
		"past its retention since the restart": {func(b *bundle) { b.advance(4*24*time.Hour + 1); b.restart() }, 0},
		"moved to a dead-letter queue and back": {func(b *bundle) {
			for range 3 {
				for len(b.receive("q")) > 0 {
				}
				b.advance(time.Minute)
			}
			b.wantCounts("dlq", n, 0, 0)
			b.move("dlq")
		}, n},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newDeep(t)
			b.inFlight = 2 * n
			b.restart()
			b.create("dlq", nil)
			b.create("q", redrive("dlq", 2))
			sent := b.sendMany("q", "", 0, n)
			b.wantCounts("q", n, 0, 0)
			c.between(b)
			b.wantCounts("q", c.want, 0, 0)
			got := b.drain("q")
			if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(sent[:c.want]))) {
				t.Fatalf("%d of %d came", len(got), c.want)
			}
			b.must(b.Sweep(t.Context()))
			if rows := b.store.rows(); rows != 0 {
				t.Errorf("%d rows stay", rows)
			}
		})
	}
}

func TestADeepQueueKeepsItsOrder(t *testing.T) {
	t.Parallel()
	b := newDeep(t)
	b.create("q", nil)
	sent := b.sendMany("q", "", 0, 20)
	first := b.want("q", sent[:3]...)
	got := bodiesOf(first)
	b.delete("q", first...)
	sent = append(sent, b.sendMany("q", "", 20, 22)...) // which are in memory
	got = append(got, bodiesOf(b.receive("q"))...)
	sent = append(sent, b.sendMany("q", "", 22, 30)...)
	b.restart() // what was received stays hidden
	for len(got) < len(sent) {
		more := bodiesOf(b.receive("q"))
		if len(more) == 0 {
			break
		}
		got = append(got, more...)
	}
	if !slices.Equal(got, sent) {
		t.Errorf("got %q, want %q", got, sent)
	}
	b.advance(time.Minute)
	b.wantCounts("q", len(sent)-len(first), 0, 0)
}

// TestADeepGroupHoldsUpNobody: who has little waits for one message of each
// other group, however many of those are on the shelf.
func TestADeepGroupHoldsUpNobody(t *testing.T) {
	t.Parallel()
	b := newDeep(t)
	b.create("q", nil)
	b.sendMany("q", "deep", 0, 100)
	b.sendMany("q", "other", 0, 5)
	for range 2 {
		var got []string
		for len(got) < 4 {
			got = append(got, bodiesOf(b.receiveBy(b, "q", 1))...)
		}
		if n := strings.Count(strings.Join(got, " "), "other"); n == 0 {
			t.Fatalf("nothing of the other group came: %q", got)
		}
		b.restart()
	}
}

// TestWhatWasReceivedBeforeARestart can be deleted by its handle, also when it
// is visible again.
func TestWhatWasReceivedBeforeARestart(t *testing.T) {
	t.Parallel()
	b := newDeep(t)
	b.create("q", nil)
	b.sendMany("q", "", 0, 10)
	got := b.want("q", "0", "1", "2")
	b.advance(time.Minute)
	b.restart()
	b.delete("q", got...)
	b.wantCounts("q", 7, 0, 0)
	if rows := b.store.rows(); rows != 7 {
		t.Errorf("%d rows are left", rows)
	}
}

// TestTheShelvesOfAllGroupsComeNear at once: nobody waits until another group's
// are through.
func TestTheShelvesOfAllGroupsComeNear(t *testing.T) {
	t.Parallel()
	b := newDeep(t)
	b.create("q", nil)
	for i := range 3 {
		b.sendMany("q", fmt.Sprint("group", i, "-"), 0, 300)
	}
	b.restart() // all are on the shelves
	reads := 0
	b.store.read = func() { reads++ }
	for range 3 {
		b.receiveBy(b, "q", 1)
	}
	if reads != 1 {
		t.Errorf("the first of three groups took %d reads, want one", reads)
	}
}

func TestSweepDeletesWhatHasExpired(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"running": false, "after a restart": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q", nil)
			b.create("q.fifo", byContent)
			b.sendMany("q", "", 0, 250)
			b.sendFIFO("q.fifo", "g", "", "a")
			b.sendFIFO("q.fifo", "g", "", "b")
			b.advance(4*24*time.Hour - time.Millisecond)
			b.must(b.Sweep(t.Context()))
			if rows := b.store.rows(); rows != 252 {
				t.Fatalf("%d rows before their time", rows)
			}
			b.advance(time.Millisecond)
			if restart {
				b.restart()
			}
			b.store.fail(lost)
			if err := b.Sweep(t.Context()); err == nil {
				t.Error("no error of a store that failed")
			}
			most := 0
			b.store.next = func(c *sqsserver.Changes) fault { most = max(most, len(c.Deletes)); return none }
			b.must(b.Sweep(t.Context()))
			if rows := b.store.rows(); rows != 0 || most > 100 || len(b.store.dedups) > 0 {
				t.Errorf("%d rows and %v stay; one write deleted %d", rows, slices.Collect(maps.Keys(b.store.dedups)), most)
			}
		})
	}
}

// move moves all of a dead-letter queue back, and waits for the end.
func (b *bundle) move(dlq string) {
	b.t.Helper()
	_, err := b.StartMessageMoveTask(b.t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn(dlq))})
	b.must(err)
	for {
		out, err := b.ListMessageMoveTasks(b.t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(arn(dlq))})
		b.must(err)
		if status := aws.ToString(out.Results[0].Status); status != "RUNNING" {
			if status != "COMPLETED" {
				b.t.Fatalf("the task is %s: %s", status, aws.ToString(out.Results[0].FailureReason))
			}
			return
		}
	}
}
