package ledger

import (
	"context"
	"fmt"
)

// Exported reads a ledger from its published objects alone, each lane as its
// newest checkpoint has it: what others' tools see, and what a copy of the
// bucket holds. Nothing of it is verified.
type Exported struct{ Objects KeptObjects }

// Get returns what is under path, or ErrNotFound.
func (e Exported) Get(ctx context.Context, path string) ([]byte, error) {
	return e.Objects.Get(ctx, path)
}

// Lanes are those that have a checkpoint.
func (e Exported) Lanes(ctx context.Context) (lanes []string, err error) {
	for i := range MaxLanes {
		signed, err := Kept(e).Newest(ctx, LaneName(i))
		if err != nil {
			return nil, err
		}
		if signed != nil {
			lanes = append(lanes, LaneName(i))
		}
	}
	return lanes, nil
}

// frontier is the unfinished tiles of the newest checkpoint.
func (e Exported) frontier(ctx context.Context, lane string) (*Frontier, error) {
	signed, err := Kept(e).Newest(ctx, lane)
	if err != nil || signed == nil {
		return &Frontier{}, err
	}
	c, err := unverified(signed)
	if err != nil {
		return nil, fmt.Errorf("the newest checkpoint of %s: %w: %w", lane, ErrChanged, err)
	}
	f, err := ReadFrontier(c.Size, func(path string) ([]byte, error) { return e.Get(ctx, lane+"/"+path) })
	if err != nil {
		return nil, gone(c.Size/TileWidth*TileWidth, err)
	}
	return f, nil
}

// Head is the tree of the newest checkpoint.
func (e Exported) Head(ctx context.Context, lane string) (Head, error) {
	f, err := e.frontier(ctx, lane)
	if err != nil || f.Size == 0 {
		return Head{}, err
	}
	return Head{Version: 1, Edge: f.Edge(), Published: f.Size / TileWidth * TileWidth}, nil
}

// Staged is the unfinished bundle.
func (e Exported) Staged(ctx context.Context, lane string) ([]Staged, error) {
	f, err := e.frontier(ctx, lane)
	if err != nil || f.Size%TileWidth == 0 {
		return nil, err
	}
	index, width := f.Size/TileWidth, int(f.Size%TileWidth)
	b, err := e.Get(ctx, lane+"/"+BundlePath(index, width))
	if err != nil {
		return nil, gone(index*TileWidth, err)
	}
	entries, parseErr := ParseBundle(b)
	for i, hash := range f.levels[0] {
		if i >= len(entries) || LeafHash(entries[i]) != hash {
			return nil, changedAt(index*TileWidth+int64(i), "entry %d of %s is not the one of its hash", index*TileWidth+int64(i), lane)
		}
	}
	if parseErr != nil || len(entries) != width {
		return nil, changedAt(f.Size, "more follows the %d entries of %s", f.Size, lane)
	}
	f.Size, f.levels[0] = index*TileWidth, nil
	edge := f.Edge()
	return Stage(&edge, entries)
}
