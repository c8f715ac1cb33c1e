package worker

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/eventsource"
)

const (
	// lookEvery is how often a queue is looked at that is worked on.
	lookEvery = time.Minute
	// shortestRest and longestRest are how long a queue is left alone that can't be
	// worked on, doubling.
	shortestRest = time.Second
	longestRest  = time.Minute
)

// queueWatch keeps the work on a queue to the times at which the queue may be worked
// on. A deleted queue answers at once, and one whose redrive policy is gone hands
// out what can't be delivered again and again: each is paid for.
type queueWatch struct {
	name string
	// look reads the queue. An *unfitError says that it can't be worked on.
	look func(context.Context) (workable, error)
	// build makes the handler for a maxReceiveCount.
	build func(receives int) (eventsource.Handler, error)
	clock clockwork.Clock
	log   *slog.Logger

	handler atomic.Pointer[eventsource.Handler]
	// alarm wakes the watch before its time.
	alarm chan struct{}
	// looking lets one look at a time.
	looking sync.Mutex
	looked  time.Time

	mu       sync.Mutex
	receives int
	// open is closed while the queue may be received from.
	open   chan struct{}
	opened bool
	// failed is why a receive failed, until one succeeds.
	failed  error
	trouble queueTrouble
	rest    time.Duration
}

// queueTrouble is why a queue is not worked on; none has no reason.
type queueTrouble struct {
	// Reason is for everybody; the log has more.
	Reason string
	Since  time.Time
}

// newQueueWatch begins with a queue that was found to be fit.
func newQueueWatch(w *queueWatch, receives int) (*queueWatch, error) {
	handle, err := w.build(receives)
	if err != nil {
		return nil, err
	}
	w.handler.Store(&handle)
	w.receives, w.alarm, w.open, w.opened, w.rest = receives, make(chan struct{}, 1), make(chan struct{}), true, shortestRest
	close(w.open)
	return w, nil
}

// Handle is the handler for the queue as it is now.
func (w *queueWatch) Handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	return (*w.handler.Load())(ctx, e)
}

// watchedQueue is a queue that is received from while its watch lets it be.
type watchedQueue struct {
	eventsource.Queue
	*queueWatch
}

// Receive waits until the queue may be received from. A failure is the watch's to
// tell, and to wait out.
func (q watchedQueue) Receive(ctx context.Context, limit int) ([]events.SQSMessage, error) {
	gate := q.gate()
	select {
	case <-gate:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	messages, err := q.Queue.Receive(ctx, limit)
	if ctx.Err() != nil {
		return messages, err
	}
	if q.received(gate, err); err != nil || q.overdue(messages) && q.unfitNow(ctx) {
		return nil, nil // what was received shows again by itself
	}
	return messages, nil
}

func (w *queueWatch) gate() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open
}

// received notes how a receive went. What began before the queue was shut says
// nothing of how it is now.
func (w *queueWatch) received(gate <-chan struct{}, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case gate != w.open:
	case err != nil:
		w.failed = err
		w.shut()
	default:
		w.failed = nil
		w.over()
	}
}

// shut has nobody receive any more. Call it with mu held.
func (w *queueWatch) shut() {
	if w.opened {
		w.open, w.opened = make(chan struct{}), false
	}
	select {
	case w.alarm <- struct{}{}:
	default:
	}
}

// over ends a trouble. Call it with mu held.
func (w *queueWatch) over() {
	if w.trouble.Reason != "" {
		w.log.Info("the queue is worked on again", "queue", w.name, "after", w.clock.Since(w.trouble.Since).Round(time.Second).String())
	}
	w.trouble, w.rest = queueTrouble{}, shortestRest
}

// overdue reports whether SQS should have moved one of the messages, by what is
// known of the queue.
func (w *queueWatch) overdue(messages []events.SQSMessage) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range messages {
		if n, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"]); err == nil && n > w.receives {
			return true
		}
	}
	return false
}

// unfitNow looks at the queue, once a second at most.
func (w *queueWatch) unfitNow(ctx context.Context) bool {
	w.looking.Lock()
	defer w.looking.Unlock()
	if now := w.clock.Now(); now.Sub(w.looked) < time.Second {
		return false
	}
	w.looked = w.clock.Now()
	var unfit *unfitError
	return errors.As(w.see(ctx), &unfit)
}

// see looks at the queue, and shuts it where it can't be worked on. Its error says
// that, or that the queue could not be looked at.
func (w *queueWatch) see(ctx context.Context) error {
	found, err := w.look(ctx)
	var unfit *unfitError
	if errors.As(err, &unfit) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.shut()
		w.failed = nil // that is why
		w.tell(unfit.reason(), "the queue can't be worked on as it is; it is left alone until it can",
			"reason", unfit.reason(), "mend", unfit.mend())
	}
	if err != nil {
		return err
	}
	w.follow(found.receives)
	return nil
}

// tell says of a trouble once. Call it with mu held.
func (w *queueWatch) tell(reason, text string, more ...any) {
	if w.trouble.Reason == reason {
		return
	}
	since := w.trouble.Since
	if w.trouble.Reason == "" {
		since = w.clock.Now()
	}
	w.trouble = queueTrouble{reason, since}
	w.log.Error(text, append([]any{"queue", w.name}, more...)...)
}

// follow takes the queue's maxReceiveCount, where it has changed.
func (w *queueWatch) follow(receives int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if receives == w.receives {
		return
	}
	handle, err := w.build(receives)
	if err != nil {
		w.log.Error("the queue has another maxReceiveCount, which can't be followed yet", "queue", w.name, "receives", receives, "error", err)
		return
	}
	w.log.Info("the queue has another maxReceiveCount", "queue", w.name, "receives_before", w.receives, "receives", receives)
	w.handler.Store(&handle)
	w.receives = receives
}

// run looks at the queue until ctx ends: by the clock, and when something is amiss.
func (w *queueWatch) run(ctx context.Context) {
	for {
		select {
		case <-w.clock.After(lookEvery):
		case <-w.alarm:
		case <-ctx.Done():
			return
		}
		// Whether it can be worked on is known by a look after it was shut.
		shut := w.isShut()
		_ = w.see(ctx)
		for shut && ctx.Err() == nil {
			w.tellFailed()
			w.pause(ctx)
			if w.see(ctx) == nil {
				w.reopen()
				break
			}
		}
	}
}

func (w *queueWatch) isShut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.opened
}

// tellFailed says that receives fail, where a look shows nothing that explains it.
func (w *queueWatch) tellFailed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		w.tell("can't be received from", "receiving failed; it is tried again, each time after a longer rest, up to a minute", "error", w.failed)
	}
}

// pause lets the queue alone for a time that doubles.
func (w *queueWatch) pause(ctx context.Context) {
	w.mu.Lock()
	rest := w.rest
	w.rest = min(2*rest, longestRest)
	w.mu.Unlock()
	select {
	case <-w.clock.After(rest):
	case <-ctx.Done():
	}
}

// reopen has the queue received from again. Where receives failed, only one that
// does not says that the trouble is over.
func (w *queueWatch) reopen() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.opened {
		w.opened = true
		close(w.open)
	}
	if w.failed == nil {
		w.over()
	}
}

// state is the trouble that there is, if any.
func (w *queueWatch) state() queueTrouble {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trouble
}
