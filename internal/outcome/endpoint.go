package outcome

import (
	"cmp"
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/message"
)

// Endpoint is what has changed of an endpoint, registered or not.
type Endpoint struct {
	Tenant string `json:"tenant,omitzero"`
	// Endpoint is the id of a registered one, URL that of either, without its query.
	Endpoint string `json:"endpoint,omitzero"`
	URL      string `json:"url,omitzero"`
	// Circuit is the key of its circuit, where that is what has changed, and Until when
	// it is tried again at the earliest; no time where somebody has to close it.
	Circuit string `json:"circuit,omitzero"`
	Until   string `json:"until,omitzero"`
	// State is that of a registered endpoint, where that is what has changed; or deleted.
	State  string `json:"state,omitzero"`
	Reason string `json:"reason,omitzero"`
	// Changed are the fields that are not as they were.
	Changed []string `json:"changed,omitzero"`
	// Version counts the changes of the circuit, or else of the endpoint: of two of the
	// same the higher is the later.
	Version int64 `json:"version"`
}

// OfEndpoint is the outcome of a change of a registered endpoint, which was made at a
// time and has left this version of it.
func OfEndpoint(kind Kind, at time.Time, id string, d Endpoint) Event {
	d.Endpoint = id
	return OfChange(kind, at, d.State+" "+d.Reason, d)
}

// OfChange is the outcome of a change of an endpoint, registered or not. of tells the
// change from others that left the same version of it.
func OfChange(kind Kind, at time.Time, of string, d Endpoint) Event {
	d.URL, d.Reason = withoutQuery(d.URL), message.Shorten(d.Reason, maxReason)
	subject := cmp.Or(d.Endpoint, d.URL)
	return Event{
		Kind: kind, ID: idOf(string(kind), d.Tenant, subject, d.Circuit, of, strconv.FormatInt(d.Version, 10)), Time: at, Tenant: d.Tenant,
		Subject: subject, Data: d,
	}
}
