package settings

import (
	"errors"

	"github.com/efferent/efferent/internal/channel"
)

// ReadNotifications reads the settings of notifications. Its error names every
// variable that is wrong, and what would be right.
func ReadNotifications(getenv func(string) string) (Sending, error) {
	r := reader{getenv: getenv}
	n := r.sending()
	n.ChannelSecrets = parsed(&r, ChannelSecrets, parseChannelSecrets)
	return n, errors.Join(r.errs...)
}

func parseChannelSecrets(text string) (string, error) {
	if text == "" {
		return channel.DefaultSecrets, nil
	}
	return text, channel.CheckSecrets(text)
}

// NotifyPlaces is where the notify Lambda finds its queues and its tables.
type NotifyPlaces struct {
	NotificationsQueueURL, AuditQueueURL, AttemptsTable, WaitingTable, PaceTable string
}

// ReadNotifyPlaces reads the places; each of them is needed.
func ReadNotifyPlaces(getenv func(string) string) (NotifyPlaces, error) {
	r := reader{getenv: getenv}
	n := NotifyPlaces{
		NotificationsQueueURL: r.needed(NotificationsQueueURL),
		AuditQueueURL:         r.needed(AuditQueueURL),
		AttemptsTable:         r.needed(AttemptsTable),
		WaitingTable:          r.needed(WaitingTable),
		PaceTable:             r.needed(PaceTable),
	}
	return n, errors.Join(r.errs...)
}
