package main

import (
	"context"
	"fmt"
	"time"

	"github.com/efferent/efferent/internal/ledger"
)

const (
	// runs is how often the ledger is signed in a month, minutely how often the
	// waiting room is looked at.
	runs, minutely = 12 * 24 * 30.4, 60 * 24 * 30.4
	// signs is how long AWS takes for the requests of a signing, in seconds.
	signs = 0.2
	// polls is how often Lambda asks an idle queue in a month: five long polls of
	// 20 seconds at a time.
	polls = 5 * 3 * 60 * 24 * 30.4
	// alarms of a stack.
	alarms = 46
)

// months prices a month in which every lane grows all the time, and one in which
// nothing is sent.
func months(ctx context.Context, batch int) error {
	w, err := newWorld(ctx, terms{batch: batch, instances: 1, body: invoice})
	if err != nil {
		return err
	}
	defer w.stop()
	if err := w.send(ctx, 20_000); err != nil {
		return err
	}
	l, err := w.appended(ctx)
	if err != nil {
		return err
	}
	if err := l.signer.Handle(ctx); err != nil { // all there is, which is more than a run's
		return err
	}
	if err := w.send(ctx, 400); err != nil {
		return err
	}
	if err := l.append(ctx); err != nil {
		return err
	}
	grown, still := newBill(), newBill()
	for _, b := range []*bill{grown, still} {
		if err := l.signing(ctx, b); err != nil {
			return err
		}
	}
	grown.used["s3gb"] *= lives / 2 // of a first year's, half are there on average
	fmt.Printf("\na month of signing every 5 minutes, in %d lanes that grow all the time:\n", ledger.DefaultLanes)
	printBill(grown.times(runs))

	look, err := w.idle(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\na month of looking into the waiting room every minute:\n")
	printBill(look)
	all := &bill{used: still.times(runs)}
	for _, used := range []map[string]float64{look, {"sqs": 3 * polls, "fifo": polls, "alarm": alarms, "secret": 2, "kmskey": 1}} {
		for name, n := range used {
			all.add(name, n)
		}
	}
	fmt.Printf("\na month of none, all in all:\n")
	printBill(all.used)
	return nil
}

// signing bills one run of the signer, a function of 512 MB.
func (l *countedLedger) signing(ctx context.Context, b *bill) error {
	l.charge(b)
	start := time.Now()
	err := l.signer.Handle(ctx)
	b.add("invoke", 1)
	b.add("gbs", (time.Since(start).Seconds()+signs)*2*memoryGB)
	return err
}

// idle is a month of release where nothing waits.
func (w *world) idle(ctx context.Context) (map[string]float64, error) {
	h, err := w.release()
	if err != nil {
		return nil, err
	}
	if err := h.Room.Sweep(ctx, w.clock.Now().Add(-6*time.Minute)); err != nil {
		return nil, err
	}
	w.waits.waited()
	const some = 10
	clear(w.waits.used)
	clear(w.breaks.used)
	for range some {
		if err := w.aMinute(ctx, h); err != nil {
			return nil, err
		}
	}
	return sum(w.waits.times(minutely/some), w.breaks.times(minutely/some)), nil
}
