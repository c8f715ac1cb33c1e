// Package eventsource feeds a handler from a queue the way Lambda's event
// source mapping for SQS does ("Using Lambda with Amazon SQS" in the Lambda
// developer guide): batches, partial failures, and concurrency that grows
// while invocations are slow.
package eventsource

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/uuid"
	"github.com/jonboulle/clockwork"
)

// Handler is a Lambda function with ReportBatchItemFailures.
type Handler func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)

// Queue is where the messages come from. It is used by many goroutines at once.
type Queue interface {
	// Receive returns up to limit messages, hidden from other receivers for
	// the queue's visibility timeout. It waits a while for the first and may
	// return none.
	Receive(ctx context.Context, limit int) ([]events.SQSMessage, error)
	// Delete removes messages that were received. Those that it could not
	// remove come back; its error names them.
	Delete(ctx context.Context, messages []events.SQSMessage) error
}

// Options of a Source; zero values mean the defaults.
type Options struct {
	// BatchSize is the most messages of one invocation (10).
	BatchSize int
	// Concurrency is how many quick invocations run at once (8).
	Concurrency int
	// MaxConcurrency bounds all invocations (1000, as Lambda's own quota).
	MaxConcurrency int
	// SlowAfter is how long an invocation may hold back the next one (200 ms),
	// unless it says sooner that it only waits (HandOver). Past it another starts
	// beside it, as Lambda adds instances, so that endpoints that don't answer hold
	// up nobody else.
	SlowAfter time.Duration
	// Rest is how long each poller waits between two invocations (0), for a
	// handler that is better off with many messages at a time.
	Rest time.Duration
	// Timeout is the function's timeout (30 s).
	Timeout time.Duration
	// Grace is how long open invocations may go on once Run's context has
	// ended, before theirs does (2 s).
	Grace time.Duration
	Clock clockwork.Clock
	Log   *slog.Logger
}

// Source polls one queue for one handler.
type Source struct {
	queue   Queue
	handler Handler
	o       Options
	// invocations is the parent of every invocation's context.
	invocations context.Context
	loops       sync.WaitGroup
	places      chan struct{}
}

// New returns a Source that Run starts.
func New(queue Queue, handler Handler, o Options) *Source {
	o.BatchSize = cmp.Or(o.BatchSize, 10)
	o.Concurrency = cmp.Or(o.Concurrency, 8)
	o.MaxConcurrency = cmp.Or(o.MaxConcurrency, max(1000, o.Concurrency))
	o.SlowAfter = cmp.Or(o.SlowAfter, 200*time.Millisecond)
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.Grace = cmp.Or(o.Grace, 2*time.Second)
	o.Clock = cmp.Or(o.Clock, clockwork.NewRealClock())
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	return &Source{queue: queue, handler: handler, o: o, places: make(chan struct{}, o.MaxConcurrency)}
}

// Run polls until ctx ends. Then nothing more is received; what is in hand has
// the grace to finish, its contexts end after that, and Run returns when all
// of it has returned.
func (s *Source) Run(ctx context.Context) {
	invocations, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	s.invocations = invocations
	for range s.o.Concurrency {
		s.start(ctx)
	}
	<-ctx.Done()
	grace := s.o.Clock.AfterFunc(s.o.Grace, cut)
	defer grace.Stop()
	s.loops.Wait()
}

// start adds a polling loop and reports whether there was a place for it.
func (s *Source) start(ctx context.Context) bool {
	select {
	case s.places <- struct{}{}:
	default:
		return false
	}
	s.loops.Add(1)
	go func() {
		defer s.loops.Done()
		defer func() { <-s.places }()
		s.loop(ctx)
	}()
	return true
}

// loop invokes batch after batch until ctx ends, or until another loop has
// taken its place because an invocation was slow.
func (s *Source) loop(ctx context.Context) {
	for ctx.Err() == nil {
		messages, err := s.queue.Receive(ctx, s.o.BatchSize)
		if err != nil && ctx.Err() == nil {
			s.o.Log.Error("receiving failed, trying again in a second", "error", err)
			s.pause(ctx, time.Second)
		}
		if len(messages) > 0 {
			if s.invokeOrHandOver(ctx, messages) {
				return
			}
			s.pause(ctx, s.o.Rest)
		}
	}
}

func (s *Source) pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-s.o.Clock.After(d):
	case <-ctx.Done():
	}
}

// invokeOrHandOver runs one invocation. When it is slow, another loop starts
// beside it; then this one has to end after it, and true is returned.
func (s *Source) invokeOrHandOver(ctx context.Context, messages []events.SQSMessage) bool {
	var mu sync.Mutex
	handedOver, finished := false, false
	handOver := func() {
		mu.Lock()
		defer mu.Unlock()
		if !handedOver && !finished && ctx.Err() == nil && s.start(ctx) {
			handedOver = true
		}
	}
	timer := s.o.Clock.AfterFunc(s.o.SlowAfter, handOver)
	defer timer.Stop()
	s.invoke(messages, handOver)
	mu.Lock()
	defer mu.Unlock()
	finished = true
	return handedOver
}

// handOver is the key of what HandOver calls.
type handOver struct{}

// HandOver says that the invocation of this context does little any more but wait,
// so that another one may begin beside it at once. It may be called more than once,
// and where the context is not a Source's.
func HandOver(ctx context.Context) {
	if next, ok := ctx.Value(handOver{}).(func()); ok {
		next()
	}
}

// invoke calls the handler and deletes what it is done with.
func (s *Source) invoke(messages []events.SQSMessage, next func()) {
	// As Lambda does, so that lines of the log can be told apart by it.
	named := lambdacontext.NewContext(s.invocations, &lambdacontext.LambdaContext{AwsRequestID: uuid.NewString()})
	ctx, cancel := context.WithTimeout(context.WithValue(named, handOver{}, next), s.o.Timeout)
	defer cancel()
	response, err := s.call(ctx, events.SQSEvent{Records: messages})
	if err != nil {
		s.o.Log.ErrorContext(ctx, "the handler failed; its batch comes back when its visibility timeout ends", "messages", len(messages),
			"error", err)
		return
	}
	finished, err := succeeded(messages, response)
	if err != nil {
		s.o.Log.ErrorContext(ctx, "the handler's answer counts as a failure of its whole batch", "messages", len(messages), "error", err)
		return
	}
	if len(finished) == 0 {
		return
	}
	if err := s.queue.Delete(context.WithoutCancel(ctx), finished); err != nil {
		s.o.Log.ErrorContext(ctx, "finished messages were not deleted; they come back", "error", err)
	}
}

func (s *Source) call(ctx context.Context, event events.SQSEvent) (_ events.SQSEventResponse, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.handler(ctx, event)
}

// succeeded returns the messages that the response does not report as failed.
// As with Lambda, an identifier that is not of the batch fails all of it
// ("Handling errors for an SQS event source in Lambda").
func succeeded(messages []events.SQSMessage, response events.SQSEventResponse) ([]events.SQSMessage, error) {
	if len(response.BatchItemFailures) == 0 {
		return messages, nil
	}
	failed := make(map[string]bool, len(messages))
	for i := range messages {
		failed[messages[i].MessageId] = false
	}
	for _, f := range response.BatchItemFailures {
		if _, ok := failed[f.ItemIdentifier]; !ok {
			return nil, fmt.Errorf("itemIdentifier %q is not in the batch", f.ItemIdentifier)
		}
		failed[f.ItemIdentifier] = true
	}
	var ok []events.SQSMessage
	for i := range messages {
		if !failed[messages[i].MessageId] {
			ok = append(ok, messages[i])
		}
	}
	return ok, nil
}
