package waiting

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// perSecond is how many overdue items of a place go in one second, and
	// spread over how long one visit spreads them at most: a place that holds more
	// keeps them for the next visit.
	perSecond = 100
	spread    = time.Minute
)

// maxFailed is after how many failures a visit ends: it reads those again with
// each batch.
const maxFailed = 10 * batchSize

// Gone is what went back to its queue.
type Gone struct {
	Count int
	// First is when the oldest of it was first received.
	First time.Time
}

func (g *Gone) add(item *Item) {
	first := item.Carried.First
	if first.IsZero() {
		first = item.Since
	}
	g.Count++
	if g.First.IsZero() || first.Before(g.First) {
		g.First = first
	}
}

// Add adds what went elsewhere.
func (g *Gone) Add(more Gone) {
	g.Count += more.Count
	if g.First.IsZero() || !more.First.IsZero() && more.First.Before(g.First) {
		g.First = more.First
	}
}

// SendDue sends the items of a place that are due within a time from now, of 15
// minutes at most, oldest first, so that each can be received when it is due,
// and not earlier: SQS holds it back until then. Many that are overdue are spread
// over the next minute. It ends early, between two batches, when ctx does; what
// stays is for the next call. Its error is ErrTaken while another is at the
// place.
func (e *Exit) SendDue(ctx context.Context, place Place, within time.Duration) (gone Gone, err error) {
	// What went is not read again with each batch after it. Who comes in before that
	// meanwhile is for the next call.
	from := ""
	read := func(failed int) ([]Item, error) { return e.Places.In(ctx, place, from, batchSize+failed) }
	return e.sendFrom(ctx, []Place{place}, read, func(v *visit, items []Item) []leaving {
		due := v.due(items, within)
		if n := len(due); n > 0 {
			from = due[n-1].Position()
		}
		return due
	})
}

// reading gives the first of what waits in places, some more than those whose
// sending failed, and choice says which of them go now.
type (
	reading func(failed int) ([]Item, error)
	choice  func(v *visit, items []Item) []leaving
)

// sendFrom sends what is chosen of what is read from places, until that is nothing.
func (e *Exit) sendFrom(ctx context.Context, places []Place, read reading, choose choice) (gone Gone, err error) {
	err = e.at(ctx, places, func(v *visit) error {
		defer func() { gone = v.gone }()
		var errs []error
		for ctx.Err() == nil {
			more, err := v.sendSome(ctx, read, choose)
			errs = append(errs, err)
			if !more || len(v.failed) >= maxFailed || errors.Is(err, errUnmarked) {
				break
			}
		}
		return errors.Join(errs...)
	})
	return gone, err
}

// sendSome sends a batch, and reports whether there may be more to send.
func (v *visit) sendSome(ctx context.Context, read reading, choose choice) (more bool, err error) {
	if err := v.lease(ctx); err != nil {
		return false, err
	}
	items, err := read(len(v.failed))
	if err != nil {
		return false, fmt.Errorf("read what waits there: %w", err)
	}
	if !v.holds() {
		return false, errLost
	}
	chosen := choose(v, items)
	if len(chosen) == 0 {
		return false, nil
	}
	return v.send(ctx, chosen)
}

// due chooses the items that go now.
func (v *visit) due(items []Item, within time.Duration) (due []leaving) {
	now := v.Now()
	for _, item := range items {
		if v.failed[item.ID()] {
			continue
		}
		if item.Due.Sub(now) > within {
			break
		}
		delay := holdBack(item.Due.Sub(now))
		if delay == 0 {
			if delay = (time.Duration(v.overdue) / perSecond) * time.Second; delay >= spread {
				break
			}
			v.overdue++
		}
		due = append(due, leaving{Item: item, delay: delay})
	}
	return due
}

// holdBack is how long SQS holds back what is due in a time: whole seconds,
// rounded up, since it must not come early.
func holdBack(d time.Duration) time.Duration {
	return max(0, (d + time.Second - 1).Truncate(time.Second))
}
