package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/ledger"
)

// copied is a ledger's state as a forger has it: all of it can be changed.
type copied struct {
	head        ledger.Head
	staged      []ledger.Staged
	objects     bag
	checkpoints bag
	failing     string // the path that can't be read
}

func (c *copied) Head(context.Context, string) (ledger.Head, error) { return c.head, nil }

func (c *copied) Staged(context.Context, string) ([]ledger.Staged, error) { return c.staged, nil }

var errDenied = errors.New("access denied")

func (c *copied) Get(ctx context.Context, path string) ([]byte, error) {
	if path == c.failing {
		return nil, errDenied
	}
	return c.objects.Get(ctx, path)
}

func (w *world) copied(t *testing.T) *copied {
	t.Helper()
	head, err := w.Head(t.Context(), lane)
	must(t, err)
	staged, err := w.Staged(t.Context(), lane)
	must(t, err)
	return &copied{head: head, staged: slices.Clone(staged), objects: maps.Clone(w.bag), checkpoints: maps.Clone(w.checkpoints)}
}

func (c *copied) verify(t *testing.T, k key, more ...ledger.Signed) ledger.Report {
	t.Helper()
	all, err := ledger.Kept{Objects: c.checkpoints}.All(t.Context(), lane)
	must(t, err)
	return ledger.Verifier{Reader: c, Key: public(k)}.Lane(t.Context(), lane, append(all, more...))
}

// small is a ledger of two bundles and a half, with checkpoints in them and
// after them, and entries after those.
func small(t *testing.T) *world {
	t.Helper()
	w := newWorld()
	w.appendTests(t, 0, 100, 9)
	w.sign(t)
	w.appendTests(t, 100, 512, 20)
	w.sign(t)
	w.appendTests(t, 512, 600, 40)
	w.sign(t)
	w.appendTests(t, 600, 610, 4)
	return w
}

func TestSound(t *testing.T) {
	t.Parallel()
	if r := (newWorld()).verify(t); r.Verdict != ledger.Sound || r.Size != 0 {
		t.Errorf("an empty lane: %+v", r)
	}
	w := small(t)
	if r := w.verify(t); r.Verdict != ledger.Sound || r.Why != nil || r.FirstBad != -1 || r.Size != 610 || r.Anchored != 600 {
		t.Errorf("got %+v", r)
	}
}

// wantChanged holds a report against what was done: the first bad entry is at
// most the one that was changed, and at least the first of those that no hash
// tells apart from it.
func wantChanged(t *testing.T, what string, r ledger.Report, least, most int64) {
	t.Helper()
	if r.Verdict != ledger.Changed || r.Why == nil || r.FirstBad < least || r.FirstBad > most {
		t.Errorf("%s: %s, first bad %d (want %d to %d): %v", what, r.Verdict, r.FirstBad, least, most, r.Why)
	}
}

// unused reports whether what is staged differs in bits that DEFLATE leaves
// unused before the last block (RFC 1951, section 3.2.4): all entries are there.
func unused(c *copied, t *testing.T, w *world) bool {
	was := w.copied(t)
	return c.head.Root() == was.head.Root() && maps.EqualFunc(c.objects, was.objects, bytes.Equal) &&
		maps.EqualFunc(c.checkpoints, was.checkpoints, bytes.Equal) &&
		slices.EqualFunc(c.staged, was.staged, func(a, b ledger.Staged) bool {
			entries, err := a.Entries()
			want, _ := b.Entries()
			a.Data = b.Data
			return err == nil && slices.EqualFunc(entries, want, bytes.Equal) && cmp.Equal(a, b)
		})
}

// TestEveryByte flips every byte of every object, of every checkpoint and of
// all that is staged.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	w := small(t)
	each := func(name string, size int, flip func(c *copied, i int, by byte)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := 1
			if size > 2000 {
				step = 89 // a prime: every part of an entry is met
			}
			for i := 0; i < size; i += step {
				for _, by := range []byte{0x01, 0x80} {
					c := w.copied(t)
					flip(c, i, by)
					if r := c.verify(t, w.key); r.Verdict != ledger.Changed && !unused(c, t, w) {
						t.Errorf("byte %d ^ %x: %+v", i, by, r)
					}
				}
			}
		})
	}
	flipped := func(b []byte, i int, by byte) []byte {
		b = slices.Clone(b)
		b[i] ^= by
		return b
	}
	for path, b := range w.bag {
		each(path, len(b), func(c *copied, i int, by byte) { c.objects[path] = flipped(b, i, by) })
	}
	for path, b := range w.checkpoints {
		if strings.Contains(path, "/checkpoints/") { // the other one is a copy
			each(path, len(b), func(c *copied, i int, by byte) { c.checkpoints[path] = flipped(b, i, by) })
		}
	}
	staged := w.copied(t).staged
	for n, s := range staged {
		if s.End <= 512 {
			continue
		}
		each("staged data", len(s.Data), func(c *copied, i int, by byte) { c.staged[n].Data = flipped(s.Data, i, by) })
		each("staged names", 64, func(c *copied, i int, by byte) {
			if i < 32 {
				c.staged[n].Root[i] ^= by
			} else {
				c.staged[n].Before[i-32] ^= by
			}
		})
	}
	each("head", len(w.head.AppendBytes(nil)), func(c *copied, i int, by byte) { c.head.Hashes[i/32][i%32] ^= by })
}

// TestEveryObject drops each object, and puts each in the place of each other.
func TestEveryObject(t *testing.T) {
	t.Parallel()
	w := small(t)
	for path := range w.bag {
		c := w.copied(t)
		delete(c.objects, path)
		// What is unfinished may go once it is full.
		gone := strings.Contains(path, ".p/100") && !strings.Contains(path, "tile/1")
		if r := c.verify(t, w.key); (r.Verdict == ledger.Sound) != gone {
			t.Errorf("without %s: %+v", path, r)
		}
		for other, b := range w.bag {
			if c := w.copied(t); string(b) != string(w.bag[path]) {
				c.objects[path] = b
				if r := c.verify(t, w.key); r.Verdict != ledger.Changed {
					t.Errorf("%s in the place of %s: %+v", other, path, r)
				}
			}
		}
		c = w.copied(t)
		c.failing = path
		if r := c.verify(t, w.key); r.Verdict != ledger.CantTell || !errors.Is(r.Why, errDenied) {
			t.Errorf("with %s denied: %+v", path, r)
		}
	}
	for path := range w.checkpoints {
		for other, b := range w.checkpoints {
			if c := w.copied(t); string(b) != string(w.checkpoints[path]) && strings.Contains(path, "/checkpoints/") {
				c.checkpoints[path] = b
				wantChanged(t, other+" in the place of "+path, c.verify(t, w.key), -1, -1)
			}
		}
	}
}

// rebuilt is a ledger that a forger wrote anew from entries, all hashes right.
func rebuilt(t *testing.T, w *world, entries [][]byte) *copied {
	t.Helper()
	forged := newWorld()
	for some := range slices.Chunk(entries, 50) {
		forged.append(t, some...)
	}
	c := forged.copied(t)
	c.checkpoints = maps.Clone(w.checkpoints)
	for path, b := range w.bag { // unfinished tiles
		if _, ok := c.objects[path]; !ok {
			c.objects[path] = b
		}
	}
	return c
}

func allEntries(n int) (all [][]byte) {
	for i := range n {
		all = append(all, entryText(i))
	}
	return all
}

// TestRewritten: whoever can write all that the appender can, changes, drops or
// swaps each entry of the ledger and makes everything fit. Only the checkpoints
// tell, and only of what was signed.
func TestRewritten(t *testing.T) {
	t.Parallel()
	w := small(t)
	anchored := func(i int) int64 { // the last checkpoint before entry i
		switch {
		case i < 100:
			return 0
		case i < 512:
			return 100
		}
		return 512
	}
	for i := 0; i < 610; i += 11 {
		for what, forge := range map[string]func([][]byte) [][]byte{
			"changed": func(e [][]byte) [][]byte { e[i] = entryText(9999); return e },
			"dropped": func(e [][]byte) [][]byte { return slices.Delete(e, i, i+1) },
			"swapped": func(e [][]byte) [][]byte { e[i], e[(i+1)%610] = e[(i+1)%610], e[i]; return e },
		} {
			r := rebuilt(t, w, forge(allEntries(610))).verify(t, w.key)
			if i < 600 {
				wantChanged(t, what, r, min(anchored(i), anchored((i+1)%610)), int64(i))
			} else if r.Verdict != ledger.Sound && i != 609 {
				t.Errorf("%s after the newest checkpoint: %+v", what, r)
			}
		}
	}
}

// TestRolledBack: an older state is put back, all of it; with the checkpoints
// too, only who has a newer one can tell.
func TestRolledBack(t *testing.T) {
	t.Parallel()
	w := small(t)
	newest, err := w.kept().Newest(t.Context(), lane)
	must(t, err)
	for _, n := range []int{0, 1, 99, 100, 256, 511, 599} {
		c := rebuilt(t, w, allEntries(n))
		wantChanged(t, "rolled back", c.verify(t, w.key), int64(n), int64(n))
		for path := range c.checkpoints {
			if strings.Contains(path, "/checkpoints/") {
				delete(c.checkpoints, path)
			}
		}
		if r := c.verify(t, w.key); r.Verdict != ledger.Sound || r.Anchored != 0 {
			t.Errorf("without checkpoints: %+v", r)
		}
		wantChanged(t, "rolled back with its checkpoints", c.verify(t, w.key, ledger.Signed{Path: "mine", Note: newest}), int64(n), int64(n))
	}
}

// TestForked: the signer signed two trees of one ledger. Who has a checkpoint
// of one finds that the other is not its continuation.
func TestForked(t *testing.T) {
	t.Parallel()
	w := small(t)
	mine, err := w.kept().Newest(t.Context(), lane)
	must(t, err)
	other := newWorld()
	other.appendTests(t, 0, 550, 50)
	other.append(t, entryText(7777))
	other.appendTests(t, 551, 700, 50)
	newer := other.sign(t)
	if r := other.verify(t); r.Verdict != ledger.Sound {
		t.Fatalf("the fork by itself: %+v", r)
	}
	wantChanged(t, "fork", other.verify(t, ledger.Signed{Path: "mine", Note: mine}), 0, 550)

	verifier, err := public(w.key).Lane(lane)
	must(t, err)
	older, err := ledger.OpenCheckpoint(mine, verifier)
	must(t, err)
	path, err := ledger.TilesOf(other, lane).Consistent(t.Context(), older, newer)
	must(t, err)
	if err := ledger.CheckConsistent(older, newer, path); !errors.Is(err, ledger.ErrChanged) {
		t.Errorf("consistency: %v", err)
	}

	// Two trees of one size, both signed.
	same := newWorld()
	same.appendTests(t, 0, 599, 50)
	same.append(t, entryText(8888))
	same.sign(t)
	forked, err := same.kept().Newest(t.Context(), lane)
	must(t, err)
	r := w.verify(t, ledger.Signed{Path: "other", Note: forked})
	if r.Verdict != ledger.Changed || !strings.Contains(r.Why.Error(), "forked") {
		t.Errorf("two trees of one size: %+v", r)
	}
}

// TestGaps: staged entries that are gone.
func TestGaps(t *testing.T) {
	t.Parallel()
	w := small(t)
	for i, s := range w.copied(t).staged {
		if s.End <= 512 {
			continue
		}
		c := w.copied(t)
		c.staged = slices.Delete(c.staged, i, i+1)
		wantChanged(t, "gap", c.verify(t, w.key), max(s.Start, 512), max(s.Start, 512))
	}
}

// TestStagedRuns: of what is staged the first run that was changed is named,
// and what is not as it was written is refused.
func TestStagedRuns(t *testing.T) {
	t.Parallel()
	w := small(t)
	var runs []int
	for i, s := range w.copied(t).staged {
		if s.Start >= 512 {
			runs = append(runs, i)
		}
	}
	for _, i := range runs {
		c := w.copied(t)
		var edge ledger.Edge
		var others [][]byte
		for k := c.staged[i].Start; k < c.staged[i].End; k++ {
			others = append(others, entryText(int(k)+5000))
		}
		forged, err := ledger.Stage(&edge, others)
		must(t, err)
		c.staged[i].Data = forged[0].Data
		least := c.staged[i].Start
		if least < 600 { // the newest checkpoint is at its end or before
			least = 512
		}
		wantChanged(t, "staged run", c.verify(t, w.key), least, c.staged[i].Start)
	}
	s := w.copied(t).staged[runs[0]]
	longer, more := s, s
	longer.Data = append(slices.Clone(s.Data), 0)
	more.End++
	for what, s := range map[string]ledger.Staged{"a byte more": longer, "an entry more": more} {
		if _, err := s.Entries(); !errors.Is(err, ledger.ErrChanged) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestActs(t *testing.T) {
	t.Parallel()
	line := func(action, id string) []byte {
		b, err := ledger.Entry{Action: action, Actor: "a", ID: id, Timestamp: at}.AppendJSON(nil)
		must(t, err)
		return b
	}
	w := newWorld()
	w.append(t, line(ledger.WebhookAttempt, "1"), line(ledger.WebhookAttempt, "2"), line(ledger.WebhookDelivered, "1"),
		line(ledger.NotificationFailed, "3"), line(ledger.WebhookAttempt, "2"), line(ledger.DLQReplay, "4"))
	acts := ledger.NewActs()
	r := ledger.Verifier{Reader: w, Key: public(w.key), Acts: acts}.Lane(t.Context(), lane, nil)
	if r.Verdict != ledger.Sound || acts.Unfinished() != 1 || acts.Unannounced() != 1 || acts.Repeated != 1 {
		t.Errorf("got %+v: %d unfinished, %d unannounced, %d repeated", r, acts.Unfinished(), acts.Unannounced(), acts.Repeated)
	}
}

// TestExported: the published objects alone are a ledger up to its newest
// checkpoint, and whatever is done to them is found.
func TestExported(t *testing.T) {
	t.Parallel()
	w := small(t)
	all := func() bag {
		b := maps.Clone(w.bag)
		maps.Copy(b, w.checkpoints)
		return b
	}
	verify := func(b bag) ledger.Report {
		signed, err := ledger.Kept{Objects: b}.All(t.Context(), lane)
		must(t, err)
		return ledger.Verifier{Reader: ledger.Exported{Objects: b}, Key: public(w.key)}.Lane(t.Context(), lane, signed)
	}
	if r := verify(all()); r.Verdict != ledger.Sound || r.Size != 600 || r.Anchored != 600 {
		t.Fatalf("got %+v", r)
	}
	if lanes, err := (ledger.Exported{Objects: all()}).Lanes(t.Context()); err != nil || !slices.Equal(lanes, []string{lane}) {
		t.Errorf("the lanes are %v, %v", lanes, err)
	}
	for path, data := range w.bag {
		for i := 0; i < len(data); i += 1 + len(data)/7 {
			b := all()
			b[path] = slices.Clone(data)
			b[path][i] ^= 1
			if r := verify(b); r.Verdict != ledger.Changed {
				t.Errorf("byte %d of %s: %+v", i, path, r)
			} else if path == lane+"/tile/entries/002.p/88" && r.FirstBad != 512+entryAt(data, i) {
				t.Errorf("byte %d of %s: the first bad entry is %d, want %d", i, path, r.FirstBad, 512+entryAt(data, i))
			}
		}
		b := all()
		delete(b, path)
		replaced := strings.Contains(path, ".p/100") && !strings.Contains(path, "tile/1")
		if r := verify(b); (r.Verdict == ledger.Sound) != replaced || r.Verdict == ledger.CantTell {
			t.Errorf("without %s: %+v", path, r)
		}
	}
}

// entryAt is the entry that a byte of a bundle belongs to.
func entryAt(bundle []byte, at int) int64 {
	entries, _ := ledger.ParseBundle(bundle)
	for i, e := range entries {
		if at -= 2 + len(e); at < 0 {
			return int64(i)
		}
	}
	return -1
}
