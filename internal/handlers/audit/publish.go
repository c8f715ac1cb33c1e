package audit

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/ledger"
)

const (
	// maxBundles is the most bundles that one run publishes.
	maxBundles = 256
	// atOnce is how many objects are put or got at the same time.
	atOnce = 16
)

// publish makes objects of the bundles and tiles that are full, and drops what
// was staged of them.
func (h *Handler) publish(ctx context.Context, lane string, head ledger.Head) error {
	if head.Size-head.Published < ledger.TileWidth {
		return nil
	}
	staged, err := h.Staging.Staged(ctx, lane)
	if err != nil {
		return err
	}
	chain, err := ledger.Chain(head, staged)
	if err != nil {
		return err
	}
	entries, err := ledger.Unpublished(chain, head.Published)
	if err != nil {
		return err
	}
	bundles := min(len(entries)/ledger.TileWidth, maxBundles)
	upTo := head.Published + int64(bundles)*ledger.TileWidth
	if err := h.putBundles(ctx, lane, head.Published/ledger.TileWidth, entries[:bundles*ledger.TileWidth]); err != nil {
		return err
	}
	if err := h.putTilesAbove(ctx, lane, head.Published, upTo); err != nil {
		return err
	}
	if err := h.mark(ctx, lane, head, upTo); err != nil {
		return err
	}
	var done []ledger.Staged
	for _, s := range staged {
		if s.End <= upTo {
			done = append(done, s)
		}
	}
	return h.Staging.Drop(ctx, lane, done)
}

// putBundles puts the bundles from an index on, and the tiles of their hashes.
func (h *Handler) putBundles(ctx context.Context, lane string, index int64, entries [][]byte) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for ; len(entries) > 0; index, entries = index+1, entries[ledger.TileWidth:] {
		n, some := index, entries[:ledger.TileWidth]
		g.Go(func() error {
			tile := ledger.Tile{Index: n}
			for _, e := range some {
				tile.Hashes = append(tile.Hashes, ledger.LeafHash(e))
			}
			if err := h.Objects.Put(ctx, lane+"/"+ledger.BundlePath(n, ledger.TileWidth), ledger.Bundle(some)); err != nil {
				return err
			}
			return h.Objects.Put(ctx, lane+"/"+tile.Path(), tile.Bytes())
		})
	}
	return g.Wait()
}

// putTilesAbove puts the tiles of level 1 and above that are full at size to
// and were not at size from.
func (h *Handler) putTilesAbove(ctx context.Context, lane string, from, to int64) error {
	for level, span := 1, int64(ledger.TileWidth*ledger.TileWidth); to/span > 0; level, span = level+1, span*ledger.TileWidth {
		for index := from / span; index < to/span; index++ {
			tile, err := h.tileAbove(ctx, lane, level, index)
			if err != nil {
				return err
			}
			if err := h.Objects.Put(ctx, lane+"/"+tile.Path(), tile.Bytes()); err != nil {
				return err
			}
		}
	}
	return nil
}

// tileAbove makes a tile of the 256 below it.
func (h *Handler) tileAbove(ctx context.Context, lane string, level int, index int64) (ledger.Tile, error) {
	tile := ledger.Tile{Level: level, Index: index, Hashes: make([]ledger.Hash, ledger.TileWidth)}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i := range tile.Hashes {
		g.Go(func() error {
			below := index*ledger.TileWidth + int64(i)
			b, err := h.Objects.Get(ctx, lane+"/"+ledger.TilePath(level-1, below, ledger.TileWidth))
			if err != nil {
				return fmt.Errorf("a tile that level %d is made of: %w", level, err)
			}
			t, err := ledger.ParseTile(level-1, below, ledger.TileWidth, b)
			tile.Hashes[i] = t.Root()
			return err
		})
	}
	return tile, g.Wait()
}

// mark moves the head on to what is published.
func (h *Handler) mark(ctx context.Context, lane string, head ledger.Head, published int64) error {
	for range maxMoves {
		head.Version++
		head.Published = published
		err := h.Heads.Move(ctx, lane, head)
		if !errors.Is(err, ledger.ErrMoved) {
			return err
		}
		if head, err = h.Heads.Head(ctx, lane); err != nil || head.Published >= published {
			return err
		}
	}
	return fmt.Errorf("%s: %w %d times", lane, ledger.ErrMoved, maxMoves)
}
