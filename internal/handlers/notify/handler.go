// Package notify is the room that sends notifications: it hands each message of
// a batch over to a provider, and goes on to the next channel when the class of
// a failure says so.
//
// Before an SMS comes the claim on it, on every receive: whoever has it sends,
// and nobody sends a second one. A channel that follows another in the same
// invocation is announced by itself.
package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/waiting"
)

// Senders gives the sender of a channel, made of a secret that was read at or
// after since, except that a secret is read at most once in half a minute. A
// zero since takes what is cached. It is the very same sender for as long as
// its secret stays the same.
//
// Errors: channel.ErrNotConfigured is for good; any other may pass. It is used
// by many goroutines at once.
type Senders interface {
	Sender(ctx context.Context, on channel.Name, since time.Time) (channel.Sender, error)
	// Secret is the name of the secret that configures a channel.
	Secret(on channel.Name) string
}

// Needs is what a Handler needs, all of it.
type Needs struct {
	batch.Needs
	Senders Senders
	// Claims keeps who sends an SMS.
	Claims claim.Store
	Pace   Pace
	// Suppressions are the addresses that nothing is sent to.
	Suppressions suppression.Reader
	// Recipients are the people that messages name.
	Recipients recipient.Reader
	// Parts sends the messages that one to several recipients is divided into.
	Parts waiting.Sender
	// Templates gives the templates that messages name; without it there are none.
	Templates Templates `need:"optional"`
	// Files reads attachments that are kept elsewhere; without it there are none.
	Files Files `need:"optional"`
	// Tenants are those that are counted apart; without it none is.
	Tenants *metric.Tenants `need:"optional"`
}

// Files reads what attachments name. It is used by many goroutines at once.
type Files interface {
	// File returns what is at "bucket/key". Its error wraps channel.ErrNoFile where
	// there is nothing that may be attached, or more than most bytes, and says why
	// without a part of the key; any other may pass.
	File(ctx context.Context, place string, most int) ([]byte, error)
}

// Pace keeps what goes out at the speed that each provider takes, as pace.Keeper does.
type Pace interface {
	Turn(ctx context.Context, key string, rate pace.Rate, w pace.Wish) (pace.Turn, error)
	Slow(key string, rate pace.Rate, until time.Time)
	Await(ctx context.Context, at time.Time) error
}

// Patience is how long a message may be kept in hand until its turn: others of its
// batch are done with at its end only.
const Patience = 3 * time.Second

// Handler sends batches of notifications. It may be used by many goroutines at
// once.
type Handler struct {
	Needs
	dead *batch.Dead
	// files has a place for each message whose attachments are in memory.
	files chan struct{}
	// suppressed asks the suppression list for many at once.
	suppressed *suppressed
}

type suppressed = flights[suppression.Key, suppression.Entry]

// New returns a Handler. Its error names each need that is missing.
func New(n Needs) (*Handler, error) {
	if err := need.All(n); err != nil {
		return nil, fmt.Errorf("the handler of notifications: %w", err)
	}
	return &Handler{n, batch.NewDead(batch.RememberedDead), make(chan struct{}, mostFiles), &suppressed{read: n.Suppressions.Suppressed}}, nil
}

// Handle sends a batch and says which messages are not done with. Its error is
// always nil: one would bring back the sent ones too.
func (h *Handler) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	asked := h.people()
	return h.Needs.Handle(ctx, event, batch.Kind{
		Actor: "efferent:notify", IDName: "notification_id", Queue: notificationsQueue, Recalls: true, Dead: h.dead,
		Job: func(i *batch.Item) batch.Job {
			asked.join()
			return &notice{Item: i, needs: &h.Needs, files: h.files, people: asked, suppressed: h.suppressed}
		},
	}), nil
}
