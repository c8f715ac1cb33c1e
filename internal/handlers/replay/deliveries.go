package replay

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/attempt"
)

// Delivery is the answer to GET /api/v1/deliveries/{webhook_id}: the attempts,
// oldest first.
type Delivery struct {
	WebhookID string           `json:"webhook_id"`
	Attempts  []attempt.Record `json:"attempts"`
}

func (h *Handler) delivery(r *http.Request) (int, any, error) {
	id := r.PathValue("webhook_id")
	records, err := h.History.OfWebhook(r.Context(), id)
	if err != nil {
		return 0, nil, &unavailable{"the attempts can't be read", err}
	}
	if len(records) == 0 {
		return 0, nil, notFound("no attempt is recorded for the webhook id %q; "+
			"it was not tried yet, or its records are older than %d days", id, attempt.Retention/(24*time.Hour))
	}
	inOrder(records)
	return http.StatusOK, Delivery{id, records}, nil
}

// inOrder sorts attempts, oldest first.
func inOrder(records []attempt.Record) {
	slices.SortStableFunc(records, func(a, b attempt.Record) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.SortKey(), b.SortKey()))
	})
}
