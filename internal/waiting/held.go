package waiting

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// shardBatch is how many items of each shard are held in memory.
const shardBatch = 16

// Turn is what becomes of an item that waits for a circuit.
type Turn struct {
	// Go says that it goes now: to be received after Delay, of 15 minutes at most.
	Go    bool
	Delay time.Duration
	// Held is for how long it was held for the circuit since it came in, which
	// counts against it. In whole seconds.
	Held time.Duration
}

// Turns says what becomes of an item, n others having gone before it.
type Turns func(n int, item *Item) Turn

// SendHeld sends of what waits for a circuit, named by its key, what has its turn:
// oldest first, over all shards. It ends where none of those that come next has,
// or, between two batches, when ctx does. Its error is ErrTaken while another gets
// items out of one of the circuit's places.
func (e *Exit) SendHeld(ctx context.Context, circuit string, turns Turns) (gone Gone, err error) {
	read := func(failed int) ([]Item, error) { return e.first(ctx, circuit, shardBatch+failed) }
	return e.sendFrom(ctx, shards(circuit), read, func(v *visit, items []Item) (chosen []leaving) {
		for _, item := range items {
			turn := turns(v.gone.Count+len(chosen), &item)
			if turn.Go && !v.failed[item.ID()] {
				chosen = append(chosen, leaving{item, holdBack(turn.Delay), turn.Held})
			}
		}
		return chosen
	})
}

// Oldest returns the oldest of what waits for a circuit, without any lease: up to
// so many of each shard. What came in within some minutes and is older than the
// others may be missing, unless all shards are read anew, from their beginnings:
// that may cost much, where much has waited there.
func (e *Exit) Oldest(ctx context.Context, circuit string, limit int, anew bool) ([]Item, error) {
	if anew {
		e.begins.forget(shards(circuit))
	}
	return e.first(ctx, circuit, limit)
}

func shards(circuit string) (places []Place) {
	for shard := range Shards {
		places = append(places, CircuitPlace(circuit, shard))
	}
	return places
}

// first reads up to limit items of each shard of a circuit, and returns, by
// Position, those before which there are no others.
func (e *Exit) first(ctx context.Context, circuit string, limit int) (items []Item, err error) {
	end := ""
	for _, place := range shards(circuit) {
		from := e.begins.of(place, e.Now())
		some, err := e.Places.In(ctx, place, from, limit)
		if err != nil {
			return nil, err
		}
		e.begins.read(place, from, some, e.Now())
		items = append(items, some...)
		if len(some) == limit { // there may be more, which come after this
			if last := some[limit-1].Position(); end == "" || last < end {
				end = last
			}
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Compare(a.Position(), b.Position()) })
	if end != "" {
		items = slices.DeleteFunc(items, func(i Item) bool { return i.Position() > end })
	}
	return items, nil
}
