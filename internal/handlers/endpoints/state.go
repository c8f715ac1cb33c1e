package endpoints

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
)

// Because is the body, if there is one, of what pauses and disables an endpoint.
type Because struct {
	Why string `json:"why,omitzero"`
}

// maxWhy is how long a reason may be, in characters.
const maxWhy = 500

func (h *Handler) stateRoutes() []api.Route {
	return []api.Route{
		{Pattern: "POST " + onEndpoint + "/pause", Answer: h.into(endpoint.Paused)},
		{Pattern: "POST " + onEndpoint + "/disable", Answer: h.into(endpoint.Disabled)},
		{Pattern: "POST " + onEndpoint + "/resume", Answer: h.into(endpoint.Enabled)},
		{Pattern: "POST " + onEndpoint + "/enable", Answer: h.into(endpoint.Enabled)},
	}
}

// into answers what brings an endpoint into a state. What is for it waits until it is
// enabled.
func (h *Handler) into(state endpoint.State) func(*http.Request) (int, any, error) {
	return func(r *http.Request) (int, any, error) {
		var b Because
		if err := api.OptionalObject(r, &b, `such as {"why": "…"}`); err != nil {
			return 0, nil, err
		}
		b.Why = strings.TrimSpace(b.Why)
		if utf8.RuneCountInString(b.Why) > maxWhy || message.HasControl(b.Why) {
			return 0, nil, api.BadRequest(`field "why": must be one line of at most %d characters`, maxWhy)
		}
		return h.change(r, func(e endpoint.Endpoint) (endpoint.Endpoint, string, error) {
			if e.State != state || b.Why != "" {
				h.turn(r, &e, state, b.Why)
			}
			return e, "", nil
		})
	}
}

// turn brings an endpoint into a state.
func (h *Handler) turn(r *http.Request, e *endpoint.Endpoint, state endpoint.State, why string) {
	if state == endpoint.Enabled {
		e.State, e.Why, e.Since = state, "", h.Now().UTC()
		return
	}
	e.State, e.Why, e.Since = state, string(state)+" by "+whoOf(r), h.Now().UTC()
	if why != "" {
		e.Why += ": " + why
	}
}

// whoOf is what a tenant is told of who has done something: who operates the service is
// named in the ledger only.
func whoOf(r *http.Request) string {
	if tenant := api.CallerOf(r).Tenant; tenant != "" {
		return tenant
	}
	return "the operator"
}

// actionsOf are what the ledger is told of a change, which may be of the state too.
func actionsOf(was, is endpoint.Endpoint, action string) (all []string) {
	if action != "" {
		all = append(all, action)
	}
	switch {
	case is.State == was.State && action != "":
	case is.State == endpoint.Paused:
		all = append(all, ledger.EndpointPaused)
	case is.State == endpoint.Disabled:
		all = append(all, ledger.EndpointDisabled)
	default:
		all = append(all, ledger.EndpointResumed)
	}
	return all
}
