// Package endpoints is the HTTP API of what tenants have registered, under
// /api/v1/tenants/{tenant}. Nothing of one tenant is shown or told to another: what is
// not the path's tenant's is answered as what does not exist.
package endpoints

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/access"
	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/waiting"
)

// Attempts is the index of the attempts that were made at registered endpoints, as
// attempt.OfEndpoints promises.
type Attempts interface {
	NewestOfEndpoint(ctx context.Context, endpoint string, from, before attempt.Position, limit int) ([]attempt.Record, error)
}

// Needs is what a Handler needs, all of it.
type Needs struct {
	Endpoints endpoint.Store
	// Secrets keeps the keys that sign, one secret a tenant.
	Secrets  rotation.Store
	Attempts Attempts
	Audit    ledger.Audit
	// Redactors keep out of the ledger what must stay erasable.
	Redactors ledger.Redactors
	// Policies are those that an endpoint may name.
	Policies retry.Policies `need:"optional"`
	// MaxEndpoints is how many a tenant may have.
	MaxEndpoints int
	// Outcomes tells producers what was changed; Metrics counts what they could not be
	// told.
	Outcomes *outcome.Teller `need:"optional"`
	Metrics  metric.Recorder `need:"optional"`
	// Webhooks sends to the queue webhooks: examples, and what Recovery finds.
	Webhooks waiting.Sender `need:"optional"`
	// Prober asks receivers whether they want events, in the name of Origin.
	Prober Prober `need:"optional"`
	// Refuses says why nothing would be sent to a URL; empty where it would.
	Refuses func(url string) string `need:"optional"`
	Origin  string                  `need:"optional"`
	// MustVerify says that no endpoint is enabled before it is verified.
	MustVerify bool
	// OwnSecrets says that an endpoint may name secrets of its own tenant only, whoever
	// asks.
	OwnSecrets bool
	// Recovery sends endpoints what they were never sent; nil where no events are kept.
	Recovery *Recovery `need:"optional"`
	// Publishing is what publishing events takes; nil where they can't be.
	Publishing *Publishing `need:"optional"`
	// Tokens makes tokens for one tenant's own page; nil where there are none.
	Tokens *access.Tokens `need:"optional"`
	// Caller says who makes a request. A Refusal is told to them as it is.
	Caller func(*http.Request) (api.Caller, error)
	Now    func() time.Time
	Log    *slog.Logger
}

// Handler answers the API. It may be used by many goroutines at once.
type Handler struct{ Needs }

// New returns a Handler. Its error names each need that is missing.
func New(n Needs) (*Handler, error) {
	if err := need.All(n); err != nil {
		return nil, fmt.Errorf("the handler of endpoints: %w", err)
	}
	return &Handler{n}, nil
}

// Serves are the handler's routes, for an address that has others' too. Each group is
// in a file of its own.
func (h *Handler) Serves() []api.Route {
	all := slices.Concat(h.endpointRoutes(), h.stateRoutes(), h.secretRoutes(), h.deliveryRoutes(), h.tokenRoutes(), h.tryRoutes(),
		h.missingRoutes(), h.eventRoutes())
	return api.Guarded(all, checkPath, told)
}

// Routes returns the handler's routes, on an address of their own.
func (h *Handler) Routes() http.Handler {
	return api.Server{Caller: h.Caller, Log: h.Log}.Routes(h.Serves())
}

// checkPath refuses names that nobody can have.
func checkPath(r *http.Request) error {
	tenant, id := r.PathValue("tenant"), r.PathValue("endpoint_id")
	if problem := message.CheckOwner(tenant); problem != "" && strings.HasPrefix(r.Pattern, "/api/v1/tenants/") {
		return api.NotFound("%.120q is no tenant's name: it %s", tenant, problem)
	}
	if strings.Contains(r.Pattern, "{endpoint_id}") && !endpoint.IsID(id) {
		return api.NotFound("%.120q is no endpoint's id: such as ep_2Ck9mUPxQbqVZ9yTzTZmJ4", id)
	}
	return nil
}

// told is an error as the caller may see it, where it is one of endpoints.
func told(err error) error {
	var wrong *message.FieldError
	switch {
	case errors.As(err, new(*api.Refusal)):
	case errors.As(err, &wrong):
		return api.BadRequest("field %q: %s", wrong.Field, wrong.Problem)
	case errors.Is(err, endpoint.ErrNotFound):
		return api.NotFound("the endpoint was deleted meanwhile")
	case errors.Is(err, endpoint.ErrChanged):
		return api.Refuse(http.StatusPreconditionFailed, "the endpoint was changed meanwhile; read it again")
	}
	return err
}

// find gives the endpoint of the path, if it is its tenant's.
func (h *Handler) find(r *http.Request) (endpoint.Endpoint, error) {
	tenant, id := r.PathValue("tenant"), r.PathValue("endpoint_id")
	found, err := h.Endpoints.Endpoints(r.Context(), []string{id})
	switch {
	case err != nil:
		return endpoint.Endpoint{}, api.Unavailable("the endpoint can't be read", err)
	case len(found) != 1 || found[0].Tenant != tenant || found[0].ID != id:
		return endpoint.Endpoint{}, api.NotFound("the tenant %s has no endpoint %s", tenant, id)
	}
	return found[0], nil
}

// put puts a message on a queue. detail says what failed where it may not be there.
func put(ctx context.Context, to waiting.Sender, queue string, m waiting.Outgoing, detail string) error {
	return api.Unavailable(detail, waiting.SendOne(ctx, to, queue, m))
}

// tell records for the ledger what is about to be done, without which it is not.
func (h *Handler) tell(r *http.Request, e endpoint.Endpoint, actions ...string) error {
	now := h.Now()
	resource := "endpoint=" + e.ID + ", url=" + h.Redactors.Redactor(r.Context(), now).URL(e.URL)
	entries := make([]ledger.Entry, len(actions))
	for i, action := range actions {
		entries[i] = ledger.Entry{Action: action, Actor: api.CallerOf(r).Name, ID: e.ID, Resource: resource, Tenant: e.Tenant,
			Timestamp: now}
	}
	return api.Unavailable("nothing was done: the audit queue can't be written", h.Audit.Append(r.Context(), e.ID, entries))
}
