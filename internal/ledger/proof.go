package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Proof is an entry, and what shows that it is in a log: a tlog-proof
// (c2sp.org/tlog-proof@v1, as of the specification's commit 0065ea5) with the
// entry as its extra data, so that one file says all.
type Proof struct {
	Entry []byte
	Index int64
	// Path is the inclusion proof of RFC 6962, section 2.1.1.
	Path []Hash
	// Checkpoint is a signed one, byte for byte.
	Checkpoint []byte
}

// Marshal is the proof's file.
func (p Proof) Marshal() []byte {
	hashes := make([][tlog.HashSize]byte, len(p.Path))
	for i, h := range p.Path {
		hashes[i] = h
	}
	return proof.TLogProof{Index: uint64(p.Index), Hashes: hashes, Checkpoint: p.Checkpoint, ExtraData: p.Entry}.Marshal()
}

// ParseProof reads a proof's file. Nothing of it is verified yet.
func ParseProof(b []byte) (Proof, error) {
	var f proof.TLogProof
	if err := f.Unmarshal(b); err != nil {
		return Proof{}, fmt.Errorf("the file is no proof: %w", err)
	}
	// The library is lenient; a file has one form.
	if !bytes.Equal(f.Marshal(), b) || f.Index > 1<<62 {
		return Proof{}, errors.New("the file is no proof: it is not as the specification writes it")
	}
	p := Proof{Entry: f.ExtraData, Index: int64(f.Index), Checkpoint: f.Checkpoint}
	for _, h := range f.Hashes {
		p.Path = append(p.Path, h)
	}
	return p, nil
}

// Origin is the log that the proof is of, as its checkpoint says; not verified.
func (p Proof) Origin() string {
	origin, _, _ := bytes.Cut(p.Checkpoint, []byte("\n"))
	return string(origin)
}

// Verify shows that the log of key's name has the entry at its index. The error
// is ErrUnsigned, or ErrChanged.
func (p Proof) Verify(key note.Verifier) (Checkpoint, error) {
	c, err := OpenCheckpoint(p.Checkpoint, key)
	if err != nil {
		return c, err
	}
	if err := tlog.CheckRecord(p.Path, c.Size, c.Root, p.Index, LeafHash(p.Entry)); err != nil {
		return c, fmt.Errorf("%w: entry %d of %s is not the one that the checkpoint of %d entries is of: %w",
			ErrChanged, p.Index, c.Origin, c.Size, err)
	}
	return c, nil
}

// Tiles reads the tiles of a log. Get returns what lies under a path of the
// log, or ErrNotFound.
type Tiles struct {
	Get func(ctx context.Context, path string) ([]byte, error)
}

// tileReader is Tiles for one call, as the library wants it.
type tileReader struct {
	Tiles
	ctx context.Context
}

func (tileReader) Height() int { return tileHeight }

func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, t := range tiles {
		b, err := r.Get(r.ctx, TilePath(t.L, t.N, t.W))
		if errors.Is(err, ErrNotFound) && t.W < TileWidth {
			// A full one may have taken its place.
			if b, err = r.Get(r.ctx, TilePath(t.L, t.N, TileWidth)); err == nil {
				b = b[:min(len(b), t.W*tlog.HashSize)]
			}
		}
		if err != nil {
			return nil, err
		}
		data[i] = b
	}
	return data, nil
}

// hashes reads hashes of the tree of a checkpoint, each of them held against
// its root.
func (t Tiles) hashes(ctx context.Context, c Checkpoint) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: c.Root}, tileReader{t, ctx})
}

// Include proves that the entry at index is in the tree of a checkpoint.
func (t Tiles) Include(ctx context.Context, c Checkpoint, index int64) ([]Hash, error) {
	if index < 0 || index >= c.Size {
		return nil, fmt.Errorf("entry %d is not among the %d of the checkpoint of %s", index, c.Size, c.Origin)
	}
	path, err := tlog.ProveRecord(c.Size, index, t.hashes(ctx, c))
	if err != nil {
		return nil, fmt.Errorf("prove entry %d of %s at %d: %w", index, c.Origin, c.Size, err)
	}
	return path, nil
}

// Consistent proves that the tree of an older checkpoint is the beginning of
// that of a newer one (RFC 6962, section 2.1.2).
func (t Tiles) Consistent(ctx context.Context, older, newer Checkpoint) ([]Hash, error) {
	if older.Size == 0 || older.Size == newer.Size {
		return nil, nil
	}
	if older.Size > newer.Size {
		return nil, fmt.Errorf("%s was rolled back from %d entries to %d: %w", older.Origin, older.Size, newer.Size, ErrChanged)
	}
	path, err := tlog.ProveTree(newer.Size, older.Size, t.hashes(ctx, newer))
	if err != nil {
		return nil, fmt.Errorf("prove that %s at %d is the beginning of %d: %w", older.Origin, older.Size, newer.Size, err)
	}
	return path, nil
}

// CheckConsistent verifies what Consistent proves. Its error is ErrChanged.
func CheckConsistent(older, newer Checkpoint, path []Hash) error {
	var err error
	switch {
	case older.Origin != newer.Origin:
		err = fmt.Errorf("they are of two logs, %s and %s", older.Origin, newer.Origin)
	case older.Size == 0 || older.Size == newer.Size:
		if len(path) > 0 || older.Size > 0 && older.Root != newer.Root {
			err = errors.New("two roots of one size")
		}
	case older.Size > newer.Size:
		err = errors.New("it was rolled back")
	default:
		err = tlog.CheckTree(path, newer.Size, newer.Root, older.Size, older.Root)
	}
	if err != nil {
		return fmt.Errorf("%w: %s at %d is not the beginning of %d: %w", ErrChanged, older.Origin, older.Size, newer.Size, err)
	}
	return nil
}

// parseIndex reads a decimal number without leading zeroes.
func parseIndex(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, fmt.Errorf("%.30q is no index", text)
	}
	return n, nil
}
