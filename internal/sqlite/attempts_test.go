package sqlite

import (
	"cmp"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/storetest"
)

func TestAttempts(t *testing.T) {
	t.Parallel()
	db, err := Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	storetest.TestAttempts(t, NewAttempts(db))
	storetest.TestFailures(t, NewAttempts(db))
	storetest.TestClaims(t, NewClaims(db))
}

// TestVersion2 opens a file from before there was an index of failures.
func TestVersion2(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "old.db")
	old, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	var want []attempt.Record
	for i, verdict := range []attempt.Verdict{attempt.Delivered, attempt.Permanent, attempt.Retryable, attempt.Exhausted, attempt.Permanent} {
		r := attempt.Record{WebhookID: "w", MessageID: fmt.Sprint("m", i), Attempt: 1, Verdict: verdict,
			At: at.Add([]time.Duration{0, time.Second, 2500 * time.Millisecond, 2500*time.Millisecond + 1, 2500 * time.Millisecond}[i])}
		if r.FailedIn() != "" {
			want = append(want, r)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range append(migrations[1], fmt.Sprintf("INSERT INTO attempts VALUES ('w', '%s', '%s', 1)", r.SortKey(), text))[len(migrations[1])*min(i, 1):] {
			if _, err := old.Exec(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := old.Exec(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 2", applicationID)); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	slices.SortFunc(want, func(a, b attempt.Record) int { return cmp.Compare(b.Position(), a.Position()) })
	got, err := NewAttempts(db).NewestFailures(t.Context(), "webhook-failures", attempt.Before(at), "", 10)
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestExpire(t *testing.T) {
	t.Parallel()
	db, err := Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	store := NewAttempts(db)
	if err := store.Put(t.Context(), []attempt.Record{{WebhookID: "w", MessageID: "old", Attempt: 1, At: at}, {WebhookID: "w", MessageID: "new", Attempt: 1, At: at.Add(time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	if err := store.Expire(t.Context(), at.Add(attempt.Retention+time.Minute)); err != nil {
		t.Fatal(err)
	}
	got, err := store.OfWebhook(t.Context(), "w")
	if err != nil || len(got) != 1 || got[0].MessageID != "new" {
		t.Errorf("got %v, %v; want the new record only", got, err)
	}
}
