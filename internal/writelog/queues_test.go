package writelog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/sqlite"
)

// flaky is a store that fails when it is told to, and counts.
type flaky struct {
	sqsserver.Store

	mu sync.Mutex
	// fail, unless it is nil, says what becomes of the next change.
	fail func() fault
	// puts and deletes are how many messages it was told of.
	puts, deletes int
}

func (f *flaky) failBy(how func() fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = how
}

type fault int

const (
	none fault = iota
	lost
	persisted // it failed, and is there all the same
)

var errFault = errors.New("the disk is on fire")

func (f *flaky) Apply(ctx context.Context, c *sqsserver.Changes) error {
	f.mu.Lock()
	how := none
	if f.fail != nil {
		how = f.fail()
	}
	if how != lost {
		f.puts += len(c.PutMessages)
		f.deletes += len(c.Deletes)
	}
	f.mu.Unlock()
	if how == lost {
		return errFault
	}
	if err := f.Store.Apply(ctx, c); err != nil || how == none {
		return err
	}
	return errFault
}

type tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func must(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func data(t tb) *sqlite.DB {
	db, err := sqlite.Open(":memory:")
	must(t, err)
	return db
}

var quiet = slog.New(slog.DiscardHandler)

// world is a log before a data file that outlives it.
type world struct {
	t      tb
	path   string
	behind *flaky
	*Queues
}

// newWorld has a clock that stands still, so that only the test flushes.
func newWorld(t tb, dir string) *world {
	t.Helper()
	w := &world{t: t, path: filepath.Join(dir, "efferent.db"), behind: &flaky{Store: sqlite.NewQueues(data(t))}}
	w.open()
	return w
}

func (w *world) open() {
	w.t.Helper()
	s, err := OpenQueues(context.Background(), w.path, "an-id", w.behind, Options{Clock: clockwork.NewFakeClock(), Logger: quiet})
	must(w.t, err)
	s.part = 2
	w.Queues = s
}

// kill leaves everything as it lies.
func (w *world) kill() {
	w.t.Helper()
	w.stop()
	<-w.done
	must(w.t, w.closeFiles())
}

func (w *world) apply(c *sqsserver.Changes) {
	w.t.Helper()
	must(w.t, w.Apply(context.Background(), c))
}

func message(key int64) sqsserver.StoredMessage {
	return sqsserver.StoredMessage{
		MessageRecord: sqsserver.MessageRecord{StateRecord: sqsserver.StateRecord{Key: key, VisibleAt: key}, Queue: 1,
			ID:  [16]byte{byte(key), 255},
			Seq: key, Sent: key, Group: "g"},
		Content: sqsserver.Content{Body: fmt.Sprintf("body %d é \u2028 \x00 <&>", key), Attributes: []byte{0, 255}},
	}
}

func put(keys ...int64) *sqsserver.Changes {
	c := &sqsserver.Changes{}
	for _, key := range keys {
		c.PutMessages = append(c.PutMessages, message(key))
	}
	return c
}

// found are the keys that a store has, of those below 20.
func found(t tb, s sqsserver.Store) []int64 {
	t.Helper()
	return slices.Sorted(maps.Keys(all(t, s, 20)))
}

func all(t tb, s sqsserver.Store, below int64) map[int64]sqsserver.StoredMessage {
	t.Helper()
	var keys []int64
	for key := range below {
		keys = append(keys, key)
	}
	got, err := s.Messages(context.Background(), keys)
	must(t, err)
	return got
}

func want(t tb, s sqsserver.Store, keys ...int64) {
	t.Helper()
	if got := found(t, s); !slices.Equal(got, keys) {
		t.Fatalf("got messages %v, want %v", got, keys)
	}
}

// TestWhatDoesNotLast: the store behind never sees it.
func TestWhatDoesNotLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir())
	w.apply(put(1, 2, 3))
	w.apply(&sqsserver.Changes{Deletes: []int64{1, 3}})
	must(t, w.flush(t.Context()))
	want(t, w, 2)
	if w.behind.puts != 1 || w.behind.deletes != 0 {
		t.Errorf("behind, %d messages were put and %d deleted, want 1 and 0", w.behind.puts, w.behind.deletes)
	}
	must(t, w.Close())
}

// TestTorn cuts the log at each of its bytes, and changes each: what came before
// is there, nothing of what came after is, and the log goes on.
func TestTorn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir())
	var ends []int64 // of the records
	for key := range int64(3) {
		w.apply(put(key))
		ends = append(ends, w.files[w.into].size)
	}
	name := w.files[w.into].Name()
	w.kill()
	whole, err := os.ReadFile(name)
	must(t, err)
	for at := range whole {
		changed := slices.Clone(whole)
		changed[at] ^= 0x40
		for _, log := range [][]byte{whole[:at], changed} {
			must(t, os.WriteFile(name, log, 0o600))
			w.open()
			var kept []int64
			for key, end := range ends {
				if end <= int64(at) {
					kept = append(kept, int64(key))
				}
			}
			want(t, w, kept...)
			w.apply(put(10))
			w.kill()
			w.open()
			want(t, w, append(kept, 10)...)
			w.apply(&sqsserver.Changes{Deletes: []int64{0, 1, 2, 10}})
			must(t, w.Close())
		}
	}
}

// TestZeros: so a log may end, or be as a whole, once the machine's power has failed.
func TestZeros(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir())
	w.apply(put(1))
	f := w.files[w.into]
	must(t, f.Truncate(f.size+100))
	w.kill()
	must(t, os.Truncate(w.files[1-w.into].Name(), 100))
	w.open()
	want(t, w, 1)
	must(t, w.Close())
}

// TestTooLong: nothing is acknowledged that the next start would take for torn.
func TestTooLong(t *testing.T) {
	t.Parallel()
	s, err := openSegment(filepath.Join(t.TempDir(), "log"), "an-id")
	must(t, err)
	defer s.Close()
	must(t, s.begin(1))
	size := s.size
	if err := s.append(make([]byte, longest+1)); !errors.Is(err, errTooLong) || s.size != size {
		t.Errorf("%v, and %d bytes are written", err, s.size-size)
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir())
	w.apply(put(1))
	w.kill()
	_, err := OpenQueues(t.Context(), w.path, "another-id", w.behind, Options{Logger: quiet})
	if !errors.Is(err, ErrForeign) {
		t.Errorf("got %v, want %v", err, ErrForeign)
	}
	w.open()
	want(t, w, 1)
	must(t, w.Close())
}

// broken is a file that fails.
type broken struct {
	file
	// keep is how many bytes of a write get there, -1 all; truncates: it can cut.
	keep      int
	truncates bool
}

func (b *broken) WriteAt(p []byte, at int64) (int, error) {
	if b.keep >= 0 {
		p = p[:min(b.keep, len(p))]
	}
	n, _ := b.file.WriteAt(p, at)
	return n, errFault
}

func (b *broken) Truncate(size int64) error {
	if b.truncates {
		return b.file.Truncate(size)
	}
	return errFault
}

// TestWriteFails: a change that failed may be there all the same; what comes after
// it is.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		broken
		there bool
	}{
		"nothing written":                      {broken{keep: 0, truncates: true}, false},
		"half":                                 {broken{keep: 9, truncates: true}, false},
		"all, and taken back":                  {broken{keep: -1, truncates: true}, false},
		"half, which stays":                    {broken{keep: 9}, false},
		"all, which stays: failed, but it was": {broken{keep: -1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, more := range []bool{false, true} {
				w := newWorld(t, t.TempDir())
				w.apply(put(1))
				good := w.files[w.into].file
				c.file = good
				w.files[w.into].file = &c.broken
				if err := w.Apply(t.Context(), put(2)); !errors.Is(err, errFault) {
					t.Errorf("got %v, want %v", err, errFault)
				}
				w.files[w.into].file = good
				expect := []int64{1}
				if more {
					w.apply(put(3, 4))
					expect = append(expect, 3, 4)
				} else if c.there {
					expect = append(expect, 2)
				}
				w.kill()
				w.open()
				want(t, w, expect...)
				must(t, w.Close())
			}
		})
	}
}

// TestBehindFails: changes fail while the store behind does, what was acknowledged
// is there, and all goes on by itself.
func TestBehindFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		db := data(t)
		defer db.Close()
		behind := &flaky{Store: sqlite.NewQueues(db), fail: func() fault { return lost }}
		s, err := OpenQueues(t.Context(), filepath.Join(dir, "efferent.db"), "an-id", behind, Options{Logger: quiet})
		must(t, err)
		must(t, s.Apply(t.Context(), put(1)))
		for range 3 { // it is tried again and again
			time.Sleep(2 * delay)
			synctest.Wait()
			if err := s.Apply(t.Context(), put(2)); !errors.Is(err, errFault) {
				t.Errorf("got %v, want %v", err, errFault)
			}
		}
		want(t, s, 1)
		behind.failBy(nil)
		time.Sleep(2 * delay)
		synctest.Wait()
		must(t, s.Apply(t.Context(), put(3)))
		time.Sleep(2 * delay)
		synctest.Wait()
		want(t, behind.Store, 1, 3)
		must(t, s.Close())
	})
}

// TestBothFiles: what comes during a flush that a kill ends is taken in after what
// the flush had.
func TestBothFiles(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]fault{"lost": lost, "failed, but persisted": persisted} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for rounds := range 2 { // each of the two files is once the older one
				w := newWorld(t, t.TempDir())
				for range rounds {
					w.apply(put(9))
					w.apply(&sqsserver.Changes{Deletes: []int64{9}})
					must(t, w.flush(t.Context()))
				}
				w.apply(put(1))
				w.behind.failBy(func() fault {
					w.apply(&sqsserver.Changes{PutMessages: put(2).PutMessages, Deletes: []int64{1}})
					return how
				})
				if err := w.flush(t.Context()); !errors.Is(err, errFault) {
					t.Errorf("got %v, want %v", err, errFault)
				}
				want(t, w, 2)
				w.kill()
				w.behind.failBy(nil)
				w.open()
				want(t, w.behind.Store, 2)
				must(t, w.Close())
			}
		})
	}
}

// TestMuch: when much gathers it goes without waiting for its time, and who writes
// faster than the store behind waits.
func TestMuch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		db := data(t)
		defer db.Close()
		gate := make(chan struct{})
		behind := &flaky{Store: sqlite.NewQueues(db), fail: func() fault { <-gate; return none }}
		s, err := OpenQueues(t.Context(), filepath.Join(dir, "efferent.db"), "an-id", behind,
			Options{Logger: quiet, Clock: clockwork.NewFakeClock()})
		must(t, err)
		var written atomic.Int64
		go func() {
			big := put(1)
			big.PutMessages[0].Body = string(make([]byte, 1<<20)) // of which one NUL takes six bytes
			for key := range int64(20) {
				big.PutMessages[0].Key = key
				must(t, s.Apply(t.Context(), big))
				written.Add(1)
			}
		}()
		synctest.Wait()
		if got := written.Load(); got == 0 || got == 20 {
			t.Errorf("%d were written while nothing went, want some", got)
		}
		close(gate)
		synctest.Wait()
		if got := len(found(t, s)); got != 20 || written.Load() != 20 {
			t.Errorf("%d messages, %d written, want 20", got, written.Load())
		}
		must(t, s.Close())
		if got := len(found(t, behind.Store)); got != 20 {
			t.Errorf("%d messages behind, want 20", got)
		}
	})
}

// TestFiles: the log is its owner's alone, goes with a Close, and stays with one
// that fails.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, dir)
	w.apply(put(1))
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	w.behind.failBy(func() fault { return lost })
	if err := w.Close(); !errors.Is(err, errFault) {
		t.Errorf("got %v, want %v", err, errFault)
	}
	w.behind.failBy(nil)
	w.open()
	want(t, w.behind.Store, 1)
	must(t, w.Close())
	if _, err := os.Stat(w.path + "-log1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the log is still there: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	dir := f.TempDir()
	w := newWorld(f, dir)
	w.apply(put(1))
	w.apply(&sqsserver.Changes{Deletes: []int64{1}})
	w.kill()
	whole, err := os.ReadFile(w.path + "-log1")
	must(f, err)
	f.Add(whole)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, log []byte) {
		name := filepath.Join(t.TempDir(), "log")
		must(t, os.WriteFile(name, log, 0o600))
		s, err := openSegment(name, "an-id")
		must(t, err)
		defer s.Close()
		left, err := s.read(func(record []byte) error { return json.Unmarshal(record, &sqsserver.Changes{}) })
		if left < 0 || left > int64(len(log)) {
			t.Errorf("%d bytes of %d are left, %v", left, len(log), err)
		}
	})
}
