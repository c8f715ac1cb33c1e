package endpoints

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
)

// Endpoint is the answer to what makes, shows and changes an endpoint.
type Endpoint struct {
	endpoint.Endpoint
	// ReceiverKey is what the receiver needs to check signatures, where a key was made
	// with the endpoint: a whsec_ key, or the public half of a private one.
	ReceiverKey string `json:"receiver_key,omitzero"`
}

// Endpoints is the answer to GET …/endpoints, oldest first.
type Endpoints struct {
	Items []endpoint.Endpoint `json:"items"`
	// Cursor asks for what follows; empty at the end.
	Cursor string `json:"cursor,omitzero"`
}

const (
	onTenant   = "/api/v1/tenants/{tenant}/endpoints"
	onEndpoint = onTenant + "/{endpoint_id}"
	// changeTries is how often a change is made again because another was faster.
	changeTries = 5
)

func (h *Handler) endpointRoutes() []api.Route {
	return []api.Route{
		{Pattern: "POST " + onTenant, Answer: h.create},
		{Pattern: "GET " + onTenant, Parameters: []string{"state", "limit", "cursor"}, Answer: h.list},
		{Pattern: "GET " + onEndpoint, Answer: h.show},
		{Pattern: "PATCH " + onEndpoint, Answer: h.patch},
		{Pattern: "DELETE " + onEndpoint, Answer: h.remove},
	}
}

// create answers POST …/endpoints. What a crash may rely on: the key is written before
// the endpoint, so that none is without one; a key without an endpoint signs nothing.
func (h *Handler) create(r *http.Request) (int, any, error) {
	e, kind, err := h.readNew(r)
	if err != nil {
		return 0, nil, err
	}
	if err := h.checkSecrets(r, endpoint.Endpoint{}, e); err != nil {
		return 0, nil, err
	}
	roster, err := h.Endpoints.Roster(r.Context(), e.Tenant)
	switch {
	case err != nil:
		return 0, nil, api.Unavailable("the tenant's endpoints can't be read", err)
	case len(roster.IDs) >= h.MaxEndpoints:
		return 0, nil, h.tooMany()
	}
	if err := h.tell(r, e, ledger.EndpointCreated); err != nil {
		return 0, nil, err
	}
	made := Endpoint{Endpoint: e}
	if e.Secret == ownSecret(e) {
		if made.ReceiverKey, err = h.newKey(r.Context(), e, kind); err != nil {
			return 0, nil, err
		}
	}
	if err := h.keep(r.Context(), e); err != nil {
		return 0, nil, err
	}
	h.tellProducers(r.Context(), endpoint.Endpoint{}, e)
	return http.StatusCreated, api.Tagged{Version: e.Version, Location: r.URL.Path + "/" + e.ID, Value: made}, nil
}

// keep keeps a new endpoint. One that was kept although the call failed is found.
func (h *Handler) keep(ctx context.Context, e endpoint.Endpoint) error {
	err := h.Endpoints.CreateEndpoint(ctx, e, h.MaxEndpoints)
	if errors.Is(err, endpoint.ErrTooMany) {
		h.dropKey(ctx, e)
		return h.tooMany()
	}
	if err != nil {
		found, again := h.Endpoints.Endpoints(ctx, []string{e.ID})
		if again == nil && len(found) == 1 && found[0].Tenant == e.Tenant {
			return nil
		}
	}
	return api.Unavailable("the endpoint can't be kept", err)
}

func (h *Handler) tooMany() error {
	return api.Conflict("the tenant has %d endpoints, and may have no more; delete one", h.MaxEndpoints)
}

// readNew reads a new endpoint, and of which kind its key is to be.
func (h *Handler) readNew(r *http.Request) (e endpoint.Endpoint, kind string, err error) {
	body, err := api.Body(r, `such as {"url": "https://hooks.acme.test/in", "event_types": ["invoice.*"]}`)
	if err != nil {
		return e, "", err
	}
	var fields map[string]jsontext.Value
	if json.Unmarshal(body, &fields) == nil && fields["key"] != nil {
		if err := json.Unmarshal(fields["key"], &kind); err != nil || kind != keyShared && kind != keyPrivate {
			return e, "", &message.FieldError{Field: "key", Problem: `must be "whsec" or "whsk"`}
		}
		delete(fields, "key")
		if body, err = json.Marshal(fields); err != nil {
			return e, "", err
		}
	}
	for _, name := range []string{"id", "tenant", "state_reason", "state_since", "verified", "verified_origin", "key_rotated", "created",
		"updated", "version"} {
		if fields[name] != nil {
			return e, "", &message.FieldError{Field: name, Problem: "is not for you to set; leave it out"}
		}
	}
	if e, err = endpoint.Read(body); err != nil {
		return e, "", badBody(err)
	}
	if err := checkKind(e.Signature, kind); err != nil {
		return e, "", err
	}
	now := h.Now().UTC()
	e.ID, e.Tenant, e.Created, e.Updated, e.Version = endpoint.NewID(), r.PathValue("tenant"), now, now, 1
	switch {
	case e.Secret == "":
		e.Secret = ownSecret(e)
	case kind != "":
		return e, "", &message.FieldError{Field: "key", Problem: "is for a key that is made here; leave secret out, or key"}
	}
	e.State, e.Since = cmp.Or(e.State, endpoint.Enabled), now
	switch {
	case e.State != endpoint.Enabled:
		e.Why = string(e.State) + " by " + whoOf(r) + ", from the start"
	case h.MustVerify:
		e.State, e.Why = endpoint.Disabled, notVerified
	}
	return e, kind, h.check("", &e)
}

// badBody tells of a body that is no endpoint at all.
func badBody(err error) error {
	if errors.As(err, new(*message.FieldError)) || errors.Is(err, endpoint.ErrChanged) {
		return err
	}
	return api.BadRequest("the body can't be used: %v", err)
}

// check refuses an endpoint that can't be meant, and writes it as it is meant. A URL that
// it had before is not asked about again: settings change.
func (h *Handler) check(hadURL string, e *endpoint.Endpoint) error {
	ready, err := e.Check()
	if err != nil {
		return err
	}
	if _, err := h.Policies.Lookup(e.Retry); err != nil {
		return &message.FieldError{Field: "retry", Problem: err.Error()}
	}
	if h.Refuses != nil && ready.URL != hadURL {
		if problem := h.Refuses(ready.URL); problem != "" {
			return &message.FieldError{Field: "url", Problem: "would get nothing: " + problem}
		}
	}
	e.URL = ready.URL
	return nil
}

// place is where a page of a list ends.
type place struct {
	Created time.Time `json:"c"`
	ID      string    `json:"i"`
}

func placeOf(e endpoint.Endpoint) place { return place{e.Created, e.ID} }

func (p place) compare(other place) int {
	return cmp.Or(p.Created.Compare(other.Created), cmp.Compare(p.ID, other.ID))
}

// list answers GET …/endpoints. A tenant has few: all are read.
func (h *Handler) list(r *http.Request) (int, any, error) {
	query := r.URL.Query()
	limit, err := api.Limit(query)
	if err != nil {
		return 0, nil, err
	}
	var after place
	if text := query.Get("cursor"); text != "" && (!api.ReadOpaque(text, &after) || !endpoint.IsID(after.ID)) {
		return 0, nil, api.BadRequest("cursor: is not one that this API gave")
	}
	state := endpoint.State(query.Get("state"))
	switch state {
	case "", endpoint.Enabled, endpoint.Paused, endpoint.Disabled:
	default:
		return 0, nil, api.BadRequest("parameter state: %.40q is none; there are enabled, paused and disabled", state)
	}
	all, err := h.ofTenant(r.Context(), r.PathValue("tenant"))
	if err != nil {
		return 0, nil, err
	}
	all = slices.DeleteFunc(all, func(e endpoint.Endpoint) bool {
		return state != "" && e.State != state || after.ID != "" && placeOf(e).compare(after) <= 0
	})
	answer := Endpoints{Items: all[:min(limit, len(all))]}
	if len(all) > limit {
		answer.Cursor = api.Opaque(placeOf(all[limit-1]))
	}
	return http.StatusOK, answer, nil
}

// ofTenant are all endpoints of a tenant, oldest first.
func (h *Handler) ofTenant(ctx context.Context, tenant string) ([]endpoint.Endpoint, error) {
	roster, err := h.Endpoints.Roster(ctx, tenant)
	if err != nil {
		return nil, api.Unavailable("the tenant's endpoints can't be read", err)
	}
	all := []endpoint.Endpoint{}
	if len(roster.IDs) > 0 {
		found, err := h.Endpoints.Endpoints(ctx, roster.IDs)
		if err != nil {
			return nil, api.Unavailable("the tenant's endpoints can't be read", err)
		}
		all = append(all, found...)
	}
	all = slices.DeleteFunc(all, func(e endpoint.Endpoint) bool { return e.Tenant != tenant })
	slices.SortFunc(all, func(a, b endpoint.Endpoint) int { return placeOf(a).compare(placeOf(b)) })
	return all, nil
}

// show answers GET …/endpoints/{endpoint_id}.
func (h *Handler) show(r *http.Request) (int, any, error) {
	e, err := h.find(r)
	return http.StatusOK, shown(e), err
}

func shown(e endpoint.Endpoint) api.Tagged {
	return api.Tagged{Version: e.Version, Value: Endpoint{Endpoint: e}}
}

// patch answers PATCH …/endpoints/{endpoint_id}, with a JSON merge patch.
func (h *Handler) patch(r *http.Request) (int, any, error) {
	body, err := api.Body(r, "{} changes nothing")
	if err != nil {
		return 0, nil, err
	}
	return h.change(r, func(was endpoint.Endpoint) (e endpoint.Endpoint, action string, err error) {
		if e, err = was.Patch(body); err != nil {
			return e, "", badBody(err)
		}
		if e.State != was.State {
			h.turn(r, &e, e.State, "")
		}
		if err := h.check(was.URL, &e); err != nil {
			return e, "", err
		}
		return e, ledger.EndpointUpdated, h.checkSecrets(r, was, e)
	})
}

// errBusy says that others were faster at every try.
var errBusy = api.Conflict("others are changing the endpoint all the time; try again")

// change changes the endpoint of the path, and tells of that before. Where another was
// faster it is made again of what the other one made, unless the caller has said of
// which version it is meant.
func (h *Handler) change(r *http.Request, make func(endpoint.Endpoint) (e endpoint.Endpoint, action string, err error)) (int, any,
	error) {
	said := false
	for try := 1; ; try++ {
		was, err := h.find(r)
		if err == nil {
			err = api.IfMatch(r, was.Version)
		}
		if err != nil {
			return 0, nil, err
		}
		e, action, err := make(was)
		switch {
		case err != nil:
			return 0, nil, err
		case same(was, e):
			return http.StatusOK, shown(was), nil
		}
		if err := h.mayBeEnabled(was, &e); err != nil {
			return 0, nil, err
		}
		if !said {
			if err := h.tell(r, e, actionsOf(was, e, action)...); err != nil {
				return 0, nil, err
			}
			said = true
		}
		e.Version, e.Updated = was.Version+1, h.Now().UTC()
		err = h.Endpoints.UpdateEndpoint(r.Context(), e)
		switch {
		case err == nil:
			h.tellProducers(r.Context(), was, e)
			return http.StatusOK, shown(e), nil
		case errors.Is(err, endpoint.ErrChanged) && try < changeTries:
		case errors.Is(err, endpoint.ErrChanged):
			return 0, nil, errBusy
		case errors.Is(err, endpoint.ErrNotFound):
			return 0, nil, err
		default:
			return 0, nil, api.Unavailable("the endpoint can't be changed", err)
		}
	}
}

// same reports whether nothing was changed.
func same(a, b endpoint.Endpoint) bool {
	x, errX := json.Marshal(a, json.Deterministic(true))
	y, errY := json.Marshal(b, json.Deterministic(true))
	return errX == nil && errY == nil && string(x) == string(y)
}

// remove answers DELETE …/endpoints/{endpoint_id}: what is on its way to it fails.
func (h *Handler) remove(r *http.Request) (int, any, error) {
	said := false
	for try := 1; ; try++ {
		e, err := h.find(r)
		if err == nil {
			err = api.IfMatch(r, e.Version)
		}
		if err == nil && !said {
			err, said = h.tell(r, e, ledger.EndpointDeleted), true
		}
		if err != nil {
			return 0, nil, err
		}
		err = h.Endpoints.DeleteEndpoint(r.Context(), e)
		switch {
		case err == nil:
			h.dropKey(r.Context(), e)
			h.tellDeleted(r.Context(), e)
			return http.StatusNoContent, nil, nil
		case errors.Is(err, endpoint.ErrNotFound):
			return 0, nil, err
		case errors.Is(err, endpoint.ErrChanged) && try < changeTries:
		case errors.Is(err, endpoint.ErrChanged):
			return 0, nil, errBusy
		default:
			return 0, nil, api.Unavailable("the endpoint can't be deleted", err)
		}
	}
}
