package settings

import "errors"

// Fanout is how events are fanned out, and where the fanout Lambda finds its queues and
// its tables.
type Fanout struct {
	Sending
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
	}
	return f, errors.Join(r.errs...)
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
