package ledger_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/ledger"
)

// reading counts what is read.
type reading struct {
	*world
	gets atomic.Int64
}

func (r *reading) Get(ctx context.Context, path string) ([]byte, error) {
	r.gets.Add(1)
	return r.world.Get(ctx, path)
}

// TestFind finds each webhook's entries by their times, reads few bundles for
// it, and proves what it found.
func TestFind(t *testing.T) {
	t.Parallel()
	w := newWorld()
	const webhooks = 20_000 // two entries each, ten minutes apart from the next
	when := func(i int) time.Time { return at.Add(time.Duration(i) * 10 * time.Minute) }
	for i := 0; i < webhooks; i += 50 {
		var some [][]byte
		for k := i; k < i+50; k++ {
			for n, action := range []string{ledger.WebhookAttempt, ledger.WebhookDelivered} {
				// Out of order by up to 40 minutes.
				b, err := ledger.Entry{Action: action, ID: fmt.Sprintf("m%d#1", k), WebhookID: fmt.Sprintf("evt_%d", k),
					Timestamp: when(k).Add(time.Duration(k%5-n) * 10 * time.Minute)}.AppendJSON(nil)
				must(t, err)
				some = append(some, b)
			}
		}
		w.append(t, some...)
	}
	c := w.sign(t)
	signed, err := w.kept().Newest(t.Context(), lane)
	must(t, err)
	verifier, err := public(w.key).Lane(lane)
	must(t, err)
	r := &reading{world: w}
	log, err := ledger.OpenLog(t.Context(), r, lane)
	must(t, err)
	for _, i := range []int{0, 1, 127, 128, 2500, 19_967, 19_968, webhooks - 1} {
		r.gets.Store(0)
		found, err := log.Find(t.Context(), when(i), when(i), func(l ledger.Line) bool { return l.WebhookID == fmt.Sprintf("evt_%d", i) })
		if err != nil || len(found) != 2 || found[0].Line.Action != ledger.WebhookAttempt || found[0].Index != int64(2*i) {
			t.Fatalf("webhook %d: got %+v, %v", i, found, err)
		}
		if n := r.gets.Load(); n > 64 { // of 156, some of them ahead
			t.Errorf("webhook %d: %d objects were read", i, n)
		}
		for _, f := range found {
			p, err := log.Prove(t.Context(), f, c, signed)
			must(t, err)
			read, err := ledger.ParseProof(p.Marshal())
			must(t, err)
			if _, err := read.Verify(verifier); err != nil {
				t.Error(err)
			}
		}
	}
	found, err := log.Find(t.Context(), when(9), when(9), func(l ledger.Line) bool { return l.WebhookID == "none" })
	if err != nil || len(found) > 0 {
		t.Errorf("got %v, %v of none", found, err)
	}
}
