// Package replay is the room that shows what was sent, what waits and what
// failed, and replays it: the HTTP API under /api/v1.
//
// The index of failures is for looking, the queue for acting: SQS can't be
// browsed without hiding messages, so a listing reads the records, and an act
// finds its message in the queue.
package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/outcome/transitions"
	"github.com/efferent/efferent/internal/waiting"
)

// Queue is one dead-letter queue and what belongs to it.
type Queue struct {
	// Name is without the stack's prefix, and so is From, the queue that its
	// messages come from.
	Name, From string
	// Read gives what a message's body says of it, in the fields of Item that
	// it knows.
	Read func(body string) Item
	// Unrecorded says that no attempt is recorded of its messages: they are listed from
	// the queue itself.
	Unrecorded bool `need:"optional"`
	Letters    Letters
	Source     Source
	Moves      Moves
}

// Needs is what a Handler needs, all of it.
type Needs struct {
	Queues   []Queue
	History  History
	Failures Failures
	Claims   Claims
	Audit    ledger.Audit
	// Room shows what waits in the waiting room, Exit lets it go, and Records
	// keeps what was dropped.
	Room    Room
	Exit    *waiting.Exit
	Records Records
	// Circuits are the breakers of endpoints.
	Circuits circuit.Store
	// Outcomes tells producers of what is dropped, and of circuits that are opened and
	// closed; Endpoints says whose those of registered endpoints are.
	Outcomes  *outcome.Teller    `need:"optional"`
	Endpoints transitions.Finder `need:"optional"`
	// Metrics counts the circuits that are opened and closed by hand, and what leaves
	// the waiting room so.
	Metrics metric.Recorder `need:"optional"`
	// ExactCounts: the queues' counts are right at any time. SQS's are so only
	// after a while.
	ExactCounts bool `need:"optional"`
	// Book is the ledger, in which Lanes lanes are looked through; a worker may
	// have none to show.
	Book  ledger.Book `need:"optional"`
	Lanes int         `need:"optional"`
	// Sign has what is in the ledger signed before it is shown, where that can
	// be done at once. A stack is signed by its own clock.
	Sign func(context.Context) error `need:"optional"`
	// Redactors keep out of the ledger what must stay erasable.
	Redactors ledger.Redactors
	// Caller says who makes a request. A Refusal is told to them as it is.
	Caller func(*http.Request) (api.Caller, error)
	Now    func() time.Time
	// Wait pauses for d, or less if ctx ends before.
	Wait func(ctx context.Context, d time.Duration)
	Log  *slog.Logger
}

// Handler answers the API. It may be used by many goroutines at once.
type Handler struct{ Needs }

// New returns a Handler. Its error names each need that is missing.
func New(n Needs) (*Handler, error) {
	missing := []error{need.All(n)}
	for _, q := range n.Queues {
		if err := need.All(q); err != nil {
			missing = append(missing, fmt.Errorf("the queue %q: %w", q.Name, err))
		}
	}
	if err := errors.Join(missing...); err != nil {
		return nil, fmt.Errorf("the handler of dead letters: %w", err)
	}
	return &Handler{n}, nil
}

const (
	// passTime is how much of a request's time may be spent on receiving.
	passTime = 18 * time.Second
	// hideTime is how long a received message stays hidden if this process
	// ends before it gives it back, in a pass that has just begun.
	hideTime    = 30 * time.Second
	maxHideTime = 15 * time.Minute
	// turnTime is how long it waits before it asks again whether it is its turn
	// to search a queue.
	turnTime = 200 * time.Millisecond
	// claimTime is how long a claim lasts that nobody settles: longer than any
	// request works.
	claimTime = time.Minute
)

// queue finds the queue that a request names.
func (h *Handler) queue(name string) (*Queue, error) {
	for i := range h.Queues {
		if h.Queues[i].Name == name {
			return &h.Queues[i], nil
		}
	}
	var names []string
	for _, q := range h.Queues {
		names = append(names, q.Name)
	}
	slices.Sort(names)
	if name == auditFailures { // to discard one would be to leave it out of the ledger
		return nil, api.NotFound("%s holds entries for the ledger, which nobody may discard or pick from: SQS redrives it as a whole "+
			"(docs/dead-letters.md says how); the others are %s", name, strings.Join(names, " and "))
	}
	return nil, api.NotFound("there is no dead-letter queue %q; there are %s", name, strings.Join(names, " and "))
}
