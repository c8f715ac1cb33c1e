package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/efferent/efferent/internal/ledger"
)

// Ledger is what a store of the ledger's heads and staged entries promises.
type Ledger interface {
	Head(ctx context.Context, lane string) (ledger.Head, error)
	Move(ctx context.Context, lane string, now ledger.Head) error
	Stage(ctx context.Context, lane string, s ledger.Staged) error
	Staged(ctx context.Context, lane string) ([]ledger.Staged, error)
	Drop(ctx context.Context, lane string, staged []ledger.Staged) error
}

// TestLedger runs the suite on fresh stores.
func TestLedger(t *testing.T, open func(*testing.T) Ledger) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Ledger){
		"a new lane":                  ledgerNew,
		"every field of a head":       ledgerHead,
		"only the next version moves": ledgerVersions,
		"one of many moves":           ledgerMoves,
		"lanes apart":                 ledgerLanes,
		"staged in order":             ledgerStaged,
		"staged under one size":       ledgerForks,
		"dropped":                     ledgerDrop,
		"many and large":              ledgerLarge,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

const lane = "lane-0"

func wantHead(t *testing.T, s Ledger, lane string, want ledger.Head) {
	t.Helper()
	got, err := s.Head(t.Context(), lane)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(bytes.Equal)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func wantStaged(t *testing.T, s Ledger, lane string, want ...ledger.Staged) {
	t.Helper()
	got, err := s.Staged(t.Context(), lane)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(bytes.Equal)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func move(t *testing.T, s Ledger, lane string, now ledger.Head) {
	t.Helper()
	if err := s.Move(t.Context(), lane, now); err != nil {
		t.Fatal(err)
	}
	wantHead(t, s, lane, now)
}

func stage(t *testing.T, s Ledger, lane string, all ...ledger.Staged) {
	t.Helper()
	for _, one := range all {
		if err := s.Stage(t.Context(), lane, one); err != nil {
			t.Fatal(err)
		}
	}
}

// grown is a head of version v over n leaves.
func grown(v, n int64) ledger.Head {
	h := ledger.Head{Version: v, Source: ledger.Source{ARN: "arn:aws:sqs:r:1:audit.fifo", Created: 1_700_000_000},
		Sequence: "18870266079741940736"}
	for i := range n {
		h.Append(ledger.LeafHash(fmt.Append(nil, i)))
	}
	return h
}

func ledgerNew(t *testing.T, s Ledger) {
	wantHead(t, s, lane, ledger.Head{})
	wantStaged(t, s, lane)
}

func ledgerHead(t *testing.T, s Ledger) {
	first := grown(1, 7)
	move(t, s, lane, first)
	second := grown(2, 1<<12-1)
	second.Published = 1<<12 - 256
	second.Source.Created++
	second.Sequence = "340282366920938463463374607431768211455"
	move(t, s, lane, second)
}

func ledgerVersions(t *testing.T, s Ledger) {
	moved := func(now ledger.Head) {
		t.Helper()
		if err := s.Move(t.Context(), lane, now); !errors.Is(err, ledger.ErrMoved) {
			t.Errorf("version %d: got %v, want ErrMoved", now.Version, err)
		}
	}
	moved(grown(2, 9))
	move(t, s, lane, grown(1, 1))
	for _, v := range []int64{1, 3} {
		moved(grown(v, 9))
	}
	move(t, s, lane, grown(2, 2))
	moved(grown(2, 3))
	wantHead(t, s, lane, grown(2, 2))
}

func ledgerMoves(t *testing.T, s Ledger) {
	const writers = 8
	var all sync.WaitGroup
	errs := make([]error, writers)
	for i := range writers {
		all.Go(func() { errs[i] = s.Move(t.Context(), lane, grown(1, int64(i+1))) })
	}
	all.Wait()
	won := slices.Index(errs, nil)
	if won < 0 {
		t.Fatalf("nobody moved it: %v", errs)
	}
	for i, err := range errs {
		if i != won && !errors.Is(err, ledger.ErrMoved) {
			t.Errorf("writer %d got %v beside %d", i, err, won)
		}
	}
	wantHead(t, s, lane, grown(1, int64(won+1)))
}

func ledgerLanes(t *testing.T, s Ledger) {
	a, b := run(0, "a"), run(0, "b")
	move(t, s, "lane-1", grown(1, 1))
	move(t, s, "lane-10", grown(1, 10))
	stage(t, s, "lane-1", a)
	stage(t, s, "lane-10", b)
	wantHead(t, s, "lane-1", grown(1, 1))
	wantStaged(t, s, "lane-1", a)
	wantStaged(t, s, "lane-10", b)
	wantStaged(t, s, "lane-100")
}

// run is staged entries from start on.
func run(start int64, entries ...string) ledger.Staged {
	edge := grown(0, start).Edge
	var texts [][]byte
	for _, e := range entries {
		texts = append(texts, []byte(e))
	}
	all, err := ledger.Stage(&edge, texts)
	if err != nil || len(all) != 1 {
		panic(fmt.Sprint(len(all), err))
	}
	return all[0]
}

func ledgerStaged(t *testing.T, s Ledger) {
	all := []ledger.Staged{run(0, "a", "b"), run(2, "c"), run(9, "d"), run(99, "e"), run(1000, "f")}
	for _, i := range []int{3, 0, 4, 2, 1, 0, 3} {
		stage(t, s, lane, all[i])
	}
	wantStaged(t, s, lane, all...)
}

func ledgerForks(t *testing.T, s Ledger) {
	a, b := run(4, "a"), run(4, "b")
	stage(t, s, lane, a, b)
	got, err := s.Staged(t.Context(), lane)
	if err != nil || len(got) != 2 || !slices.ContainsFunc(got, func(s ledger.Staged) bool { return cmp.Equal(s, a) }) ||
		!slices.ContainsFunc(got, func(s ledger.Staged) bool { return cmp.Equal(s, b) }) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func ledgerDrop(t *testing.T, s Ledger) {
	a, b, c, d := run(0, "a"), run(1, "b"), run(1, "c"), run(2, "d")
	stage(t, s, lane, a, b, c, d)
	stage(t, s, "lane-1", a)
	for range 2 {
		if err := s.Drop(t.Context(), lane, []ledger.Staged{a, b, c}); err != nil {
			t.Fatal(err)
		}
		wantStaged(t, s, lane, d)
	}
	if err := s.Drop(t.Context(), lane, nil); err != nil {
		t.Error(err)
	}
	wantStaged(t, s, lane, d)
	wantStaged(t, s, "lane-1", a)
}

func ledgerLarge(t *testing.T, s Ledger) {
	var all []ledger.Staged
	for i := range 30 {
		one := run(int64(i), "x")
		one.Data = make([]byte, 350<<10)
		for k := range one.Data {
			one.Data[k] = byte(k * (i + 1))
		}
		all = append(all, one)
	}
	stage(t, s, lane, all...)
	wantStaged(t, s, lane, all...)
	if err := s.Drop(t.Context(), lane, all); err != nil {
		t.Fatal(err)
	}
	wantStaged(t, s, lane)
}

// Objects is what a store of immutable objects promises.
type Objects interface {
	Put(ctx context.Context, path string, b []byte) error
	Get(ctx context.Context, path string) ([]byte, error)
}

// TestObjects runs the suite on fresh stores.
func TestObjects(t *testing.T, open func(*testing.T) Objects) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Objects){
		"nothing there":  objectsNone,
		"kept":           objectsKept,
		"never replaced": objectsReplace,
		"at once":        objectsAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func wantObject(t *testing.T, s Objects, path, want string) {
	t.Helper()
	if b, err := s.Get(t.Context(), path); err != nil || string(b) != want {
		t.Errorf("%s: got %.40q, %v; want %.40q", path, b, err, want)
	}
}

func putObject(t *testing.T, s Objects, path, b string) {
	t.Helper()
	if err := s.Put(t.Context(), path, []byte(b)); err != nil {
		t.Fatal(err)
	}
}

func objectsNone(t *testing.T, s Objects) {
	for _, path := range []string{"lane-0/tile/0/000", "lane-0/tile"} {
		if b, err := s.Get(t.Context(), path); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%s: got %q, %v", path, b, err)
		}
	}
}

func objectsKept(t *testing.T, s Objects) {
	for _, path := range []string{"lane-0/tile/0/000", "lane-0/tile/0/x001/067", "lane-0/tile/0/x001/067.p/8", "lane-1/tile/0/000"} {
		putObject(t, s, path, "b of "+path)
		putObject(t, s, path, "b of "+path)
		wantObject(t, s, path, "b of "+path)
	}
	all := make([]byte, 1<<16)
	for i := range all {
		all[i] = byte(i * i >> 3)
	}
	putObject(t, s, "lane-0/tile/entries/000", string(all))
	wantObject(t, s, "lane-0/tile/entries/000", string(all))
	wantObject(t, s, "lane-0/tile/0/000", "b of lane-0/tile/0/000")
}

func objectsReplace(t *testing.T, s Objects) {
	const path = "lane-0/tile/0/000"
	putObject(t, s, path, "first")
	for _, other := range []string{"other", "first and more", ""} {
		if err := s.Put(t.Context(), path, []byte(other)); !errors.Is(err, ledger.ErrChanged) {
			t.Errorf("%q: got %v, want ErrChanged", other, err)
		}
	}
	wantObject(t, s, path, "first")
}

func objectsAtOnce(t *testing.T, s Objects) {
	const path, writers = "lane-0/tile/0/000", 8
	errs := make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() { errs[i] = s.Put(t.Context(), path, []byte{byte(i / 2)}) })
	}
	all.Wait()
	b, err := s.Get(t.Context(), path)
	if err != nil || len(b) != 1 {
		t.Fatalf("got %q, %v", b, err)
	}
	for i, err := range errs {
		if mine := byte(i/2) == b[0]; mine && err != nil || !mine && !errors.Is(err, ledger.ErrChanged) {
			t.Errorf("writer %d of %d got %v where %d is kept", i, i/2, err, b[0])
		}
	}
}
