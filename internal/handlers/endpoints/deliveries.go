package endpoints

import (
	"net/http"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
)

// Deliveries is the answer to GET …/deliveries: the attempts at an endpoint, newest
// first, each with the URL that was really called. Answers of the endpoint may be
// missing: /api/v1/deliveries/{webhook_id} has them.
type Deliveries struct {
	Items []attempt.Record `json:"items"`
	// Cursor asks for what follows; empty at the end.
	Cursor string `json:"cursor,omitzero"`
}

// listTime is how long a listing looks for attempts that the filter takes.
const listTime = 10 * time.Second

// deliveryStates are the verdicts of attempts by what became of their message.
var deliveryStates = map[string][]attempt.Verdict{
	"delivered": {attempt.Delivered},
	"failed":    {attempt.Permanent, attempt.Exhausted},
	"retrying":  {attempt.Retryable, attempt.Held},
}

func (h *Handler) deliveryRoutes() []api.Route {
	return []api.Route{
		{Pattern: "GET " + onEndpoint + "/deliveries", Parameters: []string{"state", "since", "until", "limit", "cursor"},
			Answer: h.deliveries},
	}
}

// deliveries answers GET …/deliveries.
func (h *Handler) deliveries(r *http.Request) (int, any, error) {
	query := r.URL.Query()
	limit, err := api.Limit(query)
	if err != nil {
		return 0, nil, err
	}
	since, until, err := api.Times(query)
	if err != nil {
		return 0, nil, err
	}
	verdicts, ok := deliveryStates[query.Get("state")]
	if !ok && query.Get("state") != "" {
		return 0, nil, api.BadRequest("parameter state: %.40q is none; there are delivered, failed and retrying", query.Get("state"))
	}
	l := deliveryList{Handler: h, verdicts: verdicts, limit: limit, end: h.Now().Add(listTime),
		Deliveries: Deliveries{Items: []attempt.Record{}}}
	if !since.IsZero() {
		l.from = attempt.PositionAt(since)
	}
	if !until.IsZero() {
		l.before = attempt.PositionAt(until)
	}
	if text := query.Get("cursor"); text != "" {
		var after attempt.Position
		if !api.ReadOpaque(text, &after) || !after.Valid() {
			return 0, nil, api.BadRequest("cursor: is not one that this API gave")
		}
		if l.before == "" || after.Before(l.before) {
			l.before = after
		}
	}
	e, err := h.find(r)
	if err == nil {
		err = l.read(r, e.ID, e.Tenant)
	}
	return http.StatusOK, l.Deliveries, err
}

// deliveryList is one request's way through the attempts at an endpoint.
type deliveryList struct {
	*Handler
	verdicts     []attempt.Verdict
	from, before attempt.Position
	limit        int
	end          time.Time
	Deliveries
}

func (l *deliveryList) read(r *http.Request, id, tenant string) error {
	for {
		records, err := l.Attempts.NewestOfEndpoint(r.Context(), id, l.from, l.before, api.MaxLimit)
		if err != nil {
			return api.Unavailable("the attempts can't be read", err)
		}
		for _, record := range records {
			if len(l.Items) == l.limit {
				l.Cursor = api.Opaque(l.before)
				return nil
			}
			l.before = record.Position()
			if record.Tenant == tenant && (l.verdicts == nil || slices.Contains(l.verdicts, record.Verdict)) {
				l.Items = append(l.Items, record)
			}
		}
		switch {
		case len(records) < api.MaxLimit:
			return nil
		case r.Context().Err() != nil || !l.Now().Before(l.end):
			l.Cursor = api.Opaque(l.before)
			return nil
		}
	}
}
