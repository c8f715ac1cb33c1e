package replay

import (
	"errors"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/schemas"
)

func (h *Handler) routes() []api.Route {
	return []api.Route{
		{Pattern: "GET /api/v1/openapi.json", Answer: document, Anyone: true},
		{Pattern: "GET /api/v1/deliveries/{webhook_id}", Answer: h.delivery},
		{Pattern: "GET /api/v1/audit/checkpoints", Answer: h.checkpoints},
		{Pattern: "GET /api/v1/audit/proofs/{webhook_id}", Answer: h.proofs},
		{Pattern: "GET /api/v1/dlq", Parameters: listParameters, Answer: h.list},
		{Pattern: "GET /api/v1/dlq/{queue}/{item_id}", Parameters: []string{"cursor"}, Answer: h.show},
		{Pattern: "DELETE /api/v1/dlq/{queue}/{item_id}", Parameters: []string{"cursor"}, Answer: h.discard},
		{Pattern: "POST /api/v1/dlq/{queue}/replay/{item_id}", Parameters: []string{"cursor"}, Answer: h.replayOne},
		{Pattern: "POST /api/v1/dlq/{queue}/replay", Answer: h.replaySome},
		{Pattern: "POST /api/v1/tenants/{tenant}/endpoints/{endpoint_id}/replay", Answer: h.replayEndpoint},
		{Pattern: "GET /api/v1/dlq/{queue}/tasks", Answer: h.tasks},
		{Pattern: "DELETE /api/v1/dlq/{queue}/tasks/{task_id}", Answer: h.cancel},
		{Pattern: "GET /api/v1/waiting", Parameters: slices.Concat(waitingParameters, []string{"limit", "cursor"}), Answer: h.waits},
		{Pattern: "GET /api/v1/waiting/counts", Parameters: slices.Concat(waitingParameters, []string{"cursor"}), Answer: h.waitingCounts},
		{Pattern: "POST /api/v1/waiting/release", Answer: h.release},
		{Pattern: "POST /api/v1/waiting/drop", Answer: h.drop},
		{Pattern: "GET /api/v1/circuits", Parameters: circuitParameters, Answer: h.circuits},
		{Pattern: "GET /api/v1/circuits/{id}", Answer: h.circuit},
		{Pattern: "POST /api/v1/circuits/open", Answer: h.openNewCircuit},
		{Pattern: "POST /api/v1/circuits/{id}/open", Answer: h.openCircuit},
		{Pattern: "POST /api/v1/circuits/{id}/close", Answer: h.closeCircuit},
	}
}

// document answers GET /api/v1/openapi.json.
func document(*http.Request) (int, any, error) {
	return http.StatusOK, jsontext.Value(schemas.OpenAPI), nil
}

// Serves are the handler's routes, for an address that has others' too.
func (h *Handler) Serves() []api.Route {
	all := h.routes()
	for i, r := range all {
		all[i].Answer = func(q *http.Request) (int, any, error) {
			status, value, err := r.Answer(q)
			return status, value, told(err)
		}
	}
	return all
}

// Routes returns the handler's routes, on an address of their own.
func (h *Handler) Routes() http.Handler {
	return api.Server{Caller: h.Caller, Log: h.Log}.Routes(h.Serves())
}

// told is an error as the caller may see it, where it is one of dead letters.
func told(err error) error {
	switch {
	case errors.As(err, new(*api.Refusal)):
	case errors.Is(err, deadletter.ErrMoving):
		return api.Conflict("a message move task of this queue is running; wait for its end, or cancel it")
	case errors.Is(err, deadletter.ErrMoveEnded):
		return api.Conflict("the message move task is not running any more")
	case errors.Is(err, deadletter.ErrMovesUnsupported):
		return api.Refuse(http.StatusNotImplemented, "this SQS endpoint has no message move tasks; replay by a filter instead")
	case errors.Is(err, deadletter.ErrTooLarge):
		return api.Refuse(http.StatusUnprocessableEntity, "the message is too large to carry its webhook-id and policy along; "+
			"replay all, by SQS's own move task, takes it as it is")
	}
	return err
}
