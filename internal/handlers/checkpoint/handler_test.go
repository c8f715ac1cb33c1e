package checkpoint

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	formatslog "github.com/transparency-dev/formats/log"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/objects"
	"github.com/efferent/efferent/internal/storetest"
)

const origin = "ledger.test/stack"

type key struct{ ed25519.PrivateKey }

func (k key) Public(context.Context) (ed25519.PublicKey, error) {
	return k.PrivateKey.Public().(ed25519.PublicKey), nil
}

func (k key) Sign(_ context.Context, message []byte) ([]byte, error) {
	return ed25519.Sign(k.PrivateKey, message), nil
}

var errDown = errors.New("down")

// world is a ledger, its checkpoints and its signer, with a fault.
type world struct {
	*storetest.MemoryLedger
	tiles *objects.Memory
	kept  *objects.Memory
	calls int
	// fault is the call that fails, from 1 on; effect: after it had its effect.
	fault  int
	effect bool
	signed int
	// months have a key; it is now.
	months []string
	now    time.Time
}

func newWorld() *world {
	return &world{MemoryLedger: storetest.NewMemoryLedger(), tiles: objects.NewMemory(), kept: objects.NewMemory(),
		now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
}

func (w *world) Make(_ context.Context, months ...string) error {
	return w.call(func() error { w.months = append(w.months, months...); return nil })
}

func (w *world) call(do func() error) error {
	w.calls++
	hit := w.calls == w.fault
	if hit && !w.effect {
		return errDown
	}
	err := do()
	if hit {
		err = errDown
	}
	return err
}

func (w *world) Head(ctx context.Context, lane string) (h ledger.Head, err error) {
	err = w.call(func() error { h, err = w.MemoryLedger.Head(ctx, lane); return err })
	return h, err
}

func (w *world) Staged(ctx context.Context, lane string) (all []ledger.Staged, err error) {
	err = w.call(func() error { all, err = w.MemoryLedger.Staged(ctx, lane); return err })
	return all, err
}

func (w *world) Get(ctx context.Context, path string) ([]byte, error) { return w.tiles.Get(ctx, path) }

func (w *world) Put(ctx context.Context, path string, b []byte) error {
	return w.call(func() error { return w.tiles.Put(ctx, path, b) })
}

func (w *world) Replace(ctx context.Context, path string, b []byte) error {
	return w.tiles.Replace(ctx, path, b)
}

func (w *world) Newest(ctx context.Context, lane string) (b []byte, err error) {
	err = w.call(func() error { b, err = ledger.Kept{Objects: w.kept}.Newest(ctx, lane); return err })
	return b, err
}

func (w *world) Keep(ctx context.Context, lane string, size int64, signed []byte) error {
	w.signed++
	return w.call(func() error { return ledger.Kept{Objects: w.kept}.Keep(ctx, lane, size, signed) })
}

func testKey() key { return key{ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))} }

func (w *world) handler(t *testing.T) *Handler {
	t.Helper()
	h, err := New(Needs{Ledger: w, Tiles: w, Kept: w, Key: testKey(), Origin: origin, Lanes: 2, MonthKeys: w,
		Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// grow appends n entries to a lane in one commit, and publishes what is full.
func (w *world) grow(t *testing.T, lane string, n int) {
	t.Helper()
	head, err := w.MemoryLedger.Head(t.Context(), lane)
	must(t, err)
	var entries [][]byte
	for i := range n {
		entries = append(entries, fmt.Appendf(nil, `{"action":"a","id":"%s-%d","timestamp":"t"}`, lane, head.Size+int64(i)))
	}
	staged, err := ledger.Stage(&head.Edge, entries)
	must(t, err)
	for _, s := range staged {
		must(t, w.Stage(t.Context(), lane, s))
	}
	head.Version++
	must(t, w.Move(t.Context(), lane, head))
	all, err := w.MemoryLedger.Staged(t.Context(), lane)
	must(t, err)
	chain, err := ledger.Chain(head, all)
	must(t, err)
	rest, err := ledger.Unpublished(chain, head.Published)
	must(t, err)
	for ; len(rest) >= 256; rest = rest[256:] {
		must(t, w.tiles.Put(t.Context(), lane+"/"+ledger.BundlePath(head.Published/256, 256), ledger.Bundle(rest[:256])))
		tile := ledger.Tile{Index: head.Published / 256}
		for _, e := range rest[:256] {
			tile.Hashes = append(tile.Hashes, ledger.LeafHash(e))
		}
		must(t, w.tiles.Put(t.Context(), lane+"/"+tile.Path(), tile.Bytes()))
		head.Published += 256
	}
	head.Version++
	must(t, w.Move(t.Context(), lane, head))
}

// newest is the newest checkpoint, as somebody else's code reads it.
func (w *world) newest(t *testing.T, lane string) (size int64) {
	t.Helper()
	signed, err := ledger.Kept{Objects: w.kept}.Newest(t.Context(), lane)
	must(t, err)
	if signed == nil {
		return 0
	}
	pub, _ := testKey().Public(t.Context())
	v, err := ledger.NewVerifier(origin+"/"+lane, pub)
	must(t, err)
	c, _, _, err := formatslog.ParseCheckpoint(signed, origin+"/"+lane, v)
	must(t, err)
	head, err := w.MemoryLedger.Head(t.Context(), lane)
	must(t, err)
	if root := head.Root(); int64(c.Size) == head.Size && string(c.Hash) != string(root[:]) {
		t.Errorf("%s: the checkpoint at %d is of another root than the head's", lane, c.Size)
	}
	return int64(c.Size)
}

func TestNewRefusesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := New(Needs{})
	for _, need := range []string{"Ledger", "Tiles", "Kept", "Key", "Origin", "Lanes", "MonthKeys", "Now", "Log"} {
		if err == nil || !strings.Contains(err.Error(), need) {
			t.Errorf("got %v, want it to name %s", err, need)
		}
	}
}

func TestSigns(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.handler(t)
	run := func(signed int, sizes map[string]int64) {
		t.Helper()
		w.signed = 0
		if err := h.Handle(t.Context()); err != nil || w.signed != signed {
			t.Errorf("%v, with %d signed, want %d", err, w.signed, signed)
		}
		for lane, want := range sizes {
			if got := w.newest(t, lane); got != want {
				t.Errorf("%s is signed at %d, want %d", lane, got, want)
			}
		}
	}
	run(0, map[string]int64{"lane-0": 0})
	w.grow(t, "lane-0", 3)
	w.grow(t, "lane-2", 5) // from when there were three lanes
	run(2, map[string]int64{"lane-0": 3, "lane-1": 0, "lane-2": 5})
	run(0, map[string]int64{"lane-0": 3}) // nothing grew
	for _, n := range []int{252, 1, 1, 255, 1, 700, 3000} {
		w.grow(t, "lane-0", n)
		run(1, map[string]int64{"lane-0": w.size(t)})
	}
	newest, err := ledger.Kept{Objects: w.kept}.Newest(t.Context(), "lane-0")
	must(t, err)
	if shown, err := w.tiles.Get(t.Context(), "lane-0/checkpoint"); err != nil || string(shown) != string(newest) {
		t.Errorf("beside its tiles is %q, %v", shown, err)
	}
	// All of it, with its unfinished tiles, is what the verifier finds sound.
	all, err := ledger.Kept{Objects: w.kept}.All(t.Context(), "lane-0")
	must(t, err)
	pub, _ := testKey().Public(t.Context())
	r := ledger.Verifier{Reader: w, Key: ledger.PublicKey{Origin: origin, Key: pub}}.Lane(t.Context(), "lane-0", all)
	if r.Verdict != ledger.Sound || r.Anchored != w.size(t) || len(all) != 8 {
		t.Errorf("got %+v with %d checkpoints", r, len(all))
	}
}

func (w *world) size(t *testing.T) int64 {
	t.Helper()
	head, err := w.MemoryLedger.Head(t.Context(), "lane-0")
	must(t, err)
	return head.Size
}

// TestEveryFault: whatever call fails, the next run signs.
func TestEveryFault(t *testing.T) {
	t.Parallel()
	for _, effect := range []bool{false, true} {
		for at := 1; at < 30; at++ {
			w := newWorld()
			w.grow(t, "lane-0", 300)
			must(t, w.handler(t).Handle(t.Context()))
			w.grow(t, "lane-0", 300)
			w.calls, w.fault, w.effect = 0, at, effect
			if err := w.handler(t).Handle(t.Context()); w.calls < at {
				if err != nil {
					t.Error(err)
				}
				break
			} else if !errors.Is(err, errDown) {
				t.Errorf("call %d: got %v", at, err)
			}
			w.fault = 0
			must(t, w.handler(t).Handle(t.Context()))
			if got := w.newest(t, "lane-0"); got != 600 {
				t.Errorf("call %d: signed at %d", at, got)
			}
		}
	}
}

// TestMakesKeys: the month's key is there before the month is.
func TestMakesKeys(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{
		"2026-11-24T08:00:00Z": "2026-11 2026-12", "2026-12-31T23:59:59Z": "2026-12 2027-01", "2027-01-31T12:00:00Z": "2027-01 2027-02",
		"2026-12-01T00:30:00+01:00": "2026-11 2026-12",
	} {
		w := newWorld()
		var err error
		w.now, err = time.Parse(time.RFC3339, now)
		must(t, err)
		must(t, w.handler(t).Handle(t.Context()))
		if got := strings.Join(w.months, " "); got != want {
			t.Errorf("at %s: keys of %s, want %s", now, got, want)
		}
	}
}

// TestSignsWithoutKeys: what is signed does not wait for them, but it is told.
func TestSignsWithoutKeys(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grow(t, "lane-0", 3)
	w.fault = w.calls + 1
	if err := w.handler(t).Handle(t.Context()); !errors.Is(err, errDown) || len(w.months) > 0 {
		t.Errorf("got %v, keys of %v", err, w.months)
	}
	if got := w.newest(t, "lane-0"); got != 3 {
		t.Errorf("signed at %d", got)
	}
}

// TestRefuses: what is not what was signed before and more is not signed.
func TestRefuses(t *testing.T) {
	t.Parallel()
	build := func(t *testing.T) *world {
		w := newWorld()
		w.grow(t, "lane-0", 300)
		must(t, w.handler(t).Handle(t.Context()))
		w.grow(t, "lane-0", 300)
		return w
	}
	for name, forge := range map[string]func(t *testing.T, w *world){
		"an entry changed that is new": func(t *testing.T, w *world) {
			b, err := w.tiles.Get(t.Context(), "lane-0/"+ledger.BundlePath(1, 256))
			must(t, err)
			b[len(b)-30] ^= 1
			must(t, w.tiles.Replace(t.Context(), "lane-0/"+ledger.BundlePath(1, 256), b))
		},
		"rewritten": func(t *testing.T, w *world) {
			*w.MemoryLedger, *w.tiles = *storetest.NewMemoryLedger(), *objects.NewMemory()
			w.grow(t, "lane-0", 299)
			w.grow(t, "lane-0", 1)
			head, err := w.MemoryLedger.Head(t.Context(), "lane-0")
			must(t, err)
			head.Append(ledger.LeafHash([]byte("forged")))
			head.Version++
			must(t, w.Move(t.Context(), "lane-0", head))
		},
		"rolled back": func(t *testing.T, w *world) {
			*w.MemoryLedger, *w.tiles = *storetest.NewMemoryLedger(), *objects.NewMemory()
			w.grow(t, "lane-0", 299)
		},
		"emptied": func(t *testing.T, w *world) {
			*w.MemoryLedger, *w.tiles = *storetest.NewMemoryLedger(), *objects.NewMemory()
		},
		"forked": func(t *testing.T, w *world) {
			*w.MemoryLedger, *w.tiles = *storetest.NewMemoryLedger(), *objects.NewMemory()
			w.grow(t, "lane-0", 10)
			head, err := w.MemoryLedger.Head(t.Context(), "lane-0")
			must(t, err)
			staged, err := ledger.Stage(&head.Edge, [][]byte{[]byte("forged")})
			must(t, err)
			must(t, w.Stage(t.Context(), "lane-0", staged[0]))
			head.Version++
			must(t, w.Move(t.Context(), "lane-0", head))
			w.grow(t, "lane-0", 589)
		},
		"staged entries gone": func(t *testing.T, w *world) {
			w.grow(t, "lane-0", 1)
			staged, err := w.MemoryLedger.Staged(t.Context(), "lane-0")
			must(t, err)
			must(t, w.Drop(t.Context(), "lane-0", staged[len(staged)-1:]))
		},
		"a checkpoint that is no one's": func(t *testing.T, w *world) {
			must(t, w.kept.Replace(t.Context(), fmt.Sprintf("lane-0/checkpoints/%020d", 300), []byte("forged")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := build(t)
			forge(t, w)
			w.signed = 0
			err := w.handler(t).Handle(t.Context())
			if err == nil || w.signed != 0 || !strings.Contains(err.Error(), "lane-0") {
				t.Errorf("%d were signed: %v", w.signed, err)
			}
			if !errors.Is(err, ledger.ErrChanged) && !errors.Is(err, ledger.ErrGap) && !errors.Is(err, ledger.ErrUnsigned) {
				t.Errorf("it is not told apart from trouble: %v", err)
			}
		})
	}
}

// TestUnfinishedTilesAreAShortCut: without them, or with others, the tree is
// made anew.
func TestUnfinishedTilesAreAShortCut(t *testing.T) {
	t.Parallel()
	for _, other := range [][]byte{[]byte("lost"), make([]byte, 44*32)} {
		w := newWorld()
		w.grow(t, "lane-0", 300)
		must(t, w.handler(t).Handle(t.Context()))
		must(t, w.tiles.Replace(t.Context(), "lane-0/"+ledger.TilePath(0, 1, 44), other))
		w.grow(t, "lane-0", 10)
		must(t, w.handler(t).Handle(t.Context()))
		if got := w.newest(t, "lane-0"); got != 310 {
			t.Errorf("signed at %d", got)
		}
	}
}
