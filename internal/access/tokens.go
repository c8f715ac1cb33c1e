// Package access makes and reads the tokens that let a customer's own page use the API
// for one tenant, and for a while.
package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/efferent/efferent/internal/api"
)

// How long a token is good for: 1 minute to MaxLife, and DefaultLife where it is not
// said.
const (
	MinLife     = time.Minute
	DefaultLife = time.Hour
	MaxLife     = 24 * time.Hour
)

// Door is what stands before the paths of the API for who has nothing but a token: a
// deployment lets everybody in there, and what has no good token is refused.
const Door = "/token"

const (
	issuer  = "efferent"
	purpose = "tenant" // no token that others made with the same key is one of these
	leeway  = 5 * time.Second
)

// Keys gives the keys that sign tokens, 32 bytes at least each: the first one signs,
// and all of them are good. It is used by many goroutines at once.
type Keys interface {
	TokenKeys(ctx context.Context) ([][]byte, error)
}

// Tokens makes tokens and reads them. It may be used by many goroutines at once.
type Tokens struct {
	Keys Keys
	Now  func() time.Time
}

// claims are a token's. Its subject is who had it made.
type claims struct {
	jwt.RegisteredClaims
	Tenant   string `json:"tenant"`
	ReadOnly bool   `json:"read_only,omitempty"`
}

// Make makes a token that lets its bearer do what c may, for a tenant, until it is over.
func (t *Tokens) Make(ctx context.Context, c api.Caller, life time.Duration) (token string, until time.Time, err error) {
	keys, err := t.Keys.TokenKeys(ctx)
	if err != nil || len(keys) == 0 {
		return "", until, fmt.Errorf("the keys of tokens: %w", errors.Join(err))
	}
	now := t.Now().UTC().Truncate(time.Second)
	until = now.Add(life)
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		jwt.RegisteredClaims{Issuer: issuer, Audience: jwt.ClaimStrings{purpose}, Subject: c.Name, IssuedAt: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(until)},
		c.Tenant, c.ReadOnly,
	}).SignedString(keys[0])
	return token, until, err
}

// Caller says who makes a request: who brings a token is whom that lets in, and any
// other whom next says. At the Door only tokens are good. Its Refusals are 401, and the
// same for every token that is not good.
func (t *Tokens) Caller(next func(*http.Request) (api.Caller, error)) func(*http.Request) (api.Caller, error) {
	return func(r *http.Request) (api.Caller, error) {
		brought := bearer(r)
		if _, door := r.Context().Value(doorKey{}).(bool); !door && !isOurs(brought) {
			return next(r)
		}
		return t.read(r.Context(), brought)
	}
}

// Brings reports whether a request brings a token of this package, good or not, or
// comes by the Door.
func Brings(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, Door+"/") || isOurs(bearer(r))
}

func bearer(r *http.Request) string {
	scheme, brought, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(brought)
}

// isOurs reports whether a text says of itself that it is a token of this package: who
// brings one that is not good is not let in as somebody else.
func isOurs(token string) bool {
	var c claims
	_, _, err := jwt.NewParser().ParseUnverified(token, &c)
	return err == nil && c.Issuer == issuer
}

func (t *Tokens) read(ctx context.Context, token string) (api.Caller, error) {
	keys, err := t.Keys.TokenKeys(ctx)
	if err != nil {
		return api.Caller{}, api.Unavailable("tokens can't be checked", err)
	}
	set := jwt.VerificationKeySet{}
	for _, k := range keys {
		set.Keys = append(set.Keys, k)
	}
	var c claims
	_, err = jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return set, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(purpose),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(t.Now))
	if err != nil || c.Tenant == "" || len(keys) == 0 {
		return api.Caller{}, api.Refuse(http.StatusUnauthorized,
			"send a token that is still good, as Authorization: Bearer TOKEN; POST /api/v1/tenants/{tenant}/tokens makes one")
	}
	return api.Caller{Name: "token of " + c.Tenant + ", made by " + c.Subject, Tenant: c.Tenant, ReadOnly: c.ReadOnly}, nil
}

type doorKey struct{}

// Doors serves what comes by the Door as what stands behind it, to who has a token.
func Doors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, Door+"/") {
			next.ServeHTTP(w, r)
			return
		}
		behind := http.StripPrefix(Door, next)
		behind.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), doorKey{}, true)))
	})
}
