package settings

import (
	"errors"
	"time"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/retry"
)

// Misconfigured is the metric that counts hand-overs of notifications that
// failed by configuration; its dimensions are function, and channel.
const Misconfigured = "Misconfigured"

// Notification is how notifications are sent, wherever the handler runs.
type Notification struct {
	Policies    retry.Policies
	MaxReceives int
	AuditLanes  int
	SecretTTL   time.Duration
}

// ReadNotification reads the settings of notifications. Its error names every
// variable that is wrong, and what would be right.
func ReadNotification(getenv func(string) string) (Notification, error) {
	r := reader{getenv: getenv}
	n := Notification{
		Policies:    parsed(&r, RetryPolicies, retry.ParsePolicies),
		MaxReceives: r.number(MaxReceives, DefaultMaxReceives, 1, 1000),
		AuditLanes:  r.number(AuditLanes, ledger.DefaultLanes, 1, 1000),
		SecretTTL:   parsed(&r, SecretTTL, parseTTL),
	}
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
