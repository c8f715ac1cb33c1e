package settings

import (
	"errors"
	"maps"

	"github.com/efferent/efferent/internal/ledger"
)

// ReplayPlaces is where the replay Lambda finds its queues, its tables and the
// ledger.
type ReplayPlaces struct {
	WebhooksQueueURL, WebhookFailuresQueueURL string
	// These two are empty where there are no notifications.
	NotificationsQueueURL, NotificationFailuresQueueURL string
	EventsQueueURL, EventFailuresQueueURL               string
	// These two are empty where nobody reports.
	ReportsQueueURL, ReportFailuresQueueURL                    string
	AuditQueueURL                                              string
	AttemptsTable, WaitingTable, CircuitsTable, EndpointsTable string
	LedgerTable, LedgerBucket, CheckpointsBucket               string
	AuditLanes                                                 int
	Redaction
	// TenantClaim is the claim that limits a token to one tenant; empty for none.
	TenantClaim string
	// TokenSecret holds the key of tokens for one tenant's own page; empty where there
	// are none.
	TokenSecret string
	// FewMetrics is as Sending has it.
	FewMetrics bool
}

// Queues are the URLs of the queues that there are, by their names.
func (s ReplayPlaces) Queues() map[string]string {
	return queues(s.WebhooksQueueURL, s.NotificationsQueueURL, s.EventsQueueURL)
}

func queues(webhooks, notifications, events string) map[string]string {
	all := map[string]string{WebhooksQueue: webhooks, NotificationsQueue: notifications, EventsQueue: events}
	maps.DeleteFunc(all, func(_, url string) bool { return url == "" })
	return all
}

// ReadReplayPlaces reads the places; each of them is needed, but for those of
// notifications and of reports where there are none.
func ReadReplayPlaces(getenv func(string) string) (ReplayPlaces, error) {
	r := reader{getenv: getenv}
	s := ReplayPlaces{
		WebhooksQueueURL:        r.needed(WebhooksQueueURL),
		WebhookFailuresQueueURL: r.needed(WebhookFailuresQueueURL),
		NotificationsQueueURL:   r.neededOrNone(NotificationsQueueURL),
		EventsQueueURL:          r.needed(EventsQueueURL),
		EventFailuresQueueURL:   r.needed(EventFailuresQueueURL),
		ReportsQueueURL:         getenv(ReportsQueueURL),
		AuditQueueURL:           r.needed(AuditQueueURL),
		AttemptsTable:           r.needed(AttemptsTable),
		WaitingTable:            r.needed(WaitingTable),
		CircuitsTable:           r.needed(CircuitsTable),
		EndpointsTable:          r.needed(EndpointsTable),
		LedgerTable:             r.needed(LedgerTable),
		LedgerBucket:            r.needed(LedgerBucket),
		CheckpointsBucket:       r.needed(CheckpointsBucket),
		AuditLanes:              r.number(AuditLanes, ledger.DefaultLanes, 1, 1000),
		Redaction:               r.redaction(),
		TenantClaim:             getenv(TenantClaim),
		TokenSecret:             getenv(TokenSecret),
		FewMetrics:              parsed(&r, Metrics, parseMetrics),
	}
	if getenv(NotificationsQueueURL) != None {
		s.NotificationFailuresQueueURL = r.needed(NotificationFailuresQueueURL)
	}
	if s.ReportsQueueURL != "" {
		s.ReportFailuresQueueURL = r.needed(ReportFailuresQueueURL)
	}
	return s, errors.Join(r.errs...)
}
