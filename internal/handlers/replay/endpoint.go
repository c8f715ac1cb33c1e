package replay

import (
	"errors"
	"net/http"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/endpoint"
)

// EndpointReplay is the body of POST /api/v1/tenants/{tenant}/endpoints/{endpoint_id}/replay:
// everything that failed at the endpoint since then.
type EndpointReplay struct {
	Since time.Time `json:"since"`
	// Until is not within; zero is now.
	Until time.Time `json:"until,omitzero"`
	// Cursor is what the previous request answered.
	Cursor string `json:"cursor,omitzero"`
}

// webhookFailures is the queue of what failed at endpoints.
const webhookFailures = "webhook-failures"

// replayEndpoint answers it, as a replay by filter.
func (h *Handler) replayEndpoint(r *http.Request) (int, any, error) {
	var b EndpointReplay
	if _, err := api.Object(r, &b, `such as {"since": "2026-11-24T08:00:00Z"}`); err != nil {
		return 0, nil, err
	}
	if b.Since.IsZero() {
		return 0, nil, api.BadRequest(`field "since": is missing: what failed since then is replayed`)
	}
	if err := api.CheckTimes(b.Since, b.Until); err != nil {
		return 0, nil, err
	}
	if err := h.ownEndpoint(r); err != nil {
		return 0, nil, err
	}
	q, err := h.queue(webhookFailures)
	if err != nil {
		return 0, nil, err
	}
	task, err := h.replayMatching(r, q, Some{Filter: Filter{Endpoint: r.PathValue("endpoint_id"), Since: b.Since, Until: b.Until},
		Cursor: b.Cursor})
	return http.StatusAccepted, Started{task}, err
}

// ownEndpoint refuses an endpoint that is not its tenant's, as one that is not there.
func (h *Handler) ownEndpoint(r *http.Request) error {
	tenant, id := r.PathValue("tenant"), r.PathValue("endpoint_id")
	if h.Endpoints == nil {
		return api.Refuse(http.StatusNotImplemented, "there is no table of endpoints here")
	}
	if !endpoint.IsID(id) {
		return api.NotFound("the tenant %.120s has no endpoint %.120s", tenant, id)
	}
	switch of, _, err := h.Endpoints.Where(r.Context(), id); {
	case errors.Is(err, endpoint.ErrNotFound), err == nil && of != tenant:
		return api.NotFound("the tenant %.120s has no endpoint %s", tenant, id)
	default:
		return api.Unavailable("the endpoint can't be read", err)
	}
}
