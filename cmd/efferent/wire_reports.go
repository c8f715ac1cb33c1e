package main

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

// reportsSource wires the handler that the report Lambda runs to its queue. What comes
// back goes on by the queue notifications, at a URL.
func reportsSource(f feed, notifications string, s settings.Sending, kept stores) (*eventsource.Source, error) {
	handle, err := reporter(f, notifications, s, kept)
	if err != nil {
		return nil, err
	}
	return f.source(handle, reportBatches), nil
}

// reportBatches are in hand at a time: nobody outside is waited for.
const reportBatches = 8

// reporter is that handler.
func reporter(f feed, notifications string, s settings.Sending, kept stores) (eventsource.Handler, error) {
	handler, err := report.New(report.Needs{
		Attempts: kept.attempts, Messages: kept.attempts, Suppressions: kept.suppressed, Queue: f.queue(),
		Notifications: &awssqs.Outgoing{API: f.queues, URLs: map[string]string{settings.NotificationsQueue: notifications}},
		Audit:         f.audit(s.AuditLanes), Redactors: f.redactors, Outcomes: f.outcomes, Metrics: f.watch.of("report"),
		MaxReceives: s.MaxReceives, Now: f.now, Log: f.log,
	})
	if err != nil {
		return nil, err
	}
	return handler.Handle, nil
}

// callbacks wires the handler that the callback Lambda runs, to the queue reports at a
// URL.
func callbacks(queues awssqs.SendBatchAPI, reports string, s settings.Notifications, secrets awssecrets.API, now func() time.Time,
	log *slog.Logger) (*callback.Handler, error) {
	return callback.New(callback.Needs{
		Secrets: &awssecrets.Texts{API: secrets, TTL: s.SecretTTL, Now: time.Now},
		Secret:  channel.SecretUnder(s.ChannelSecrets, channel.SMS),
		Sender:  &awssqs.Outgoing{API: queues, URLs: map[string]string{settings.ReportsQueue: reports}}, Now: now, Log: log,
	})
}

// withCallbacks serves the callbacks beside the API: they are for others than this
// machine's own programs, and believed by their signature alone.
func withCallbacks(c *callback.Handler, api http.Handler) http.Handler {
	theirs := c.Routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, callback.Path) {
			theirs.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}
