package audit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
)

func TestNewRefusesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := New(Needs{})
	for _, need := range []string{"Heads", "Staging", "Objects", "Queue", "Log"} {
		if err == nil || !strings.Contains(err.Error(), need) {
			t.Errorf("got %v, want it to name %s", err, need)
		}
	}
}

// fill sends messages of 1 to 40 entries to a lane, and returns the entries.
func fill(t *testing.T, s *stores, lane string, random *rand.Rand, total int) (want []string) {
	t.Helper()
	for len(want) < total {
		var some []ledger.Entry
		for range 1 + random.IntN(40) {
			e := entry(len(want))
			e.Resource = lane
			some = append(some, e)
			want = append(want, text(t, e))
		}
		s.queue.send(t, lane, some...)
	}
	return want
}

func TestLanes(t *testing.T) {
	t.Parallel()
	s, random := newStores(), rand.New(rand.NewPCG(1, 2))
	want := map[string][]string{}
	for i := range 12 {
		lane := fmt.Sprintf("lane-%d", i%3)
		e := entry(i)
		s.queue.send(t, lane, e)
		want[lane] = append(want[lane], text(t, e))
	}
	for _, lane := range []string{"lane-0", "lane-1"} {
		more := fill(t, s, lane, random, 700)
		want[lane] = append(want[lane], more...)
	}
	h, counted := s.handler(t), &appended{}
	h.Metrics = counted
	s.drain(t, h, ten)
	all := 0
	for lane, entries := range want {
		s.wantLog(t, lane, true, entries)
		all += len(entries)
	}
	if got := int(counted.entries.Load()); got != all {
		t.Errorf("%d entries are counted, want %d", got, all)
	}
}

// appended counts what is said to be.
type appended struct{ entries atomic.Int64 }

func (a *appended) Record(events []metric.Event) {
	for _, e := range events {
		if e.Name == metric.LedgerEntries {
			a.entries.Add(int64(e.Value))
		}
	}
}

// TestEveryFault makes every single store call fail, before its effect and
// after it, alone and as the end of the process, and then goes on with batches
// of other sizes.
func TestEveryFault(t *testing.T) {
	t.Parallel()
	const total = 600
	run := func(t *testing.T, f fault) (calls int) {
		s, random := newStores(), rand.New(rand.NewPCG(uint64(f.at), 7))
		want := fill(t, s, "lane-0", rand.New(rand.NewPCG(3, 4)), total)
		s.fault = f
		h := s.handler(t)
		for !s.died() && s.step(t, h, 10) {
		}
		calls = s.calls
		s.fault = fault{}
		s.drain(t, s.handler(t), func() int { return 1 + random.IntN(10) })
		s.wantRepaired(t, want)
		return calls
	}
	calls := run(t, fault{})
	if calls < 20 {
		t.Fatalf("%d calls are too few to show anything", calls)
	}
	for _, f := range []fault{{}, {effect: true}, {death: true}, {effect: true, death: true}} {
		t.Run(fmt.Sprintf("%+v", f), func(t *testing.T) {
			t.Parallel()
			for f.at = 1; f.at <= calls && !t.Failed(); f.at++ {
				run(t, f)
				if t.Failed() {
					t.Logf("at call %d", f.at)
				}
			}
		})
	}
}

// wantRepaired shows that the next bundle leaves nothing behind of what went
// wrong before it.
func (s *stores) wantRepaired(t *testing.T, want []string) {
	t.Helper()
	s.wantLog(t, "lane-0", false, want)
	for range ledger.TileWidth {
		e := entry(len(want))
		s.queue.send(t, "lane-0", e)
		want = append(want, text(t, e))
	}
	s.drain(t, s.handler(t), ten)
	s.wantLog(t, "lane-0", true, want)
}

// TestWritersAtOnce lets many handlers have the same messages, in batches that
// differ, as after visibility timeouts that were too short.
func TestWritersAtOnce(t *testing.T) {
	t.Parallel()
	for _, writers := range []int{2, 8} {
		t.Run(fmt.Sprint(writers), func(t *testing.T) {
			t.Parallel()
			s := newStores()
			want := fill(t, s, "lane-0", rand.New(rand.NewPCG(5, 6)), 1200)
			var all sync.WaitGroup
			for i := range writers {
				random := rand.New(rand.NewPCG(8, uint64(i)))
				h := s.handler(t)
				all.Go(func() {
					for s.step(t, h, 1+random.IntN(10)) {
					}
				})
			}
			all.Wait()
			s.wantLog(t, "lane-0", false, want)
			s.wantRepaired(t, want)
		})
	}
}

// TestQueueMadeAgain: the new queue's numbers start anew, and below the old
// one's. What was still in hand of the old one counts in the old one.
func TestQueueMadeAgain(t *testing.T) {
	t.Parallel()
	s := newStores()
	h := s.handler(t)
	want := fill(t, s, "lane-0", rand.New(rand.NewPCG(5, 6)), 300)
	late := entry(len(want))
	s.queue.send(t, "lane-0", late)
	want = append(want, text(t, late))
	former := s.queue.receive(len(s.queue.messages))
	handle := func(batch []events.SQSMessage) {
		t.Helper()
		response, err := h.Handle(t.Context(), events.SQSEvent{Records: batch})
		if err != nil || len(response.BatchItemFailures) > 0 {
			t.Errorf("got %+v, %v", response, err)
		}
	}
	handle(former[:len(former)-1])

	s.queue.messages, s.queue.next, s.queue.created = nil, 0, s.queue.created+61
	handle(former[len(former)-2:]) // one is in, one is not
	s.wantLog(t, "lane-0", false, want)
	fresh := entry(len(want))
	s.queue.send(t, "lane-0", fresh)
	want = append(want, text(t, fresh))
	for range 2 {
		handle(s.queue.receive(1)) // its delete is lost
	}
	s.wantLog(t, "lane-0", false, want)
}

func failed(response events.SQSEventResponse) (ids []string) {
	for _, f := range response.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	slices.Sort(ids)
	return ids
}

func TestPartialFailures(t *testing.T) {
	t.Parallel()
	const good = `{"v":1,"entries":[{"action":"a","id":"x","timestamp":"t"}]}`
	for _, c := range []struct {
		name   string
		bodies []string // of lane-0; lane-1 has one good message
		lane   string
		failed []string
		hidden map[string]time.Duration
		size   int64
		last   string // the SequenceNumber up to which all is in
	}{
		{name: "all good", bodies: []string{good, good}, size: 2, last: "00000000000000001512"},
		{name: "one that never can be is drained, and holds up nobody", bodies: []string{good, `{`, good, `[]`},
			failed: []string{"m2", "m4"}, hidden: map[string]time.Duration{"m2": 0, "m4": 0}, size: 2, last: "00000000000000001768"},
		{name: "one of another version holds up its lane", bodies: []string{good, `{"v":2,"entries":[]}`, good, `{`},
			failed: []string{"m2", "m3", "m4"}, hidden: map[string]time.Duration{"m2": time.Minute, "m3": time.Minute, "m4": 0}, size: 1,
			last: "00000000000000001256"},
		{name: "no lane", lane: "../x", bodies: []string{good}, failed: []string{"m1"}, hidden: map[string]time.Duration{"m1": 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStores()
			lane := c.lane
			if lane == "" {
				lane = "lane-0"
			}
			for _, b := range c.bodies {
				s.queue.sendBody(lane, b)
			}
			s.queue.sendBody("lane-1", good)
			response, err := s.handler(t).Handle(t.Context(), events.SQSEvent{Records: s.queue.receive(10)})
			if err != nil || response.BatchItemFailures == nil || !slices.Equal(failed(response), c.failed) {
				t.Errorf("got %+v, %v; want %v", response, err, c.failed)
			}
			for id, want := range c.hidden {
				if got, ok := s.queue.hidden[id]; !ok || got != want {
					t.Errorf("%s is hidden for %v (%v), want %v", id, got, ok, want)
				}
			}
			if h, err := s.Head(t.Context(), lane); err != nil || h.Sequence != c.last {
				t.Errorf("the head is at %q, %v; want %q", h.Sequence, err, c.last)
			}
			for lane, size := range map[string]int64{lane: c.size, "lane-1": 1} {
				if h, err := s.Head(t.Context(), lane); err != nil || h.Size != size {
					t.Errorf("%s has %d entries, %v; want %d", lane, h.Size, err, size)
				}
			}
		})
	}
}

// TestOwnTrouble: what can't be kept waits, longer each time.
func TestOwnTrouble(t *testing.T) {
	t.Parallel()
	for receives, want := range map[string]time.Duration{
		"1": time.Minute, "2": 15 * time.Minute, "5": 11 * time.Hour, "99": 11 * time.Hour, "": time.Minute} {
		s := newStores()
		s.queue.send(t, "lane-0", entry(0))
		s.queue.messages[0].Attributes["ApproximateReceiveCount"] = receives
		s.fault = fault{at: 2} // the head
		response, err := s.handler(t).Handle(t.Context(), events.SQSEvent{Records: s.queue.receive(10)})
		if err != nil || len(response.BatchItemFailures) != 1 || s.queue.hidden["m1"] != want {
			t.Errorf("receive %q: got %+v, %v, hidden for %v; want %v", receives, response, err, s.queue.hidden["m1"], want)
		}
	}
}

// TestTilesAbove appends more than 256 tiles, so that one of level 1 is full.
func TestTilesAbove(t *testing.T) {
	t.Parallel()
	s := newStores()
	h := s.handler(t)
	var want []string
	var frontier ledger.Frontier
	var above []ledger.Tile
	for len(want) < 66_000 {
		var some []ledger.Entry
		for range 600 {
			e := entry(len(want))
			want = append(want, text(t, e))
			for _, full := range frontier.Append(ledger.LeafHash([]byte(want[len(want)-1]))) {
				if full.Level > 0 {
					above = append(above, full)
				}
			}
			some = append(some, e)
		}
		s.queue.send(t, "lane-0", some...)
		s.drain(t, h, ten)
	}
	s.wantLog(t, "lane-0", true, want)
	if len(above) != 1 {
		t.Fatalf("%d tiles above level 0 are full", len(above))
	}
	b, err := s.objects.Get(t.Context(), "lane-0/tile/1/000")
	if err != nil || !slices.Equal(b, above[0].Bytes()) {
		t.Errorf("it is not the tile of level 1, %v", err)
	}
}

// stuck is a table that does not answer.
type stuck struct{ *stores }

func (stuck) Head(ctx context.Context, _ string) (ledger.Head, error) {
	<-ctx.Done()
	return ledger.Head{}, ctx.Err()
}

func (s stuck) ChangeVisibility(ctx context.Context, hides []message.Hide) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.stores.ChangeVisibility(ctx, hides)
}

// TestDeadline: an invocation whose time ends says when its messages come back.
func TestDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStores()
		s.queue.send(t, "lane-0", entry(0))
		h := s.handler(t)
		h.Heads, h.Queue = stuck{s}, stuck{s}
		ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
		defer stop()
		response, err := h.Handle(ctx, events.SQSEvent{Records: s.queue.receive(10)})
		if err != nil || len(response.BatchItemFailures) != 1 || s.queue.hidden["m1"] != time.Minute {
			t.Errorf("got %+v, %v, hidden for %v", response, err, s.queue.hidden)
		}
	})
}
