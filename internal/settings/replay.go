package settings

import (
	"errors"

	"github.com/efferent/efferent/internal/ledger"
)

// ReplayPlaces is where the replay Lambda finds its queues, its tables and the
// ledger.
type ReplayPlaces struct {
	WebhooksQueueURL, WebhookFailuresQueueURL           string
	NotificationsQueueURL, NotificationFailuresQueueURL string
	AuditQueueURL                                       string
	AttemptsTable, WaitingTable, CircuitsTable          string
	LedgerTable, LedgerBucket, CheckpointsBucket        string
	AuditLanes                                          int
	Redaction
	// FewMetrics is as Sending has it.
	FewMetrics bool
}

// ReadReplayPlaces reads the places; each of them is needed.
func ReadReplayPlaces(getenv func(string) string) (ReplayPlaces, error) {
	r := reader{getenv: getenv}
	s := ReplayPlaces{
		WebhooksQueueURL:             r.needed(WebhooksQueueURL),
		WebhookFailuresQueueURL:      r.needed(WebhookFailuresQueueURL),
		NotificationsQueueURL:        r.needed(NotificationsQueueURL),
		NotificationFailuresQueueURL: r.needed(NotificationFailuresQueueURL),
		AuditQueueURL:                r.needed(AuditQueueURL),
		AttemptsTable:                r.needed(AttemptsTable),
		WaitingTable:                 r.needed(WaitingTable),
		CircuitsTable:                r.needed(CircuitsTable),
		LedgerTable:                  r.needed(LedgerTable),
		LedgerBucket:                 r.needed(LedgerBucket),
		CheckpointsBucket:            r.needed(CheckpointsBucket),
		AuditLanes:                   r.number(AuditLanes, ledger.DefaultLanes, 1, 1000),
		Redaction:                    r.redaction(),
		FewMetrics:                   parsed(&r, Metrics, parseMetrics),
	}
	return s, errors.Join(r.errs...)
}
