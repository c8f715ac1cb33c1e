package outcome

import (
	"strings"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
)

// Delivery is how a webhook or a notification ended. It has no body, no secret, no
// query string and no recipient.
type Delivery struct {
	// Kind is webhook or notification; or event, of one that could not be turned into
	// webhooks.
	Kind      string `json:"kind"`
	WebhookID string `json:"webhook_id"`
	// Origin is the SQS id under which the message was first received, and MessageID
	// that of its last try.
	Origin    string `json:"origin"`
	MessageID string `json:"message_id"`
	Tenant    string `json:"tenant,omitzero"`
	// Endpoint is the id of a registered one.
	Endpoint  string `json:"endpoint,omitzero"`
	URL       string `json:"url,omitzero"`
	EventType string `json:"event_type,omitzero"`
	// Attempts is the number of the last attempt, those before a replay included.
	Attempts int `json:"attempts"`
	// Status is the HTTP status of the last attempt, 0 where no answer came.
	Status  int             `json:"status"`
	Verdict attempt.Verdict `json:"verdict"`
	// Reason says in words why it failed.
	Reason string `json:"reason,omitzero"`
	// Channel is the one of the last attempt of a notification, FailedChannels are those
	// that are done with, and ProviderID is what the provider calls it.
	Channel        string   `json:"channel,omitzero"`
	FailedChannels []string `json:"failed_channels,omitzero"`
	ProviderID     string   `json:"provider_id,omitzero"`
	// State is what the provider has reported of it since it took it.
	State attempt.State `json:"state,omitzero"`
}

// maxReason is how much of a reason is told, in bytes.
const maxReason = 1 << 10

// kindOf is the kind of the outcome that an attempt is the last of.
func kindOf(r *attempt.Record) Kind {
	if r.Verdict == attempt.Delivered {
		return Delivered
	}
	return Failed
}

// OfAttempt is the outcome of a message whose last attempt a record is. Nothing that
// changes between two looks at the same record is in it.
func OfAttempt(r *attempt.Record) Event {
	kind := kindOf(r)
	d := Delivery{
		Kind: "webhook", WebhookID: r.WebhookID, Origin: r.OriginID(), MessageID: r.MessageID, Tenant: r.Tenant, Endpoint: r.Endpoint,
		URL: withoutQuery(r.URL), EventType: r.EventType, Attempts: r.Attempt, Status: r.Status, Verdict: r.Verdict,
		Reason: message.Shorten(r.Reason, maxReason), Channel: r.Channel, FailedChannels: r.FailedChannels, ProviderID: r.ProviderID,
	}
	switch {
	case r.Notification:
		d.Kind = "notification"
	case r.Event:
		d.Kind = "event"
	}
	return Event{Kind: kind, ID: idOf(string(kind), r.SortKey()), Time: r.Ended(), Tenant: r.Tenant, Subject: r.WebhookID, Data: d}
}

// OfReport is the outcome of what was reported last of an attempt that has a report.
func OfReport(r *attempt.Record) Event {
	e := OfAttempt(r)
	e.Kind = Kind("notification." + string(r.State))
	e.ID, e.Time = idOf(string(e.Kind), r.SortKey()), r.Report.At
	d, _ := e.Data.(Delivery)
	d.State, d.Reason = r.State, message.Shorten(r.Report.Reason, maxReason)
	e.Data = d
	return e
}

func withoutQuery(url string) string {
	if n := strings.IndexAny(url, "?#"); n >= 0 {
		return url[:n]
	}
	return url
}
