// Package release sends what is due in the waiting room back to its queue, by
// the clock. Each run looks at every place in which something may wait, from the
// minute on that all before are done with, and goes on where the one before
// ended. It also lets out what waits for circuits, when its turn comes.
package release

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/waiting"
)

// Room says where something waits, as waiting.Store promises. It is used by many
// goroutines at once.
type Room interface {
	Any(ctx context.Context, place waiting.Place) (bool, error)
	Page(ctx context.Context, from string, limit int) (items []waiting.Item, next string, err error)
	Swept(ctx context.Context) (time.Time, error)
	Sweep(ctx context.Context, minute time.Time) error
}

// Needs is what the handler works with.
type Needs struct {
	Room Room
	// Exit gets out of the room what is due.
	Exit     *waiting.Exit
	Circuits Circuits
	// Endpoints are the registered ones that messages may wait for.
	Endpoints endpoint.Getter `need:"optional"`
	// MostHeld is how long a message waits for open circuits in all, as who sends it
	// has it too.
	MostHeld time.Duration
	// Every is how often there is a run.
	Every time.Duration
	// Metrics is told of what each run let go, where it was something, and how late it
	// found the room, where that was over five minutes.
	Metrics metric.Recorder `need:"optional"`
	Now     func() time.Time
	Log     *slog.Logger
}

const (
	// Ahead is how early an item is sent, for SQS to hold it back until it is
	// due: longer than the time between two runs, a late one too.
	Ahead = 90 * time.Second
	// late is how old a minute is when nothing new can come into its places: who
	// moves a message into the room after it was due does so within it.
	late = 5 * time.Minute
	// wrapUp is what a run leaves of its time, for the batch in hand.
	wrapUp = 15 * time.Second
)

// Handler lets go what is due. Several may run at once, and none is harmed.
type Handler struct{ Needs }

// New returns a Handler. Its error names each need that is missing.
func New(n Needs) (*Handler, error) {
	if err := need.All(n); err != nil {
		return nil, fmt.Errorf("the release of waiting messages: %w", err)
	}
	return &Handler{n}, nil
}

// Handle sends what is due, oldest first, until all of it is sent or the time
// that ctx gives is nearly up. Its error names the places where something went
// wrong; what waits there is for the next run.
func (h *Handler) Handle(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, deadline.Add(-wrapUp))
		defer stop()
	}
	began := h.Now()
	swept, err := h.Room.Swept(ctx)
	if err != nil {
		return fmt.Errorf("ask where the waiting room begins: %w", err)
	}
	from, err := h.from(ctx, swept, began.Add(-late))
	if err != nil {
		return err
	}
	p := &problems{}
	places, empty := h.look(ctx, p, from, began.Add(Ahead))
	h.tellLate(began, places)
	h.sweep(ctx, p, swept, earlier(empty, began.Add(-late)))
	gone := h.letGo(ctx, p, places)
	gone.Add(h.letThrough(ctx, p))
	if gone.Count > 0 {
		oldest := h.Now().Sub(gone.First)
		h.Log.InfoContext(ctx, "messages left the waiting room", "count", gone.Count, "oldest_s", int64(oldest/time.Second))
		metric.To(h.Metrics, metric.Event{Name: metric.RoomLeft, Value: float64(gone.Count)},
			metric.Event{Name: metric.OldestUndelivered, Value: oldest.Seconds()})
	}
	return p.join()
}

// tellLate says how long ago the first of places was due, where somebody should have
// emptied it.
func (h *Handler) tellLate(began time.Time, places []waiting.Place) {
	if len(places) == 0 {
		return
	}
	if since := began.Sub(places[0].Minute()); since > late {
		metric.To(h.Metrics, metric.Event{Name: metric.OldestOverdue, Value: since.Seconds()})
	}
}

// from is the first minute in which something may wait: latest at most, whatever
// was said of it, since something may still be on its way into those after it.
func (h *Handler) from(ctx context.Context, swept, latest time.Time) (time.Time, error) {
	if swept.IsZero() {
		due, err := h.earliest(ctx)
		if err != nil {
			return time.Time{}, fmt.Errorf("find where the waiting room begins: %w", err)
		}
		if swept = due; due.IsZero() {
			swept = latest
		}
	}
	return earlier(swept, latest), nil
}

// pageSize is how many items are read at a time to find the earliest.
const pageSize = 50

// earliest is when the first of all items is due that wait for a time, zero where
// there is none.
func (h *Handler) earliest(ctx context.Context) (due time.Time, err error) {
	for next := ""; ; {
		var items []waiting.Item
		if items, next, err = h.Room.Page(ctx, next, pageSize); err != nil {
			return time.Time{}, err
		}
		for i := range items {
			if items[i].Circuit == "" && (due.IsZero() || items[i].Due.Before(due)) {
				due = items[i].Due
			}
		}
		if next == "" {
			return due, nil
		}
	}
}

// sweep says that nothing waits before a minute, unless that was known.
func (h *Handler) sweep(ctx context.Context, p *problems, swept, minute time.Time) {
	if !minute.After(swept) {
		return
	}
	if err := h.Room.Sweep(ctx, minute); err != nil {
		p.add(ctx, fmt.Errorf("say where the waiting room begins: %w", err))
		return
	}
	h.Exit.Swept(minute)
}

// earlier is the earlier of two minutes.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		a = b
	}
	return a.UTC().Truncate(time.Minute)
}
