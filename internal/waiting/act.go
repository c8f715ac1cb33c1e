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
	byPlace := map[Place][]Item{}
	for _, item := range items {
		byPlace[item.Place()] = append(byPlace[item.Place()], item)
	}
	for _, place := range slices.Sorted(maps.Keys(byPlace)) {
		err = errors.Join(err, e.at(ctx, place, func(v *visit) error {
			for some := range slices.Chunk(byPlace[place], batchSize) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				acted, err := v.act(ctx, some, as)
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
func (v *visit) act(ctx context.Context, items []Item, as State) (done []Item, err error) {
	if err := v.lease(ctx); err != nil {
		return nil, err
	}
	wait, err := v.stillWait(ctx, items)
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
		if states[i] == Waiting && !v.unmarked.has(v.place, item.ID()) {
			wait = append(wait, item)
		}
	}
	return wait, nil
}
