package settings

import (
	"errors"
	"fmt"
	"regexp"
	"time"

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
	// MaxTemplates is as Directory has it, where one address has both APIs.
	MaxTemplates int
	// TokenSecret holds the key of the tokens for one tenant's own page; empty where
	// there are none.
	TokenSecret string
	// TenantClaim is the claim that limits a token of an identity provider to one
	// tenant; empty for none.
	TenantClaim string
	// Origin is this sender's name in a handshake, and MustVerify says that no endpoint
	// is enabled before it is verified.
	Origin     string
	MustVerify bool
	// EventRetention is how long events are kept.
	EventRetention time.Duration
	// OwnSecrets says that an endpoint may name secrets of its own tenant only, whoever
	// registers it.
	OwnSecrets bool
	Policies   retry.Policies
	AuditLanes int
	Redaction
}

// ReadEndpoints reads them.
func ReadEndpoints(getenv func(string) string) (Endpoints, error) {
	r := reader{getenv: getenv}
	s := Endpoints{
		MaxEndpoints:   r.number(MaxEndpoints, DefaultMaxEndpoints, 1, MostEndpoints),
		MaxTemplates:   r.maxTemplates(),
		TokenSecret:    getenv(TokenSecret),
		TenantClaim:    getenv(TenantClaim),
		Origin:         parsed(&r, Origin, parseSender),
		MustVerify:     parsed(&r, MustVerify, parseBool),
		EventRetention: parsed(&r, EventRetention, parseEventRetention),
		OwnSecrets:     parsed(&r, OwnSecrets, parseBool),
		Policies:       parsed(&r, RetryPolicies, retry.ParsePolicies),
		AuditLanes:     r.number(AuditLanes, ledger.DefaultLanes, 1, 1000),
		Redaction:      r.redaction(),
	}
	return s, errors.Join(r.errs...)
}

// DefaultOrigin is a sender's name where none is given.
const DefaultOrigin = "efferent"

var senders = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?(\.[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?)*$`)

func parseSender(text string) (string, error) {
	if text == "" {
		return DefaultOrigin, nil
	}
	if len(text) > 253 || !senders.MatchString(text) {
		return "", fmt.Errorf("%.300q is no DNS name such as events.example.com", text)
	}
	return text, nil
}
