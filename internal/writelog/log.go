// Package writelog makes writes cheap. What changes is appended to a log beside
// the data file, with one write, and only once in a while given to the store behind
// it, much at a time: most messages of a queue live for a moment, and never get
// there, and many records share the pages that they are written to.
//
//	log.go       the log of one store
//	flush.go     what has gathered goes to the store behind
//	segment.go   a file of the log
//	replay.go    what a killed process left in it
//	queues.go    the log of the local endpoint's queues
//	fold.go      many changes of queues as one
//	attempts.go  the log of attempts' records
//	reports.go   what is reported of attempts
package writelog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jonboulle/clockwork"
)

// ErrForeign: a log lies where another data file's did.
var ErrForeign = errors.New("this log is of another data file: put that one back, or move the log away, which holds its last changes")

const (
	// delay is how long a change stays in the log alone.
	delay = time.Second
	// full is how much gathers before that, in bytes of the log.
	full = 16 << 20
)

// Options are a log's settings. Zero values mean the defaults.
type Options struct {
	Clock  clockwork.Clock // the machine's
	Logger *slog.Logger    // slog.Default()
}

// folded is what many changes come to.
type folded[C any] interface {
	add(*C)
}

// gathered are the changes of one file, as what they come to, and their size in
// bytes of the log.
type gathered[F any] struct {
	fold F
	size int
}

// writeLog is the log before one store. What it acknowledges outlives the process,
// though not a failure of the machine's power in the seconds before. When the store
// behind it fails, so does every change until that one works again: what was
// acknowledged is in the log.
type writeLog[C any, F folded[C]] struct {
	// what names what is written, in errors.
	what string
	// begin makes an empty fold, and give gives one to the store behind: given again,
	// or after a part of it, it comes to the same.
	begin func() F
	give  func(context.Context, F) error
	clock clockwork.Clock
	log   *slog.Logger

	mu    sync.Mutex
	ended sync.Cond // a flush, or settling, has
	files [2]*segment
	// into is the index of the file that is written to.
	into int
	// recent is in that file; leaving, unless nil, in the other one, on its way.
	recent, leaving *gathered[F]
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

// open opens the log of the data file at path, whose id tells it from others, and
// gives what a killed process left in it to the store behind. The data file must be
// this process's alone, until Close.
//
// Errors: ErrForeign, those of the store behind, and of the file system.
func (l *writeLog[C, F]) open(ctx context.Context, path, id string, o Options) error {
	l.clock, l.log, l.recent = o.Clock, o.Logger, l.gather()
	l.wake, l.done = make(chan struct{}, 1), make(chan struct{})
	if l.clock == nil {
		l.clock = clockwork.NewRealClock()
	}
	if l.log == nil {
		l.log = slog.Default()
	}
	l.ended.L = &l.mu
	for i := range l.files {
		f, err := openSegment(fmt.Sprintf("%s%d", path, i+1), id)
		if err != nil {
			return errors.Join(err, l.closeFiles())
		}
		l.files[i] = f
	}
	if err := l.replay(ctx); err != nil {
		return errors.Join(err, l.closeFiles())
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	go l.run(running)
	return nil
}

func (l *writeLog[C, F]) gather() *gathered[F] { return &gathered[F]{fold: l.begin()} }

// Close gives what is in the log to the store behind, and removes the log. Where
// that fails the log stays, for the next start.
func (l *writeLog[C, F]) Close() error {
	l.stop()
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.flushAll(context.Background()); err != nil {
		return errors.Join(err, l.closeFiles())
	}
	var errs []error
	for _, f := range l.files {
		errs = append(errs, f.remove())
	}
	return errors.Join(errs...)
}

func (l *writeLog[C, F]) closeFiles() error {
	var errs []error
	for _, f := range l.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// append appends a change to the log.
func (l *writeLog[C, F]) append(c *C) error {
	record, err := json.Marshal(c, json.OmitZeroStructFields(true))
	if err != nil {
		return fmt.Errorf("write %s: %w", l.what, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.settling || l.leaving != nil && l.broken == nil && l.recent.size+len(record) > full {
		l.ended.Wait()
	}
	if l.broken != nil {
		return l.broken
	}
	if err := l.files[l.into].append(record); err != nil {
		return fmt.Errorf("write %s: %w", l.what, err)
	}
	if l.recent.size == 0 || l.recent.size > full/2 {
		l.hurry()
	}
	l.recent.fold.add(c)
	l.recent.size += len(record)
	return nil
}

// hurry has the flushes go on.
func (l *writeLog[C, F]) hurry() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// read reads from the store behind, and has lay lay over it what that has not yet,
// the older first.
func (l *writeLog[C, F]) read(behind func() error, lay func(F)) error {
	for {
		l.mu.Lock()
		before := l.flushes
		l.mu.Unlock()
		if err := behind(); err != nil {
			return err
		}
		if l.lay(lay, before) {
			return nil
		}
	}
}

// lay is false where a flush ended since: then what was found may be older, or
// newer, than what would be laid over it.
func (l *writeLog[C, F]) lay(lay func(F), flushes int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flushes != flushes {
		return false
	}
	for _, g := range []*gathered[F]{l.leaving, l.recent} {
		if g != nil {
			lay(g.fold)
		}
	}
	return true
}
