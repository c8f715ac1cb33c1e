package replay

import (
	"net/http"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
)

// Delivery is the answer to GET /api/v1/deliveries/{webhook_id}: the attempts,
// of one origin after the other, each oldest first. One webhook id may be that of
// several messages, to other endpoints or of other tenants; a replay keeps the
// origin of what it replays.
type Delivery struct {
	WebhookID string           `json:"webhook_id"`
	Attempts  []attempt.Record `json:"attempts"`
}

func (h *Handler) delivery(r *http.Request) (int, any, error) {
	id := r.PathValue("webhook_id")
	records, err := h.History.OfWebhook(r.Context(), id)
	if err != nil {
		return 0, nil, api.Unavailable("the attempts can't be read", err)
	}
	if len(records) == 0 {
		return 0, nil, api.NotFound("no attempt is recorded for the webhook id %q; "+
			"it was not tried yet, or its records are older than %d days", id, attempt.Retention/(24*time.Hour))
	}
	return http.StatusOK, Delivery{id, byOrigin(records)}, nil
}

// byOrigin sorts attempts by their origins, that which was tried first first, and
// names the origin in each.
func byOrigin(records []attempt.Record) []attempt.Record {
	slices.SortStableFunc(records, earlier)
	began := map[string]int{}
	for i := range records {
		records[i].Origin = records[i].OriginID()
		if _, ok := began[records[i].Origin]; !ok {
			began[records[i].Origin] = i
		}
	}
	slices.SortStableFunc(records, func(a, b attempt.Record) int { return began[a.Origin] - began[b.Origin] })
	return records
}
