// Package deliver is the room that sends webhooks: it signs and sends each
// message of a batch, and settles what comes of it.
package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/webhook"
)

// Sender makes one exchange. It never fails as a whole: what went wrong is in
// the Exchange. It is used by many goroutines at once.
type Sender interface {
	Post(ctx context.Context, r webhook.Request) webhook.Exchange
}

// Secrets gives signing keys by reference (`name`, an ARN, either with #key).
// They were read at or after since, except that a secret is read at most once
// in half a minute: within that, callers get what is known. A zero since takes
// what is cached. Changed says that one was changed at a time: who asks next has it
// read once more, if nobody has read it since.
//
// Errors: webhook.ErrSecretNotFound and webhook.ErrSecretUnusable are for
// good; any other may pass. It is used by many goroutines at once.
type Secrets interface {
	Keys(ctx context.Context, ref string, since time.Time) (webhook.Keys, error)
	Changed(ref string, at time.Time)
}

// Endpoints gives registered endpoints by their ids, as endpoint.Known does. Errors:
// endpoint.ErrNotFound and a *message.FieldError are for good; any other may pass. It
// is used by many goroutines at once.
type Endpoints interface {
	Endpoint(ctx context.Context, id string) (*endpoint.Ready, error)
}

// Disabler disables registered endpoints, as endpoint.Disabler does. It is used by many
// goroutines at once.
type Disabler interface {
	Disable(ctx context.Context, id, why string, seen time.Time) error
}

// Needs is what a Handler needs, all of it.
type Needs struct {
	batch.Needs
	Sender Sender
	// Ready says why nothing can be sent now, by a trouble of our own; nil where
	// something can.
	Ready   func(ctx context.Context) error `need:"optional"`
	Secrets Secrets
	// Auth gives the headers of registered endpoints that are secrets.
	Auth     Auth
	Circuits Circuits
	// Endpoints are those that messages may name instead of a URL.
	Endpoints Endpoints
	// Pace keeps them at their rates.
	Pace Pace
	// Disabler disables those that want no more.
	Disabler Disabler
	// MostHeld is how long a message waits for open circuits in all before it is
	// exhausted.
	MostHeld time.Duration
	// Places is how many exchanges the Sender makes at once; 0 is no bound.
	Places int `need:"optional"`
	// Day is the time of day, which signatures are made at, where Now is not; nil
	// is Now.
	Day func() time.Time `need:"optional"`
}

// signedAt is when a signature is made now.
func (n *Needs) signedAt() time.Time {
	if n.Day != nil {
		return n.Day()
	}
	return n.Now()
}

// Handler delivers batches. It may be used by many goroutines at once.
type Handler struct {
	Needs
	dead  *batch.Dead
	turns *turns
}

// New returns a Handler. Its error names each need that is missing.
func New(n Needs) (*Handler, error) {
	if err := need.All(n); err != nil {
		return nil, fmt.Errorf("the handler of webhooks: %w", err)
	}
	return &Handler{n, batch.NewDead(batch.RememberedDead), newTurns(n.Places)}, nil
}

// Handle sends a batch and says which messages are not done with. Its error is
// always nil: one would bring back the delivered ones too.
func (h *Handler) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	seen, longest := &seen{circuits: h.Circuits}, longestExchange(ctx)
	return h.Needs.Handle(ctx, event, batch.Kind{
		Actor: "efferent:deliver", IDName: "webhook_id", Queue: "webhooks", Dead: h.dead,
		Finish: seen.finish,
		Job: func(i *batch.Item) batch.Job {
			return &delivery{Item: i, needs: &h.Needs, seen: seen, turns: h.turns, longest: longest}
		},
	}), nil
}

// aroundExchange is what an invocation needs besides its longest exchange: for
// histories and keys, for what comes before its turn, and for what is written.
const aroundExchange = 9 * time.Second

// longestExchange is the longest timeout of an exchange that an invocation has the
// time for. One that it must cut is no failure of the endpoint, and would be made
// again and again.
func longestExchange(ctx context.Context) time.Duration {
	longest := webhook.MaxTimeout
	if deadline, ok := ctx.Deadline(); ok {
		longest = min(longest, (time.Until(deadline) - aroundExchange).Truncate(time.Second))
	}
	return max(longest, webhook.MinTimeout)
}
