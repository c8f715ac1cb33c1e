package waiting

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"
)

// askers is how many items are asked for at a time.
const askers = 16

// Act takes items out of their places that somebody has chosen, each whole, as a
// Store gave it: Sent sends them at once, whenever they are due, Dropped leaves
// them unsent. It returns those of which that is done; the others do not wait
// any more, or the error says what kept them: ErrTaken while another is at their
// place. An error of one place does not keep the others' from being done.
func (e *Exit) Act(ctx context.Context, items []Item, as State) (done []Item, err error) {
	return e.act(ctx, items, as, func(context.Context, []Item) error { return nil })
}

// Drop is Act as Dropped. What is about to be dropped is told to before first,
// under the lease of its place; after an error of that it waits on.
func (e *Exit) Drop(ctx context.Context, items []Item, before func(context.Context, []Item) error) (done []Item, err error) {
	return e.act(ctx, items, Dropped, before)
}

func (e *Exit) act(ctx context.Context, items []Item, as State, before func(context.Context, []Item) error) (done []Item, err error) {
	byPlace := map[Place][]Item{}
	for _, item := range items {
		byPlace[item.Place()] = append(byPlace[item.Place()], item)
	}
	for _, place := range slices.Sorted(maps.Keys(byPlace)) {
		err = errors.Join(err, e.at(ctx, []Place{place}, func(v *visit) error {
			for some := range slices.Chunk(byPlace[place], batchSize) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				acted, err := v.act(ctx, some, as, before)
				if done = append(done, acted...); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return done, err
}

// act does it to items of one place.
func (v *visit) act(ctx context.Context, items []Item, as State, before func(context.Context, []Item) error) (done []Item, err error) {
	if err := v.lease(ctx); err != nil {
		return nil, err
	}
	wait, err := v.stillWait(ctx, items)
	if as != Sent {
		wait = slices.DeleteFunc(wait, func(item Item) bool { return v.unmarked.has(&item) })
	}
	if err == nil && len(wait) > 0 {
		err = before(ctx, wait)
	}
	if err != nil {
		return nil, err
	}
	if !v.holds() {
		return nil, errLost
	}
	if as != Sent {
		if err := v.Places.Settle(ctx, wait, as); err != nil {
			return nil, fmt.Errorf("write what became of %d messages: %w", len(wait), err)
		}
		return wait, nil
	}
	all := make([]leaving, len(wait))
	for i, item := range wait {
		all[i] = leaving{Item: item}
	}
	_, err = v.send(ctx, all)
	return slices.DeleteFunc(wait, func(item Item) bool { return v.failed[item.ID()] }), err
}

// stillWait keeps the items that wait: a listing may lag. It asks by trying to
// enter each as one that never was in the room, which changes none that was.
func (v *visit) stillWait(ctx context.Context, items []Item) (wait []Item, err error) {
	states := make([]State, len(items))
	var g errgroup.Group
	g.SetLimit(askers)
	for i := range items {
		g.Go(func() (err error) {
			states[i], err = v.Places.Enter(ctx, items[i].Settled(Kept))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("ask whether a message waits: %w", err)
	}
	for i, item := range items {
		if states[i] == Waiting {
			wait = append(wait, item)
		}
	}
	return wait, nil
}
