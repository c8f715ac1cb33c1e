package settings

import (
	"errors"
	"fmt"
	"time"

	"github.com/efferent/efferent/internal/event"
)

// Fanout is how events are fanned out, and where the fanout Lambda finds its queues and
// its tables.
type Fanout struct {
	Sending
	// EventRetention is how long events are kept.
	EventRetention                                           time.Duration
	EventsQueueURL, WebhooksQueueURL, AuditQueueURL          string
	AttemptsTable, WaitingTable, EndpointsTable, EventsTable string
}

// ReadFanout reads it; each of the places is needed.
func ReadFanout(getenv func(string) string) (Fanout, error) {
	r := reader{getenv: getenv}
	f := Fanout{
		Sending:          r.sending(),
		EventsQueueURL:   r.needed(EventsQueueURL),
		WebhooksQueueURL: r.needed(WebhooksQueueURL),
		AuditQueueURL:    r.needed(AuditQueueURL),
		AttemptsTable:    r.needed(AttemptsTable),
		WaitingTable:     r.needed(WaitingTable),
		EndpointsTable:   r.needed(EndpointsTable),
		EventsTable:      r.needed(EventsTable),
		EventRetention:   parsed(&r, EventRetention, parseEventRetention),
	}
	return f, errors.Join(r.errs...)
}

// How long events may be kept.
const (
	minEventRetention = 24 * time.Hour
	maxEventRetention = 366 * 24 * time.Hour
)

func parseEventRetention(text string) (time.Duration, error) {
	if text == "" {
		return event.Retention, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < minEventRetention || d > maxEventRetention {
		return 0, fmt.Errorf("%q is not a duration from %s to %s", text, minEventRetention, maxEventRetention)
	}
	return d, nil
}

// EndpointsPlaces is where the endpoints Lambda finds its queues and its tables.
type EndpointsPlaces struct {
	EventsQueueURL, WebhooksQueueURL, AuditQueueURL string
	AttemptsTable, EndpointsTable, EventsTable      string
	// FewMetrics is as Sending has it.
	FewMetrics bool
}

// ReadEndpointsPlaces reads the places; each of them is needed.
func ReadEndpointsPlaces(getenv func(string) string) (EndpointsPlaces, error) {
	r := reader{getenv: getenv}
	p := EndpointsPlaces{
		EventsQueueURL:   r.needed(EventsQueueURL),
		WebhooksQueueURL: r.needed(WebhooksQueueURL),
		AuditQueueURL:    r.needed(AuditQueueURL),
		AttemptsTable:    r.needed(AttemptsTable),
		EndpointsTable:   r.needed(EndpointsTable),
		EventsTable:      r.needed(EventsTable),
		FewMetrics:       parsed(&r, Metrics, parseMetrics),
	}
	return p, errors.Join(r.errs...)
}
