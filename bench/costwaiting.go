package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/handlers/release"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/waiting"
)

const (
	// aMinute is how many messages come in a minute, where a million do in a day;
	// minutes is how long that goes on here.
	aMinute, minutes = 690, 20
	day              = 24 * time.Hour
)

// bodies are what waits: how much of it is left when it is compressed decides how
// many units it takes.
var bodies = []struct {
	name string
	of   func(i int) string
}{{"JSON", invoice}, {"sealed", sealed}}

// waits prints what a day in the waiting room adds to a webhook: a million that
// are answered 503, wait for a day, and are delivered.
func waits(ctx context.Context, batch int) error {
	for _, b := range bodies {
		used, err := aDay(ctx, batch, b.of)
		if err != nil {
			return fmt.Errorf("a day in the waiting room: %w", err)
		}
		fmt.Printf("\na day in the waiting room, a million messages of 1 KiB (%s) a day, received in batches of %d:\n", b.name, batch)
		printBill(used)
	}
	return nil
}

// aDay is what the waiting room adds for a million: its table, release, the sends,
// and one receive and one delete more of each.
func aDay(ctx context.Context, batch int, body func(int) string) (map[string]float64, error) {
	w, err := newWorld(ctx, terms{batch: batch, instances: 1, customers: aMinute * minutes, policies: "seed=24h", body: body})
	if err != nil {
		return nil, err
	}
	defer w.stop()
	h, err := w.release()
	if err != nil {
		return nil, err
	}
	w.endpoint.answer(http.StatusServiceUnavailable, shortAnswer)
	began := w.clock.Now()
	for range minutes {
		if err := w.send(ctx, aMinute); err != nil {
			return nil, err
		}
		w.clock.Advance(time.Minute)
	}
	w.endpoint.answer(http.StatusOK, "")
	w.queue.API = counted{w.engine, w.waits}
	w.clock.Advance(began.Add(day - 2*time.Minute).Sub(w.clock.Now()))
	// What the runs until now, which found nothing, have come to.
	if err := h.Room.Sweep(ctx, w.clock.Now().Add(-6*time.Minute)); err != nil {
		return nil, err
	}
	for range minutes + 10 {
		if err := w.aMinute(ctx, h); err != nil {
			return nil, err
		}
	}
	if n := w.endpoint.took(); n != 2*w.sent {
		return nil, fmt.Errorf("%d messages were tried %d times", w.sent, n)
	}
	return w.waits.times(1e6 / float64(w.sent)), nil
}

// release is the function, wired as lambdas/release does it.
func (w *world) release() (*release.Handler, error) {
	room := &awsdynamodb.Waiting{API: w.room, Table: "waiting", Now: w.clock.Now}
	return release.New(release.Needs{
		Room: room,
		Exit: &waiting.Exit{Places: room, Now: w.clock.Now, Holder: "bench", Sender: &awssqs.Outgoing{
			API: counted{w.engine, w.waits}, URLs: map[string]string{"webhooks": w.queue.URL}}},
		Circuits: w.circuitStore(), MostHeld: settings.DefaultMaxHeld, Every: time.Minute,
		Metrics: &telemetry.EMF{Function: "efferent-release", Now: w.clock.Now, Out: w.waits},
		Now:     w.clock.Now, Log: slog.New(slog.NewJSONHandler(w.waits, nil)),
	})
}

// sidesOfRelease is how many requests release makes at a time: it sends from four
// places.
const sidesOfRelease = 4

// aMinute lets release run once, and then what it sent be handled.
func (w *world) aMinute(ctx context.Context, h *release.Handler) error {
	start := time.Now()
	if err := h.Handle(ctx); err != nil {
		return err
	}
	w.waits.invoked(time.Since(start).Seconds(), sidesOfRelease)
	w.clock.Advance(time.Minute)
	return w.visible(ctx)
}
