package sqsserver

import "time"

// dedupInterval is how long a deduplication id is remembered ("Using the
// Amazon SQS message deduplication ID").
const dedupInterval = 5 * time.Minute

// dedups are the deduplication ids that a FIFO queue remembers, also those of
// messages that were deleted.
type dedups struct {
	used map[dedupKey]*dedup
	// line has them in the order of their keys, which is nearly that of time.
	line []*dedup
	// forgotten counts what was dropped here and may still be in the store.
	forgotten int
	last      int64 // the key of the newest forgotten
}

type dedupKey struct{ scope, id string }

type dedup struct {
	dedupKey
	key  int64 // of the message; its seq as well
	id   [16]byte
	sent int64
	// written is closed when the send is in the store or has failed; nil for
	// one that was loaded.
	written chan struct{}
}

func (e *dedup) pending() bool {
	if e.written == nil {
		return false
	}
	select {
	case <-e.written:
		return false
	default:
		return true
	}
}

// settle lets those who wait for the send go on. The sends of one batch share
// a channel.
func (e *dedup) settle() {
	if e.pending() {
		close(e.written)
	}
}

func (e *dedup) record(queue int64) DedupRecord {
	return DedupRecord{Key: e.key, Queue: queue, Scope: e.scope, ID: e.dedupKey.id, MessageID: e.id, Sent: e.sent}
}

func (d *dedups) remember(k dedupKey, m *message, written chan struct{}) *dedup {
	e := &dedup{dedupKey: k, key: m.key, id: m.id, sent: m.sent, written: written}
	d.add(e)
	return e
}

func (d *dedups) add(e *dedup) {
	if d.used == nil {
		d.used = map[dedupKey]*dedup{}
	}
	d.used[e.dedupKey] = e
	d.line = append(d.line, e)
}

// cancel forgets e: its send has failed, or its time is over.
func (d *dedups) cancel(e *dedup) {
	if e != nil && d.used[e.dedupKey] == e {
		delete(d.used, e.dedupKey)
	}
}

// expire forgets what is over the interval.
func (d *dedups) expire(now int64) {
	for len(d.line) > 0 && d.line[0].sent+dedupInterval.Milliseconds() <= now {
		d.drop()
	}
}

// clear forgets all but those that are being written, and lets the store drop
// them at the next write.
func (d *dedups) clear() {
	for len(d.line) > 0 && !d.line[0].pending() {
		d.drop()
	}
	if d.forgotten > 0 {
		d.forgotten = forgetAfter
	}
}

// drop forgets the oldest.
func (d *dedups) drop() {
	d.cancel(d.line[0])
	d.last = d.line[0].key
	d.line[0] = nil
	d.line = d.line[1:]
	d.forgotten++
}

// forgetAfter is how many records are dropped from the store at a time.
const forgetAfter = 256

// forget is what the store may drop by now, when enough has gathered.
func (d *dedups) forget(queue int64) DedupRecord {
	if d.forgotten < forgetAfter {
		return DedupRecord{}
	}
	return d.forgetAll(queue)
}

// forgetAll is all that the store may drop.
func (d *dedups) forgetAll(queue int64) DedupRecord {
	d.forgotten = 0
	return DedupRecord{Queue: queue, Key: d.last}
}
