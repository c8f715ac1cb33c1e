package main

import (
	"context"
	"time"

	"github.com/jonboulle/clockwork"
)

// byTheClock does something at once and then every so often, until ctx ends.
func byTheClock(ctx context.Context, clock clockwork.Clock, every time.Duration, do func(context.Context)) {
	tick := clock.NewTicker(every)
	defer tick.Stop()
	for {
		do(ctx)
		select {
		case <-tick.Chan():
		case <-ctx.Done():
			return
		}
	}
}
