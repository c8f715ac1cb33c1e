package sqlite

import (
	"testing"
	"time"

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
