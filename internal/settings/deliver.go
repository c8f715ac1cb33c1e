package settings

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/webhook"
)

// DefaultMaxReceives is the maxReceiveCount that the queues of webhooks and of
// notifications are made with. What is to die is received until SQS moves it,
// and each receive is paid for; AWS advises 5 at least ("Understanding SQS
// retries"), and with 6 a message that can't wait in the waiting room waits for
// over a day, from any of its first four receives.
const DefaultMaxReceives = 6

// LeastReceives leaves one to try with, and one for a crash; SQS takes MostReceives
// at most ("SetQueueAttributes" in the API reference).
const (
	LeastReceives = 2
	MostReceives  = 1000
)

// AuditMaxReceives is the maxReceiveCount of the audit queue: an hour of trouble
// with the ledger's stores, at a visibility timeout of 3 minutes. Nothing that
// is there is drained.
const AuditMaxReceives = 20

// Webhooks is how webhooks are delivered, wherever the handler runs.
type Webhooks struct {
	Sending
	Network
	// Timeout is that of one exchange.
	Timeout time.Duration
	// ResponseLimit is how much of a failure's answer is kept, in bytes.
	ResponseLimit int
	// MaxHeld is how long a message waits for open circuits in all.
	MaxHeld time.Duration
	// Circuits are when these open.
	Circuits circuit.Limits
	// SecretGrace is how long after a rotation the key before signs too.
	SecretGrace time.Duration
}

// Client is how a webhook.Client sends by these settings.
func (w Webhooks) Client() webhook.Options {
	o := w.options(w.Proxy)
	o.Timeout, o.Response = w.Timeout, cmp.Or(w.ResponseLimit, -1)
	return o
}

// ReadWebhooks reads the settings of deliveries. Its error names every
// variable that is wrong, and what would be right.
func ReadWebhooks(getenv func(string) string) (Webhooks, error) {
	r := reader{getenv: getenv}
	d := Webhooks{
		Sending:       r.sending(),
		Timeout:       parsed(&r, Timeout, parseTimeout),
		ResponseLimit: r.number(ResponseLimit, attempt.ResponseLimit, 0, attempt.MaxResponse),
		MaxHeld:       parsed(&r, MaxHeld, parseMaxHeld),
		Circuits:      parsed(&r, CircuitLimits, parseCircuits),
		SecretGrace:   parsed(&r, SecretGrace, parseGrace),
	}
	d.Network = r.network(d.Proxy)
	return d, errors.Join(r.errs...)
}

// DeliverPlaces is where the deliver Lambda finds its queues and its tables.
type DeliverPlaces struct {
	WebhooksQueueURL, AuditQueueURL, AttemptsTable, WaitingTable, CircuitsTable, PaceTable, EndpointsTable string
}

// ReadDeliverPlaces reads the places; each of them is needed.
func ReadDeliverPlaces(getenv func(string) string) (DeliverPlaces, error) {
	r := reader{getenv: getenv}
	d := DeliverPlaces{
		WebhooksQueueURL: r.needed(WebhooksQueueURL),
		AuditQueueURL:    r.needed(AuditQueueURL),
		AttemptsTable:    r.needed(AttemptsTable),
		WaitingTable:     r.needed(WaitingTable),
		CircuitsTable:    r.needed(CircuitsTable),
		PaceTable:        r.needed(PaceTable),
		EndpointsTable:   r.needed(EndpointsTable),
	}
	return d, errors.Join(r.errs...)
}

// reader collects what is wrong, so that all of it is told at once.
type reader struct {
	getenv func(string) string
	errs   []error
}

func (r *reader) fail(name string, err error) {
	r.errs = append(r.errs, fmt.Errorf("environment variable %s: %w", name, err))
}

func (r *reader) needed(name string) string {
	v := r.getenv(name)
	if v == "" {
		r.fail(name, errors.New("is not set"))
	}
	return v
}

// neededOrNone is "" where None was given: what is left out is so on purpose.
func (r *reader) neededOrNone(name string) string {
	if v := r.needed(name); v != None {
		return v
	}
	return ""
}

func (r *reader) number(name string, otherwise, least, most int) int {
	text := r.getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		r.fail(name, fmt.Errorf("%q is not a number from %d to %d", text, least, most))
	}
	return n
}

func parsed[T any](r *reader, name string, parse func(string) (T, error)) T {
	v, err := parse(r.getenv(name))
	if err != nil {
		r.fail(name, err)
	}
	return v
}
