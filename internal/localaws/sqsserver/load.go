package sqsserver

import "fmt"

// loader builds the engine's state from what the store gives.
type loader struct {
	e    *Engine
	now  int64
	byID map[int64]*queue
	err  error
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

// LoadMessage puts a message where it was: what this process's predecessor
// leased is ready, what others received stays hidden for its time.
func (l *loader) LoadMessage(r MessageRecord) {
	q := l.byID[r.Queue]
	if q == nil {
		l.err = fmt.Errorf("message %s is in queue %d, which does not exist", formatID(r.ID), r.Queue)
		return
	}
	l.e.keys.Store(max(l.e.keys.Load(), r.Key, r.Seq))
	m := &message{}
	m.assume(r)
	s := ready
	switch {
	case r.Leased || r.VisibleAt <= l.now:
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
