package ledger

import (
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a node of the tree, by RFC 6962 section 2.1: SHA-256 with 0x00 before
// a leaf and 0x01 before two nodes.
type Hash = tlog.Hash

// LeafHash is the hash of an entry's canonical form.
func LeafHash(entry []byte) Hash { return tlog.RecordHash(entry) }

// Edge is the right edge of a tree: what it takes to append to it and to know
// its root. Its zero value is the empty tree.
type Edge struct {
	// Size is the number of leaves.
	Size int64
	// Hashes are those of the perfect subtrees that the leaves fill, one for
	// each bit of Size that is set, the largest first.
	Hashes []Hash
}

// Append adds a leaf.
func (e *Edge) Append(leaf Hash) {
	for n := e.Size; n&1 == 1; n >>= 1 {
		last := len(e.Hashes) - 1
		leaf = tlog.NodeHash(e.Hashes[last], leaf)
		e.Hashes = e.Hashes[:last]
	}
	e.Hashes = append(e.Hashes, leaf)
	e.Size++
}

// Root is the tree's root; that of the empty tree is the hash of nothing.
func (e Edge) Root() Hash {
	if len(e.Hashes) == 0 {
		root, _ := tlog.TreeHash(0, nil)
		return root
	}
	root := e.Hashes[len(e.Hashes)-1]
	for _, left := range slices.Backward(e.Hashes[:len(e.Hashes)-1]) {
		root = tlog.NodeHash(left, root)
	}
	return root
}

// Clone is a copy that can be appended to by itself.
func (e Edge) Clone() Edge { return Edge{e.Size, slices.Clone(e.Hashes)} }

// AppendBytes appends the hashes to b, one after the other.
func (e Edge) AppendBytes(b []byte) []byte { return appendHashes(b, e.Hashes) }

// ParseEdge reads what AppendBytes wrote for a tree of that size.
func ParseEdge(size int64, b []byte) (Edge, error) {
	if size < 0 || len(b) != bits.OnesCount64(uint64(size))*tlog.HashSize {
		return Edge{}, fmt.Errorf("%d bytes are not the edge of a tree of %d", len(b), size)
	}
	hashes, err := parseHashes(b)
	return Edge{size, hashes}, err
}

func appendHashes(b []byte, hashes []Hash) []byte {
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

func parseHashes(b []byte) ([]Hash, error) {
	if len(b)%tlog.HashSize != 0 {
		return nil, fmt.Errorf("%d bytes are not hashes of %d", len(b), tlog.HashSize)
	}
	hashes := make([]Hash, 0, len(b)/tlog.HashSize)
	for h := range slices.Chunk(b, tlog.HashSize) {
		hashes = append(hashes, Hash(h))
	}
	return hashes, nil
}
