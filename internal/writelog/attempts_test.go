package writelog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"
	"pgregory.net/rapid"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/storetest"
)

// flakyRecords fail when they are told to.
type flakyRecords struct {
	Records
	next func() fault
}

func (f *flakyRecords) Put(ctx context.Context, records []attempt.Record) error {
	how := f.next()
	if how == lost {
		return errFault
	}
	if err := f.Records.Put(ctx, records); err != nil || how == none {
		return err
	}
	return errFault
}

func works() fault { return none }

// attemptsWorld is a log before a data file that outlives it. Only the test flushes.
type attemptsWorld struct {
	t      tb
	path   string
	behind *flakyRecords
	*Attempts
}

func newAttempts(t tb, dir string) *attemptsWorld {
	t.Helper()
	w := &attemptsWorld{t: t, path: filepath.Join(dir, "efferent.db"), behind: &flakyRecords{sqlite.NewAttempts(data(t)), works}}
	w.open()
	return w
}

func (w *attemptsWorld) open() {
	w.t.Helper()
	a, err := OpenAttempts(context.Background(), w.path, "an-id", w.behind, Options{Clock: clockwork.NewFakeClock(), Logger: quiet})
	must(w.t, err)
	w.Attempts = a
}

// kill leaves everything as it lies.
func (w *attemptsWorld) kill() {
	w.t.Helper()
	w.stop()
	<-w.done
	must(w.t, w.closeFiles())
}

// flushing flushes after every second call.
type flushing struct {
	*attemptsWorld
	calls atomic.Int64
}

func (f *flushing) Put(ctx context.Context, records []attempt.Record) error {
	err := f.attemptsWorld.Put(ctx, records)
	if f.calls.Add(1)%2 == 0 {
		err = errors.Join(err, f.flush(ctx))
	}
	return err
}

// TestAttemptsArePromised: by the log alone, and where some are in the data file.
func TestAttemptsArePromised(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*attemptsWorld) Records{
		"in the log": func(w *attemptsWorld) Records { return w },
		"in both":    func(w *attemptsWorld) Records { return &flushing{attemptsWorld: w} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newAttempts(t, t.TempDir())
			t.Cleanup(func() { must(t, w.Close()) })
			store := open(w)
			storetest.TestAttempts(t, store)
			storetest.TestOfEndpoints(t, store)
			storetest.TestFailures(t, store)
			storetest.TestReports(t, store)
		})
	}
}

// TestAttemptsLikeTheStoreItself: whatever happens, what is read is what a store
// without a log would give.
func TestAttemptsLikeTheStoreItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp("", "writelog-")
		must(r, err)
		defer os.RemoveAll(dir)
		w, plain := newAttempts(r, dir), sqlite.NewAttempts(data(r))
		for step := range rapid.IntRange(1, 30).Draw(r, "steps") {
			switch rapid.SampledFrom([]string{"put", "put", "put", "again", "report", "report", "flush", "fail", "kill", "close"}).Draw(r, "step") {
			case "put":
				if some := drawnRecords(r, step); w.Put(context.Background(), some) == nil {
					must(r, plain.Put(context.Background(), some))
				}
			case "again":
				for _, one := range drawnKept(r, plain) {
					one.Untold = !one.Untold
					if again := []attempt.Record{one}; w.Put(context.Background(), again) == nil {
						must(r, plain.Put(context.Background(), again))
					}
				}
			case "report":
				for _, one := range drawnKept(r, plain) {
					report(r, w, plain, one, step)
				}
			case "flush":
				_ = w.flush(context.Background())
			case "fail":
				how := rapid.SampledFrom([]fault{none, lost, persisted}).Draw(r, "how")
				w.behind.next = func() fault { return how }
			case "kill":
				w.behind.next = works
				w.kill()
				w.open()
			case "close":
				if w.Close() != nil {
					w.behind.next = works
				}
				w.open()
			}
			sameRecords(r, w, plain)
		}
		w.behind.next = works
		w.kill()
		w.open()
		sameRecords(r, w.behind, plain)
		must(r, w.Close())
	})
}

// drawnRecords are some of few attempts, of few messages and webhook ids.
func drawnRecords(r *rapid.T, step int) (some []attempt.Record) {
	for n := range rapid.IntRange(1, 4).Draw(r, "records") {
		some = append(some, attempt.Record{
			WebhookID: rapid.SampledFrom([]string{"a", "b"}).Draw(r, "webhook"), MessageID: rapid.SampledFrom([]string{"m", "n"}).Draw(r, "message"),
			Attempt: rapid.IntRange(1, 3).Draw(r, "attempt"), At: time.Unix(1_800_000_000, 0).UTC(), Reason: fmt.Sprint(step, " ", n),
			Verdict: rapid.SampledFrom([]attempt.Verdict{attempt.Delivered, attempt.Retryable, attempt.Held, attempt.Exhausted}).Draw(r, "verdict"),
		})
	}
	return some
}

// drawnKept is one of the records that are kept, as it is read, if there are any.
func drawnKept(r *rapid.T, s attempt.Store) []attempt.Record {
	all, err := s.OfWebhook(context.Background(), rapid.SampledFrom([]string{"a", "b"}).Draw(r, "webhook"))
	must(r, err)
	if len(all) == 0 {
		return nil
	}
	return []attempt.Record{rapid.SampledFrom(all).Draw(r, "kept")}
}

// report tells both of a report that comes after the one that is kept, or too late. It
// may fail on the one only as the store behind does.
func report(r *rapid.T, w, plain Records, of attempt.Record, step int) {
	rep := attempt.Report{State: attempt.Arrived, At: time.Unix(1_800_000_000, 0).UTC(), By: fmt.Sprint(step)}
	if of.Report != nil {
		rep.Version = of.Report.Version
	}
	rep.Version += rapid.IntRange(0, 1).Draw(r, "later")
	err := w.PutReport(context.Background(), of, rep)
	if errors.Is(err, errFault) {
		return
	}
	if kept := plain.PutReport(context.Background(), of, rep); !errors.Is(err, kept) {
		r.Fatalf("version %d: %v, and %v without a log", rep.Version, err, kept)
	}
}

func sameRecords(t tb, got, want attempt.Store) {
	t.Helper()
	for _, id := range []string{"a", "b"} {
		g, err := got.OfWebhook(context.Background(), id)
		must(t, err)
		w, err := want.OfWebhook(context.Background(), id)
		must(t, err)
		if diff := cmp.Diff(w, g); diff != "" {
			t.Fatalf("of %s (-want +got):\n%s", id, diff)
		}
		g, err = got.OfMessage(context.Background(), id, "m")
		must(t, err)
		w, err = want.OfMessage(context.Background(), id, "m")
		must(t, err)
		if diff := cmp.Diff(w, g); diff != "" {
			t.Fatalf("of %s and m (-want +got):\n%s", id, diff)
		}
	}
}

// TestForgottenFailures are not in the log any more, which a kill would have taken in
// again.
func TestForgottenFailures(t *testing.T) {
	t.Parallel()
	w := newAttempts(t, t.TempDir())
	failed := attempt.Record{WebhookID: "a", MessageID: "m", Attempt: 1, At: time.Unix(1_800_000_000, 0), Verdict: attempt.Permanent}
	must(t, w.Put(t.Context(), []attempt.Record{failed}))
	must(t, w.ForgetFailures(t.Context(), []attempt.Record{failed}))
	w.kill()
	w.open()
	if left, err := w.NewestFailures(t.Context(), deadletter.WebhookFailures, "", "", 10); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	must(t, w.Close())
}

// TestAttemptsBehindFail: what was acknowledged can't be listed then, and is there
// later; nothing more is acknowledged until the store behind works.
func TestAttemptsBehindFail(t *testing.T) {
	t.Parallel()
	w := newAttempts(t, t.TempDir())
	one := attempt.Record{WebhookID: "a", MessageID: "m", Attempt: 1, At: time.Unix(1_800_000_000, 0).UTC(), Verdict: attempt.Delivered,
		Endpoint: "ep_1"}
	must(t, w.Put(t.Context(), []attempt.Record{one}))
	w.behind.next = func() fault { return lost }
	_, err := w.NewestOfEndpoint(t.Context(), "ep_1", "", "", 10)
	if !errors.Is(err, errFault) || !errors.Is(w.Put(t.Context(), []attempt.Record{one}), errFault) {
		t.Errorf("listed with %v, and the next is taken", err)
	}
	w.behind.next = works
	got, err := w.NewestOfEndpoint(t.Context(), "ep_1", "", "", 10)
	if diff := cmp.Diff([]attempt.Record{one}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	must(t, w.Put(t.Context(), []attempt.Record{one}))
	must(t, w.Close())
}

// TestReportsGoBehindTheirRecords: a report that comes at once finds its record, and no
// record that is written after it, nor a kill, takes it away.
func TestReportsGoBehindTheirRecords(t *testing.T) {
	t.Parallel()
	w := newAttempts(t, t.TempDir())
	one := attempt.Record{WebhookID: "n", MessageID: "m", Attempt: 1, At: time.Unix(1_800_000_000, 0).UTC(), Verdict: attempt.Delivered,
		Notification: true, State: attempt.Accepted, Untold: true}
	must(t, w.Put(t.Context(), []attempt.Record{one}))
	rep := attempt.Report{State: attempt.Bounced, At: one.At, Hard: true, By: "r", Version: 1}
	w.behind.next = func() fault { return lost }
	if err := w.PutReport(t.Context(), one, rep); !errors.Is(err, errFault) {
		t.Errorf("without its record: %v", err)
	}
	w.behind.next = works
	must(t, w.PutReport(t.Context(), one, rep))
	one.Untold = false
	must(t, w.Put(t.Context(), []attempt.Record{one})) // by who read it before
	for _, what := range []string{"in the log", "after a kill"} {
		got, err := w.OfMessage(t.Context(), "n", "m")
		if diff := cmp.Diff([]attempt.Record{one.With(rep)}, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
		}
		w.kill()
		w.open()
	}
	stray := one.With(rep) // nobody has reported it
	stray.WebhookID = "o"
	must(t, w.Put(t.Context(), []attempt.Record{stray}))
	got, err := w.OfMessage(t.Context(), "o", "m")
	if diff := cmp.Diff([]attempt.Record{stray.Own()}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	must(t, w.Close())
}
