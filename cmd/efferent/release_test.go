package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/localaws/secretserver"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/waiting"
)

// overdue has a webhook wait that should have been sent again an hour ago.
func overdue(t *testing.T, room *sqlite.Waiting, id, url string) waiting.Item {
	t.Helper()
	due := time.Now().Add(-time.Hour)
	i := waiting.Item{
		Queue: settings.WebhooksQueue, MessageID: uuid.NewString(), Attempt: 2, Due: due, State: waiting.Waiting, Body: scenario.Text(id, url),
		WebhookID: id, Reason: waiting.Delay,
	}
	i.Carried.ID, i.Carried.Attempts, i.Carried.First = id, 2, due.Add(-time.Hour)
	if _, err := room.Enter(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	return i
}

// waitedBefore is a data file of a process that died while a webhook waited, and
// while it got that out of the room.
func waitedBefore(t *testing.T, url string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "e.db")
	db, err := sqlite.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	secrets, err := secretserver.Open(t.Context(), sqlite.NewSecrets(db), secretserver.Options{})
	if err == nil {
		err = putSecret(t.Context(), secrets, scenario.SecretName, scenario.SecretValue)
	}
	if err != nil {
		t.Fatal(err)
	}
	room := sqlite.NewWaiting(db)
	i := overdue(t, room, "evt_waited", url)
	if ok, err := room.Lease(t.Context(), i.Place(), "the dead", time.Now(), time.Now().Add(time.Hour)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	return file
}

// TestDevReleases: what waits is sent as soon as dev starts.
func TestDevReleases(t *testing.T) {
	t.Parallel()
	e := scenario.NewEndpoint(t, scenario.OK)
	s := startData(t, waitedBefore(t, e.URL))
	if got := <-e.Seen; got != "evt_waited" {
		t.Errorf("got %s", got)
	}
	if records := s.Attempts(t, "evt_waited"); len(records) != 1 || records[0].Attempt != 3 {
		t.Errorf("its attempts are %+v", records)
	}
}

// TestLeasesOfTheDead: who held a place when the data file was used last is dead.
func TestLeasesOfTheDead(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	place, now := waiting.DuePlace(time.Now(), 0), time.Now()
	if ok, err := sqlite.NewWaiting(db).Lease(t.Context(), place, "the dead", now, now.Add(time.Hour)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	kept, err := (&local{db: db, clock: clockwork.NewRealClock()}).localStores(t.Context(), ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := kept.room.Lease(t.Context(), place, "alive", now, now.Add(time.Hour)); !ok || err != nil {
		t.Errorf("the dead hold it still: %v, %v", ok, err)
	}
}

// TestWorkerReleases: so does a worker.
func TestWorkerReleases(t *testing.T) {
	t.Parallel()
	e := scenario.NewEndpoint(t, scenario.OK)
	file := filepath.Join(t.TempDir(), "w.db")
	db, err := sqlite.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	overdue(t, sqlite.NewWaiting(db), "evt_waited", e.URL)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := startEndpoint(t)
	startWorkerOn(t, s, file)
	if got := <-e.Seen; got != "evt_waited" {
		t.Errorf("got %s", got)
	}
}

// TestReleasesByTheClock: each tick of the clock sends what is due by then.
func TestReleasesByTheClock(t *testing.T) {
	t.Parallel()
	l := openData(t, ":memory:", nil)
	defer l.close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	clock := clockwork.NewFakeClock()
	room := sqlite.NewWaiting(l.db)
	overdue(t, room, "evt_0", "http://127.0.0.1:1/")
	go releaseByTheClock(ctx, l.releaser, devReleaseEvery, clock)
	url := queueURL(l.awsURL, settings.WebhooksQueue)
	for n := range 3 {
		out, err := l.engine.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
		if err != nil || len(out.Messages) != 1 || !strings.Contains(*out.Messages[0].Body, fmt.Sprint("evt_", n)) {
			t.Fatalf("of evt_%d came %+v, %v", n, out, err)
		}
		overdue(t, room, fmt.Sprint("evt_", n+1), "http://127.0.0.1:1/")
		clock.Advance(devReleaseEvery)
	}
}

// TestAWorkerWithoutOurQueues leaves what waits alone.
func TestAWorkerWithoutOurQueues(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := startEndpoint(t)
	room := sqlite.NewWaiting(db)
	i := overdue(t, room, "evt_1", "http://127.0.0.1:1/")
	w := &worker{workerCommand: &workerCommand{Queues: []string{settings.AuditQueue}}, config: scenario.Config(s.awsURL),
		delivery: settings.Webhooks{MaxHeld: time.Hour}, log: slog.New(slog.DiscardHandler),
		kept: stores{room: room, circuits: sqlite.NewCircuits(db)}}
	do, err := w.releasing()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	do(ctx)
	if some, err := room.Any(t.Context(), i.Place()); !some || err != nil {
		t.Errorf("it is gone: %v", err)
	}
}
