package ledger

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"slices"
	"sync"
)

// stagedLimit is the most bytes of one staged item before they are compressed.
// Where nothing can be compressed they still fit DynamoDB's 400 KB.
const stagedLimit = 350 << 10

// Staged is a run of entries that are in the log and not yet in a full bundle.
// It names itself by the size and the root of the tree that it ends, and the
// one before it by those that it begins at: a head leads to all that belong to
// it, and what a crash left behind is on no way from a head.
type Staged struct {
	Start, End int64
	// Before is the root of the tree of Start leaves, Root that of End leaves.
	Before, Root Hash
	// Data is the entries as Bundle packs them, by DEFLATE (RFC 1951).
	Data []byte
}

// Stage appends entries to the tree and returns them as what has to be staged.
func Stage(edge *Edge, entries [][]byte) ([]Staged, error) {
	var staged []Staged
	for len(entries) > 0 {
		n, size := 0, 0
		for n < len(entries) && (n == 0 || size+2+len(entries[n]) <= stagedLimit) {
			size += 2 + len(entries[n])
			n++
		}
		s := Staged{Start: edge.Size, Before: edge.Root()}
		for _, e := range entries[:n] {
			edge.Append(LeafHash(e))
		}
		s.End, s.Root = edge.Size, edge.Root()
		var err error
		if s.Data, err = deflated(Bundle(entries[:n])); err != nil {
			return nil, err
		}
		staged = append(staged, s)
		entries = entries[n:]
	}
	return staged, nil
}

// deflaters are used again: a new one takes a megabyte of memory.
var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.DefaultCompression) // the level is one that there is
	return w
}}

func deflated(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Entries are the entries, as many as Start and End say. Its error is
// ErrChanged.
func (s Staged) Entries() ([][]byte, error) {
	packed := bytes.NewReader(s.Data)
	b, err := io.ReadAll(io.LimitReader(flate.NewReader(packed), stagedLimit+MaxEntry+3))
	if err == nil && packed.Len() > 0 {
		err = fmt.Errorf("%d bytes follow them", packed.Len())
	}
	if err != nil {
		return nil, fmt.Errorf("staged entries %d to %d can't be decompressed: %w (%w)", s.Start, s.End-1, ErrChanged, err)
	}
	entries, err := ParseBundle(b)
	if err == nil && int64(len(entries)) != s.End-s.Start {
		err = fmt.Errorf("there are %d: %w", len(entries), ErrChanged)
	}
	if err != nil {
		return nil, fmt.Errorf("staged entries %d to %d: %w", s.Start, s.End-1, err)
	}
	return entries, nil
}

// Chain picks out of what is staged what leads from a head back to what is
// published, in order. Its error is ErrGap where a piece is missing.
func Chain(head Head, all []Staged) ([]Staged, error) {
	type name struct {
		size int64
		root Hash
	}
	byName := make(map[name]Staged, len(all))
	for _, s := range all {
		byName[name{s.End, s.Root}] = s
	}
	var chain []Staged
	for at := (name{head.Size, head.Root()}); at.size > head.Published; {
		s, ok := byName[at]
		if !ok || s.Start >= s.End || s.Start < 0 {
			return nil, fmt.Errorf("what was staged up to entry %d is missing: %w", at.size-1, ErrGap)
		}
		chain = append(chain, s)
		at = name{s.Start, s.Before}
	}
	slices.Reverse(chain)
	return chain, nil
}

// Unpublished are the entries that a chain holds and no full bundle, beginning
// with entry published.
func Unpublished(chain []Staged, published int64) ([][]byte, error) {
	var entries [][]byte
	for _, s := range chain {
		some, err := s.Entries()
		if err != nil {
			return nil, err
		}
		entries = append(entries, some[max(0, published-s.Start):]...)
	}
	return entries, nil
}

// follows appends s to a tree, where it is what comes next in it.
func (s Staged) follows(edge *Edge) bool {
	if s.Start != edge.Size || s.Before != edge.Root() {
		return false
	}
	entries, err := s.Entries()
	if err != nil {
		return false
	}
	next := edge.Clone()
	for _, e := range entries {
		next.Append(LeafHash(e))
	}
	if next.Root() != s.Root {
		return false
	}
	*edge = next
	return true
}
