package settings

import (
	"errors"
)

// Misconfigured is the metric that counts hand-overs of notifications that
// failed by configuration; its dimensions are function, and channel.
const Misconfigured = "Misconfigured"

// ReadNotification reads the settings of notifications. Its error names every
// variable that is wrong, and what would be right.
func ReadNotification(getenv func(string) string) (Sending, error) {
	r := reader{getenv: getenv}
	n := r.sending()
	return n, errors.Join(r.errs...)
}

// Notifying is where the notify Lambda finds its queues and its table.
type Notifying struct {
	NotificationsQueueURL, AuditQueueURL, AttemptsTable string
}

// ReadNotifying reads the places; each of them is needed.
func ReadNotifying(getenv func(string) string) (Notifying, error) {
	r := reader{getenv: getenv}
	n := Notifying{
		NotificationsQueueURL: r.needed(NotificationsQueueURL),
		AuditQueueURL:         r.needed(AuditQueueURL),
		AttemptsTable:         r.needed(AttemptsTable),
	}
	return n, errors.Join(r.errs...)
}
