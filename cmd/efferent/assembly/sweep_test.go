package assembly

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/localaws/secretserver"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/waiting"
)

// told is what is swept first, and tells so: the sweep before has then ended.
type told chan struct{}

func (c told) Sweep(context.Context) error {
	c <- struct{}{}
	return errors.New("and it failed")
}

// rows counts what there is of all that expires.
func rows(t *testing.T, db *sqlite.DB) (n int) {
	t.Helper()
	err := db.Do(t.Context(), func(tx *sqlite.Tx) error {
		s, err := tx.Stmt(`SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM attempts) + (SELECT count(*) FROM claims)
			+ (SELECT count(*) FROM waiting) + (SELECT count(*) FROM circuits)
			+ (SELECT count(*) FROM paces)`)
		if err != nil {
			return err
		}
		return s.QueryRow().Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestWhatHasExpiredLeavesTheFile without a restart, and though nobody touches it.
func TestWhatHasExpiredLeavesTheFile(t *testing.T) {
	t.Parallel()
	ctx, log, clock := t.Context(), slog.New(slog.DiscardHandler), clockwork.NewFakeClock()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "e.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	engine, err := sqsserver.Open(ctx, sqlite.NewQueues(db), sqsserver.Options{Clock: clock, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := secretserver.Open(ctx, sqlite.NewSecrets(db), secretserver.Options{Now: clock.Now, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	now, kept := clock.Now(), sqliteStores(db, clock.Now)
	keepOneOfEach(t, db, engine, now)
	if n := rows(t, db); n != 6 {
		t.Fatalf("%d rows, want 6", n)
	}
	swept := make(told)
	run, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { NewSweeper(db, kept, clock, log, swept, engine, secrets).Run(run); close(ended) }()
	defer func() { stop(); <-ended }()
	<-swept
	next := func(passes time.Duration) {
		if err := clock.BlockUntilContext(ctx, 1); err != nil {
			t.Fatal(err)
		}
		clock.Advance(passes)
		<-swept
	}
	next(sweepEvery)
	if n := rows(t, db); n != 6 {
		t.Errorf("%d rows before their time, want 5", n)
	}
	next(31 * 24 * time.Hour)
	next(sweepEvery)
	if n := rows(t, db); n != 0 {
		t.Errorf("%d rows are left when the time of all is over", n)
	}
}

func keepOneOfEach(t *testing.T, db *sqlite.DB, engine *sqsserver.Engine, now time.Time) {
	t.Helper()
	ctx, name, body := t.Context(), "q", "x"
	made, err := engine.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	_, sendErr := engine.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: &body})
	circuits := sqlite.NewCircuits(db)
	circuits.Now = func() time.Time { return now }
	_, circuitErr := circuits.PutCircuit(ctx, circuit.State{Name: circuit.Name{Scope: circuit.Host, URL: "https://a.test"}, Version: 1})
	_, roomErr := sqlite.NewWaiting(db).Enter(ctx, waiting.Item{MessageID: "m", Attempt: 1, Due: now, State: waiting.Waiting})
	_, paceErr := sqlite.NewPaces(db).Slow(ctx, pace.Slow{Key: "k", Now: now})
	err = errors.Join(sendErr, circuitErr, roomErr, paceErr,
		sqlite.NewAttempts(db).Put(ctx, []attempt.Record{{WebhookID: "w", MessageID: "m", Attempt: 1, At: now, Verdict: attempt.Permanent}}),
		sqlite.NewClaims(db).PutClaim(ctx, claim.Claim{Queue: deadletter.WebhookFailures, ItemID: "i", Token: "t", At: now}))
	if err != nil {
		t.Fatal(err)
	}
}
