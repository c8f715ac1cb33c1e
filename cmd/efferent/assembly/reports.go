package assembly

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/callback"
	"github.com/efferent/efferent/internal/handlers/report"
	"github.com/efferent/efferent/internal/settings"
)

// ReportBatches are in hand at a time: nobody outside is waited for.
const ReportBatches = 8

// Reporter is that handler.
func Reporter(f Feed, notifications string, s settings.Sending, kept Stores) (eventsource.Handler, error) {
	handler, err := report.New(report.Needs{
		Attempts: kept.Attempts, Messages: kept.Attempts, Suppressions: kept.Suppressed, Queue: f.Queue(),
		Notifications: &awssqs.Outgoing{API: f.Queues, URLs: map[string]string{settings.NotificationsQueue: notifications}},
		Audit:         f.audit(s.AuditLanes), Redactors: f.Redactors, Outcomes: f.Outcomes, Metrics: f.Watch.of("report"),
		MaxReceives: s.MaxReceives, Now: f.Now, Log: f.Log,
	})
	if err != nil {
		return nil, err
	}
	return handler.Handle, nil
}

// Callbacks wires the handler that the callback Lambda runs, to the queue reports at a
// URL.
func Callbacks(queues awssqs.SendBatchAPI, reports string, s settings.Notifications, secrets awssecrets.API, now func() time.Time,
	log *slog.Logger) (*callback.Handler, error) {
	return callback.New(callback.Needs{
		Secrets: &awssecrets.Texts{API: secrets, TTL: s.SecretTTL, Now: time.Now},
		Secret:  channel.SecretUnder(s.ChannelSecrets, channel.SMS),
		Sender:  &awssqs.Outgoing{API: queues, URLs: map[string]string{settings.ReportsQueue: reports}}, Now: now, Log: log,
	})
}

// WithCallbacks serves the callbacks beside the API: they are for others than this
// machine's own programs, and believed by their signature alone.
func WithCallbacks(c *callback.Handler, api http.Handler) http.Handler {
	theirs := c.Routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, callback.Path) {
			theirs.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}
