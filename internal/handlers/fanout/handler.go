// Package fanout is the room that turns events into messages on the queue webhooks:
// one to each endpoint of the event's tenant that subscribes to it.
//
// The order of writes is what a crash anywhere may rely on:
//
//  1. the event's record is kept, if there is none: it fixes who the recipients are;
//  2. a message to each of them is sent, under the event's id as webhook-id;
//  3. the event leaves its queue.
//
// What is received again because a crash came between goes to the same recipients, by
// messages with the same webhook-id: at least once. Two messages of one event are told
// apart by their SQS ids only.
package fanout

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/waiting"
)

// Endpoints gives the endpoints of a tenant as they are now, as endpoint.Book does. It
// is used by many goroutines at once.
type Endpoints interface {
	Of(ctx context.Context, tenant string) ([]*endpoint.Ready, error)
}

// Events fixes the recipients of an event, as event.Store promises.
type Events interface {
	KeepEvent(ctx context.Context, r event.Record) (recipients []string, err error)
}

// Needs is what a Handler needs, all of it.
type Needs struct {
	batch.Needs
	Endpoints Endpoints
	Events    Events
	// Sender sends to the queue webhooks.
	Sender waiting.Sender
}

// Handler fans events out. It may be used by many goroutines at once.
type Handler struct {
	Needs
	dead *batch.Dead
}

// New returns a Handler. Its error names each need that is missing.
func New(n Needs) (*Handler, error) {
	if err := need.All(n); err != nil {
		return nil, fmt.Errorf("the handler of events: %w", err)
	}
	return &Handler{n, batch.NewDead(batch.RememberedDead)}, nil
}

// Handle fans a batch out and says which events are not done with. Its error is always
// nil: one would bring back those too that are.
func (h *Handler) Handle(ctx context.Context, in events.SQSEvent) (events.SQSEventResponse, error) {
	// Events wait for each other, so that their messages go together: none may have
	// to wait for its turn.
	needs := h.Needs.Needs
	needs.Concurrency = max(1, len(in.Records))
	post := &post{needs: &h.Needs, rosters: map[string]func() ([]*endpoint.Ready, error){}, all: make(chan struct{})}
	return needs.Handle(ctx, in, batch.Kind{
		Actor: "efferent:fanout", IDName: "event_id", Queue: "events", Dead: h.dead,
		Job: func(i *batch.Item) batch.Job { return &fan{Item: i, needs: &h.Needs, post: post} },
	}), nil
}
