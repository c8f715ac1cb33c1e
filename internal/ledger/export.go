package ledger

import (
	"context"
	"errors"
	"fmt"
)

// Exports counts what was copied.
type Exports struct {
	// Entries are signed; Expired of them are gone, and their hashes are there.
	Entries, Expired int64
	Checkpoints      int
}

// Add adds another lane's.
func (e *Exports) Add(o Exports) {
	e.Entries += o.Entries
	e.Expired += o.Expired
	e.Checkpoints += o.Checkpoints
}

// export copies one lane.
type export struct {
	Exports
	from     Reader
	to       KeptObjects
	lane     string
	size     int64
	progress func(done, of int64)
}

// Export copies a lane, as its newest checkpoint has it, and all of its
// checkpoints, so that Exported and others' tools (c2sp.org/tlog-tiles) can read
// it. The checkpoints must be signed by the key (ErrUnsigned); what else is copied
// is not verified. An older copy is gone on with: what is in it has to be the
// same (ErrChanged).
func Export(ctx context.Context, from Reader, kept Kept, lane string, key PublicKey, to KeptObjects, progress func(done, of int64)) (
	Exports, error) {
	verifier, err := key.Lane(lane)
	if err != nil {
		return Exports{}, err
	}
	all, err := kept.All(ctx, lane)
	if err != nil || len(all) == 0 {
		return Exports{}, err
	}
	sizes := make([]int64, len(all))
	for i, s := range all {
		c, err := OpenCheckpoint(s.Note, verifier)
		if err != nil {
			return Exports{}, fmt.Errorf("%s: %w", s.Path, err)
		}
		sizes[i] = c.Size
	}
	e := &export{from: from, to: to, lane: lane, size: sizes[len(sizes)-1], progress: progress}
	if err := errors.Join(e.full(ctx), e.partial(ctx, sizes)); err != nil {
		return e.Exports, err
	}
	e.Entries, e.Checkpoints = e.size, len(all)
	for i, s := range all { // last: a copy that broke off has none that leads to nothing
		if err := (Kept{to}).Keep(ctx, lane, sizes[i], s.Note); err != nil {
			return e.Exports, err
		}
	}
	return e.Exports, nil
}

// full copies what is full.
func (e *export) full(ctx context.Context) error {
	for level, n := 0, e.size/TileWidth; n > 0; level, n = level+1, n/TileWidth {
		for i := range n {
			if err := e.copy(ctx, TilePath(level, i, TileWidth)); err != nil {
				return err
			}
		}
	}
	n := e.size / TileWidth
	get := func(ctx context.Context, i int64) ([]byte, error) {
		return e.from.Get(ctx, e.lane+"/"+BundlePath(i, TileWidth))
	}
	return readAhead(ctx, n, get, func(i int64, b []byte, err error) error {
		switch {
		case errors.Is(err, ErrNotFound) && e.Expired == i*TileWidth:
			e.Expired += TileWidth
			return nil
		case err != nil:
			return err
		}
		e.progress((i+1)*TileWidth, e.size)
		return e.put(ctx, BundlePath(i, TileWidth), b)
	})
}

// partial copies the unfinished tiles and bundles of every checkpoint whose
// full ones are not there yet.
func (e *export) partial(ctx context.Context, sizes []int64) error {
	done := map[string]bool{}
	for _, size := range sizes {
		for level, n := 0, size; n > 0; level, n = level+1, n/TileWidth {
			width, index := int(n%TileWidth), n/TileWidth
			t := Tile{Level: level, Index: index}
			if width == 0 || t.end() <= e.size {
				continue
			}
			paths := []string{TilePath(level, index, width)}
			if level == 0 {
				paths = append(paths, BundlePath(index, width))
			}
			for _, path := range paths {
				if done[path] {
					continue
				}
				done[path] = true
				if err := e.copy(ctx, path); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (e *export) copy(ctx context.Context, path string) error {
	b, err := e.from.Get(ctx, e.lane+"/"+path)
	if err != nil {
		return err
	}
	return e.put(ctx, path, b)
}

// put keeps what was read; what lies there stays.
func (e *export) put(ctx context.Context, path string, b []byte) error {
	return e.to.Put(ctx, e.lane+"/"+path, b)
}
