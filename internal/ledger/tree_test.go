package ledger_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	formatslog "github.com/transparency-dev/formats/log"
	formatsproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/efferent/efferent/internal/ledger"
)

// These tests hold our trees against github.com/transparency-dev's, which
// nothing but tests uses.

var theirs = rfc6962.DefaultHasher

func TestRootsAgree(t *testing.T) {
	t.Parallel()
	tree := (&compact.RangeFactory{Hash: theirs.HashChildren}).NewEmptyRange(0)
	var edge ledger.Edge
	var frontier ledger.Frontier
	tiles := map[string][]byte{}
	for n := range 70_000 {
		leaf := fmt.Append(nil, n)
		must(t, tree.Append(theirs.HashLeaf(leaf), nil))
		edge.Append(ledger.LeafHash(leaf))
		for _, full := range frontier.Append(ledger.LeafHash(leaf)) {
			tiles[full.Path()] = full.Bytes()
		}
		if n > 1100 && n%997 != 0 {
			continue
		}
		want, err := tree.GetRootHash(nil)
		must(t, err)
		if got := edge.Root(); !bytes.Equal(got[:], want) {
			t.Fatalf("%d leaves: the root is %x, want %x", n+1, got, want)
		}
		if got := frontier.Root(); !bytes.Equal(got[:], want) {
			t.Fatalf("%d leaves: the frontier's root is %x, want %x", n+1, got, want)
		}
		read, err := ledger.ParseEdge(edge.Size, edge.AppendBytes(nil))
		if err != nil || read.Root() != edge.Root() {
			t.Fatalf("%d leaves: read %+v, %v", n+1, read, err)
		}
		for _, p := range frontier.Partial() {
			tiles[p.Path()] = p.Bytes()
		}
		again, err := ledger.ReadFrontier(frontier.Size, func(path string) ([]byte, error) {
			b, ok := tiles[path]
			if !ok {
				return nil, fmt.Errorf("%s: %w", path, ledger.ErrNotFound)
			}
			return b, nil
		})
		if err != nil || again.Root() != edge.Root() {
			t.Fatalf("%d leaves: the frontier that was read is of another tree, %v", n+1, err)
		}
	}
	// The numbers of tlog-tiles' own example.
	level0, level1 := 0, 0
	for path, b := range tiles {
		if len(b) == 256*32 {
			level0 += bytes.Count([]byte(path), []byte("tile/0/"))
			level1 += bytes.Count([]byte(path), []byte("tile/1/"))
		}
	}
	if level0 != 273 || level1 != 1 {
		t.Errorf("a tree of 70,000 has %d full tiles of level 0 and %d of level 1, want 273 and 1", level0, level1)
	}
	var empty ledger.Edge
	if got := empty.Root(); !bytes.Equal(got[:], theirs.EmptyRoot()) {
		t.Errorf("the empty tree's root is %x", got)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{ledger.TilePath(0, 0, 256), "tile/0/000"},
		{ledger.TilePath(0, 1234067, 256), "tile/0/x001/x234/067"},
		{ledger.TilePath(2, 1067, 8), "tile/2/x001/067.p/8"},
		{ledger.BundlePath(1067, 256), "tile/entries/x001/067"},
		{ledger.BundlePath(0, 1), "tile/entries/000.p/1"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func bytesOf(hashes []ledger.Hash) (all [][]byte) {
	for _, h := range hashes {
		all = append(all, h[:])
	}
	return all
}

func TestProofsAgree(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var signed []ledger.Checkpoint
	for size := 0; size < 700; size += 23 {
		w.appendTests(t, size, size+23, 10)
		signed = append(signed, w.sign(t))
	}
	tiles := ledger.TilesOf(w, lane)
	for _, c := range signed {
		for i := int64(0); i < c.Size; i += 1 + c.Size/40 {
			path, err := tiles.Include(t.Context(), c, i)
			must(t, err)
			must(t, proof.VerifyInclusion(theirs, uint64(i), uint64(c.Size), theirs.HashLeaf(entryText(int(i))), bytesOf(path), c.Root[:]))
		}
		for _, older := range signed {
			path, err := tiles.Consistent(t.Context(), older, c)
			if older.Size > c.Size {
				if err == nil {
					t.Fatalf("%d is the beginning of %d", older.Size, c.Size)
				}
				continue
			}
			must(t, err)
			must(t, proof.VerifyConsistency(theirs, uint64(older.Size), uint64(c.Size), bytesOf(path), older.Root[:], c.Root[:]))
			must(t, ledger.CheckConsistent(older, c, path))
		}
	}
}

func TestCheckpointsAgree(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.appendTests(t, 0, 5, 5)
	want := w.sign(t)
	signed, err := w.kept().Newest(t.Context(), lane)
	must(t, err)
	vkey, err := note.NewEd25519VerifierKey(want.Origin, public(w.key).Key)
	must(t, err)
	v, err := note.NewVerifier(vkey)
	must(t, err)
	got, _, n, err := formatslog.ParseCheckpoint(signed, want.Origin, v)
	if err != nil || got.Origin != want.Origin || int64(got.Size) != want.Size || !bytes.Equal(got.Hash, want.Root[:]) || len(n.Sigs) != 1 {
		t.Errorf("they read %+v, %v", got, err)
	}

	entry := entryText(3)
	path, err := ledger.TilesOf(w, lane).Include(t.Context(), want, 3)
	must(t, err)
	file := ledger.Proof{Entry: entry, Index: 3, Path: path, Checkpoint: signed}.Marshal()
	var f formatsproof.TLogProof
	must(t, f.Unmarshal(file))
	if f.Index != 3 || !bytes.Equal(f.ExtraData, entry) || !bytes.Equal(f.Checkpoint, signed) || len(f.Hashes) != len(path) {
		t.Errorf("they read %+v", f)
	}
	if !bytes.HasPrefix(file, []byte("c2sp.org/tlog-proof@v1\nextra ")) {
		t.Errorf("the file begins with %.60q", file)
	}
}

func TestProof(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.appendTests(t, 0, 300, 7)
	c := w.sign(t)
	signed, err := w.kept().Newest(t.Context(), lane)
	must(t, err)
	path, err := ledger.TilesOf(w, lane).Include(t.Context(), c, 290)
	must(t, err)
	good := ledger.Proof{Entry: entryText(290), Index: 290, Path: path, Checkpoint: signed}
	verifier, err := public(w.key).Lane(lane)
	must(t, err)
	other, err := public(w.key).Lane("lane-1")
	must(t, err)
	stranger, err := public(newKey(9)).Lane(lane)
	must(t, err)
	check := func(name string, p ledger.Proof, v note.Verifier, ok bool) {
		t.Helper()
		read, err := ledger.ParseProof(p.Marshal())
		if err == nil {
			_, err = read.Verify(v)
		}
		if (err == nil) != ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
	check("good", good, verifier, true)
	check("another lane's key", good, other, false)
	check("another key", good, stranger, false)
	bad := good
	bad.Entry = entryText(291)
	check("another entry", bad, verifier, false)
	bad = good
	bad.Index++
	check("another index", bad, verifier, false)
	bad = good
	bad.Path = good.Path[1:]
	check("a hash less", bad, verifier, false)
	bad.Path = append(slices.Clone(good.Path), ledger.Hash{})
	check("a hash more", bad, verifier, false)
	file := good.Marshal()
	for i := range file {
		for _, flip := range []byte{1, 0x20, 0x80} {
			changed := slices.Clone(file)
			changed[i] ^= flip
			p, err := ledger.ParseProof(changed)
			if err == nil {
				_, err = p.Verify(verifier)
			}
			if err == nil {
				t.Fatalf("with byte %d flipped it is still a proof: %q", i, changed)
			}
		}
	}
}

func TestPublicKey(t *testing.T) {
	t.Parallel()
	k := public(newKey(3))
	got, err := ledger.ParsePublicKey(" " + k.String() + "\n")
	if err != nil || got.Origin != k.Origin || !bytes.Equal(got.Key, k.Key) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, text := range []string{"", "x", "a+b", "a+00000000+AAAA", k.String()[1:], k.String() + "x"} {
		if got, err := ledger.ParsePublicKey(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
	policy, err := k.Policy([]string{"lane-1", "lane-0"})
	must(t, err)
	lines := bytes.Split(bytes.TrimSpace(policy), []byte("\n"))
	if len(lines) != 3 || !bytes.HasPrefix(lines[0], []byte("log "+origin+"/lane-0+")) || string(lines[2]) != "quorum none" {
		t.Errorf("the policy is %q", policy)
	}
}

// TestSecondSignature: room for another algorithm's signature, which who knows
// only the first leaves aside.
func TestSecondSignature(t *testing.T) {
	t.Parallel()
	c := ledger.Checkpoint{Origin: ledger.OriginOf(origin, lane), Size: 1, Root: ledger.LeafHash(nil)}
	a, err := ledger.NewSigner(context.Background(), c.Origin, newKey(1))
	must(t, err)
	b, err := ledger.NewSigner(context.Background(), "witness.test", newKey(2))
	must(t, err)
	signed, err := c.Sign(a, b)
	must(t, err)
	if got, err := ledger.OpenCheckpoint(signed, a); err != nil || got != c {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := ledger.OpenCheckpoint(signed, b); err == nil {
		t.Error("a witness's signature alone was taken for the log's")
	}
}
