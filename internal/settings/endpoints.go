package settings

import (
	"errors"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/retry"
)

// How many endpoints a tenant has at most, where it is not said, and at most of that:
// their keys are in one secret, which has 64 KiB.
const (
	DefaultMaxEndpoints = 20
	MostEndpoints       = 200
)

// Endpoints is how the API of registered endpoints works.
type Endpoints struct {
	MaxEndpoints int
	// TokenSecret holds the key of the tokens for one tenant's own page; empty where
	// there are none.
	TokenSecret string
	// TenantClaim is the claim that limits a token of an identity provider to one
	// tenant; empty for none.
	TenantClaim string
	Policies    retry.Policies
	AuditLanes  int
	Redaction
}

// ReadEndpoints reads them.
func ReadEndpoints(getenv func(string) string) (Endpoints, error) {
	r := reader{getenv: getenv}
	s := Endpoints{
		MaxEndpoints: r.number(MaxEndpoints, DefaultMaxEndpoints, 1, MostEndpoints),
		TokenSecret:  getenv(TokenSecret),
		TenantClaim:  getenv(TenantClaim),
		Policies:     parsed(&r, RetryPolicies, retry.ParsePolicies),
		AuditLanes:   r.number(AuditLanes, ledger.DefaultLanes, 1, 1000),
		Redaction:    r.redaction(),
	}
	return s, errors.Join(r.errs...)
}
