// Package outcome is what producers are told of how things ended: that a message was
// delivered or will not be, and that an endpoint has changed. Each is a CloudEvent
// ("CloudEvents" 1.0.2, section 3.1), in a form that can be told twice and be seen to
// be one. It has no clock and no way of its own to anybody.
package outcome

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Kind is what has happened: the type of an event.
type Kind string

// The kinds. Those of deliveries are one for each message, when it is done with;
// those of endpoints are one for each change of it, however many messages it has.
const (
	Delivered Kind = "delivery.delivered" // the other side took it
	Failed    Kind = "delivery.failed"    // it will not be sent again, unless somebody replays it

	Failing   Kind = "endpoint.failing"   // its circuit has opened: it is left alone
	Recovered Kind = "endpoint.recovered" // its circuit has closed: it is sent to again
	Disabled  Kind = "endpoint.disabled"  // what is for it waits until somebody enables it
	Verified  Kind = "endpoint.verified"  // it has said that it wants events
	Updated   Kind = "endpoint.updated"   // it was created, changed or deleted

	// Those of notifications are by their providers' reports, where these are asked for.
	Arrived     Kind = "notification.delivered"   // the recipient has it
	Bounced     Kind = "notification.bounced"     // the recipient's server refused it
	Complained  Kind = "notification.complained"  // the recipient called it spam
	Undelivered Kind = "notification.undelivered" // the provider could not bring it there
)

// All are the kinds.
var All = []Kind{Delivered, Failed, Failing, Recovered, Disabled, Verified, Updated, Arrived, Bounced, Complained, Undelivered}

// Source is the source of every event.
const Source = "efferent"

// Event is one outcome.
type Event struct {
	Kind Kind
	// ID is the same whenever the same thing is told of: it can be a webhook-id.
	ID     string
	Time   time.Time
	Tenant string // empty where it is nobody's
	// Subject is what it is about: a webhook's or a notification's id, an endpoint's id,
	// or the URL of one that is not registered.
	Subject string
	// Data is a Delivery or an Endpoint.
	Data any
}

// envelope is an event on its way, in CloudEvents' JSON format, section 3.
type envelope struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	Source      string `json:"source"`
	Type        Kind   `json:"type"`
	Subject     string `json:"subject"`
	Time        string `json:"time"`
	Tenant      string `json:"tenant,omitzero"`
	ContentType string `json:"datacontenttype"`
	Data        any    `json:"data"`
}

// JSON is the event as a CloudEvent. What texts it has that are not UTF-8 are mended.
func (e Event) JSON() ([]byte, error) {
	b, err := json.Marshal(envelope{
		SpecVersion: "1.0", ID: e.ID, Source: Source, Type: e.Kind, Subject: e.Subject, Time: At(e.Time), Tenant: e.Tenant,
		ContentType: "application/json", Data: e.Data,
	}, lenient)
	if err != nil {
		return nil, fmt.Errorf("the outcome %s of %s: %w", e.Kind, e.Subject, err)
	}
	return b, nil
}

// Published is the event as one that is published to the endpoints of a tenant.
func (e Event) Published(tenant string) ([]byte, error) {
	own, err := e.JSON()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(struct {
		ID     string         `json:"id"`
		Tenant string         `json:"tenant"`
		Type   Kind           `json:"event_type"`
		Body   jsontext.Value `json:"body"`
	}{e.ID, tenant, e.Kind, own}, lenient)
	return b, err
}

// At is a time as events have it.
func At(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

const idPrefix = "out_"

var ids = regexp.MustCompile(`^out_[0-9a-f]{32}$`)

// lenient: what others have answered may not be UTF-8.
var lenient = jsontext.AllowInvalidUTF8(true)

// IsID reports whether a webhook-id is that of an outcome which is itself delivered.
// What becomes of that makes no outcome: it would make another one.
func IsID(id string) bool { return ids.MatchString(id) }

// idOf is the id of what parts say.
func idOf(parts ...string) string { return idPrefix + Hash(parts...) }

// Hash is a short text of hex digits that stands for parts, and for no others.
func Hash(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
