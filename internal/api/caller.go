package api

import (
	"context"
	"net/http"
)

// Caller is who makes a request.
type Caller struct {
	// Name is the ledger's for it: an ARN, or a subject.
	Name string
	// Tenant is the only one that it may see and act for; empty for all of them.
	Tenant string
	// ReadOnly callers change nothing, and see no secret.
	ReadOnly bool
}

type callerKey struct{}

// CallerOf is who makes a request that Routes gave to a handler.
func CallerOf(r *http.Request) Caller {
	c, _ := r.Context().Value(callerKey{}).(Caller)
	return c
}

// WithCaller is a request of a caller.
func WithCaller(r *http.Request, c Caller) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
}

// admit lets a caller who is limited to one tenant use what is that tenant's, and
// nothing else. What the answer says is the same whether there is another or not.
func (to Route) admit(r *http.Request, c Caller) error {
	switch tenant := r.PathValue("tenant"); {
	case c.Tenant == "" && !c.ReadOnly, to.Anyone:
		return nil
	case c.ReadOnly && (r.Method != http.MethodGet && r.Method != http.MethodHead || to.Secret):
		return Refuse(http.StatusForbidden, "this caller may only look")
	case c.Tenant == "", to.AnyTenant, tenant == c.Tenant:
		return nil
	}
	return Refuse(http.StatusForbidden, "this caller is limited to what is under /api/v1/tenants/%s", c.Tenant)
}
