package writelog

import (
	"context"
	"fmt"
)

// run flushes a while after something has changed, or when much has.
func (l *writeLog[C, F]) run(ctx context.Context) {
	defer close(l.done)
	for {
		select {
		case <-l.wake:
		case <-ctx.Done():
			return
		}
		if !l.await(ctx) {
			return
		}
		if err := l.flush(ctx); err != nil && ctx.Err() == nil {
			l.log.Error("the data file failed; what was acknowledged is kept in the log beside it", "error", err)
		}
	}
}

// await waits for the flush's turn; false when ctx ends first.
func (l *writeLog[C, F]) await(ctx context.Context) bool {
	timer := l.clock.NewTimer(delay)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.Chan():
			return true
		case <-l.wake:
			if l.isFull() {
				return true
			}
		}
	}
}

func (l *writeLog[C, F]) isFull() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recent.size > full/2 && l.broken == nil
}

// flush gives what is in the log now to the store behind.
func (l *writeLog[C, F]) flush(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.flushLocked(ctx)
	if err != nil || l.recent.size > 0 {
		l.hurry()
	}
	return err
}

// flushAll flushes until there is nothing in the log: who calls sees to it that
// nothing comes.
func (l *writeLog[C, F]) flushAll(ctx context.Context) error {
	for l.flushing || l.leaving != nil || l.recent.size > 0 {
		if err := l.flushLocked(ctx); err != nil {
			return err
		}
	}
	return nil
}

// flushLocked waits for a flush that is under way, or makes one. It lets go of
// mu while it works.
func (l *writeLog[C, F]) flushLocked(ctx context.Context) error {
	if l.flushing {
		l.ended.Wait()
		return l.broken
	}
	if err := l.leave(); err != nil {
		l.broken = err
		return err
	}
	if l.leaving == nil {
		l.broken = nil
		return nil
	}
	l.flushing = true
	l.mu.Unlock()
	err := l.give(ctx, l.leaving.fold)
	l.mu.Lock()
	if err == nil {
		err = l.files[1-l.into].empty()
	}
	if err == nil {
		l.leaving = nil
	}
	l.flushing, l.broken = false, err
	l.flushes++
	l.ended.Broadcast()
	return err
}

// leave turns to the other file, unless what is in that has not left yet.
func (l *writeLog[C, F]) leave() error {
	if l.leaving != nil || l.recent.size == 0 {
		return nil
	}
	if err := l.files[1-l.into].begin(l.files[l.into].number + 1); err != nil {
		return fmt.Errorf("write %s: %w", l.what, err)
	}
	l.leaving, l.recent, l.into = l.recent, l.gather(), 1-l.into
	return nil
}

// bring has the store behind have all that was acknowledged before.
func (l *writeLog[C, F]) bring(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	// What is leaving first, then what came meanwhile.
	for range 2 {
		if l.leaving == nil && l.recent.size == 0 {
			return nil
		}
		if err := l.flushLocked(ctx); err != nil {
			return err
		}
	}
	return nil
}
