package outcome

import (
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/circuit"
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

// OfCircuit is the outcome of a circuit that has opened or closed. A host's is
// nobody's, so it has none: ok is false. tenant and url are those of a registered
// endpoint, whose circuit has neither.
func OfCircuit(s circuit.State, tenant, url string) (e Event, ok bool) {
	if s.Scope != circuit.Endpoint {
		return e, false
	}
	d := Endpoint{Tenant: s.Tenant, URL: s.URL, Circuit: s.Key(), Version: s.Version}
	subject := s.URL
	if message.CheckEndpoint(s.URL) == "" {
		d.Tenant, d.Endpoint, d.URL = tenant, s.URL, withoutQuery(url)
	}
	e = Event{Kind: Recovered, Time: s.ClosedAt, Tenant: d.Tenant, Subject: subject}
	if s.IsOpen() {
		e.Kind, e.Time, d.Reason = Failing, s.Opened, message.Shorten(s.Why, maxReason)
		if !s.Forever {
			d.Until = at(s.Until)
		}
	}
	e.ID, e.Data = idOf(string(e.Kind), d.Circuit, s.Change, strconv.FormatInt(s.Version, 10)), d
	return e, true
}

// OfEndpoint is the outcome of a change of a registered endpoint, which was made at a
// time and has left this version of it.
func OfEndpoint(kind Kind, at time.Time, id string, d Endpoint) Event {
	d.Endpoint, d.URL, d.Reason = id, withoutQuery(d.URL), message.Shorten(d.Reason, maxReason)
	return Event{
		Kind: kind, ID: idOf(string(kind), id, d.State, strconv.FormatInt(d.Version, 10)), Time: at, Tenant: d.Tenant, Subject: id, Data: d,
	}
}
