// Package sqsserver is Amazon SQS in one process: the queue engine and its
// wire protocol.
//
// The engine keeps its state in memory and writes every change to a Store
// before it answers. Its methods have the signatures of the SDK's client, so
// what is written against the one works with the other.
//
// The way of a message, and its files:
//
//	send.go, sendentry.go   SendMessage, in batches too; dedup.go for FIFO queues
//	receive.go, wait.go     ReceiveMessage, and its waiting; attempts.go for FIFO
//	visibility.go           the end of a receive: DeleteMessage, ChangeMessageVisibility
//	deadletter.go           to the dead-letter queue, by the redrive policy
//	movetask.go             back from there: the move tasks and their operations
//	movetask_run.go         a move task at work
//	delayseconds.go         a queue's DelaySeconds changes
//	deletequeue.go          DeleteQueue and PurgeQueue; purgeshelf.go
//	shelf.go                what is far from its turn, and not in memory
//	sweep.go                the end of a message's retention
//	place.go                regions and accounts
package sqsserver

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
)

// Options are an engine's settings. Zero values mean the defaults.
type Options struct {
	Clock   clockwork.Clock // the machine's
	Region  string          // us-east-1
	Account string          // 000000000000
	// Own are the names of queues that are of this region and account whoever
	// asks, and that are there for good: DeleteQueue empties them.
	Own    []string
	Logger *slog.Logger // slog.Default()
	// InFlightLimit is how many messages of a queue may be in flight. The
	// default is 120,000 ("Amazon SQS message quotas").
	InFlightLimit int
	// NearLimit is how many messages a standard queue has in memory whole. The
	// default is 10,000; of the others 24 bytes are.
	NearLimit int
}

// Engine is a set of queues. Its methods may be called concurrently. Their
// errors are the SDK's own: types.QueueDoesNotExist and the like, or a
// smithy.APIError with the code that AWS documents.
//
// When the store fails, nothing is lost: what was to be sent is not visible,
// what was to be received, deleted or changed is as before. The call can be
// repeated. But a store may fail and keep the change all the same. Then a
// queue that was not created, deleted or changed, and a task that was not
// started, can turn out at the next Open to be so after all, unless the call
// was repeated; a queue that was sent to since is as it was.
type Engine struct {
	store         Store
	clock         clockwork.Clock
	home          place
	homeARN       string // what the ARNs of home's queues begin with
	own           []string
	log           *slog.Logger
	inFlightLimit int
	nearLimit     int
	budget        cacheBudget

	// admin is held by those who create, change or delete queues or start
	// tasks; mu guards the maps.
	admin  sync.Mutex
	mu     sync.RWMutex
	queues map[string]*queue // by key
	tasks  []*task           // oldest first
	lastID int64             // of queues; guarded by admin

	keys     atomic.Int64 // the last key handed out
	reserved atomic.Int64 // keys below this are covered by the store's NextKey

	closing chan struct{}
	once    sync.Once
	movers  sync.WaitGroup
}

// keyBlock is how many keys are reserved at a time. What is left of a block
// when the process ends is not used.
const keyBlock = 1 << 20

// Open loads what store keeps. Messages that an earlier process's Poller held
// are visible at once. The engine does not close store.
func Open(ctx context.Context, store Store, o Options) (*Engine, error) {
	e := &Engine{
		store:         store,
		clock:         o.Clock,
		home:          place{cmp.Or(o.Region, "us-east-1"), cmp.Or(o.Account, "000000000000")},
		own:           o.Own,
		log:           cmp.Or(o.Logger, slog.Default()),
		inFlightLimit: cmp.Or(o.InFlightLimit, 120_000),
		nearLimit:     cmp.Or(o.NearLimit, nearLimit),
		budget:        cacheBudget{limit: contentBudget},
		queues:        map[string]*queue{},
		closing:       make(chan struct{}),
	}
	e.homeARN = placed{place: e.home}.arn()
	if e.clock == nil {
		e.clock = clockwork.NewRealClock()
	}
	l := &loader{e: e, now: e.now(), byID: map[int64]*queue{}}
	if err := store.Load(ctx, l); err != nil {
		return nil, fmt.Errorf("load queues: %w", err)
	}
	if err := l.end(ctx); err != nil {
		return nil, fmt.Errorf("load queues: %w", err)
	}
	for _, t := range e.tasks {
		if t.active() {
			e.runTask(t)
		}
	}
	return e, nil
}

// Close ends the receives that wait and the message move tasks, which a later
// Open goes on with. Calling it again has no effect.
func (e *Engine) Close() error {
	e.once.Do(func() { close(e.closing) })
	e.movers.Wait()
	return nil
}

func (e *Engine) now() int64 { return e.clock.Now().UnixMilli() }

// end is when what starts now and lasts d is over, in Unix milliseconds. It is
// rounded up: nothing ends early. What lasts 0 is over at once.
func end(now time.Time, d time.Duration) int64 {
	if d <= 0 {
		return now.UnixMilli()
	}
	return now.Add(d + time.Millisecond - 1).UnixMilli()
}

// running is ErrClosed after Close.
func (e *Engine) running() error {
	select {
	case <-e.closing:
		return ErrClosed
	default:
		return nil
	}
}

// nextKey is a number above all that were handed out before, by earlier
// processes too.
func (e *Engine) nextKey() int64 { return e.keys.Add(1) }

// apply writes changes. Any write that could hold a key which is not covered
// yet covers it.
func (e *Engine) apply(ctx context.Context, changes *Changes) error {
	if last := e.keys.Load(); last >= e.reserved.Load() {
		changes.NextKey = last + keyBlock
	}
	if err := e.store.Apply(ctx, changes); err != nil {
		if ctx.Err() == nil { // otherwise the caller has left
			e.log.Error("the queues' store failed", "error", err)
		}
		return err
	}
	for old := e.reserved.Load(); old < changes.NextKey && !e.reserved.CompareAndSwap(old, changes.NextKey); {
		old = e.reserved.Load()
	}
	return nil
}
