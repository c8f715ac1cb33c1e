package settings

import (
	"errors"
	"time"
)

// Reports is where the report Lambda finds its queues and its tables.
type Reports struct {
	Sending
	ReportsQueueURL, NotificationsQueueURL, AuditQueueURL string
	AttemptsTable, DirectoryTable                         string
}

// ReadReports reads it; each of the places is needed.
func ReadReports(getenv func(string) string) (Reports, error) {
	r := reader{getenv: getenv}
	s := Reports{
		Sending:               r.sending(),
		ReportsQueueURL:       r.needed(ReportsQueueURL),
		NotificationsQueueURL: r.needed(NotificationsQueueURL),
		AuditQueueURL:         r.needed(AuditQueueURL),
		AttemptsTable:         r.needed(AttemptsTable),
		DirectoryTable:        r.needed(DirectoryTable),
	}
	return s, errors.Join(r.errs...)
}

// Callbacks is how the callback Lambda works, and where it finds its queue.
type Callbacks struct {
	ReportsQueueURL string
	// ChannelSecrets is what the names of the channels' secrets begin with.
	ChannelSecrets string
	SecretTTL      time.Duration
}

// ReadCallbacks reads it; the queue is needed.
func ReadCallbacks(getenv func(string) string) (Callbacks, error) {
	r := reader{getenv: getenv}
	s := Callbacks{
		ReportsQueueURL: r.needed(ReportsQueueURL),
		ChannelSecrets:  parsed(&r, ChannelSecrets, parseChannelSecrets),
		SecretTTL:       parsed(&r, SecretTTL, parseTTL),
	}
	return s, errors.Join(r.errs...)
}
