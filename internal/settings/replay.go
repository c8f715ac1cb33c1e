package settings

import (
	"errors"

	"github.com/efferent/efferent/internal/ledger"
)

// Replay is where the replay Lambda finds its queues and its table.
type Replay struct {
	WebhooksQueueURL, WebhookFailuresQueueURL           string
	NotificationsQueueURL, NotificationFailuresQueueURL string
	AuditQueueURL, AttemptsTable                        string
	AuditLanes                                          int
}

// ReadReplay reads the places; each of them is needed.
func ReadReplay(getenv func(string) string) (Replay, error) {
	r := reader{getenv: getenv}
	s := Replay{
		WebhooksQueueURL:             r.needed(WebhooksQueueURL),
		WebhookFailuresQueueURL:      r.needed(WebhookFailuresQueueURL),
		NotificationsQueueURL:        r.needed(NotificationsQueueURL),
		NotificationFailuresQueueURL: r.needed(NotificationFailuresQueueURL),
		AuditQueueURL:                r.needed(AuditQueueURL),
		AttemptsTable:                r.needed(AttemptsTable),
		AuditLanes:                   r.number(AuditLanes, ledger.DefaultLanes, 1, 1000),
	}
	return s, errors.Join(r.errs...)
}
