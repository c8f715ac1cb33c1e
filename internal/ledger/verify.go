package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Verdict is what verifying a lane comes to.
type Verdict string

// The verdicts.
const (
	Sound    Verdict = "sound"
	Changed  Verdict = "changed"
	CantTell Verdict = "can't tell"
)

// Report is what was found in a lane.
type Report struct {
	Lane    string
	Verdict Verdict
	// Why says what was found; nil where the lane is sound.
	Why error
	// FirstBad is the first entry that is not what it was, -1 where none is
	// known. Where no hash of each entry is left it is the first one that may
	// be: those before it are what was signed.
	FirstBad int64
	// Size is how many entries the lane has, Anchored how many of them the
	// newest checkpoint holds. What is after them is not protected yet.
	Size, Anchored int64
	// Expired is how many entries, from the first on, are gone. Their hashes are
	// what was signed.
	Expired int64
}

// badAt is an error that knows the first entry that is not what it was.
type badAt struct {
	index int64
	error
}

func (b badAt) Unwrap() error { return b.error }

func changedAt(index int64, format string, args ...any) error {
	return badAt{index, fmt.Errorf("%w: "+format, append([]any{ErrChanged}, args...)...)}
}

// Verifier verifies the lanes of a ledger, one after the other.
type Verifier struct {
	Reader Reader
	Key    PublicKey
	// Acts counts what is in the lanes; nil for no counts.
	Acts *Acts
	// Expires lets entries be gone, from the first on: their retention has ended.
	// Their hashes have to be there.
	Expires bool
	// Progress, if it is not nil, is told how far it is in a lane.
	Progress func(lane string, done, of int64)
}

// verification is one lane that is being verified.
type verification struct {
	Verifier
	lane     string
	log      *Log
	frontier Frontier
	// tail are the entries of the unfinished bundle.
	tail [][]byte
	// anchors are the checkpoints that are not reached yet, by size.
	anchors []Checkpoint
	// good is the size of the last checkpoint that was reached.
	good int64
	// expired is how many entries are gone.
	expired int64
}

// Lane reads a whole lane, and holds it against itself and against signed
// checkpoints: those that were kept, and any others that somebody has.
//
// What a head says of the queue is not in the tree, and so not verified.
func (of Verifier) Lane(ctx context.Context, lane string, signed []Signed) Report {
	v := &verification{Verifier: of, lane: lane}
	report := Report{Lane: lane, Verdict: Sound, FirstBad: -1}
	err := v.open(ctx, signed)
	if n := len(v.anchors); n > 0 {
		report.Anchored = v.anchors[n-1].Size
	}
	if err == nil {
		err = v.run(ctx)
	}
	if v.log != nil {
		report.Size = v.log.Head.Size
	}
	report.Expired = v.expired
	var bad badAt
	switch {
	case errors.As(err, &bad):
		report.Verdict, report.FirstBad = Changed, bad.index
	case errors.Is(err, ErrChanged) || errors.Is(err, ErrGap) || errors.Is(err, ErrUnsigned):
		report.Verdict = Changed
	case err != nil:
		report.Verdict = CantTell
	}
	report.Why = err
	return report
}

// open reads the checkpoints and where the lane stands.
func (v *verification) open(ctx context.Context, signed []Signed) (err error) {
	key, err := v.Key.Lane(v.lane)
	if err != nil {
		return err
	}
	for _, s := range signed {
		c, err := OpenCheckpoint(s.Note, key)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Path, err)
		}
		if strings.HasPrefix(s.Path, checkpointsPath(v.lane)) && s.Path != pathOfSize(v.lane, c.Size) {
			return fmt.Errorf("%s is of %d entries: %w", s.Path, c.Size, ErrChanged)
		}
		if c.Size > 0 {
			v.anchors = append(v.anchors, c)
		}
	}
	slices.SortStableFunc(v.anchors, func(a, b Checkpoint) int { return int(a.Size - b.Size) })
	for i, c := range v.anchors[min(1, len(v.anchors)):] {
		if before := v.anchors[i]; c.Size == before.Size && c.Root != before.Root {
			return fmt.Errorf("two trees of %d entries were signed: the ledger was forked: %w", c.Size, ErrChanged)
		}
	}
	if v.log, err = OpenLog(ctx, v.Reader, v.lane); err != nil && (errors.Is(err, ErrGap) || errors.Is(err, ErrChanged)) {
		return v.gap(ctx, err)
	}
	return err
}

// gap finds the first entry that is missing of what is staged.
func (v *verification) gap(ctx context.Context, why error) error {
	head, err := v.Reader.Head(ctx, v.lane)
	if err != nil {
		return err
	}
	all, err := v.Reader.Staged(ctx, v.lane)
	if err != nil {
		return err
	}
	v.log = &Log{Lane: v.lane, Head: Head{Edge: Edge{Size: head.Published}, Published: head.Published}}
	if err := v.bundles(ctx); err != nil {
		return err
	}
	edge := v.frontier.Edge()
	for {
		i := slices.IndexFunc(all, func(s Staged) bool { return s.follows(&edge) })
		if i < 0 {
			break
		}
	}
	v.log.Head.Size = head.Size
	return badAt{edge.Size, why}
}

func (v *verification) run(ctx context.Context) error {
	if err := v.bundles(ctx); err != nil {
		return err
	}
	if err := v.staged(ctx); err != nil {
		return err
	}
	if v.frontier.Size != v.log.Head.Size || v.frontier.Root() != v.log.Head.Root() {
		return changedAt(v.since(min(v.frontier.Size, v.log.Head.Size)), "%s: its entries do not make its head's root", v.lane)
	}
	if len(v.anchors) > 0 {
		return changedAt(v.frontier.Size, "%s has %d entries, and %d were signed: it was rolled back", v.lane, v.frontier.Size,
			v.anchors[len(v.anchors)-1].Size)
	}
	return nil
}

// staged verifies what is not published, run by run.
func (v *verification) staged(ctx context.Context) error {
	rest := v.log.Rest
	if err := v.joins(); err != nil {
		return err
	}
	for _, s := range v.log.chain {
		for v.frontier.Size < s.End && len(rest) > 0 {
			if _, err := v.append(ctx, rest[0]); err != nil {
				return err
			}
			rest = rest[1:]
		}
		if v.frontier.Root() != s.Root {
			return changedAt(max(s.Start, v.log.Head.Published), "the staged entries %d to %d of %s do not make the root that they name",
				s.Start, s.End-1, v.lane)
		}
		v.report(v.frontier.Size)
	}
	return nil
}

// joins holds the first staged run against the tree that it says it begins at.
func (v *verification) joins() error {
	if chain := v.log.chain; len(chain) > 0 && chain[0].Start == v.frontier.Size && chain[0].Before != v.frontier.Root() {
		return changedAt(v.since(v.frontier.Size), "the staged entries from %d on of %s name another tree before them", v.frontier.Size, v.lane)
	}
	return nil
}

// since is the first entry that may be bad where the tree is not the right one
// at an index: of entries that are gone the hashes may have been changed.
func (v *verification) since(index int64) int64 {
	if v.expired > v.good {
		return v.good
	}
	return index
}

func (v *verification) report(done int64) {
	if v.Progress != nil {
		v.Progress(v.lane, done, v.log.Head.Size)
	}
}

// bundles verifies what is published.
func (v *verification) bundles(ctx context.Context) error {
	get := func(ctx context.Context, path string) ([]byte, error) { return v.Reader.Get(ctx, v.lane+"/"+path) }
	return readAhead(ctx, v.log.Head.Published/TileWidth,
		func(ctx context.Context, i int64) ([]byte, error) { return get(ctx, BundlePath(i, TileWidth)) },
		func(i int64, b []byte, err error) error {
			first := i * TileWidth
			expired := v.Expires && v.expired == first && errors.Is(err, ErrNotFound)
			if err != nil && !expired {
				return gone(first, err)
			}
			tile, err := get(ctx, TilePath(0, i, TileWidth))
			if err != nil {
				return gone(first, err)
			}
			if expired {
				err = v.hashes(ctx, first, tile)
			} else {
				err = v.bundle(ctx, first, b, tile)
			}
			if err != nil {
				return err
			}
			v.report(first + TileWidth)
			return nil
		})
}

// gone makes of an object that is not there an entry that is not there.
func gone(index int64, err error) error {
	if errors.Is(err, ErrNotFound) {
		return changedAt(index, "%w", err)
	}
	return err
}

// bundle verifies one bundle against the hashes of its entries.
func (v *verification) bundle(ctx context.Context, first int64, b, tile []byte) error {
	entries, parseErr := ParseBundle(b)
	for i, e := range entries[:min(len(entries), TileWidth)] {
		leaf := LeafHash(e)
		if end := (i + 1) * len(leaf); len(tile) < end || !bytes.Equal(tile[end-len(leaf):end], leaf[:]) {
			return changedAt(first+int64(i), "entry %d of %s is not the one of its hash", first+int64(i), v.lane)
		}
		full, err := v.append(ctx, e)
		if err != nil {
			return err
		}
		if err := v.above(ctx, full); err != nil {
			return err
		}
	}
	if parseErr != nil || len(entries) != TileWidth || len(tile) != TileWidth*len(Hash{}) {
		return changedAt(first+int64(min(len(entries), TileWidth)), "%s/%s has %d entries, and %d bytes of hashes", v.lane,
			BundlePath(first/TileWidth, TileWidth), len(entries), len(tile))
	}
	return nil
}

// hashes verifies the hashes of entries that are gone.
func (v *verification) hashes(ctx context.Context, first int64, tile []byte) error {
	t, err := ParseTile(0, first/TileWidth, TileWidth, tile)
	if err != nil {
		return changedAt(first, "%w", err)
	}
	for _, leaf := range t.Hashes {
		full := v.frontier.Append(leaf)
		if err := v.reached(ctx); err != nil {
			return err
		}
		if err := v.above(ctx, full); err != nil {
			return err
		}
	}
	v.expired = first + TileWidth
	return nil
}

// append adds an entry to the tree, and holds it against a checkpoint that was
// signed there.
func (v *verification) append(ctx context.Context, entry []byte) (full []Tile, err error) {
	full = v.frontier.Append(LeafHash(entry))
	if v.tail = append(v.tail, entry); len(v.tail) == TileWidth {
		v.tail = nil
	}
	if v.Acts != nil {
		v.Acts.add(entry)
	}
	return full, v.reached(ctx)
}

// reached holds the tree against what was signed of it.
func (v *verification) reached(ctx context.Context) error {
	if err := v.joins(); err != nil {
		return err
	}
	for len(v.anchors) > 0 && v.anchors[0].Size <= v.frontier.Size {
		c := v.anchors[0]
		if c.Size == v.frontier.Size && c.Root != v.frontier.Root() {
			return changedAt(v.good, "the %d entries of %s are not those that were signed; those before entry %d are",
				c.Size, v.lane, v.good)
		}
		if err := v.partial(ctx); err != nil {
			return err
		}
		v.good = c.Size
		v.anchors = v.anchors[1:]
	}
	return nil
}

// above verifies the stored tiles of level 1 and above.
func (v *verification) above(ctx context.Context, full []Tile) error {
	for _, t := range full {
		if t.Level > 0 {
			if err := v.same(ctx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// partial verifies the unfinished tiles and the bundle that were put for a
// checkpoint. They may be gone once full ones are there.
func (v *verification) partial(ctx context.Context) error {
	for _, t := range v.frontier.Partial() {
		err := v.same(ctx, t)
		if replaced := t.end() <= v.log.Head.Published; err != nil && !(replaced && errors.Is(err, ErrNotFound)) {
			return err
		}
	}
	if len(v.tail) == 0 {
		return nil
	}
	first := v.frontier.Size - int64(len(v.tail))
	path := v.lane + "/" + BundlePath(first/TileWidth, len(v.tail))
	b, err := v.Reader.Get(ctx, path)
	switch {
	case errors.Is(err, ErrNotFound) && (v.Expires || first+TileWidth <= v.log.Head.Published):
		return nil
	case err != nil:
		return gone(first, err)
	case bytes.Equal(b, Bundle(v.tail)):
		return nil
	}
	entries, _ := ParseBundle(b)
	at := 0
	for at < min(len(entries), len(v.tail)) && bytes.Equal(entries[at], v.tail[at]) {
		at++
	}
	return changedAt(first+int64(at), "%s is not the bundle of its entries", path)
}

// same holds a stored tile against the one that the entries make.
func (v *verification) same(ctx context.Context, t Tile) error {
	b, err := v.Reader.Get(ctx, v.lane+"/"+t.Path())
	if err != nil {
		return gone(t.start(), err)
	}
	want := t.Bytes()
	if bytes.Equal(b, want) {
		return nil
	}
	at := 0
	for at < len(b) && at < len(want) && b[at] == want[at] {
		at++
	}
	return changedAt(t.start()+int64(at/len(Hash{}))*t.span(), "%s/%s is not the tile of its entries", v.lane, t.Path())
}
