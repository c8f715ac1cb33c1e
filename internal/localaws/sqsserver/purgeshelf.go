package sqsserver

import "context"

// condemned is what a group had on its shelf when its queue was purged, and is
// not deleted yet.
type condemned struct {
	group string
	line  []far
}

// condemnShelves empties the shelves.
func (q *queue) condemnShelves() (list []condemned) {
	for id, g := range q.groups {
		line := g.shelf.left()
		if len(line) == 0 {
			continue
		}
		list = append(list, condemned{id, line})
		g.shelf.set(nil)
		for range line {
			q.lost(g)
		}
	}
	return list
}

// purgeShelf deletes what is left of c.
func (e *Engine) purgeShelf(ctx context.Context, c *condemned) error {
	for len(c.line) > 0 {
		batch := c.line[:min(purgeBatch, len(c.line))]
		keys := make([]int64, len(batch))
		for i, f := range batch {
			keys[i] = f.key
		}
		if err := e.apply(ctx, &Changes{Deletes: keys}); err != nil {
			return err
		}
		c.line = c.line[len(batch):]
	}
	return nil
}

// shelveAgain puts back what could not be deleted, before what came since.
func (q *queue) shelveAgain(c condemned) {
	if len(c.line) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	g := q.groupOf(c.group)
	since := g.shelf.left()
	g.shelf.set(nil)
	for _, f := range c.line {
		g.size++
		q.counts[ready]++
		q.shelveFar(g, f)
	}
	g.shelf.set(append(g.shelf.left(), since...))
}
