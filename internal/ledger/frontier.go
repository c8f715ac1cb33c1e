package ledger

import (
	"fmt"
	"slices"
)

// Frontier is the tiles at the right edge of a tree that are not full yet, and
// so all that it takes to go on making tiles. Its zero value is the empty tree.
type Frontier struct {
	// Size is the number of leaves.
	Size int64
	// levels are the hashes of the unfinished tile of each level.
	levels [][]Hash
}

// Append adds a leaf, and returns the tiles that it fills, from level 0 on.
func (f *Frontier) Append(leaf Hash) (full []Tile) {
	f.Size++
	span := int64(TileWidth)
	for level := 0; ; level++ {
		if level == len(f.levels) {
			f.levels = append(f.levels, nil)
		}
		f.levels[level] = append(f.levels[level], leaf)
		if len(f.levels[level]) < TileWidth {
			return full
		}
		t := Tile{level, f.Size/span - 1, f.levels[level]}
		f.levels[level] = nil
		full = append(full, t)
		leaf = t.Root()
		span *= TileWidth
	}
}

// Partial are the unfinished tiles, from level 0 on.
func (f *Frontier) Partial() (tiles []Tile) {
	span := int64(TileWidth)
	for level, hashes := range f.levels {
		if len(hashes) > 0 {
			tiles = append(tiles, Tile{level, f.Size / span, slices.Clone(hashes)})
		}
		span *= TileWidth
	}
	return tiles
}

// Edge is the same right edge without its tiles.
func (f *Frontier) Edge() Edge {
	whole := Edge{Size: f.Size}
	for _, hashes := range slices.Backward(f.levels) {
		var e Edge
		for _, h := range hashes {
			e.Append(h)
		}
		whole.Hashes = append(whole.Hashes, e.Hashes...)
	}
	return whole
}

// Root is the tree's root.
func (f *Frontier) Root() Hash { return f.Edge().Root() }

// ReadFrontier reads the unfinished tiles of a tree of that size by get, which
// is given their paths. What it read has yet to be compared with a root.
func ReadFrontier(size int64, get func(path string) ([]byte, error)) (*Frontier, error) {
	f := &Frontier{Size: size}
	for level, n := 0, size; n > 0; level, n = level+1, n/TileWidth {
		width := int(n % TileWidth)
		f.levels = append(f.levels, nil)
		if width == 0 {
			continue
		}
		b, err := get(TilePath(level, n/TileWidth, width))
		if err != nil {
			return nil, fmt.Errorf("the edge of the tree of %d: %w", size, err)
		}
		t, err := ParseTile(level, n/TileWidth, width, b)
		if err != nil {
			return nil, err
		}
		f.levels[level] = t.Hashes
	}
	return f, nil
}
