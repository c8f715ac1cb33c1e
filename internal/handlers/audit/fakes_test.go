package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/objects"
	"github.com/efferent/efferent/internal/storetest"
)

var errDown = errors.New("down")

// fault is what happens at a store call.
type fault struct {
	// at is which call, from 1 on; 0 is none.
	at int
	// effect: the call has its effect, and fails all the same.
	effect bool
	// death: all later calls fail too, until revived.
	death bool
}

// stores are all that the handler calls, with faults.
type stores struct {
	*storetest.MemoryLedger
	objects *objects.Memory
	queue   *fifo

	mu    sync.Mutex
	calls int
	fault fault
}

func newStores() *stores {
	return &stores{MemoryLedger: storetest.NewMemoryLedger(), objects: objects.NewMemory(), queue: &fifo{created: 1_700_000_000}}
}

// call counts a call and makes it, unless a fault says otherwise.
func (s *stores) call(do func() error) error {
	s.mu.Lock()
	s.calls++
	hit := s.calls == s.fault.at
	dead := s.fault.death && s.fault.at > 0 && s.calls > s.fault.at
	s.mu.Unlock()
	if dead || hit && !s.fault.effect {
		return errDown
	}
	err := do()
	if hit {
		err = errDown
	}
	return err
}

func (s *stores) died() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault.death && s.fault.at > 0 && s.calls >= s.fault.at
}

func (s *stores) Head(ctx context.Context, lane string) (h ledger.Head, err error) {
	err = s.call(func() error { h, err = s.MemoryLedger.Head(ctx, lane); return err })
	return h, err
}

func (s *stores) Move(ctx context.Context, lane string, now ledger.Head) error {
	return s.call(func() error { return s.MemoryLedger.Move(ctx, lane, now) })
}

func (s *stores) Stage(ctx context.Context, lane string, one ledger.Staged) error {
	return s.call(func() error { return s.MemoryLedger.Stage(ctx, lane, one) })
}

func (s *stores) Staged(ctx context.Context, lane string) (all []ledger.Staged, err error) {
	err = s.call(func() error { all, err = s.MemoryLedger.Staged(ctx, lane); return err })
	return all, err
}

func (s *stores) Drop(ctx context.Context, lane string, staged []ledger.Staged) error {
	return s.call(func() error { return s.MemoryLedger.Drop(ctx, lane, staged) })
}

func (s *stores) Put(ctx context.Context, path string, b []byte) error {
	return s.call(func() error { return s.objects.Put(ctx, path, b) })
}

func (s *stores) Get(ctx context.Context, path string) (b []byte, err error) {
	err = s.call(func() error { b, err = s.objects.Get(ctx, path); return err })
	return b, err
}

func (s *stores) Created(context.Context) (created int64, err error) {
	err = s.call(func() error { created = s.queue.made(); return nil })
	return created, err
}

func (s *stores) ChangeVisibility(_ context.Context, hides []message.Hide) error {
	return s.call(func() error {
		for _, h := range hides {
			s.queue.hide(h.ReceiptHandle, h.For)
		}
		return nil
	})
}

func (s *stores) handler(t *testing.T) *Handler {
	t.Helper()
	h, err := New(Needs{Heads: s, Staging: s, Objects: s, Queue: s, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const arn = "arn:aws:sqs:us-east-1:000000000000:audit.fifo"

// fifo is audit.fifo, whose visibility timeouts are always over: whoever
// receives gets the first messages that are not deleted.
type fifo struct {
	mu       sync.Mutex
	created  int64
	next     int
	messages []events.SQSMessage
	hidden   map[string]time.Duration
}

func (q *fifo) made() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.created
}

func (q *fifo) hide(receipt string, d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.hidden == nil {
		q.hidden = map[string]time.Duration{}
	}
	q.hidden[receipt] = d
}

func (q *fifo) sendBody(lane, body string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next++
	id := fmt.Sprintf("m%d", q.next)
	q.messages = append(q.messages, events.SQSMessage{
		MessageId: id, ReceiptHandle: id, Body: body, EventSourceARN: arn,
		Attributes: map[string]string{
			"MessageGroupId": lane, "SequenceNumber": fmt.Sprintf("%020d", 1000+256*q.next),
			"SentTimestamp": strconv.FormatInt(q.created*1000+int64(q.next), 10), "ApproximateReceiveCount": "1",
		},
	})
	return id
}

func (q *fifo) send(t *testing.T, lane string, entries ...ledger.Entry) {
	t.Helper()
	bodies, err := ledger.Messages(entries, ledger.MessageLimit)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bodies {
		q.sendBody(lane, string(b))
	}
}

// receive returns up to limit messages, from the first on.
func (q *fifo) receive(limit int) []events.SQSMessage {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.messages[:min(limit, len(q.messages))])
}

// settle deletes what the response does not report.
func (q *fifo) settle(batch []events.SQSMessage, response events.SQSEventResponse) {
	q.mu.Lock()
	defer q.mu.Unlock()
	done := map[string]bool{}
	for i := range batch {
		done[batch[i].MessageId] = true
	}
	for _, f := range response.BatchItemFailures {
		done[f.ItemIdentifier] = false
	}
	q.messages = slices.DeleteFunc(q.messages, func(m events.SQSMessage) bool { return done[m.MessageId] })
}

// step receives and handles one batch; a handler that died deletes nothing.
func (s *stores) step(t *testing.T, h *Handler, limit int) (more bool) {
	t.Helper()
	batch := s.queue.receive(limit)
	if len(batch) == 0 {
		return false
	}
	response, err := h.Handle(t.Context(), events.SQSEvent{Records: batch})
	if err != nil {
		t.Errorf("the handler failed: %v", err)
	}
	if s.fault.at == 0 && len(response.BatchItemFailures) > 0 {
		t.Errorf("without a fault it failed %v", response.BatchItemFailures)
	}
	if !s.died() {
		s.queue.settle(batch, response)
	}
	return true
}

func (s *stores) drain(t *testing.T, h *Handler, limit func() int) {
	t.Helper()
	for range 10_000 {
		if !s.step(t, h, limit()) {
			return
		}
	}
	t.Fatal("the queue does not get empty")
}

func ten() int { return 10 }

// entry is the nth entry of a test.
func entry(n int) ledger.Entry {
	return ledger.Entry{Action: ledger.WebhookAttempt, Actor: "efferent:deliver", Attempt: 1, ID: fmt.Sprintf("id-%d#1", n),
		Timestamp: time.Unix(1_800_000_000, 0)}
}

func text(t *testing.T, e ledger.Entry) string {
	t.Helper()
	b, err := e.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wantLog holds a lane's log against its entries, with a tree of somebody
// else's code; whole: all that can be is published, and nothing else staged.
func (s *stores) wantLog(t *testing.T, lane string, whole bool, want []string) {
	t.Helper()
	head, err := s.MemoryLedger.Head(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	tree := factory.NewEmptyRange(0)
	for i, got := range s.log(t, lane, head) {
		if i < len(want) && got != want[i] {
			t.Fatalf("%s: entry %d is %s, want %s", lane, i, got, want[i])
		}
		if err := tree.Append(rfc6962.DefaultHasher.HashLeaf([]byte(got)), nil); err != nil {
			t.Fatal(err)
		}
	}
	if tree.End() != uint64(len(want)) || head.Size != int64(len(want)) {
		t.Fatalf("%s: it holds %d entries, the head says %d, want %d", lane, tree.End(), head.Size, len(want))
	}
	root, err := tree.GetRootHash(nil)
	if got := head.Root(); err != nil || len(want) > 0 && !slices.Equal(root, got[:]) {
		t.Errorf("%s: the root is %x, want %x, %v", lane, got, root, err)
	}
	staged, err := s.MemoryLedger.Staged(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	if whole && (head.Published != head.Size/256*256 || len(staged) > 0 && staged[0].End <= head.Published) {
		t.Errorf("%s: %d of %d are published, and %d are staged", lane, head.Published, head.Size, len(staged))
	}
}

// log is all entries, from the bundles and from what is staged.
func (s *stores) log(t *testing.T, lane string, head ledger.Head) (all []string) {
	t.Helper()
	for n := range head.Published / 256 {
		b, err := s.objects.Get(t.Context(), lane+"/"+ledger.BundlePath(n, 256))
		if err != nil {
			t.Fatal(err)
		}
		entries, err := ledger.ParseBundle(b)
		if err != nil || len(entries) != 256 {
			t.Fatalf("bundle %d has %d entries, %v", n, len(entries), err)
		}
		tile, err := s.objects.Get(t.Context(), lane+"/"+ledger.TilePath(0, n, 256))
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range entries {
			all = append(all, string(e))
			if !slices.Equal(tile[32*i:32*(i+1)], rfc6962.DefaultHasher.HashLeaf(e)) {
				t.Fatalf("tile %d has another hash of entry %d", n, i)
			}
		}
	}
	staged, err := s.MemoryLedger.Staged(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := ledger.Chain(head, staged)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := ledger.Unpublished(chain, head.Published)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range rest {
		all = append(all, string(e))
	}
	return all
}
