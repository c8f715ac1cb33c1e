package settings

import (
	"errors"
	"fmt"
	"time"
)

// ReleasePlaces is where the release Lambda finds the waiting room, what messages
// wait for, and the queues that what waits there goes back to.
type ReleasePlaces struct {
	WebhooksQueueURL, NotificationsQueueURL, WaitingTable, CircuitsTable string
}

// ReadReleasePlaces reads the places; each of them is needed.
func ReadReleasePlaces(getenv func(string) string) (ReleasePlaces, error) {
	r := reader{getenv: getenv}
	s := ReleasePlaces{
		WebhooksQueueURL:      r.needed(WebhooksQueueURL),
		NotificationsQueueURL: r.needed(NotificationsQueueURL),
		WaitingTable:          r.needed(WaitingTable),
		CircuitsTable:         r.needed(CircuitsTable),
	}
	return s, errors.Join(r.errs...)
}

// A message may wait for open circuits so long.
const (
	defaultMaxHeld = 6 * time.Hour
	leastMaxHeld   = time.Minute
	mostMaxHeld    = 14 * 24 * time.Hour
)

// ReadMaxHeld reads how long a message waits for open circuits in all, before it is
// exhausted.
func ReadMaxHeld(getenv func(string) string) (time.Duration, error) {
	r := reader{getenv: getenv}
	d := parsed(&r, MaxHeld, parseMaxHeld)
	return d, errors.Join(r.errs...)
}

func parseMaxHeld(text string) (time.Duration, error) {
	if text == "" {
		return defaultMaxHeld, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < leastMaxHeld || d > mostMaxHeld {
		return 0, fmt.Errorf("%q is not a duration from %s to %s", text, leastMaxHeld, mostMaxHeld)
	}
	return d, nil
}
