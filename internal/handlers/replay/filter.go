package replay

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/efferent/efferent/internal/api"
)

// everything reports whether f leaves nothing out.
func (f Filter) everything() bool { return f == Filter{} }

// contents reports whether f takes a message by what its body says.
func (f Filter) contents(i Item) bool {
	return (f.Tenant == "" || f.Tenant == i.Tenant) &&
		(f.Endpoint == "" || f.Endpoint == i.Endpoint) &&
		(f.EventType == "" || f.EventType == i.EventType) &&
		(f.Channel == "" || f.Channel == i.Channel) &&
		(i.Endpoint != "" && i.URL == "" || strings.HasPrefix(i.URL, f.URLPrefix)) // its body has none: see failure
}

// failure reports whether f takes a message by its last attempt.
func (f Filter) failure(i Item) bool {
	return strings.Contains(strings.ToLower(i.Reason), strings.ToLower(f.Reason)) &&
		strings.HasPrefix(i.URL, f.URLPrefix) &&
		(f.Since.IsZero() || !i.LastAt.Before(f.Since)) &&
		(f.Until.IsZero() || i.LastAt.Before(f.Until))
}

func (f Filter) takes(i Item) bool { return f.contents(i) && f.failure(i) }

// listParameters are those that a listing knows.
var listParameters = []string{"queue", "limit", "cursor", "source", "tenant", "endpoint", "event_type", "channel", "url_prefix", "reason",
	"since", "until"}

// filterOf reads a filter from a query.
func filterOf(q url.Values) (f Filter, err error) {
	f.Tenant, f.EventType, f.Channel = q.Get("tenant"), q.Get("event_type"), q.Get("channel")
	f.Endpoint, f.URLPrefix, f.Reason = q.Get("endpoint"), q.Get("url_prefix"), q.Get("reason")
	f.Since, f.Until, err = api.Times(q)
	return f, err
}

// readSome reads what is to be replayed. It must be an object: an empty body
// may be a slip, and {} replays everything.
func readSome(r *http.Request) (s Some, err error) {
	given, err := api.Object(r, &s, "{} replays everything")
	if err != nil {
		return s, err
	}
	if given["rate"] && s.Rate == 0 {
		return s, api.BadRequest(wrongRate)
	}
	return s, s.check()
}

const wrongRate = "field \"rate\": must be 1 to 500 messages a second"

func (s Some) check() error {
	if s.Rate != 0 && !s.everything() {
		return api.BadRequest("field \"rate\": is for replaying everything only")
	}
	if s.Rate < 0 || s.Rate > 500 {
		return api.BadRequest(wrongRate)
	}
	return api.CheckTimes(s.Since, s.Until)
}
