package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/efferent/efferent/internal/handlers/release"
)

// down is how long the endpoint is down for which all messages are that come
// meanwhile, evenly.
const down = 6 * time.Hour

// fewer and more are of how many messages an outage is played. What it costs
// without any message, and what each adds, follows from both.
const fewer, more = 2000, 20_000

// outage is what messages use for an endpoint that is down.
type outage struct {
	waits, room, ends, ledger map[string]float64
	delivered, exhausted      float64
}

// outages prints what it costs that an endpoint is down, for a million messages: by
// how many more the larger one of two outages has used than the smaller one.
func outages(ctx context.Context, batch int) error {
	for _, b := range bodies {
		for _, recovers := range []bool{true, false} {
			if err := anOutage(ctx, batch, b.name, b.of, recovers); err != nil {
				return fmt.Errorf("of %s: %w", b.name, err)
			}
		}
	}
	return nil
}

func anOutage(ctx context.Context, batch int, name string, body func(int) string, recovers bool) error {
	few, err := played(ctx, fewer, batch, body, recovers)
	if err != nil {
		return err
	}
	many, err := played(ctx, more, batch, body, recovers)
	if err != nil {
		return err
	}
	what, end := "is down for 6 h", "delivered in the end"
	if !recovers {
		what, end = "is down for good", "exhausted in the end"
	}
	fmt.Printf("\nan endpoint %s; a million messages of 1 KiB (%s) for it, which come in %v, in batches of %d\n"+
		"(as each of %d costs that come besides %d others):\n", what, name, down, batch, more-fewer, fewer)
	all := 0.0
	for _, p := range []struct {
		name string
		of   func(outage) map[string]float64
	}{
		{"received while it is down, and held", func(o outage) map[string]float64 { return o.waits }},
		{"the waiting room and its release", func(o outage) map[string]float64 { return o.room }},
		{end, func(o outage) map[string]float64 { return o.ends }},
		{"their ledger", func(o outage) map[string]float64 { return o.ledger }},
	} {
		fmt.Printf("\n %s:\n", p.name)
		all += printBill(grown(p.of(few), p.of(many)))
	}
	fmt.Printf("\na million messages: $%.2f; the outage, whatever waits: $%.3f; of %d: $%.4f, of %d: $%.4f; delivered: %.2f %%\n",
		all, few.total()-all*fewer/1e6, fewer, few.total(), more, many.total(), 100*many.delivered/(many.delivered+many.exhausted))
	return nil
}

func (o outage) total() float64 { return priceOf(sum(o.waits, o.room, o.ends, o.ledger)) }

// grown is what a million more messages use.
func grown(few, many map[string]float64) map[string]float64 {
	used := less(many, few)
	for name := range used {
		used[name] *= 1e6 / (more - fewer)
	}
	return used
}

// less is what is used of many, without what is used of few.
func less(many, few map[string]float64) map[string]float64 {
	rest := maps.Clone(many)
	for name, n := range few {
		rest[name] -= n
	}
	return rest
}

// played is an outage of n messages.
func played(ctx context.Context, n, batch int, body func(int) string, recovers bool) (o outage, err error) {
	w, err := newWorld(ctx, terms{batch: batch, instances: 1, customers: 1, body: body})
	if err != nil {
		return o, err
	}
	defer w.stop()
	h, err := w.release()
	if err != nil {
		return o, err
	}
	if err := w.outage(ctx, h, n); err != nil {
		return o, err
	}
	o.waits = sum(w.bill.used, w.breaks.used)
	failed := w.endpoint.took()
	if recovers {
		w.endpoint.answer(http.StatusOK, "")
	}
	if err := w.emptied(ctx, h); err != nil {
		return o, err
	}
	if recovers {
		o.delivered = float64(w.endpoint.took() - failed)
	}
	o.exhausted = float64(n) - o.delivered
	o.ends, o.room = less(sum(w.bill.used, w.breaks.used), o.waits), w.waits.used
	l, err := w.appended(ctx)
	if err != nil {
		return o, err
	}
	o.ledger = l.bill.used
	return o, nil
}

// outage lets n messages come while the endpoint is down.
func (w *world) outage(ctx context.Context, h *release.Handler, n int) error {
	// What the runs until now, which found nothing, have come to.
	if err := h.Room.Sweep(ctx, w.clock.Now().Add(-6*time.Minute)); err != nil {
		return err
	}
	w.endpoint.answer(http.StatusServiceUnavailable, shortAnswer)
	minutes := int(down / time.Minute)
	for m := range minutes {
		come := n * (m + 1) / minutes
		if err := w.fill(ctx, come-come%w.batch-w.sent); err != nil { // full batches
			return err
		}
		if err := w.minute(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// minute lets release run, and a minute go by.
func (w *world) minute(ctx context.Context, h *release.Handler) error {
	const step = 5 * time.Second
	start := time.Now()
	if err := h.Handle(ctx); err != nil {
		return err
	}
	w.waits.invoked(time.Since(start).Seconds(), sidesOfRelease)
	for end := w.clock.Now().Add(time.Minute); w.clock.Now().Before(end); w.clock.Advance(step) {
		if err := w.visible(ctx); err != nil {
			return err
		}
	}
	return nil
}

// emptied goes on until nothing waits.
func (w *world) emptied(ctx context.Context, h *release.Handler) error {
	for range int(24 * time.Hour / time.Minute) {
		if err := w.minute(ctx, h); err != nil {
			return err
		}
		visible, hidden, err := w.depth(ctx)
		if err != nil {
			return err
		}
		if visible+hidden+w.room.waits() == 0 {
			return nil
		}
	}
	return fmt.Errorf("%d messages still wait a day after the endpoint is up", w.room.waits())
}
