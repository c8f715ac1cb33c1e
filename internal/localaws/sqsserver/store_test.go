package sqsserver_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// fault is how a write goes wrong.
type fault int

const (
	none fault = iota
	lost
	persisted // it failed, but was persisted
)

var errFault = errors.New("the disk is on fire")

// memory is a Store that can be told to fail.
type memory struct {
	mu       sync.Mutex
	nextKey  int64
	queues   map[int64]sqsserver.QueueRecord
	tasks    map[string]sqsserver.TaskRecord
	messages map[int64]sqsserver.StoredMessage
	dedups   map[int64]sqsserver.DedupRecord
	// next decides how a write goes; unreadable makes reads fail.
	next       func(*sqsserver.Changes) fault
	unreadable bool
	// read, if set, is called by each read.
	read func()
	// gate, if set, is waited for before the next write, or the next one that
	// moves messages.
	gate      func()
	gateMoves bool
}

func newMemory() *memory {
	return &memory{
		queues:   map[int64]sqsserver.QueueRecord{},
		tasks:    map[string]sqsserver.TaskRecord{},
		messages: map[int64]sqsserver.StoredMessage{},
		dedups:   map[int64]sqsserver.DedupRecord{},
	}
}

// fail makes the next write fail.
func (s *memory) fail(f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = func(*sqsserver.Changes) fault {
		s.next = nil
		return f
	}
}

// failOnMove makes the next write that moves messages fail.
func (s *memory) failOnMove(f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = func(c *sqsserver.Changes) fault {
		if len(c.Moves) == 0 {
			return none
		}
		s.next = nil
		return f
	}
}

func (s *memory) Apply(_ context.Context, c *sqsserver.Changes) error {
	s.mu.Lock()
	gate := s.gate
	if s.gateMoves && len(c.Moves) == 0 {
		gate = nil
	} else {
		s.gate = nil
	}
	s.mu.Unlock()
	if gate != nil {
		gate()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	outcome := none
	if s.next != nil {
		outcome = s.next(c)
	}
	if outcome == lost {
		return errFault
	}
	s.apply(c)
	if outcome == persisted {
		return errFault
	}
	return nil
}

func (s *memory) apply(c *sqsserver.Changes) {
	for _, r := range c.PutQueues {
		r.Attributes, r.Tags = maps.Clone(r.Attributes), maps.Clone(r.Tags)
		s.queues[r.ID] = r
	}
	for _, r := range c.PutTasks {
		s.tasks[r.Handle] = r
	}
	for _, key := range c.Undo {
		delete(s.messages, key)
		delete(s.dedups, key)
	}
	for _, m := range c.PutMessages {
		s.messages[m.Key] = m
	}
	for _, r := range c.PutDedups {
		s.dedups[r.Key] = r
	}
	for _, r := range c.SetStates {
		if m, ok := s.messages[r.Key]; ok {
			m.StateRecord = r
			s.messages[r.Key] = m
		}
	}
	for _, r := range c.Moves {
		if m, ok := s.messages[r.Key]; ok {
			m.MessageRecord = r
			s.messages[r.Key] = m
		}
	}
	for _, key := range c.Deletes {
		delete(s.messages, key)
	}
	for _, id := range c.DeleteQueues {
		delete(s.queues, id)
		maps.DeleteFunc(s.messages, func(_ int64, m sqsserver.StoredMessage) bool { return m.Queue == id })
		maps.DeleteFunc(s.dedups, func(_ int64, r sqsserver.DedupRecord) bool { return r.Queue == id })
	}
	maps.DeleteFunc(s.dedups, func(key int64, r sqsserver.DedupRecord) bool {
		return r.Queue == c.ForgetDedups.Queue && key <= c.ForgetDedups.Key
	})
	s.nextKey = max(s.nextKey, c.NextKey)
}

func (s *memory) Messages(_ context.Context, keys []int64) (map[int64]sqsserver.StoredMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unreadable {
		return nil, errFault
	}
	if s.read != nil {
		s.read()
	}
	found := map[int64]sqsserver.StoredMessage{}
	for _, key := range keys {
		if m, ok := s.messages[key]; ok {
			found[key] = m
		}
	}
	return found, nil
}

func (s *memory) Load(_ context.Context, into sqsserver.Loader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nextKey > 0 {
		into.LoadNextKey(s.nextKey)
	}
	for _, key := range slices.Sorted(maps.Keys(s.queues)) {
		into.LoadQueue(s.queues[key])
	}
	for _, t := range slices.SortedFunc(maps.Values(s.tasks), func(a, b sqsserver.TaskRecord) int {
		return cmp.Compare(a.Started, b.Started)
	}) {
		into.LoadTask(t)
	}
	for _, key := range slices.Sorted(maps.Keys(s.messages)) {
		m := s.messages[key]
		into.LoadPlace(sqsserver.PlaceRecord{Key: m.Key, Queue: m.Queue, Seq: m.Seq, Sent: m.Sent, VisibleAt: m.VisibleAt, Group: m.Group,
			Leased: m.Leased, ReceivedHere: m.Received > m.ReceivedBefore})
	}
	for _, key := range slices.Sorted(maps.Keys(s.dedups)) {
		into.LoadDedup(s.dedups[key])
	}
	return nil
}

// rows counts the messages that are kept.
func (s *memory) rows() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.messages)
}
