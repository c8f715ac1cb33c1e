package sqsserver

// heap orders messages by a number, smallest first, and can take any of them
// out again. Equal numbers are ordered by the messages' keys.
type heap struct {
	entries []heapEntry
	// slot is which of a message's places says where this heap holds it. A
	// message is in at most one heap per slot at a time.
	slot int
}

type heapEntry struct {
	at int64
	m  *message
}

// The slots. A message waits either in its group or for its time; one in
// flight on a FIFO queue also holds its place in the group.
const (
	slotWait = iota
	slotExpiry
	slotFlight
	slots
)

func (a heapEntry) before(b heapEntry) bool {
	return a.at < b.at || a.at == b.at && a.m.key < b.m.key
}

// top is the first message and its number; nil when the heap is empty.
func (h *heap) top() (*message, int64) {
	if len(h.entries) == 0 {
		return nil, 0
	}
	return h.entries[0].m, h.entries[0].at
}

func (h *heap) push(m *message, at int64) {
	h.entries = append(h.entries, heapEntry{at, m})
	h.up(len(h.entries) - 1)
}

// remove takes m, which must be in the heap, out of it.
func (h *heap) remove(m *message) {
	i, last := int(m.place[h.slot]), len(h.entries)-1
	if i != last {
		h.entries[i] = h.entries[last]
	}
	h.entries[last] = heapEntry{}
	h.entries = h.entries[:last]
	if i != last {
		h.up(i)
		h.down(i)
	}
}

func (h *heap) up(i int) {
	e := h.entries[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(h.entries[parent]) {
			break
		}
		h.set(i, h.entries[parent])
		i = parent
	}
	h.set(i, e)
}

func (h *heap) down(i int) {
	e := h.entries[i]
	for {
		child := 2*i + 1
		if child >= len(h.entries) {
			break
		}
		if child+1 < len(h.entries) && h.entries[child+1].before(h.entries[child]) {
			child++
		}
		if !h.entries[child].before(e) {
			break
		}
		h.set(i, h.entries[child])
		i = child
	}
	h.set(i, e)
}

func (h *heap) set(i int, e heapEntry) {
	h.entries[i] = e
	e.m.place[h.slot] = int32(i)
}
