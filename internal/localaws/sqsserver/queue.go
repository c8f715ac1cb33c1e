package sqsserver

import (
	"math"
	"sync"
	"sync/atomic"
)

// queue is one queue's messages in memory. mu guards all of them; it is never
// held while the store works, nor while another queue's is held.
type queue struct {
	id int64
	placed
	key  string
	arn  string
	fifo bool

	row    atomic.Pointer[QueueRecord]
	config atomic.Pointer[config] // row's attributes
	life   life

	mu       sync.Mutex
	messages map[int64]*message // by key
	counts   [states]int
	groups   map[string]*group
	// offered are groups that may have something to receive, in turn.
	offered []*group
	// timed are the delayed and in-flight messages by visibleAt, aged all
	// messages that wait or are in flight, by sent.
	timed, aged heap
	// order counts the messages that became ready: on a standard queue they
	// are received in that order.
	order   int64
	dedups  dedups
	tries   attempts
	cache   cache
	waiters waiters
	shelves shelves
	// bringing is held by who reads what is on the shelves.
	bringing sync.Mutex
	// expired and undo are keys for the next write to delete: of messages
	// past retention, and of sends that failed but may have been persisted.
	expired, undo []int64
	// purged is when the last purge was, in Unix milliseconds.
	purged int64
}

// group is the messages of one message group; those without one are in "". A
// FIFO queue keeps the order inside a group.
//
// A standard queue takes from each group in turn, so that a group with a deep
// backlog does not hold up others. AWS begins to favour the others when a group
// has many messages in flight, at thresholds that it calls approximate, and
// counts every message without a group as a group of its own ("How Amazon SQS
// fair queues work"). Here it is so from the first message on, which needs no
// load to be seen in a test.
type group struct {
	id      string
	waiting heap // ready ones, on a FIFO queue pending ones too
	// shelf has ready ones that are not in memory.
	shelf shelf
	// flight are, on a FIFO queue, those in flight.
	flight heap
	// size counts all messages of the group.
	size int
	// latest is when, on a FIFO queue, its last message becomes visible.
	latest int64
	// offered: it is in the queue's line.
	offered bool
}

func (e *Engine) newQueue(r QueueRecord, c *config) *queue {
	at := e.ofKey(r.Name)
	q := &queue{
		id: r.ID, placed: at, key: r.Name, arn: at.arn(), fifo: c.fifo,
		messages: map[int64]*message{},
		groups:   map[string]*group{},
		timed:    heap{slot: slotWait},
		aged:     heap{slot: slotExpiry},
		cache:    cache{budget: &e.budget},
		shelves:  shelves{limit: e.nearLimit},
		life:     life{over: make(chan struct{})},
	}
	q.config.Store(c)
	q.row.Store(&r)
	return q
}

// adopt makes m one of the queue's messages, in group and state.
func (q *queue) adopt(m *message, groupID string, s state) {
	m.group = q.groupOf(groupID)
	m.group.size++
	q.messages[m.key] = m
	q.enter(m, s)
}

// disown forgets m, which was in the queue.
func (q *queue) disown(m *message) {
	q.leave(m)
	q.cache.drop(m)
	delete(q.messages, m.key)
	q.shrink(m.group)
}

// shrink counts one message of g less.
func (q *queue) shrink(g *group) {
	if g.size--; g.size == 0 {
		delete(q.groups, g.id)
	}
}

func (q *queue) groupOf(id string) *group {
	g := q.groups[id]
	if g == nil {
		g = &group{id: id, waiting: heap{slot: slotWait}, flight: heap{slot: slotFlight}}
		q.groups[id] = g
	}
	return g
}

// become changes m's state.
func (q *queue) become(m *message, s state) {
	q.leave(m)
	q.enter(m, s)
}

func (q *queue) enter(m *message, s state) {
	m.state = s
	q.counts[s]++
	switch s {
	case pending:
		if q.fifo {
			m.group.waiting.push(m, m.seq)
		}
	case ready:
		m.leased = false
		m.group.waiting.push(m, q.turn(m))
		q.offer(m.group)
	case delayed:
		q.timed.push(m, m.visibleAt)
	case inFlight:
		q.timed.push(m, m.visibleAt)
		if q.fifo {
			m.group.flight.push(m, m.seq)
		}
	}
	if s.ages() {
		q.aged.push(m, m.sent)
	}
}

func (q *queue) leave(m *message) {
	q.counts[m.state]--
	switch m.state {
	case pending:
		if q.fifo {
			m.group.waiting.remove(m)
		}
	case ready:
		m.group.waiting.remove(m)
	case delayed:
		q.timed.remove(m)
	case inFlight:
		q.timed.remove(m)
		if q.fifo {
			m.group.flight.remove(m)
		}
	}
	if m.state.ages() {
		q.aged.remove(m)
	}
	q.offer(m.group)
}

func (s state) ages() bool { return s == ready || s == delayed || s == inFlight }

// turn is m's place among the ready ones of its group.
func (q *queue) turn(m *message) int64 {
	if q.fifo {
		return m.seq
	}
	q.order++
	return q.order
}

// offer puts g in line if something of it can be received.
func (q *queue) offer(g *group) {
	if !g.offered && q.receivable(g) {
		g.offered = true
		q.offered = append(q.offered, g)
	}
}

// receivable: on a FIFO queue the first message must be written, and come
// before those in flight.
func (q *queue) receivable(g *group) bool {
	if g.firstIsFar() {
		return true
	}
	first := g.before(g.blocked())
	return first != nil && (!q.fifo || first.state == ready)
}

// blocked is from which place on a group's messages have to wait for one that
// is in flight.
func (g *group) blocked() int64 {
	if m, seq := g.flight.top(); m != nil {
		return seq
	}
	return math.MaxInt64
}

// before is the group's first message that waits, if its place is before end.
func (g *group) before(end int64) *message {
	if m, place := g.waiting.top(); place < end {
		return m
	}
	return nil
}

// advance brings the queue to now: messages whose time has come are made
// visible, those past retention are dropped.
func (q *queue) advance(now int64) {
	for {
		m, at := q.timed.top()
		if m == nil || at > now {
			break
		}
		q.become(m, ready)
	}
	retention := q.config.Load().retention.Milliseconds()
	for {
		m, sent := q.aged.top()
		if m == nil || sent+retention > now {
			break
		}
		q.expired = append(q.expired, m.key)
		q.disown(m)
	}
	q.sweepShelves(now, now-retention)
}

// cleanAtOnce is how many of the messages past retention a write deletes: who
// makes it waits for them.
const cleanAtOnce = 100

// clean adds to changes deletes that are due; litter takes them back when the
// write has failed.
func (q *queue) clean(changes *Changes) {
	n := min(len(q.expired), cleanAtOnce)
	changes.Deletes = append(changes.Deletes, q.expired[:n]...)
	changes.Undo = append(changes.Undo, q.undo...)
	if q.expired, q.undo = q.expired[n:], nil; len(q.expired) == 0 {
		q.expired = nil
	}
}

func (q *queue) litter(expired, undo []int64) {
	q.expired = append(q.expired, expired...)
	q.undo = append(q.undo, undo...)
}
