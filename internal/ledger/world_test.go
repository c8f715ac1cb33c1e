package ledger_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/storetest"
)

const (
	origin = "ledger.test/stack"
	lane   = "lane-0"
)

var at = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// key signs in this process.
type key struct{ ed25519.PrivateKey }

func (k key) Public(context.Context) (ed25519.PublicKey, error) {
	return k.PrivateKey.Public().(ed25519.PublicKey), nil
}

func (k key) Sign(_ context.Context, message []byte) ([]byte, error) {
	return ed25519.Sign(k.PrivateKey, message), nil
}

func newKey(seed byte) key {
	b := make([]byte, ed25519.SeedSize)
	b[0] = seed
	return key{ed25519.NewKeyFromSeed(b)}
}

func public(k key) ledger.PublicKey {
	p, _ := k.Public(context.Background())
	return ledger.PublicKey{Origin: origin, Key: p}
}

// bag is objects that a test can get at.
type bag map[string][]byte

func (b bag) Put(_ context.Context, path string, data []byte) error {
	if kept, ok := b[path]; ok && !bytes.Equal(kept, data) {
		return ledger.ErrChanged
	}
	b[path] = data
	return nil
}

func (b bag) Replace(_ context.Context, path string, data []byte) error {
	b[path] = data
	return nil
}

func (b bag) Get(_ context.Context, path string) ([]byte, error) {
	data, ok := b[path]
	if !ok {
		return nil, fmt.Errorf("%s: %w", path, ledger.ErrNotFound)
	}
	return data, nil
}

func (b bag) List(_ context.Context, prefix, after string) (paths []string, err error) {
	for _, path := range slices.Sorted(maps.Keys(b)) {
		if strings.HasPrefix(path, prefix) && path > after {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// world is a ledger of one lane, as the handlers write it.
type world struct {
	*storetest.MemoryLedger
	bag
	checkpoints bag
	key         key
	head        ledger.Head
	frontier    ledger.Frontier
	tail        [][]byte // entries of the unfinished bundle
}

func newWorld() *world {
	return &world{MemoryLedger: storetest.NewMemoryLedger(), bag: bag{}, checkpoints: bag{}, key: newKey(1)}
}

func (w *world) kept() ledger.Kept { return ledger.Kept{Objects: w.checkpoints} }

func entryText(n int) []byte {
	b, err := ledger.Entry{Action: ledger.WebhookAttempt, Actor: "test", ID: fmt.Sprintf("m%d#1", n), Timestamp: at}.AppendJSON(nil)
	if err != nil {
		panic(err)
	}
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// append appends entries in one commit, and publishes what is full.
func (w *world) append(t *testing.T, entries ...[]byte) {
	t.Helper()
	w.head.Edge = w.head.Edge.Clone()
	staged, err := ledger.Stage(&w.head.Edge, entries)
	must(t, err)
	for _, s := range staged {
		must(t, w.Stage(t.Context(), lane, s))
	}
	for _, e := range entries {
		w.tail = append(w.tail, e)
		for _, full := range w.frontier.Append(ledger.LeafHash(e)) {
			must(t, w.Put(t.Context(), lane+"/"+full.Path(), full.Bytes()))
		}
		if len(w.tail) == ledger.TileWidth {
			must(t, w.Put(t.Context(), lane+"/"+ledger.BundlePath(w.frontier.Size/256-1, 256), ledger.Bundle(w.tail)))
			w.tail = nil
		}
	}
	w.head.Version++
	w.head.Published = w.head.Size / 256 * 256
	must(t, w.Move(t.Context(), lane, w.head))
	all, err := w.Staged(t.Context(), lane)
	must(t, err)
	for _, s := range all {
		if s.End <= w.head.Published {
			must(t, w.Drop(t.Context(), lane, []ledger.Staged{s}))
		}
	}
}

func (w *world) appendTests(t *testing.T, from, to, each int) {
	t.Helper()
	for ; from < to; from += each {
		var some [][]byte
		for i := from; i < min(from+each, to); i++ {
			some = append(some, entryText(i))
		}
		w.append(t, some...)
	}
}

// sign keeps a checkpoint of what is there.
func (w *world) sign(t *testing.T) ledger.Checkpoint {
	t.Helper()
	for _, p := range w.frontier.Partial() {
		must(t, w.Put(t.Context(), lane+"/"+p.Path(), p.Bytes()))
	}
	if len(w.tail) > 0 {
		must(t, w.Put(t.Context(), lane+"/"+ledger.BundlePath(w.frontier.Size/256, len(w.tail)), ledger.Bundle(w.tail)))
	}
	c := ledger.Checkpoint{Origin: ledger.OriginOf(origin, lane), Size: w.frontier.Size, Root: w.frontier.Root()}
	s, err := ledger.NewSigner(t.Context(), c.Origin, w.key)
	must(t, err)
	signed, err := c.Sign(s)
	must(t, err)
	must(t, w.kept().Keep(t.Context(), lane, c.Size, signed))
	return c
}

func (w *world) verify(t *testing.T, more ...ledger.Signed) ledger.Report {
	t.Helper()
	all, err := w.kept().All(t.Context(), lane)
	must(t, err)
	return ledger.Verifier{Reader: w, Key: public(w.key)}.Lane(t.Context(), lane, append(all, more...))
}
