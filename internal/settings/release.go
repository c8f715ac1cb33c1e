package settings

import (
	"errors"
	"time"
)

// ReleasePlaces is where the release Lambda finds the waiting room, what messages
// wait for, and the queues that what waits there goes back to.
type ReleasePlaces struct {
	WebhooksQueueURL, EventsQueueURL, WaitingTable, CircuitsTable, EndpointsTable string
	// NotificationsQueueURL is empty where there are no notifications.
	NotificationsQueueURL string
	// MaxHeld is as Webhooks has it.
	MaxHeld time.Duration
	// FewMetrics is as Sending has it.
	FewMetrics bool
}

// Queues are the URLs of the queues that there are, by their names.
func (s ReleasePlaces) Queues() map[string]string {
	return queues(s.WebhooksQueueURL, s.NotificationsQueueURL, s.EventsQueueURL)
}

// ReadReleasePlaces reads the places, each of which is needed, and what else it
// goes by.
func ReadReleasePlaces(getenv func(string) string) (ReleasePlaces, error) {
	r := reader{getenv: getenv}
	s := ReleasePlaces{
		WebhooksQueueURL:      r.needed(WebhooksQueueURL),
		NotificationsQueueURL: r.neededOrNone(NotificationsQueueURL),
		EventsQueueURL:        r.needed(EventsQueueURL),
		WaitingTable:          r.needed(WaitingTable),
		CircuitsTable:         r.needed(CircuitsTable),
		EndpointsTable:        r.needed(EndpointsTable),
		MaxHeld:               parsed(&r, MaxHeld, parseMaxHeld),
		FewMetrics:            parsed(&r, Metrics, parseMetrics),
	}
	return s, errors.Join(r.errs...)
}
