// Package queuelog makes the writes of queues cheap. What changes is appended to
// a log beside the data file, with one write, and only once in a while given to
// the store behind it: most messages of a queue live for a moment, and never get
// there.
//
//	queuelog.go  the Store
//	flush.go     what has gathered goes to the store behind
//	fold.go      many changes as one
//	segment.go   a file of the log
//	replay.go    what a killed process left in it
package queuelog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// ErrForeign: a log lies where another data file's did.
var ErrForeign = errors.New("this log is of another data file: put that one back, or move the log away, which holds its last changes")

const (
	// delay is how long a change stays in the log alone.
	delay = time.Second
	// full is how much gathers before that, in bytes of the log.
	full = 16 << 20
)

// Options are a Store's settings. Zero values mean the defaults.
type Options struct {
	Clock  clockwork.Clock // the machine's
	Logger *slog.Logger    // slog.Default()
}

// Store is a sqsserver.Store. What it acknowledges outlives the process, though
// not a failure of the machine's power in the seconds before. When the store
// behind it fails, so does every change until that one works again: what was
// acknowledged is in the log.
type Store struct {
	behind sqsserver.Store
	clock  clockwork.Clock
	log    *slog.Logger
	part   int // partCount, but in tests

	mu    sync.Mutex
	ended sync.Cond // a flush, or settling, has
	files [2]*segment
	// into is the index of the file that is written to.
	into int
	// recent is in that file; leaving, unless nil, in the other one, on its way.
	recent, leaving *fold
	flushing        bool
	flushes         int
	// settling: nobody may append, since changes of queues are to come next.
	settling bool
	// broken is why the last flush failed.
	broken error

	wake chan struct{}
	stop context.CancelFunc
	done chan struct{}
}

// Open opens the log of the data file at path, whose id tells it from others,
// and gives what a killed process left in it to the store behind. The data file
// must be this process's alone, until Close.
//
// Errors: ErrForeign, those of the store behind, and of the file system.
func Open(ctx context.Context, path, id string, behind sqsserver.Store, o Options) (*Store, error) {
	s := &Store{behind: behind, clock: o.Clock, log: o.Logger, part: partCount, recent: newFold(),
		wake: make(chan struct{}, 1), done: make(chan struct{})}
	if s.clock == nil {
		s.clock = clockwork.NewRealClock()
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.ended.L = &s.mu
	for i := range s.files {
		f, err := openSegment(fmt.Sprintf("%s-log%d", path, i+1), id)
		if err != nil {
			return nil, errors.Join(err, s.closeFiles())
		}
		s.files[i] = f
	}
	if err := s.replay(ctx); err != nil {
		return nil, errors.Join(err, s.closeFiles())
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	go s.run(running)
	return s, nil
}

// Close gives what is in the log to the store behind, and removes the log. Where
// that fails the log stays, for the next Open.
func (s *Store) Close() error {
	s.stop()
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.flushAll(context.Background()); err != nil {
		return errors.Join(err, s.closeFiles())
	}
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.remove())
	}
	return errors.Join(errs...)
}

func (s *Store) closeFiles() error {
	var errs []error
	for _, f := range s.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// Load is the store's behind, which has all when Open returns.
func (s *Store) Load(ctx context.Context, into sqsserver.Loader) error {
	return s.behind.Load(ctx, into)
}

// Apply appends the changes to the log. Those of queues themselves, which are
// rare, go through it to the store behind.
func (s *Store) Apply(ctx context.Context, c *sqsserver.Changes) error {
	if len(c.PutQueues) > 0 || len(c.DeleteQueues) > 0 {
		return s.applyBehind(ctx, c)
	}
	record, err := json.Marshal(c, json.OmitZeroStructFields(true))
	if err != nil {
		return fmt.Errorf("write queues: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.settling || s.leaving != nil && s.broken == nil && s.recent.size+len(record) > full {
		s.ended.Wait()
	}
	if s.broken != nil {
		return s.broken
	}
	if err := s.files[s.into].append(record); err != nil {
		return fmt.Errorf("write queues: %w", err)
	}
	if s.recent.size == 0 || s.recent.size > full/2 {
		s.hurry()
	}
	s.recent.add(c)
	s.recent.size += len(record)
	return nil
}

// hurry has the flushes go on.
func (s *Store) hurry() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// applyBehind applies changes to the store behind, once it has all of before.
func (s *Store) applyBehind(ctx context.Context, c *sqsserver.Changes) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.settling {
		s.ended.Wait()
	}
	s.settling = true
	defer func() { s.settling = false; s.ended.Broadcast() }()
	if err := s.flushAll(ctx); err != nil {
		return err
	}
	return s.behind.Apply(ctx, c)
}

// Messages reads from the store behind, and lays over it what that has not yet.
func (s *Store) Messages(ctx context.Context, keys []int64) (map[int64]sqsserver.StoredMessage, error) {
	for {
		s.mu.Lock()
		before := s.flushes
		s.mu.Unlock()
		found, err := s.behind.Messages(ctx, keys)
		if err != nil {
			return nil, err
		}
		if s.lay(found, keys, before) {
			return found, nil
		}
	}
}

// lay is false where a flush ended since: then what was found may be older, or
// newer, than what would be laid over it.
func (s *Store) lay(found map[int64]sqsserver.StoredMessage, keys []int64, flushes int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flushes != flushes {
		return false
	}
	for _, f := range []*fold{s.leaving, s.recent} {
		if f != nil {
			f.lay(found, keys)
		}
	}
	return true
}
