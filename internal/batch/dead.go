package batch

import "sync"

// Dead remembers the messages that are on their way to the dead-letter queue, by
// their SQS ids: the newest so many. Their histories need not be read again. A
// message is in it only once its record and its outcome are kept. It may be used
// by many goroutines at once; a nil one remembers nothing.
type Dead struct {
	mu   sync.Mutex
	ids  map[string]bool
	ring []string
	next int
}

// RememberedDead is how many messages a handler remembers as dead.
const RememberedDead = 10_000

// NewDead remembers up to n.
func NewDead(n int) *Dead { return &Dead{ids: make(map[string]bool), ring: make([]string, n)} }

func (d *Dead) add(messageID string) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ids[messageID] {
		return
	}
	delete(d.ids, d.ring[d.next])
	d.ids[messageID], d.ring[d.next] = true, messageID
	d.next = (d.next + 1) % len(d.ring)
}

func (d *Dead) has(messageID string) bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ids[messageID]
}
