package outcome

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// tries is how often what a request has refused is tried, and pause how long
	// before the second try; before each that follows it is twice as long.
	tries = 3
	pause = 100 * time.Millisecond
)

// send makes one request.
type send = func(context.Context, []Event) (refused []Event, why string, err error)

// InBatches hands events over, most of them a request at most. send returns those that
// were refused, and why the first was: they alone are tried again. An error is one of
// a whole request, which send has tried again itself.
func InBatches(ctx context.Context, events []Event, most int, send send) error {
	var all []error
	for len(events) > 0 {
		n := min(most, len(events))
		if err := insist(ctx, events[:n], send); err != nil {
			all = append(all, err)
		}
		events = events[n:]
	}
	return errors.Join(all...)
}

func insist(ctx context.Context, events []Event, send send) error {
	for try := 1; ; try++ {
		refused, why, err := send(ctx, events)
		if err != nil || len(refused) == 0 {
			return err
		}
		if try == tries {
			return fmt.Errorf("%d outcomes were refused, the first by %s", len(refused), why)
		}
		events = refused
		select {
		case <-time.After(pause << (try - 1)):
		case <-ctx.Done():
			return fmt.Errorf("%d outcomes were refused, the first by %s: %w", len(refused), why, context.Cause(ctx))
		}
	}
}
