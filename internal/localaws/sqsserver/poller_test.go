package sqsserver_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// TestWhoHoldsAMessageAfterAKill: a killed process's own receives are void,
// other clients' are not, and a retry that was scheduled keeps its time.
func TestWhoHoldsAMessageAfterAKill(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hold    func(b *bundle)
		visible time.Duration // after the restart
		count   string
	}{
		"our poller": {func(b *bundle) { b.receiveBy(b.Poller(), "q", 10) }, 0, "2"},
		"a client":   {func(b *bundle) { b.receive("q") }, 30 * time.Second, "2"},
		"our poller, which scheduled a retry": {func(b *bundle) {
			b.must(b.change("q", b.receiveBy(b.Poller(), "q", 10)[0], 4))
		}, 4 * time.Second, "2"},
		"a client, after our poller": {func(b *bundle) {
			b.must(b.change("q", b.receiveBy(b.Poller(), "q", 10)[0], 0))
			b.receive("q")
		}, 30 * time.Second, "3"},
		"our poller, which gave it back": {func(b *bundle) {
			m := b.receiveBy(b.Poller(), "q", 10)[0]
			b.store.fail(lost) // that is not written
			b.must(b.change("q", m, 0))
			b.wantCounts("q", 1, 0, 0)
			b.store.fail(none)
		}, 0, "2"},
		"our poller, which gave it back twice": {func(b *bundle) {
			for range 2 {
				b.must(b.change("q", b.receiveBy(b.Poller(), "q", 10)[0], 0))
			}
		}, 0, "3"},
		"our poller, which released it": {func(b *bundle) {
			b.receiveBy(b.Poller(), "q", 10)
			b.must(b.Poller().Release(b.t.Context()))
			b.wantCounts("q", 1, 0, 0)
		}, 0, "2"},
		"a client, past a release": {func(b *bundle) {
			b.receive("q")
			b.must(b.Poller().Release(b.t.Context()))
			b.wantCounts("q", 0, 1, 0)
		}, 30 * time.Second, "2"},
		"our poller, whose release failed": {func(b *bundle) {
			b.receiveBy(b.Poller(), "q", 10)
			b.store.fail(lost)
			if b.Poller().Release(b.t.Context()) == nil {
				b.t.Fatal("no error")
			}
		}, 0, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q", attributes{"VisibilityTimeout": "30"})
			b.send("q", "a")
			c.hold(b)
			b.restart()
			if c.visible > 0 {
				b.advance(c.visible - time.Millisecond)
				b.want("q")
				b.advance(time.Millisecond)
			}
			if m := b.want("q", "a")[0]; m.Attributes["ApproximateReceiveCount"] != c.count {
				t.Fatalf("received %s times", m.Attributes["ApproximateReceiveCount"])
			}
		})
	}
}

func TestAHandleOutlivesARestart(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.send("q", "a", "b")
	m := b.want("q", "a", "b")
	b.restart()
	b.must(b.change("q", m[1], 0))
	b.delete("q", m[0])
	b.want("q", "b")
}

func TestAPollerMayAskForMore(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	for range 25 {
		b.send("q", "x")
	}
	for name, c := range map[string]struct {
		r    receiver
		max  int32
		want int // 0: refused
	}{
		"a client":               {b, 11, 0},
		"a client, negative":     {b, -1, 0},
		"a poller":               {b.Poller(), 20, 20},
		"a poller, ten thousand": {b.Poller(), 10_000, 25},
		"a poller, more":         {b.Poller(), 10_001, 0},
	} {
		out, err := c.r.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url("q"), MaxNumberOfMessages: c.max})
		if c.want == 0 {
			b.wantCode(err, "InvalidParameterValue")
			continue
		}
		b.must(err)
		if len(out.Messages) != c.want {
			t.Errorf("%s received %d", name, len(out.Messages))
		}
		b.give(out.Messages)
	}
}

// give makes messages of q visible again.
func (b *bundle) give(messages []types.Message) {
	b.t.Helper()
	for _, m := range messages {
		b.must(b.change("q", m, 0))
	}
}
