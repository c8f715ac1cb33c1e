package settings

import "errors"

// ReleasePlaces is where the release Lambda finds the waiting room, and the
// queues that what waits there goes back to.
type ReleasePlaces struct {
	WebhooksQueueURL, NotificationsQueueURL, WaitingTable string
}

// ReadReleasePlaces reads the places; each of them is needed.
func ReadReleasePlaces(getenv func(string) string) (ReleasePlaces, error) {
	r := reader{getenv: getenv}
	s := ReleasePlaces{
		WebhooksQueueURL:      r.needed(WebhooksQueueURL),
		NotificationsQueueURL: r.needed(NotificationsQueueURL),
		WaitingTable:          r.needed(WaitingTable),
	}
	return s, errors.Join(r.errs...)
}
