package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/waiting"
)

const (
	// lookers is how many places are looked at at a time, senders how many are
	// sent from: each holds a batch in memory.
	lookers = 32
	senders = 4
	// maxErrors is how many errors of one run are told.
	maxErrors = 10
)

// look returns the places from one time to another in which something waits,
// oldest first, and the minute before which there is none.
func (h *Handler) look(ctx context.Context, p *problems, from, to time.Time) (places []waiting.Place, empty time.Time) {
	minutes := int(to.Sub(from)/time.Minute) + 1
	waits, known := make([]bool, minutes*waiting.Shards), make([]bool, minutes*waiting.Shards)
	place := func(i int) waiting.Place {
		return waiting.DuePlace(from.Add(time.Duration(i/waiting.Shards)*time.Minute), i%waiting.Shards)
	}
	var g errgroup.Group
	g.SetLimit(lookers)
	for i := range waits {
		g.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			some, err := h.Room.Any(ctx, place(i))
			if waits[i], known[i] = some, err == nil; err != nil {
				p.add(ctx, fmt.Errorf("look into the waiting room's place %s: %w", place(i), err))
			}
			return nil
		})
	}
	_ = g.Wait()
	empty = to
	for i := len(waits) - 1; i >= 0; i-- {
		if waits[i] {
			places = append(places, place(i))
		}
		if waits[i] || !known[i] {
			empty = from.Add(time.Duration(i/waiting.Shards) * time.Minute)
		}
	}
	slices.Reverse(places)
	return places, empty
}

// letGo sends what is due in places, the first ones first.
func (h *Handler) letGo(ctx context.Context, p *problems, places []waiting.Place) (gone waiting.Gone) {
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(senders)
	for _, place := range places {
		g.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			some, err := h.Exit.SendDue(ctx, place, Ahead)
			if err != nil && !errors.Is(err, waiting.ErrTaken) {
				p.add(ctx, err)
			}
			mu.Lock()
			defer mu.Unlock()
			gone.Add(some)
			return nil
		})
	}
	_ = g.Wait()
	return gone
}

// problems are what went wrong in a run. It may be used by many goroutines at
// once.
type problems struct {
	mu   sync.Mutex
	errs []error
	more int
}

// add keeps an error, unless it only says that the run's time is up.
func (p *problems) add(ctx context.Context, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
	case len(p.errs) < maxErrors:
		p.errs = append(p.errs, err)
	default:
		p.more++
	}
}

func (p *problems) join() error {
	if p.more > 0 {
		p.errs = append(p.errs, fmt.Errorf("and %d more errors", p.more))
	}
	return errors.Join(p.errs...)
}
