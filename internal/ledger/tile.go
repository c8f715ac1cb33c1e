package ledger

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// The layout is that of C2SP tlog-tiles (c2sp.org/tlog-tiles): tiles of up to
// 256 hashes, and bundles of the 256 entries under a tile of level 0.
const (
	tileHeight = 8
	// TileWidth is how many hashes a full tile holds, and entries a full bundle.
	TileWidth = 1 << tileHeight
)

// Tile is a part of the tree: up to 256 hashes side by side. At level 0 they
// are leaves, at level n+1 each is the root of a full tile of level n.
type Tile struct {
	Level  int
	Index  int64
	Hashes []Hash
}

// Path is where the tile lies in a log.
func (t Tile) Path() string { return TilePath(t.Level, t.Index, len(t.Hashes)) }

// Bytes are the tile as it lies there.
func (t Tile) Bytes() []byte { return appendHashes(nil, t.Hashes) }

// Root is the root of the tile's own tree.
func (t Tile) Root() Hash {
	var e Edge
	for _, h := range t.Hashes {
		e.Append(h)
	}
	return e.Root()
}

// span is how many leaves are under one of the tile's hashes.
func (t Tile) span() int64 {
	span := int64(1)
	for range t.Level {
		span *= TileWidth
	}
	return span
}

// start is the first leaf under the tile, end the one after the last that will
// be under it.
func (t Tile) start() int64 { return t.Index * TileWidth * t.span() }
func (t Tile) end() int64   { return (t.Index + 1) * TileWidth * t.span() }

// ParseTile reads the tile at level and index, which has to be width hashes wide.
func ParseTile(level int, index int64, width int, b []byte) (Tile, error) {
	if len(b) != width*tlog.HashSize {
		return Tile{}, fmt.Errorf("%s has %d bytes, not %d: %w", TilePath(level, index, width), len(b), width*tlog.HashSize, ErrChanged)
	}
	hashes, err := parseHashes(b)
	return Tile{level, index, hashes}, err
}

// TilePath is where a tile of width hashes (1 to 256) lies in a log.
func TilePath(level int, index int64, width int) string {
	return "tile/" + strings.TrimPrefix(tlog.Tile{H: tileHeight, L: level, N: index, W: width}.Path(), "tile/8/")
}

// BundlePath is where a bundle of width entries (1 to 256) lies in a log.
func BundlePath(index int64, width int) string {
	return "tile/entries/" + strings.TrimPrefix(tlog.Tile{H: tileHeight, L: -1, N: index, W: width}.Path(), "tile/8/data/")
}

// Bundle packs entries: each after its length in two bytes, big-endian.
// Entries longer than MaxEntry do not come here.
func Bundle(entries [][]byte) []byte {
	size := 0
	for _, e := range entries {
		size += 2 + len(e)
	}
	b := make([]byte, 0, size)
	for _, e := range entries {
		b = binary.BigEndian.AppendUint16(b, uint16(len(e)))
		b = append(b, e...)
	}
	return b
}

// ParseBundle reads what Bundle packed. The entries are parts of b; those that
// stand before an error come with it.
func ParseBundle(b []byte) (entries [][]byte, err error) {
	for len(b) > 0 {
		if len(b) < 2 {
			return entries, fmt.Errorf("a bundle ends within a length: %w", ErrChanged)
		}
		n := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+n {
			return entries, fmt.Errorf("a bundle ends within an entry of %d bytes: %w", n, ErrChanged)
		}
		entries = append(entries, b[2:2+n:2+n])
		b = b[2+n:]
	}
	return entries, nil
}
