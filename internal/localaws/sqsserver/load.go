package sqsserver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// loader builds the engine's state from what the store gives.
type loader struct {
	e    *Engine
	now  int64
	byID map[int64]*queue
	// whole are the keys of messages that are to be in memory.
	whole []int64
	err   error
}

func (l *loader) LoadNextKey(key int64) {
	l.e.reserved.Store(key)
	l.e.keys.Store(max(l.e.keys.Load(), key-1))
}

func (l *loader) LoadQueue(r QueueRecord) {
	fifo := r.Attributes["FifoQueue"] == "true"
	c, err := parseConfig(fifo, r.Attributes)
	if err != nil {
		l.err = fmt.Errorf("queue %s: %w", r.Name, err)
		return
	}
	q := l.e.newQueue(r, c)
	l.byID[r.ID] = q
	l.e.queues[r.Name] = q
	l.e.lastID = max(l.e.lastID, r.ID)
}

func (l *loader) LoadTask(r TaskRecord) {
	l.e.tasks = append(l.e.tasks, newTask(r))
}

// LoadPlace puts a message that can be received, and never was from a standard
// queue, on the shelf.
func (l *loader) LoadPlace(r PlaceRecord) {
	q := l.byID[r.Queue]
	if q == nil {
		l.err = fmt.Errorf("the message with key %d is in queue %d, which does not exist", r.Key, r.Queue)
		return
	}
	l.e.keys.Store(max(l.e.keys.Load(), r.Key, r.Seq))
	if q.fifo || r.ReceivedHere || !r.Leased && r.VisibleAt > l.now {
		l.whole = append(l.whole, r.Key)
		return
	}
	q.shelveFar(q.countReady(r.Group, r.Seq), far{key: r.Key, sent: r.Sent, turn: r.Seq})
}

// countReady counts one more ready message in a group. On a standard queue they
// come in the order of their Seqs; what becomes ready later comes after them.
func (q *queue) countReady(groupID string, seq int64) *group {
	g := q.groupOf(groupID)
	g.size++
	q.counts[ready]++
	q.order = max(q.order, seq)
	return g
}

// loadAtOnce is how many messages are read at a time.
const loadAtOnce = 1000

// end reads what is to be in memory, and puts shelves in order.
func (l *loader) end(ctx context.Context) error {
	if l.err != nil {
		return l.err
	}
	for keys := range slices.Chunk(l.whole, loadAtOnce) {
		found, err := l.e.store.Messages(ctx, keys)
		if err != nil {
			return err
		}
		for _, key := range keys {
			l.adopt(found[key].MessageRecord)
		}
	}
	for _, q := range l.byID {
		for _, g := range q.groups {
			if byTurn := func(a, b far) int { return cmp.Compare(a.turn, b.turn) }; !slices.IsSortedFunc(g.shelf.line, byTurn) {
				slices.SortFunc(g.shelf.line, byTurn)
			}
		}
	}
	return nil
}

// adopt puts a message where it was: what this process's predecessor leased is
// ready, what others received stays hidden for its time.
func (l *loader) adopt(r MessageRecord) {
	if latest := max(r.Sent, r.LastReceived); latest > l.now {
		r.VisibleAt -= latest - l.now // the clock was set back since: it waits for as long as it was to
	}
	q := l.byID[r.Queue]
	m := &message{}
	m.assume(r)
	var s state
	switch {
	case r.Leased || r.VisibleAt <= l.now:
		q.hold(m, q.countReady(r.Group, r.Seq), r.Seq)
		return
	case r.Received > r.ReceivedBefore:
		s = inFlight
	default:
		s = delayed
	}
	q.adopt(m, r.Group, s)
	if s == delayed {
		m.group.delayUntil(r.VisibleAt)
	}
}

func (l *loader) LoadDedup(r DedupRecord) {
	if q := l.byID[r.Queue]; q != nil {
		q.dedups.add(&dedup{dedupKey: dedupKey{r.Scope, r.ID}, key: r.Key, id: r.MessageID, sent: r.Sent})
	}
}
