package writelog

import (
	"iter"
	"maps"
	"slices"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// fold is what many changes come to. What was put and deleted in one fold is
// nowhere in it: keys are never used again, so the store behind has not got it.
type fold struct {
	nextKey  int64
	tasks    map[string]sqsserver.TaskRecord
	messages map[int64]*sqsserver.StoredMessage
	moves    map[int64]sqsserver.MessageRecord
	states   map[int64]sqsserver.StateRecord
	deletes  map[int64]bool
	undo     map[int64]bool
	dedups   map[int64]sqsserver.DedupRecord
	// forget is, by queue, up to which key deduplication records go.
	forget map[int64]int64
}

func newFold() *fold {
	return &fold{
		tasks: map[string]sqsserver.TaskRecord{}, messages: map[int64]*sqsserver.StoredMessage{}, moves: map[int64]sqsserver.MessageRecord{},
		states: map[int64]sqsserver.StateRecord{}, deletes: map[int64]bool{}, undo: map[int64]bool{},
		dedups: map[int64]sqsserver.DedupRecord{}, forget: map[int64]int64{},
	}
}

// add takes in changes that come after all that are in f, in the order of their
// fields.
func (f *fold) add(c *sqsserver.Changes) {
	f.nextKey = max(f.nextKey, c.NextKey)
	for _, t := range c.PutTasks {
		f.tasks[t.Handle] = t
	}
	for _, key := range c.Undo {
		f.drop(key)
		delete(f.dedups, key)
		f.undo[key] = true
	}
	for i := range c.PutMessages {
		m := c.PutMessages[i]
		f.drop(m.Key)
		f.messages[m.Key] = &m
	}
	for _, d := range c.PutDedups {
		f.dedups[d.Key] = d
	}
	for _, s := range c.SetStates {
		f.set(s)
	}
	for i := range c.Moves {
		f.move(&c.Moves[i])
	}
	for _, key := range c.Deletes {
		if fresh := f.drop(key); !fresh {
			f.deletes[key] = true
		}
	}
	if c.ForgetDedups.Queue != 0 {
		f.forgetDedups(c.ForgetDedups)
	}
}

// drop forgets what is to become of a message; true where it was put here.
func (f *fold) drop(key int64) (fresh bool) {
	_, fresh = f.messages[key]
	delete(f.messages, key)
	delete(f.moves, key)
	delete(f.states, key)
	return fresh
}

func (f *fold) gone(key int64) bool { return f.deletes[key] || f.undo[key] }

func (f *fold) set(s sqsserver.StateRecord) {
	if m, ok := f.messages[s.Key]; ok {
		m.StateRecord = s
	} else if m, ok := f.moves[s.Key]; ok {
		m.StateRecord = s
		f.moves[s.Key] = m
	} else if !f.gone(s.Key) {
		f.states[s.Key] = s
	}
}

func (f *fold) move(to *sqsserver.MessageRecord) {
	if m, ok := f.messages[to.Key]; ok {
		m.MessageRecord = *to
	} else if !f.gone(to.Key) {
		delete(f.states, to.Key)
		f.moves[to.Key] = *to
	}
}

func (f *fold) forgetDedups(upTo sqsserver.DedupRecord) {
	maps.DeleteFunc(f.dedups, func(key int64, d sqsserver.DedupRecord) bool { return d.Queue == upTo.Queue && key <= upTo.Key })
	f.forget[upTo.Queue] = max(f.forget[upTo.Queue], upTo.Key)
}

// lay brings what the store behind found to what f makes of it.
func (f *fold) lay(found map[int64]sqsserver.StoredMessage, keys []int64) {
	for _, key := range keys {
		if m, ok := f.messages[key]; ok {
			found[key] = *m
			continue
		}
		m, ok := found[key]
		if !ok {
			continue
		}
		if f.gone(key) {
			delete(found, key)
			continue
		}
		if moved, ok := f.moves[key]; ok {
			m.MessageRecord = moved
		}
		if state, ok := f.states[key]; ok {
			m.StateRecord = state
		}
		found[key] = m
	}
}

const (
	// partCount and partBytes are how much is given at a time: others wait for
	// the data file meanwhile.
	partCount = 200
	partBytes = 128 << 10
)

// parts gives f as changes of count items at most. What goes is first, so that what was put after it
// stays.
func (f *fold) parts(count int) iter.Seq[*sqsserver.Changes] {
	return func(yield func(*sqsserver.Changes) bool) {
		first := &sqsserver.Changes{NextKey: f.nextKey, PutTasks: slices.Collect(maps.Values(f.tasks))}
		if (first.NextKey != 0 || len(first.PutTasks) > 0) && !yield(first) {
			return
		}
		for queue, key := range f.forget {
			if !yield(&sqsserver.Changes{ForgetDedups: sqsserver.DedupRecord{Queue: queue, Key: key}}) {
				return
			}
		}
		p := parting{yield: yield, most: count, part: &sqsserver.Changes{}}
		for _, key := range sorted(f.undo) {
			p.part.Undo = append(p.part.Undo, key)
			p.count(0)
		}
		for _, key := range sorted(f.deletes) {
			p.part.Deletes = append(p.part.Deletes, key)
			p.count(0)
		}
		p.end() // in one part, deletes are made after what is put
		for _, key := range sorted(f.messages) {
			m := f.messages[key]
			p.part.PutMessages = append(p.part.PutMessages, *m)
			p.count(len(m.Body) + len(m.Attributes))
		}
		for _, key := range sorted(f.dedups) {
			p.part.PutDedups = append(p.part.PutDedups, f.dedups[key])
			p.count(0)
		}
		for _, key := range sorted(f.moves) {
			p.part.Moves = append(p.part.Moves, f.moves[key])
			p.count(0)
		}
		for _, key := range sorted(f.states) {
			p.part.SetStates = append(p.part.SetStates, f.states[key])
			p.count(0)
		}
		p.end()
	}
}

// sorted are the keys in the order of the file.
func sorted[V any](m map[int64]V) []int64 { return slices.Sorted(maps.Keys(m)) }

// parting cuts changes into parts.
type parting struct {
	yield        func(*sqsserver.Changes) bool
	part         *sqsserver.Changes
	most         int
	items, bytes int
	stopped      bool
}

func (p *parting) count(bytes int) {
	p.items++
	p.bytes += bytes
	if p.items >= p.most || p.bytes >= partBytes {
		p.end()
	}
}

func (p *parting) end() {
	if p.items > 0 && !p.stopped {
		p.stopped = !p.yield(p.part)
	}
	p.part, p.items, p.bytes = &sqsserver.Changes{}, 0, 0
}
