package assembly

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/jonboulle/clockwork"

	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/handlers/release"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/waiting"
)

const (
	// DevReleaseEvery and workerReleaseEvery are how often what is due in the
	// waiting room is sent.
	DevReleaseEvery    = 10 * time.Second
	WorkerReleaseEvery = time.Minute
	// releaseTime is how long one run may take: what has become due in the
	// meantime is the next one's.
	releaseTime = time.Minute
)

// WaitedFor are the queues whose messages may be in the waiting room.
var WaitedFor = []string{settings.WebhooksQueue, settings.NotificationsQueue, settings.EventsQueue}

// WayOut wires what gets messages out of the waiting room. url finds a queue.
func WayOut(room waiting.Places, queues awssqs.SendBatchAPI, url func(name string) (string, error), now func() time.Time) (
	*waiting.Exit, error) {
	urls := map[string]string{}
	for _, name := range WaitedFor {
		var err error
		if urls[name], err = url(name); err != nil {
			return nil, err
		}
	}
	return &waiting.Exit{
		Places: room, Sender: &awssqs.Outgoing{API: queues, URLs: urls}, Now: now, Holder: rand.Text(),
	}, nil
}

// Releaser wires the handler that the release Lambda runs, for a run every so often.
func Releaser(kept Stores, exit *waiting.Exit, s settings.Webhooks, every time.Duration, w Watch, log *slog.Logger) (
	*release.Handler, error) {
	return release.New(release.Needs{
		Room: kept.Room, Circuits: kept.Circuits, Endpoints: kept.Endpoints, Exit: exit, MostHeld: s.MaxHeld, Every: every, Now: exit.Now,
		Metrics: w.of("release"), Log: log,
	})
}

// ReleaseByTheClock sends what is due at once and then every so often, until ctx
// ends.
func ReleaseByTheClock(ctx context.Context, h *release.Handler, every time.Duration, clock clockwork.Clock) {
	ByTheClock(ctx, clock, every, func(ctx context.Context) {
		run, stop := context.WithTimeout(ctx, releaseTime)
		defer stop()
		if err := h.Handle(run); err != nil && ctx.Err() == nil {
			h.Log.Error("not all that is due could leave the waiting room; what is left is tried again", "error", err)
		}
	})
}
