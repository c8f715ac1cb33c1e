package settings

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/webhook"
)

// Notifications is how notifications are sent, wherever the handler runs.
type Notifications struct {
	Sending
	// Attachments are the buckets, each with what keys begin with there, that
	// attachments may be read from: "bucket/" or "bucket/invoices/".
	Attachments []string
	// Tenants are those whose notifications are counted apart; nil is none.
	Tenants *metric.Tenants
	// Network is where signed webhooks may go, as those of the other queue.
	Network
}

// Client is how a webhook.Client sends by these settings.
func (n Notifications) Client() webhook.Options {
	return n.options(n.Proxy)
}

// ReadNotifications reads the settings of notifications. Its error names every
// variable that is wrong, and what would be right.
func ReadNotifications(getenv func(string) string) (Notifications, error) {
	r := reader{getenv: getenv}
	n := Notifications{Sending: r.sending(), Attachments: parsed(&r, Attachments, ParseAttachments),
		Tenants: parsed(&r, MetricTenants, parseTenants)}
	n.Network = r.network(n.Proxy)
	n.ChannelSecrets = parsed(&r, ChannelSecrets, parseChannelSecrets)
	return n, errors.Join(r.errs...)
}

// A bucket ("General purpose bucket naming rules"), and what its keys begin with: no
// wildcard of IAM's, which a grant is made of.
var attachmentPlace = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^*?$\s\\]{0,900})?$`)

// ParseAttachments reads a list of places: "bucket,bucket/invoices/".
func ParseAttachments(text string) (places []string, err error) {
	for place := range strings.SplitSeq(text, ",") {
		place = strings.TrimSpace(place)
		switch {
		case place == "":
			continue
		case !attachmentPlace.MatchString(place):
			return nil, fmt.Errorf("%q is not a bucket, or a bucket and the beginning of keys: acme-files/invoices/", place)
		case !strings.Contains(place, "/"):
			place += "/"
		}
		places = append(places, place)
	}
	return places, nil
}

func parseChannelSecrets(text string) (string, error) {
	if text == "" {
		return channel.DefaultSecrets, nil
	}
	return text, channel.CheckSecrets(text)
}

// NotifyPlaces is where the notify Lambda finds its queues and its tables.
type NotifyPlaces struct {
	NotificationsQueueURL, AuditQueueURL, AttemptsTable, WaitingTable, PaceTable, DirectoryTable string
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
		DirectoryTable:        r.needed(DirectoryTable),
	}
	return n, errors.Join(r.errs...)
}
