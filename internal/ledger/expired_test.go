package ledger_test

import (
	"slices"
	"testing"

	"github.com/efferent/efferent/internal/ledger"
)

// TestExpired: entries may be gone from the first on, where the caller says
// that they expire, and their hashes hold all that they held.
func TestExpired(t *testing.T) {
	t.Parallel()
	bundle := func(n int64) string { return lane + "/" + ledger.BundlePath(n, ledger.TileWidth) }
	hashes := func(n int64) string { return lane + "/" + ledger.TilePath(0, n, ledger.TileWidth) }
	for name, c := range map[string]struct {
		expires bool
		do      func(bag)
		want    ledger.Verdict
		expired int64
		bad     int64
	}{
		"nothing":              {true, func(bag) {}, ledger.Sound, 0, -1},
		"the first":            {true, func(b bag) { delete(b, bundle(0)) }, ledger.Sound, 256, -1},
		"the first two":        {true, func(b bag) { delete(b, bundle(0)); delete(b, bundle(1)) }, ledger.Sound, 512, -1},
		"but not by the rules": {false, func(b bag) { delete(b, bundle(0)) }, ledger.Changed, 0, 0},
		"the second only":      {true, func(b bag) { delete(b, bundle(1)) }, ledger.Changed, 0, 256},
		"its hashes too":       {true, func(b bag) { delete(b, bundle(0)); delete(b, hashes(0)) }, ledger.Changed, 0, 0},
		"its hashes cut":       {true, func(b bag) { delete(b, bundle(0)); b[hashes(0)] = b[hashes(0)][:32] }, ledger.Changed, 0, 0},
		// No hash of each entry is left: all since the last checkpoint before may be bad.
		"its hashes another's": {true, func(b bag) { delete(b, bundle(0)); b[hashes(0)] = b[hashes(1)] }, ledger.Changed, 0, 0},
		"one hash another":     {true, func(b bag) { delete(b, bundle(0)); b[hashes(0)] = flip(b[hashes(0)], 32*255) }, ledger.Changed, 256, 100},
		"an unfinished one that stays": {true, func(b bag) {
			delete(b, lane+"/"+ledger.BundlePath(2, 88)) // what is staged has its entries
		}, ledger.Sound, 0, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			for _, size := range []int{100, 600} {
				w.appendTests(t, int(w.frontier.Size), size, 50)
				w.sign(t)
			}
			w.appendTests(t, 600, 610, 10)
			c.do(w.bag)
			signed, err := w.kept().All(t.Context(), lane)
			must(t, err)
			r := ledger.Verifier{Reader: w, Key: public(w.key), Expires: c.expires}.Lane(t.Context(), lane, signed)
			if r.Verdict != c.want || r.Expired != c.expired || r.FirstBad != c.bad || r.Size != 610 && c.want == ledger.Sound {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func flip(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 1
	return b
}
