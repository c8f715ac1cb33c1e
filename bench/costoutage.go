package main

import (
	"context"
	"fmt"
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
	waits, room, deliver, ledger map[string]float64
	delivered, exhausted         float64
}

// outages prints what it costs that an endpoint is down, for a million messages: by
// how many more the larger one of two outages has used than the smaller one.
func outages(ctx context.Context, batch int) error {
	for _, b := range bodies {
		few, err := played(ctx, fewer, batch, b.of)
		if err != nil {
			return err
		}
		many, err := played(ctx, more, batch, b.of)
		if err != nil {
			return err
		}
		fmt.Printf("\nan endpoint is down for %v; a million messages of 1 KiB (%s) for it, in batches of %d\n", down, b.name, batch)
		fmt.Printf("(each as of %d messages that came after %d):\n", more-fewer, fewer)
		parts := []struct {
			name string
			of   func(outage) map[string]float64
		}{
			{"received while it is down, and held", func(o outage) map[string]float64 { return o.waits }},
			{"the room and its release", func(o outage) map[string]float64 { return o.room }},
			{"delivered in the end", func(o outage) map[string]float64 { return o.deliver }},
			{"the ledger of that", func(o outage) map[string]float64 { return o.ledger }},
		}
		all, fixed := 0.0, 0.0
		for _, p := range parts {
			each := grown(p.of(few), p.of(many))
			fmt.Printf("\n %s:\n", p.name)
			all += printBill(each)
			fixed += priceOf(p.of(few)) - priceOf(each)*fewer/1e6
		}
		fmt.Printf("\n  %-40s %12s  $%.2f\n  %-40s %12s  $%.2f\n", "a million messages", "", all, "the outage, whatever waits", "", fixed)
		fmt.Printf("  of %d: $%.2f a million; of %d: $%.2f a million; exhausted: %.1f %%\n", fewer, few.total()*1e6/fewer, more,
			many.total()*1e6/more, 100*many.exhausted/more)
	}
	return nil
}

func (o outage) total() float64 {
	return priceOf(o.waits) + priceOf(o.room) + priceOf(o.deliver) + priceOf(o.ledger)
}

// grown is what a million more messages use.
func grown(few, many map[string]float64) map[string]float64 {
	return scaled(less(many, few), 1e6/(more-fewer))
}

// less is what is used of many, without what is used of few.
func less(many, few map[string]float64) map[string]float64 {
	rest := map[string]float64{}
	for name := range many {
		rest[name] = many[name] - few[name]
	}
	return rest
}

func scaled(used map[string]float64, times float64) map[string]float64 {
	for name := range used {
		used[name] *= times
	}
	return used
}

// played is an outage of n messages.
func played(ctx context.Context, n, batch int, body func(int) string) (o outage, err error) {
	w, err := newWorld(ctx, terms{batch: batch, instances: 1, customers: 1, body: body})
	if err != nil {
		return o, err
	}
	defer w.stop()
	h, err := w.release()
	if err != nil {
		return o, err
	}
	// What the runs until now, which found nothing, have come to.
	if err := h.Room.Sweep(ctx, w.clock.Now().Add(-6*time.Minute)); err != nil {
		return o, err
	}
	w.endpoint.answer(http.StatusServiceUnavailable, shortAnswer)
	minutes := int(down / time.Minute)
	for m := range minutes {
		come := n * (m + 1) / minutes
		if err := w.fill(ctx, come-come%batch-w.sent); err != nil { // full batches
			return o, err
		}
		if err := w.minute(ctx, h); err != nil {
			return o, err
		}
	}
	w.endpoint.answer(http.StatusOK, "")
	o.waits, o.room = w.bill.times(1), w.waits.times(1)
	failed := w.endpoint.took()
	if err := w.emptied(ctx, h); err != nil {
		return o, err
	}
	o.delivered = float64(w.endpoint.took() - failed)
	o.exhausted = float64(n) - o.delivered
	o.deliver, o.room = less(w.bill.times(1), o.waits), w.waits.times(1)
	l, err := w.appended(ctx)
	if err != nil {
		return o, err
	}
	o.ledger = l.bill.times(1)
	return o, nil
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
