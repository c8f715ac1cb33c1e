package sqsserver

import (
	"encoding/hex"
	"math/rand/v2"
)

// state is where a message is in its queue.
type state uint8

//	          send                     time is up            receive
//	pending ────────► ready, delayed ────────────► ready ──────────► inFlight
//	                                                 ▲                   │
//	                                                 └ time up, released ┘
//
// From ready or inFlight a message goes to deleting, from ready to moving.
// When the store fails it goes back.
const (
	pending  state = iota // being written, not there for anybody yet
	ready                 // may be received
	delayed               // not yet received, may be at visibleAt
	inFlight              // received, may be again at visibleAt
	deleting              // its delete is being written
	moving                // its move to another queue is being written
	states
)

// message is what the engine keeps of a message in memory. It belongs to one
// queue, whose lock guards it.
type message struct {
	key   int64 // in the store; never used again
	seq   int64
	id    [16]byte
	group *group
	dedup string
	// source is the ARN of the queue that this is a dead letter of.
	source string

	// Times are Unix milliseconds.
	sent, visibleAt             int64
	firstReceived, lastReceived int64
	received, receivedBefore    int32

	state  state
	before state // the one to go back to when a delete fails
	leased bool
	place  [slots]int32 // where heaps hold it

	// content may be nil: it is then in the store only.
	content      *content
	older, newer *message // in the queue's list of cached contents
}

func (m *message) stateRecord() StateRecord {
	return StateRecord{Key: m.key, VisibleAt: m.visibleAt, Received: m.received,
		FirstReceived: m.firstReceived, LastReceived: m.lastReceived, Leased: m.leased}
}

func (m *message) record(queue int64) MessageRecord {
	return MessageRecord{StateRecord: m.stateRecord(), Queue: queue, ID: m.id, Seq: m.seq, Sent: m.sent,
		ReceivedBefore: m.receivedBefore, Group: m.group.id, Dedup: m.dedup, Source: m.source}
}

// assume makes m what r says, all but its queue.
func (m *message) assume(r MessageRecord) {
	m.key, m.seq, m.id, m.sent = r.Key, r.Seq, r.ID, r.Sent
	m.visibleAt, m.leased = r.VisibleAt, r.Leased
	m.firstReceived, m.lastReceived = r.FirstReceived, r.LastReceived
	m.received, m.receivedBefore = r.Received, r.ReceivedBefore
	m.dedup, m.source = r.Dedup, r.Source
}

// newID is a random UUID (RFC 9562, version 4). The generator is ChaCha8
// seeded by the system.
func newID() (id [16]byte) {
	a, b := rand.Uint64(), rand.Uint64()
	for i := range 8 {
		id[i], id[8+i] = byte(a>>(8*i)), byte(b>>(8*i))
	}
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

func formatID(id [16]byte) string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}
