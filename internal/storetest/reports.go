package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/attempt"
)

// Reports is a store of attempts that keeps reports of them.
type Reports interface {
	Attempts
	attempt.Reports
	// KeepOnward and Onward are as onward.Store has them.
	KeepOnward(ctx context.Context, webhookID, sortKey string, message []byte, until time.Time) error
	Onward(ctx context.Context, webhookID, sortKey string) ([]byte, error)
}

// TestReports runs the suite of what attempt.Reports and onward.Store promise. The
// store may be shared by all of its tests.
func TestReports(t *testing.T, store Reports) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Reports){
		"every field comes back":    reportFields,
		"version by version":        reportVersions,
		"no write of a record ends": reportOutlasts,
		"one of many at once":       reportsAtOnce,
		"messages":                  reportMessages,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, store)
		})
	}
}

func accepted() attempt.Record {
	r := record(uuid.NewString(), uuid.NewString(), 1)
	r.Verdict, r.Notification, r.State, r.NextAt = attempt.Delivered, true, attempt.Accepted, time.Time{}
	return r
}

func reportFields(t *testing.T, s Reports) {
	r, next := accepted(), accepted()
	next.WebhookID, next.MessageID, next.Attempt = r.WebhookID, r.MessageID, 2
	put(t, s, r, next)
	rep := attempt.Report{State: attempt.Bounced, At: storedAt, Reason: "5.1.1", Response: "\"<é\u2028", Hard: true, By: "m",
		Due: true, Version: 1}
	if err := s.PutReport(t.Context(), r, rep); err != nil {
		t.Fatal(err)
	}
	wantMessage(t, s, r.WebhookID, r.MessageID, []attempt.Record{r.With(rep), next})
	all, err := s.OfWebhook(t.Context(), r.WebhookID)
	if diff := gocmp.Diff([]attempt.Record{r.With(rep), next}, all); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func reportVersions(t *testing.T, s Reports) {
	r := accepted()
	put(t, s, r)
	for _, c := range []struct {
		version int
		taken   bool
	}{{2, false}, {1, true}, {1, false}, {3, false}, {2, true}, {2, false}, {3, true}} {
		err := s.PutReport(t.Context(), r, attempt.Report{State: attempt.Arrived, At: storedAt, Version: c.version})
		if c.taken != (err == nil) || !c.taken && !errors.Is(err, attempt.ErrReported) {
			t.Errorf("version %d: %v", c.version, err)
		}
	}
}

// reportOutlasts: the record is written again, as it was read or as it was first.
func reportOutlasts(t *testing.T, s Reports) {
	r := accepted()
	put(t, s, r)
	rep := attempt.Report{State: attempt.Arrived, At: storedAt, Version: 1}
	if err := s.PutReport(t.Context(), r, rep); err != nil {
		t.Fatal(err)
	}
	read := r.With(rep)
	read.Untold, r.Untold = true, true
	for _, again := range []attempt.Record{r, read} {
		put(t, s, again)
		wantMessage(t, s, r.WebhookID, r.MessageID, []attempt.Record{r.With(rep)})
	}
	rep.State, rep.Version = attempt.Complained, 2
	if err := s.PutReport(t.Context(), r, rep); err != nil {
		t.Fatal(err)
	}
	wantMessage(t, s, r.WebhookID, r.MessageID, []attempt.Record{r.With(rep)})
}

func reportsAtOnce(t *testing.T, s Reports) {
	r := accepted()
	put(t, s, r)
	var all sync.WaitGroup
	var taken atomic.Int32
	for n := range 8 {
		all.Go(func() {
			err := s.PutReport(t.Context(), r, attempt.Report{State: attempt.Arrived, At: storedAt, By: fmt.Sprint(n), Version: 1})
			if err == nil {
				taken.Add(1)
			} else if !errors.Is(err, attempt.ErrReported) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 {
		t.Errorf("%d were taken", taken.Load())
	}
}

func reportMessages(t *testing.T, s Reports) {
	id, until := uuid.NewString(), time.Now().Add(time.Hour)
	if kept, err := s.Onward(t.Context(), id, "m#0001"); err != nil || kept != nil {
		t.Errorf("at first there is %q, %v", kept, err)
	}
	for key, message := range map[string]string{"m#0001": "one", "m#0002": "two\x00\xff", "n#0001": "three"} {
		for _, b := range [][]byte{[]byte("before"), []byte(message)} {
			if err := s.KeepOnward(t.Context(), id, key, b, until); err != nil {
				t.Fatal(err)
			}
		}
		if kept, err := s.Onward(t.Context(), id, key); err != nil || !bytes.Equal(kept, []byte(message)) {
			t.Errorf("%s: %q, %v", key, kept, err)
		}
	}
	if all, err := s.OfWebhook(t.Context(), id); err != nil || len(all) > 0 {
		t.Errorf("attempts %v, %v", all, err)
	}
}
