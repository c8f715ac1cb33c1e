package ledger

import "encoding/binary"

// Acts counts, over the lanes of a ledger, what is no tampering. It keeps some
// 20 bytes for each entry.
type Acts struct {
	open, ended, seen map[uint64]bool
	// Repeated counts entries that are there twice: a dead audit message was
	// replayed.
	Repeated int64
}

// NewActs returns an empty count.
func NewActs() *Acts {
	return &Acts{open: map[uint64]bool{}, ended: map[uint64]bool{}, seen: map[uint64]bool{}}
}

// Unfinished counts attempts without an outcome: a crash, or an attempt that is
// under way.
func (a *Acts) Unfinished() int64 { return int64(len(a.open)) }

// Unannounced counts outcomes without an attempt.
func (a *Acts) Unannounced() int64 { return int64(len(a.ended)) }

// short stands for a text among millions.
func short(text []byte) uint64 {
	hash := LeafHash(text)
	return binary.BigEndian.Uint64(hash[:])
}

// add counts an entry; an attempt and its outcome share their id, and may lie
// in two lanes.
func (a *Acts) add(entry []byte) {
	key := short(entry)
	if a.seen[key] {
		a.Repeated++
		return
	}
	a.seen[key] = true
	l, err := ParseEntry(entry)
	if err != nil {
		return
	}
	id := short([]byte(l.ID))
	switch {
	case l.Action == WebhookAttempt || l.Action == NotificationAttempt:
		pair(id, a.open, a.ended)
	case IsOutcome(l.Action):
		pair(id, a.ended, a.open)
	}
}

// IsOutcome reports whether an action is what came of an attempt.
func IsOutcome(action string) bool {
	switch action {
	case WebhookDelivered, WebhookFailed, NotificationSent, NotificationFailed:
		return true
	}
	return false
}

// pair takes id away from those that wait for it, or lets it wait.
func pair(id uint64, mine, others map[uint64]bool) {
	if others[id] {
		delete(others, id)
		return
	}
	mine[id] = true
}
