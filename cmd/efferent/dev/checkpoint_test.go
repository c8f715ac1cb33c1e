package dev

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/ledger"
)

// TestSignByTheClock: at once, and every five minutes.
func TestSignByTheClock(t *testing.T) {
	t.Parallel()
	l := openData(t, ":memory:", nil)
	defer l.Close()
	kept := ledger.Kept{Objects: l.signer.Needs.Tiles.(LedgerStore)}
	grow := func(n int64) {
		t.Helper()
		head, err := l.signer.Ledger.Head(t.Context(), "lane-0")
		if err != nil {
			t.Fatal(err)
		}
		store := l.signer.Needs.Tiles.(LedgerStore)
		staged, err := ledger.Stage(&head.Edge, [][]byte{fmt.Append(nil, n)})
		if err != nil {
			t.Fatal(err)
		}
		head.Version++
		if err := store.Stage(t.Context(), "lane-0", staged[0]); err != nil {
			t.Fatal(err)
		}
		if err := store.Move(t.Context(), "lane-0", head); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	clock := clockwork.NewFakeClock()
	grow(1)
	go signByTheClock(ctx, l.signer, clock)
	for n := range int64(3) {
		for {
			all, err := kept.All(t.Context(), "lane-0")
			if err != nil {
				t.Fatal(err)
			}
			if int64(len(all)) == n+1 {
				break
			}
			select {
			case <-time.After(time.Millisecond):
			case <-t.Context().Done():
				t.Fatal(t.Context().Err())
			}
		}
		grow(n + 2)
		clock.Advance(signEvery)
	}
}
