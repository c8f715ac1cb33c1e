package batch

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
)

// counter is a queue and a store of attempts that note each request, and when it
// came.
type counter struct {
	begun time.Time
	log   []string
	takes time.Duration // each request
	fails int           // so many requests, at first
}

func (c *counter) request(format string, args ...any) error {
	c.log = append(c.log, fmt.Sprintf("%v: ", time.Since(c.begun))+fmt.Sprintf(format, args...))
	time.Sleep(c.takes)
	if c.fails--; c.fails >= 0 {
		return errDesk
	}
	return nil
}

func (c *counter) ChangeVisibility(_ context.Context, hides []message.Hide) error {
	var all []string
	for _, h := range hides {
		all = append(all, h.ReceiptHandle+" "+h.For.String())
	}
	return c.request("%v", all)
}

func (c *counter) Put(_ context.Context, records []attempt.Record) error {
	var all []string
	for _, r := range records {
		all = append(all, r.MessageID)
	}
	return c.request("%v", all)
}

func (c *counter) OfMessage(context.Context, string, string) ([]attempt.Record, error) {
	return nil, nil
}
func (c *counter) OfWebhook(context.Context, string) ([]attempt.Record, error) { return nil, nil }

// gatherer is a batch, of which only what gathers is used: its goroutines are none
// of the crew's, which outlive a test's bubble.
func gatherer(t *testing.T) (*batch, *counter) {
	c := &counter{begun: time.Now()}
	b := &batch{Needs: newDesk().needs(), times: times{t.Context(), t.Context()}}
	b.Queue, b.Attempts = c, c
	return b, c
}

func hiddenFor(b *batch, receipts int, d time.Duration) (all []hidden) {
	for n := range receipts {
		all = append(all, hidden{fmt.Sprint("r", n), b.Now().Add(d)})
	}
	return all
}

// expect compares what was asked, and when.
func (c *counter) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, c.log); diff != "" {
		t.Errorf("what was asked (-want +got):\n%s", diff)
	}
}

// TestFewAreHiddenTogether: changes of visibility wait a moment for others, and for
// no longer.
func TestFewAreHiddenTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, c := gatherer(t)
		b.visibilities.hide(b, []hidden{{"a", b.Now().Add(3 * time.Second)}})
		time.Sleep(15 * time.Millisecond)
		b.visibilities.hide(b, []hidden{{"b", time.Time{}}})
		time.Sleep(10 * time.Millisecond)
		b.visibilities.hide(b, []hidden{{"c", b.Now().Add(time.Second)}})
		time.Sleep(time.Second)
		b.visibilities.finish(b)
		c.expect(t, "20ms: [a 3s b 0s]", "45ms: [c 1s]")
	})
}

// TestTenAreHiddenAtOnce: a request that is full does not wait.
func TestTenAreHiddenAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, c := gatherer(t)
		all := hiddenFor(b, 11, time.Minute)
		for _, h := range all {
			b.visibilities.hide(b, []hidden{h})
		}
		c.expect(t, "0s: [r0 1m0s r1 1m0s r2 1m0s r3 1m0s r4 1m0s r5 1m0s r6 1m0s r7 1m0s r8 1m0s r9 1m0s]")
		b.visibilities.finish(b)
		c.expect(t, c.log[0], "0s: [r10 1m0s]")
	})
}

// TestHiddenForWholeSeconds: a message is hidden until it is due, as seen from the
// request, in whole seconds, and never for less.
func TestHiddenForWholeSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, c := gatherer(t)
		now := b.Now()
		b.visibilities.hide(b, []hidden{
			{"20ms", now.Add(20 * time.Millisecond)}, {"1s", now.Add(time.Second)}, {"1.02s", now.Add(1020 * time.Millisecond)},
			{"1.021s", now.Add(1021 * time.Millisecond)}, {"past", now.Add(-time.Hour)}, {"11h", now.Add(11 * time.Hour)},
		})
		time.Sleep(time.Second)
		c.expect(t, "20ms: [20ms 0s 1s 1s 1.02s 1s 1.021s 2s past 0s 11h 11h0m0s]")
	})
}

// TestFinishHidesTheRest: nothing that gathers is left when the batch is over, nor
// anything under way; what the queue has refused is not asked for again.
func TestFinishHidesTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, c := gatherer(t)
		c.takes, c.fails = 50*time.Millisecond, 1
		b.visibilities.hide(b, []hidden{{"a", time.Time{}}})
		time.Sleep(30 * time.Millisecond) // a's request is under way
		b.visibilities.hide(b, []hidden{{"b", time.Time{}}})
		b.visibilities.finish(b)
		c.expect(t, "20ms: [a 0s]", "70ms: [b 0s]")
		if took := time.Since(c.begun); took != 120*time.Millisecond {
			t.Errorf("it was over after %v", took)
		}
	})
}

// sentItem is a message that was just sent.
func sentItem(b *batch, id string) *Item {
	return &Item{batch: b, State: Done, sent: attempt.Record{MessageID: id}}
}

// TestSuccessesAreRecordedSoon: many at a time, and within half a second.
func TestSuccessesAreRecordedSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, c := gatherer(t)
		var items []*Item
		for _, id := range []string{"a", "b", "c"} {
			items = append(items, sentItem(b, id))
			b.successes.add(b, items[len(items)-1])
			time.Sleep(200 * time.Millisecond)
		}
		items = append(items, sentItem(b, "d")) // the batch goes on, by its slowest endpoint
		b.successes.add(b, items[3])
		time.Sleep(5 * time.Second)
		c.expect(t, "500ms: [a b c]", "1.1s: [d]")
		if n := slices.IndexFunc(items, func(i *Item) bool { return !i.recorded }); n >= 0 {
			t.Errorf("%s does not count as recorded", items[n].sent.MessageID)
		}
		b.successes.finish(b)
		c.expect(t, c.log[:2]...)
	})
}

// TestFinishRecordsTheRest: what could not be recorded is tried once more, with the
// rest; then the messages are done with all the same.
func TestFinishRecordsTheRest(t *testing.T) {
	t.Parallel()
	for fails, want := range [][]string{
		{"500ms: [a]", "510ms: [b]"}, {"500ms: [a]", "510ms: [b a]"}, {"500ms: [a]", "510ms: [b a]"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b, c := gatherer(t)
			c.takes, c.fails = 10*time.Millisecond, fails
			a, later := sentItem(b, "a"), sentItem(b, "b")
			b.successes.add(b, a)
			time.Sleep(505 * time.Millisecond) // a's record is under way
			b.successes.add(b, later)
			b.successes.finish(b)
			c.expect(t, want...)
			if a.recorded != (fails < 2) || later.recorded != (fails < 2) || a.State != Done || later.State != Done {
				t.Errorf("%d fail: a is recorded: %t, b is: %t", fails, a.recorded, later.recorded)
			}
			time.Sleep(time.Minute)
			c.expect(t, want...)
		})
	}
}
