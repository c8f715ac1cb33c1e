// Package gateway tells who makes a request that came by an HTTP API of API Gateway.
package gateway

import (
	"net/http"

	"github.com/akrylysov/algnhsa"
	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/api"
)

// EveryTenant is the claim of who is limited to none.
const EveryTenant = "*"

// Caller gives who signed a request, or whom its token is about: API Gateway has
// checked it ("Create AWS Lambda proxy integrations for HTTP APIs in API Gateway").
// claim names the claim of a token that says which tenant its bearer is limited to;
// EveryTenant is for all of them. Where claim is empty no token is limited. Who signs
// is limited by the paths that IAM allows.
//
// A token that has not the claim is refused: it may be a customer's.
func Caller(claim string) func(*http.Request) (api.Caller, error) {
	return func(r *http.Request) (api.Caller, error) {
		event, ok := algnhsa.APIGatewayV2RequestFromContext(r.Context())
		switch a := event.RequestContext.Authorizer; {
		case !ok || a == nil:
		case a.IAM != nil && a.IAM.UserARN != "":
			return api.Caller{Name: a.IAM.UserARN}, nil
		case a.JWT != nil:
			return bearer(a.JWT, claim)
		}
		return api.Caller{Name: "unknown"}, nil
	}
}

func bearer(token *events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription, claim string) (api.Caller, error) {
	c := api.Caller{Name: "unknown"}
	if subject := token.Claims["sub"]; subject != "" {
		c.Name = token.Claims["iss"] + "#" + subject
	}
	if claim == "" {
		return c, nil
	}
	switch c.Tenant = token.Claims[claim]; c.Tenant {
	case "":
		return c, api.Refuse(http.StatusForbidden, "the token has no claim %q, which says for which tenant it is (%q for all)", claim,
			EveryTenant)
	case EveryTenant:
		c.Tenant = ""
	}
	return c, nil
}
