package sqsserver

import (
	"context"
	"math"
	"slices"
)

// A deep queue has no more than its first messages in memory. Of the others
// only their places are, 24 bytes each: they are on the shelf of their group,
// and are read from the store when their turn is near.
//
// A message is put there when it has just become the last that can be received,
// and its row in the store says all of it. Nobody can have a handle of it: it
// was never received from this queue.

const (
	// nearLimit is how many messages a standard queue has in memory before what
	// comes goes to the shelf.
	nearLimit = 10_000
	// nearAtOnce is how many messages come from the shelves at a time.
	nearAtOnce = 256
	// shelfSweep is how often shelves are looked through for what is past
	// retention, at most, in milliseconds.
	shelfSweep = 1000
)

// far is a message on the shelf.
type far struct {
	key, sent int64
	turn      int64 // among the ready ones of its group
}

// shelf is what a group has on the shelf, in the order of the turns.
type shelf struct {
	line []far
	// first is where line begins: what is before it was taken.
	first int
}

func (s *shelf) left() []far { return s.line[s.first:] }

func (s *shelf) put(f far) { s.line = append(s.line, f) }

// take takes the first one, if it has this key.
func (s *shelf) take(key int64) bool {
	if left := s.left(); len(left) == 0 || left[0].key != key {
		return false
	}
	if s.first++; s.first > len(s.line)/2 {
		s.set(slices.Clone(s.left()))
	}
	return true
}

func (s *shelf) set(line []far) { s.line, s.first = line, 0 }

// shelves are a queue's, all groups' together.
type shelves struct {
	limit int
	count int
	// oldest is when the oldest message on a shelf was sent, or earlier.
	oldest int64
	// swept is when they were last looked through.
	swept int64
}

// firstIsFar: what is first in the group's turn is on its shelf.
func (g *group) firstIsFar() bool {
	left := g.shelf.left()
	if len(left) == 0 {
		return false
	}
	m, at := g.waiting.top()
	return m == nil || left[0].turn < at
}

// shelve puts m, which has just become ready, on the shelf if the queue is deep.
func (q *queue) shelve(m *message) {
	if q.fifo || m.state != ready || len(q.messages) <= q.shelves.limit {
		return
	}
	f := far{key: m.key, sent: m.sent, turn: q.order}
	q.drop(m)
	q.shelveFar(m.group, f)
}

func (q *queue) shelveFar(g *group, f far) {
	if q.shelves.count == 0 {
		q.shelves.oldest = f.sent
	}
	q.shelves.oldest = min(q.shelves.oldest, f.sent)
	q.shelves.count++
	g.shelf.put(f)
	q.offer(g)
}

// drop takes a ready message out of memory, which counts on as ready.
func (q *queue) drop(m *message) {
	m.group.waiting.remove(m)
	q.aged.remove(m)
	q.cache.drop(m)
	delete(q.messages, m.key)
}

// lost counts a message that was on g's shelf, and is gone.
func (q *queue) lost(g *group) {
	q.shelves.count--
	q.counts[ready]--
	q.shrink(g)
}

// sweepShelves drops what was sent before the given time.
func (q *queue) sweepShelves(now, before int64) {
	s := &q.shelves
	if s.count == 0 || s.oldest > before || now < s.swept+shelfSweep && now >= s.swept {
		return
	}
	s.swept, s.oldest = now, math.MaxInt64
	for _, g := range q.groups {
		left := g.shelf.left()
		kept := left[:0]
		for _, f := range left {
			if f.sent <= before {
				q.expired = append(q.expired, f.key)
				q.lost(g)
				continue
			}
			s.oldest = min(s.oldest, f.sent)
			kept = append(kept, f)
		}
		if len(kept) < len(left) {
			g.shelf.set(slices.Clone(kept))
		}
	}
}

// coming is a message that is on its way from a shelf.
type coming struct {
	g *group
	far
}

// next are the first ones of the shelves whose turn it is: some of each group.
func (q *queue) comingNext() (list []coming) {
	var groups []*group
	for _, g := range q.offered {
		if g.firstIsFar() {
			groups = append(groups, g)
		}
	}
	for _, g := range groups {
		each := max(1, nearAtOnce/len(groups))
		for _, f := range g.shelf.left()[:min(each, len(g.shelf.left()))] {
			list = append(list, coming{g, f})
		}
		if len(list) >= nearAtOnce {
			break
		}
	}
	return list
}

// firstIsFar: nothing can be received before a message came from the shelf.
func (q *queue) firstIsFar() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.anyReceivable() && q.offered[0].firstIsFar()
}

// bringNear reads the messages whose turn it is, if they are on the shelf.
func (e *Engine) bringNear(ctx context.Context, q *queue) error {
	q.bringing.Lock()
	defer q.bringing.Unlock()
	q.mu.Lock()
	list := q.comingNext()
	q.mu.Unlock()
	keys := make([]int64, len(list))
	for i, c := range list {
		keys[i] = c.key
	}
	found, err := e.store.Messages(ctx, keys)
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range list {
		if !c.g.shelf.take(c.key) {
			continue // it has expired, or was purged
		}
		if stored, ok := found[c.key]; ok {
			q.near(c, stored)
			continue
		}
		e.log.Warn("a message was gone from the data file", "queue", q.name, "key", c.key)
		q.lost(c.g)
	}
	q.wake(e.clock)
	return nil
}

// hold has m, which is counted as ready in g, in memory.
func (q *queue) hold(m *message, g *group, turn int64) {
	m.group, m.state, m.leased = g, ready, false
	q.messages[m.key] = m
	g.waiting.push(m, turn)
	q.aged.push(m, m.sent)
	q.offer(g)
}

// near is the opposite of shelve.
func (q *queue) near(c coming, stored StoredMessage) {
	m := &message{}
	m.assume(stored.MessageRecord)
	q.shelves.count--
	q.hold(m, c.g, c.turn)
	if content, err := loadContent(stored.Content); err == nil { // otherwise its receive reads it again, and says so
		q.cache.keep(m, content)
	}
}
