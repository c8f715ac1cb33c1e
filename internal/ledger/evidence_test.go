package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/ledger"
)

func (w *world) Newest(ctx context.Context, lane string) ([]byte, error) {
	return w.kept().Newest(ctx, lane)
}

func TestSpans(t *testing.T) {
	t.Parallel()
	hour := func(h int) time.Time { return at.Add(time.Duration(h) * time.Hour) }
	got := ledger.Spans([]time.Time{hour(30), hour(0), hour(2), hour(4), hour(7)})
	want := []ledger.Span{{First: hour(0), Last: hour(4)}, {First: hour(7), Last: hour(7)}, {First: hour(30), Last: hour(30)}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := ledger.Spans(nil); got != nil {
		t.Errorf("of no times: %v", got)
	}
}

// TestProve finds the entries of two far times once each, with those that are
// not published, proves what is signed, and reads the proofs as one file.
func TestProve(t *testing.T) {
	t.Parallel()
	w := newWorld()
	mine := func(l ledger.Line) bool { return l.WebhookID == "mine" }
	entry := func(i int, webhook string) []byte {
		b, err := ledger.Entry{Action: ledger.WebhookAttempt, ID: fmt.Sprintf("m%d#1", i), WebhookID: webhook,
			Timestamp: at.Add(time.Duration(i) * time.Minute)}.AppendJSON(nil)
		must(t, err)
		return b
	}
	const size = 3000
	for i := 0; i < size; i += 100 {
		var some [][]byte
		for k := i; k < i+100; k++ {
			webhook := "other"
			if k == 5 || k == 200 || k == 2000 || k == size-1 {
				webhook = "mine"
			}
			some = append(some, entry(k, webhook))
		}
		w.append(t, some...)
	}
	c := w.sign(t)
	w.append(t, entry(size, "mine"))
	spans := ledger.Spans([]time.Time{at, at.Add(200 * time.Minute), at.Add(2000 * time.Minute), at.Add(size * time.Minute)})
	found, err := ledger.Prove(t.Context(), w, lane, spans, mine)
	if err != nil || len(found) != 5 {
		t.Fatalf("found %d: %v", len(found), err)
	}
	var file []byte
	for i, want := range []int64{5, 200, 2000, size - 1, size} {
		if found[i].Index != want || (found[i].Size == c.Size) != (want < size) || (found[i].Proof != nil) != (want < size) {
			t.Errorf("got %+v, want entry %d", found[i], want)
		}
		file = append(file, found[i].Proof...)
	}
	proofs, err := ledger.ParseProofs(file)
	if err != nil || len(proofs) != 4 {
		t.Fatalf("read %d: %v", len(proofs), err)
	}
	verifier, err := public(w.key).Lane(lane)
	must(t, err)
	for i, p := range proofs {
		if _, err := p.Verify(verifier); err != nil || !bytes.Equal(p.Entry, found[i].Entry) {
			t.Errorf("proof %d: %v", i, err)
		}
	}
	for name, bad := range map[string][]byte{"nothing": nil, "a line before": append([]byte("\n"), file...), "cut": file[:len(file)-1]} {
		if got, err := ledger.ParseProofs(bad); err == nil {
			t.Errorf("%s: %d proofs", name, len(got))
		}
	}
}

// TestFindAmongExpired: entries that are gone were before all others.
func TestFindAmongExpired(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.appendTests(t, 0, 2000, 100)
	w.sign(t)
	for i := range int64(3) {
		delete(w.bag, lane+"/"+ledger.BundlePath(i, 256))
	}
	found, err := ledger.Prove(t.Context(), w, lane, []ledger.Span{{Last: at}}, func(l ledger.Line) bool { return l.ID == "m1000#1" })
	if err != nil || len(found) != 1 || found[0].Proof == nil {
		t.Errorf("found %+v, %v", found, err)
	}
}

// TestExport copies a lane at several of its sizes, and verifies the copy alone.
func TestExport(t *testing.T) {
	t.Parallel()
	w, to := newWorld(), bag{}
	export := func() (ledger.Exports, error) {
		return ledger.Export(t.Context(), w, w.kept(), lane, public(w.key), to, func(int64, int64) {})
	}
	if got, err := export(); err != nil || got != (ledger.Exports{}) {
		t.Errorf("of nothing: %+v, %v", got, err)
	}
	for _, size := range []int{10, 200, 256, 700, 1025} {
		w.appendTests(t, int(w.frontier.Size), size, 100)
		w.sign(t)
		got, err := export()
		if err != nil || got.Entries != int64(size) {
			t.Fatalf("%+v, %v", got, err)
		}
		copied := ledger.Exported{Objects: to}
		all, err := ledger.Kept(copied).All(t.Context(), lane)
		must(t, err)
		r := ledger.Verifier{Reader: copied, Key: public(w.key)}.Lane(t.Context(), lane, all)
		if r.Verdict != ledger.Sound || r.Size != int64(size) || r.Anchored != int64(size) || len(all) != got.Checkpoints {
			t.Errorf("the copy of %d: %+v", size, r)
		}
	}
	for _, path := range []string{ledger.BundlePath(1, 256), ledger.TilePath(0, 2, 256)} {
		good := to[lane+"/"+path]
		bad := bytes.Clone(good)
		bad[9] ^= 1
		to[lane+"/"+path] = bad
		if _, err := export(); !errors.Is(err, ledger.ErrChanged) {
			t.Errorf("onto a copy whose %s was changed: %v", path, err)
		}
		to[lane+"/"+path] = good
	}
	delete(w.bag, lane+"/"+ledger.BundlePath(0, 256))
	if got, err := export(); err != nil || got.Expired != 256 {
		t.Errorf("without the first bundle: %+v, %v", got, err)
	}
	delete(w.bag, lane+"/"+ledger.BundlePath(2, 256))
	if _, err := export(); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("with a bundle missing within: %v", err)
	}
	w.key = newKey(2)
	if _, err := export(); !errors.Is(err, ledger.ErrUnsigned) {
		t.Errorf("by another key: %v", err)
	}
}

// TestByTime: what a person did comes before the attempt that it led to, also
// within one millisecond and in a lane of a higher number.
func TestByTime(t *testing.T) {
	t.Parallel()
	at := func(time, lane string, attempt int, index int64) ledger.Evidence {
		return ledger.Evidence{Lane: lane, Found: ledger.Found{Index: index, Line: ledger.Line{Timestamp: time, Attempt: attempt}}}
	}
	want := []ledger.Evidence{
		at("2026-11-26T08:00:00.000Z", "lane-3", 9, 7), at("2026-11-26T08:00:00.001Z", "lane-2", 0, 9),
		at("2026-11-26T08:00:00.001Z", "lane-1", 2, 3), at("2026-11-26T08:00:00.001Z", "lane-1", 2, 4),
		at("2026-11-26T08:00:00.001Z", "lane-2", 2, 1),
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	if slices.SortFunc(got, ledger.ByTime); !slices.EqualFunc(got, want, func(a, b ledger.Evidence) bool { return ledger.ByTime(a, b) == 0 }) {
		t.Errorf("sorted: %+v", got)
	}
}
