package queuelog

import (
	"context"
	"fmt"
	"time"
)

// run flushes a while after something has changed, or when much has.
func (s *Store) run(ctx context.Context) {
	defer close(s.done)
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			return
		}
		if !s.gather(ctx) {
			return
		}
		if err := s.flush(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the queues' data file failed; what was acknowledged is kept in the log beside it", "error", err)
		}
	}
}

// gather waits for the flush's turn; false when ctx ends first.
func (s *Store) gather(ctx context.Context) bool {
	timer := s.clock.NewTimer(delay)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.Chan():
			return true
		case <-s.wake:
			if s.isFull() {
				return true
			}
		}
	}
}

func (s *Store) isFull() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recent.size > full/2 && s.broken == nil
}

// flush gives what is in the log now to the store behind.
func (s *Store) flush(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.flushLocked(ctx)
	if err != nil || s.recent.size > 0 {
		s.hurry()
	}
	return err
}

// flushAll flushes until there is nothing in the log: who calls sees to it that
// nothing comes.
func (s *Store) flushAll(ctx context.Context) error {
	for s.flushing || s.leaving != nil || s.recent.size > 0 {
		if err := s.flushLocked(ctx); err != nil {
			return err
		}
	}
	return nil
}

// flushLocked waits for a flush that is under way, or makes one. It lets go of
// mu while it works.
func (s *Store) flushLocked(ctx context.Context) error {
	if s.flushing {
		s.ended.Wait()
		return s.broken
	}
	if err := s.leave(); err != nil {
		s.broken = err
		return err
	}
	if s.leaving == nil {
		s.broken = nil
		return nil
	}
	s.flushing = true
	s.mu.Unlock()
	err := s.give(ctx, s.leaving)
	s.mu.Lock()
	if err == nil {
		err = s.files[1-s.into].empty()
	}
	if err == nil {
		s.leaving = nil
	}
	s.flushing, s.broken = false, err
	s.flushes++
	s.ended.Broadcast()
	return err
}

// leave turns to the other file, unless what is in that has not left yet.
func (s *Store) leave() error {
	if s.leaving != nil || s.recent.size == 0 {
		return nil
	}
	if err := s.files[1-s.into].begin(s.files[s.into].number + 1); err != nil {
		return fmt.Errorf("write queues: %w", err)
	}
	s.leaving, s.recent, s.into = s.recent, newFold(), 1-s.into
	return nil
}

// giveTime is how long the store behind has for one part of a flush.
const giveTime = time.Minute

func (s *Store) give(ctx context.Context, f *fold) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), giveTime)
	defer stop()
	for changes := range f.parts(s.part) {
		if err := s.behind.Apply(ctx, changes); err != nil {
			return err
		}
	}
	return nil
}
