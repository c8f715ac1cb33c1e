package dev

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/cmd/efferent/assembly"
	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/localaws/secretserver"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/waiting"
)

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
		err = awssecrets.Put(t.Context(), secrets, scenario.SecretName, scenario.SecretValue)
	}
	if err != nil {
		t.Fatal(err)
	}
	room := sqlite.NewWaiting(db)
	i := commandtest.Overdue(t, room, "evt_waited", url)
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
	kept, err := (&Local{db: db, clock: clockwork.NewRealClock()}).localStores(t.Context(), ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := kept.Room.Lease(t.Context(), place, "alive", now, now.Add(time.Hour)); !ok || err != nil {
		t.Errorf("the dead hold it still: %v, %v", ok, err)
	}
}

// TestReleasesByTheClock: each tick of the clock sends what is due by then.
func TestReleasesByTheClock(t *testing.T) {
	t.Parallel()
	l := openData(t, ":memory:", nil)
	defer l.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	clock := clockwork.NewFakeClock()
	room := sqlite.NewWaiting(l.db)
	commandtest.Overdue(t, room, "evt_0", "http://127.0.0.1:1/")
	go assembly.ReleaseByTheClock(ctx, l.releaser, assembly.DevReleaseEvery, clock)
	url := QueueURL(l.AWSURL, settings.WebhooksQueue)
	for n := range 3 {
		out, err := l.engine.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
		if err != nil || len(out.Messages) != 1 || !strings.Contains(*out.Messages[0].Body, fmt.Sprint("evt_", n)) {
			t.Fatalf("of evt_%d came %+v, %v", n, out, err)
		}
		commandtest.Overdue(t, room, fmt.Sprint("evt_", n+1), "http://127.0.0.1:1/")
		clock.Advance(assembly.DevReleaseEvery)
	}
}
