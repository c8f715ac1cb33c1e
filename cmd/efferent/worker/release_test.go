package worker

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/assembly"
	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
)

// TestWorkerReleases: so does a worker.
func TestWorkerReleases(t *testing.T) {
	t.Parallel()
	e := scenario.NewEndpoint(t, scenario.OK)
	file := filepath.Join(t.TempDir(), "w.db")
	db, err := sqlite.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	commandtest.Overdue(t, sqlite.NewWaiting(db), "evt_waited", e.URL)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := devtest.StartEndpoint(t)
	startWorkerOn(t, s, file)
	if got := <-e.Seen; got != "evt_waited" {
		t.Errorf("got %s", got)
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
	s := devtest.StartEndpoint(t)
	room := sqlite.NewWaiting(db)
	i := commandtest.Overdue(t, room, "evt_1", "http://127.0.0.1:1/")
	w := &worker{Command: &Command{Queues: []string{settings.AuditQueue}}, config: scenario.Config(s.AWSURL),
		delivery: settings.Webhooks{MaxHeld: time.Hour}, log: slog.New(slog.DiscardHandler),
		kept: assembly.Stores{Room: room, Circuits: sqlite.NewCircuits(db)}}
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
