package replay

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/outcome/transitions"
	"github.com/efferent/efferent/internal/webhook"
)

// OpenCircuit is the body of POST /api/v1/circuits/{id}/open, with Why alone, and
// of POST /api/v1/circuits/open.
type OpenCircuit struct {
	// URL, Tenant and Scope, endpoint or host, say whose circuit it is. Without a
	// scope it is the endpoint's.
	URL    string `json:"url,omitzero"`
	Tenant string `json:"tenant,omitzero"`
	Scope  string `json:"scope,omitzero"`
	// Why is what the records of its messages will say.
	Why string `json:"why"`
}

// maxWhy is how long a reason may be, in characters: it stands in every record of what
// is not sent for it.
const maxWhy = 500

// maxTenant is more characters than a tenant's name can have.
const maxTenant = 128

// circuit answers GET /api/v1/circuits/{id}.
func (h *Handler) circuit(r *http.Request) (int, any, error) {
	s, err := h.keptCircuit(r.Context(), r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	return h.shown(r.Context(), s)
}

// openCircuit answers POST /api/v1/circuits/{id}/open.
func (h *Handler) openCircuit(r *http.Request) (int, any, error) {
	o, err := readOpenCircuit(r)
	switch {
	case err != nil:
		return 0, nil, err
	case o != OpenCircuit{Why: o.Why}:
		return 0, nil, api.BadRequest("the id says whose circuit it is: only \"why\" belongs in the body")
	}
	s, err := h.keptCircuit(r.Context(), r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	return h.open(r, s.Name, o.Why)
}

// openNewCircuit answers POST /api/v1/circuits/open, of one that may not be known
// yet.
func (h *Handler) openNewCircuit(r *http.Request) (int, any, error) {
	o, err := readOpenCircuit(r)
	if err != nil {
		return 0, nil, err
	}
	name, err := o.name()
	if err != nil {
		return 0, nil, err
	}
	return h.open(r, name, o.Why)
}

func (h *Handler) open(r *http.Request, name circuit.Name, why string) (int, any, error) {
	return h.decide(r, func(ctx context.Context, k *circuit.Keeper) (circuit.State, error) {
		return k.Open(ctx, name, "opened by "+api.CallerOf(r).Name+": "+why)
	})
}

// closeCircuit answers POST /api/v1/circuits/{id}/close.
func (h *Handler) closeCircuit(r *http.Request) (int, any, error) {
	s, err := h.keptCircuit(r.Context(), r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	return h.decide(r, func(ctx context.Context, k *circuit.Keeper) (circuit.State, error) { return k.Close(ctx, s.Name) })
}

// decide changes a circuit and tells of that, in the caller's name. Once begun it
// comes to its end, whether the client waits for it or not.
func (h *Handler) decide(r *http.Request, do func(context.Context, *circuit.Keeper) (circuit.State, error)) (int, any, error) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(r.Context()), passTime)
	defer stop()
	journal := &circuit.Journal{Audit: h.Audit, Redactors: h.Redactors, Actor: api.CallerOf(r).Name, Metrics: h.Metrics, Log: h.Log}
	tell := transitions.Transitions{Teller: h.Outcomes, Endpoints: h.Endpoints, Metrics: h.Metrics, Log: h.Log}
	s, err := do(ctx, &circuit.Keeper{Store: h.Circuits, Now: h.Now, Changed: tell.After(journal.Changed), Log: h.Log})
	if err != nil {
		return 0, nil, api.Unavailable("the circuit can't be changed", err)
	}
	return h.shown(ctx, s)
}

// shown answers with a circuit.
func (h *Handler) shown(ctx context.Context, s circuit.State) (int, any, error) {
	shown, err := h.showCircuits(ctx, []circuit.State{s})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, shown[0], nil
}

// keptCircuit finds a circuit by its id.
func (h *Handler) keptCircuit(ctx context.Context, id string) (s circuit.State, err error) {
	if !circuit.IsKey(id) {
		return s, api.NotFound("%.80q is no circuit's id: such as endpoint-0123456789abcdef0123456789abcdef", id)
	}
	kept, err := h.Circuits.KeptCircuits(ctx, []string{id})
	switch {
	case err != nil:
		return s, api.Unavailable("the circuits can't be read", err)
	case len(kept) == 0:
		return s, api.NotFound("the circuit %s is not known: it is closed and nothing has failed there, or that is a day ago", id)
	}
	return kept[0], nil
}

func readOpenCircuit(r *http.Request) (o OpenCircuit, err error) {
	if _, err := api.Object(r, &o, `say why: {"why": "…"}`); err != nil {
		return o, err
	}
	o.Why = strings.TrimSpace(o.Why)
	switch {
	case o.Why == "":
		return o, api.BadRequest(`field "why": say why, for those who find the messages that were not sent`)
	case utf8.RuneCountInString(o.Why) > maxWhy || message.HasControl(o.Why):
		return o, api.BadRequest(`field "why": must be one line of at most %d characters`, maxWhy)
	}
	return o, nil
}

// name is whose circuit is meant.
func (o OpenCircuit) name() (n circuit.Name, err error) {
	endpoint, host, err := webhook.EndpointOf(o.URL)
	switch {
	case o.URL == "":
		return n, api.BadRequest(`field "url": say where the messages go that are not to be sent`)
	case err != nil:
		return n, api.BadRequest(`field "url": %v`, err)
	case utf8.RuneCountInString(o.Tenant) > maxTenant || message.HasControl(o.Tenant):
		return n, api.BadRequest(`field "tenant": must be at most %d characters, without control characters`, maxTenant)
	}
	switch circuit.Scope(o.Scope) {
	case circuit.Endpoint, "":
		return circuit.Name{Scope: circuit.Endpoint, Tenant: o.Tenant, URL: endpoint}, nil
	case circuit.Host:
		if o.Tenant != "" {
			return n, api.BadRequest(`field "tenant": a host is nobody's; leave it out`)
		}
		return circuit.Name{Scope: circuit.Host, URL: host}, nil
	}
	return n, api.BadRequest(`field "scope": %.40q is none; there are endpoint and host`, o.Scope)
}
