package sqlite

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/storetest"
)

func TestAttempts(t *testing.T) {
	t.Parallel()
	db := inMemory(t)
	storetest.TestAttempts(t, NewAttempts(db))
	storetest.TestFailures(t, NewAttempts(db))
	storetest.TestOfEndpoints(t, NewAttempts(db))
	storetest.TestReports(t, NewAttempts(db))
	storetest.TestClaims(t, NewClaims(db))
}

// TestVersion2 opens a file from before there was an index of failures. Its
// times are in the zone of the machine that wrote them.
func TestVersion2(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 23, 59, 58, 0, time.UTC)
	east, west := time.FixedZone("", 5*3600+45*60), time.FixedZone("", -9*3600-30*60)
	var all, want []attempt.Record
	for i, c := range []struct {
		verdict attempt.Verdict
		at      time.Time
	}{
		{attempt.Delivered, at},
		{attempt.Permanent, at.Add(time.Second)},
		{attempt.Permanent, at.Add(time.Second + 1).In(west)},
		{attempt.Retryable, at.Add(2 * time.Second)},
		{attempt.Exhausted, at.Add(2*time.Second - 1).In(east)},
		{attempt.Permanent, at.Add(2 * time.Second).In(east)},
		{attempt.Permanent, at.Add(2500 * time.Millisecond)},
		{attempt.Permanent, at.Add(2500 * time.Millisecond).In(west)},
		{attempt.Exhausted, at.Add(3 * time.Second).In(west)},
	} {
		r := attempt.Record{WebhookID: "w", MessageID: fmt.Sprint("m", i), Attempt: 1, Verdict: c.verdict, At: c.at}
		all = append(all, r)
		if deadletter.QueueOf(r) != "" {
			want = append(want, r)
		}
	}
	db, err := Open(version2(t, all))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	slices.SortFunc(want, func(a, b attempt.Record) int { return cmp.Compare(b.Position(), a.Position()) })
	for i := range want {
		before := attempt.Position("")
		if i > 0 {
			before = want[i-1].Position()
		}
		got, err := NewAttempts(db).NewestFailures(t.Context(), "webhook-failures", want[i].Position(), before, 10)
		if diff := gocmp.Diff(want[i:i+1], got, gocmp.Comparer(time.Time.Equal)); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

// version2 writes records to a new file the way version 2 did.
func version2(t *testing.T, records []attempt.Record) (path string) {
	t.Helper()
	return written(t, 2, func(exec func(query string, args ...any)) {
		for _, r := range records {
			exec("INSERT INTO attempts VALUES (?, ?, ?, 1)", r.WebhookID, r.SortKey(), asJSON(t, r))
		}
	})
}

// TestVersion4 opens a file from before there was a waiting room.
func TestVersion4(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	delivered := attempt.Record{WebhookID: "w", MessageID: "m", Attempt: 2, At: at, Verdict: attempt.Delivered}
	failed := attempt.Record{WebhookID: "w", MessageID: "n", Attempt: 1, At: at, Verdict: attempt.Permanent, Response: "gone"}
	taken := claim.Claim{Queue: "q", ItemID: "i", Token: "a", At: at, Settled: true}
	db, err := Open(written(t, 4, func(exec func(query string, args ...any)) {
		exec("INSERT INTO attempts VALUES ('w', 'm#0002', ?, 1, NULL, NULL)", asJSON(t, delivered))
		exec("INSERT INTO attempts VALUES ('w', 'n#0001', ?, 1, 'webhook-failures', ?)", asJSON(t, failed), string(failed.Position()))
		exec("INSERT INTO claims VALUES ('q', 'i', ?, 1)", asJSON(t, taken))
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	late := delivered
	late.Verdict = attempt.Retryable
	store := NewAttempts(db)
	if err := store.Put(t.Context(), []attempt.Record{late}); err != nil {
		t.Fatal(err)
	}
	got, err := store.OfWebhook(t.Context(), "w")
	if diff := gocmp.Diff([]attempt.Record{delivered, failed}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	got, err = store.NewestFailures(t.Context(), "webhook-failures", "", "", 10)
	if failed.Response = ""; err != nil || !gocmp.Equal(got, []attempt.Record{failed}) {
		t.Errorf("failures: %+v, %v", got, err)
	}
	claims, err := NewClaims(db).ClaimsOn(t.Context(), "q", []string{"i"})
	if err != nil || !gocmp.Equal(claims, []claim.Claim{taken}) {
		t.Errorf("claims: %+v, %v", claims, err)
	}
	storetest.TestWaiting(t, NewWaiting(db))
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// written is a new file of an old version, with what fill wrote to it.
func written(t *testing.T, version int, fill func(exec func(query string, args ...any))) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "old.db")
	old, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := old.Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range slices.Concat(migrations[:version]...) {
		exec(s)
	}
	exec(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version))
	fill(exec)
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestThirtyDays: that is how long a record and a claim are kept, a settled one
// too.
func TestThirtyDays(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	over := time.Date(2026, 12, 24, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		now  time.Time
		want int
	}{{"just before", over.Add(-time.Second), 2}, {"just after", over.Add(time.Second), 1}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := inMemory(t)
			attempts, claims := NewAttempts(db), NewClaims(db)
			records := []attempt.Record{{WebhookID: "w", MessageID: "new", Attempt: 1, At: at.Add(time.Hour)},
				{WebhookID: "w", MessageID: "old", Attempt: 1, At: at}}
			held := []claim.Claim{{Queue: "q", ItemID: "new", Token: "b", At: at.Add(time.Hour), Settled: true},
				{Queue: "q", ItemID: "old", Token: "a", At: at, Until: at.Add(time.Minute), Settled: true}}
			err := errors.Join(attempts.Put(t.Context(), records), claims.PutClaim(t.Context(), held[0]), claims.PutClaim(t.Context(), held[1]),
				attempts.Expire(t.Context(), c.now), claims.Expire(t.Context(), c.now))
			if err != nil {
				t.Fatal(err)
			}
			got, err := attempts.OfWebhook(t.Context(), "w")
			if diff := gocmp.Diff(records[:c.want], got); err != nil || diff != "" {
				t.Errorf("records: %v (-want +got):\n%s", err, diff)
			}
			left, err := claims.ClaimsOn(t.Context(), "q", []string{"new", "old"})
			if diff := gocmp.Diff(held[:c.want], left); err != nil || diff != "" {
				t.Errorf("claims: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestFailuresAreSearched: the index gives a page in order, without a look at
// any record outside of its bounds.
func TestFailuresAreSearched(t *testing.T) {
	t.Parallel()
	plan := planOf(t, newestFailures, "q", "a", "b", 1)
	want := []string{"SEARCH attempts USING INDEX failures (failed_in=? AND failed_at>? AND failed_at<?)"}
	if diff := gocmp.Diff(want, plan); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// planOf is how SQLite looks for what a query asks for.
func planOf(t *testing.T, query string, args ...any) (plan []string) {
	t.Helper()
	err := inMemory(t).Do(t.Context(), func(tx *Tx) error {
		rows, err := tx.Query("EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				return err
			}
			plan = append(plan, step)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestAbandon drops what the dead held, and keeps what cannot be undone.
func TestAbandon(t *testing.T) {
	t.Parallel()
	db := inMemory(t)
	store := NewClaims(db)
	settled := claim.Claim{Queue: "q", ItemID: "settled", Token: "b", Settled: true}
	elsewhere := claim.Claim{Queue: "other", ItemID: "held", Token: "c"}
	for _, c := range []claim.Claim{{Queue: "q", ItemID: "held", Token: "a"}, {Queue: "q", ItemID: deadletter.Whole, Token: "d"}, settled,
		elsewhere} {
		if err := store.PutClaim(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Abandon(t.Context(), "q"); err != nil {
		t.Fatal(err)
	}
	left, err := store.ClaimsOn(t.Context(), "q", []string{"held", deadletter.Whole, "settled"})
	others, othersErr := store.ClaimsOn(t.Context(), "other", []string{"held"})
	if diff := gocmp.Diff([]claim.Claim{settled, elsewhere}, append(left, others...)); diff != "" || err != nil || othersErr != nil {
		t.Errorf("%v, %v (-want +got):\n%s", err, othersErr, diff)
	}
}

// inMemory is a database that goes with the test.
func inMemory(t *testing.T) *DB {
	t.Helper()
	db, err := Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
