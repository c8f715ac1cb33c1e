package endpoints

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/access"
	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
)

// NewToken is the body, if there is one, of what makes a token.
type NewToken struct {
	// ExpiresIn is for how long it is good, 1m to 24h ("1h").
	ExpiresIn string `json:"expires_in,omitzero"`
	// ReadOnly tokens change nothing, and show no key.
	ReadOnly bool `json:"read_only,omitzero"`
}

// Token is the answer to POST …/tokens.
type Token struct {
	Token     string    `json:"token"`
	Tenant    string    `json:"tenant"`
	ReadOnly  bool      `json:"read_only"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (h *Handler) tokenRoutes() []api.Route {
	return []api.Route{{Pattern: "POST /api/v1/tenants/{tenant}/tokens", Answer: h.token}}
}

// token answers POST …/tokens. Who is limited to a tenant makes none: a token would
// outlive what it was made with.
func (h *Handler) token(r *http.Request) (int, any, error) {
	var asked NewToken
	if err := api.OptionalObject(r, &asked, `such as {"expires_in": "1h"}`); err != nil {
		return 0, nil, err
	}
	life := access.DefaultLife
	if asked.ExpiresIn != "" {
		var err error
		if life, err = time.ParseDuration(asked.ExpiresIn); err != nil || life < access.MinLife || life > access.MaxLife {
			return 0, nil, &message.FieldError{Field: "expires_in", Problem: "must be a duration from 1m to 24h"}
		}
	}
	caller, tenant := api.CallerOf(r), r.PathValue("tenant")
	switch {
	case h.Tokens == nil:
		return 0, nil, api.Refuse(http.StatusNotImplemented, "this deployment makes no tokens: EFFERENT_TOKEN_SECRET asks for them")
	case caller.Tenant != "":
		return 0, nil, api.Refuse(http.StatusForbidden, "this caller is limited to a tenant, and makes no tokens")
	}
	id, now := uuid.NewString(), h.Now()
	err := h.Audit.Append(r.Context(), id, []ledger.Entry{{Action: ledger.TokenCreated, Actor: caller.Name, ID: id, Tenant: tenant,
		Resource: "tenant=" + tenant, Timestamp: now}})
	if err != nil {
		return 0, nil, api.Unavailable("nothing was done: the audit queue can't be written", err)
	}
	token, until, err := h.Tokens.Make(r.Context(), api.Caller{Name: caller.Name, Tenant: tenant, ReadOnly: asked.ReadOnly}, life)
	if err != nil {
		return 0, nil, api.Unavailable("the token can't be made", err)
	}
	return http.StatusCreated, Token{token, tenant, asked.ReadOnly, until}, nil
}
