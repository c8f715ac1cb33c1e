// Package directory is the HTTP API of what Efferent knows of the people whom a tenant
// notifies, under /api/v1/tenants/{tenant}: a file for each kind. Nothing of one tenant
// is shown or told to another. Messages may name no tenant: those are under "-".
package directory

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/template"
)

// Needs is what a Handler needs, all of it.
type Needs struct {
	Suppressions suppression.Store
	Templates    template.Store
	Recipients   recipient.Store
	Audit        ledger.Audit
	// Redactors keep out of the ledger what must stay erasable.
	Redactors ledger.Redactors
	// Caller says who makes a request. A Refusal is told to them as it is.
	Caller func(*http.Request) (api.Caller, error)
	Now    func() time.Time
	Log    *slog.Logger
}

// Handler answers the API. It may be used by many goroutines at once.
type Handler struct {
	Needs
	firstVersion func() int64 // of a recipient
}

// New returns a Handler. Its error names each need that is missing.
func New(n Needs) (*Handler, error) {
	if err := need.All(n); err != nil {
		return nil, fmt.Errorf("the handler of the directory: %w", err)
	}
	return &Handler{n, recipient.FirstVersion}, nil
}

// onTenant begins all paths.
const onTenant = "/api/v1/tenants/{tenant}/"

// noTenant is how a path says that messages name no tenant.
const noTenant = "-"

// Serves are the handler's routes, for an address that has others' too. Each group is
// in a file of its own.
func (h *Handler) Serves() []api.Route {
	return api.Guarded(slices.Concat(h.suppressionRoutes(), h.recipientRoutes(), h.templateRoutes()), checkPath, told)
}

// Routes returns the handler's routes, on an address of their own.
func (h *Handler) Routes() http.Handler {
	return api.Server{Caller: h.Caller, Log: h.Log}.Routes(h.Serves())
}

// checkPath refuses tenants that nobody can be.
func checkPath(r *http.Request) error {
	tenant := r.PathValue("tenant")
	if problem := message.CheckOwner(tenant); problem != "" && tenant != noTenant {
		return api.NotFound("%.120q is no tenant's name: it %s; %s is for messages that name none", tenant, problem, noTenant)
	}
	return nil
}

// tenantOf is the path's, as messages name it.
func tenantOf(r *http.Request) string {
	return strings.TrimPrefix(r.PathValue("tenant"), noTenant)
}

// told is an error as the caller may see it.
func told(err error) error {
	var wrong *message.FieldError
	switch {
	case errors.As(err, &wrong):
		return api.BadRequest("field %q: %s", wrong.Field, wrong.Problem)
	case errors.Is(err, recipient.ErrChanged):
		return api.Refuse(http.StatusPreconditionFailed, "the recipient was changed meanwhile; read it again")
	}
	return err
}

// tell records for the ledger what is about to be done, without which it is not.
func (h *Handler) tell(r *http.Request, entries ...ledger.Entry) error {
	return api.Unavailable("nothing was done: the audit queue can't be written", h.Audit.Append(r.Context(), entries[0].ID, entries))
}
