// Package replay is the room that shows what was sent and what failed: the
// HTTP API under /api/v1.
package replay

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/efferent/efferent/internal/attempt"
)

// Handler answers the API.
type Handler struct {
	History History
	Log     *slog.Logger
}

// Routes returns the API's routes.
func (h *Handler) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/deliveries/{webhook_id}", h.delivery)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, fmt.Sprintf("there is no %s %s in this API", r.Method, r.URL.Path))
	})
	return mux
}

// Delivery is the answer to GET /api/v1/deliveries/{webhook_id}: the attempts,
// oldest first.
type Delivery struct {
	WebhookID string           `json:"webhook_id"`
	Attempts  []attempt.Record `json:"attempts"`
}

func (h *Handler) delivery(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("webhook_id")
	records, err := h.History.OfWebhook(r.Context(), id)
	if err != nil {
		h.Log.Error("the attempts can't be read", "webhook_id", id, "error", err)
		problem(w, http.StatusServiceUnavailable, "the attempts can't be read now; try again")
		return
	}
	if len(records) == 0 {
		problem(w, http.StatusNotFound, fmt.Sprintf("no attempt is recorded for the webhook id %q; "+
			"it was not tried yet, or its records are older than %d days", id, attempt.Retention/(24*60*60*1e9)))
		return
	}
	slices.SortStableFunc(records, func(a, b attempt.Record) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.SortKey(), b.SortKey()))
	})
	answer(w, http.StatusOK, "application/json", Delivery{id, records})
}
