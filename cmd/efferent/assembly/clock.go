package assembly

import (
	"context"
	"time"

	"github.com/jonboulle/clockwork"
)

// ByTheClock does something at once and then every so often, until ctx ends.
func ByTheClock(ctx context.Context, clock clockwork.Clock, every time.Duration, do func(context.Context)) {
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
