package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/akrylysov/algnhsa"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/aws/gateway"
)

// TestCaller: the caller is whom API Gateway says, and limited as its token says.
func TestCaller(t *testing.T) {
	t.Parallel()
	const ann = "https://id.test#ann"
	for _, c := range []struct {
		label, claim, authorizer string
		want                     api.Caller
		refused                  string
	}{
		{"who signs", "", `{"iam":{"userArn":"arn:aws:iam::1:user/ann"}}`, api.Caller{Name: "arn:aws:iam::1:user/ann"}, ""},
		{"who signs, where tokens are limited", "tenant", `{"iam":{"userArn":"arn:aws:iam::1:user/ann"}}`,
			api.Caller{Name: "arn:aws:iam::1:user/ann"}, ""},
		{"who bears a token", "", `{"jwt":{"claims":{"iss":"https://id.test","sub":"ann","tenant":"acme"}}}`, api.Caller{Name: ann}, ""},
		{"of one tenant", "tenant", `{"jwt":{"claims":{"iss":"https://id.test","sub":"ann","tenant":"acme"}}}`,
			api.Caller{Name: ann, Tenant: "acme"}, ""},
		{"of all", "tenant", `{"jwt":{"claims":{"iss":"https://id.test","sub":"ann","tenant":"*"}}}`, api.Caller{Name: ann}, ""},
		{"of none", "tenant", `{"jwt":{"claims":{"iss":"https://id.test","sub":"ann"}}}`, api.Caller{}, "claim"},
		{"of an empty one", "tenant", `{"jwt":{"claims":{"sub":"ann","tenant":""}}}`, api.Caller{}, "claim"},
		{"with no claims", "tenant", `{"jwt":{"claims":{}}}`, api.Caller{}, "claim"},
		{"with no claims that matter", "", `{"jwt":{"claims":{}}}`, api.Caller{Name: "unknown"}, ""},
		{"nobody knows", "", "", api.Caller{Name: "unknown"}, ""},
	} {
		t.Run(c.label, func(t *testing.T) {
			t.Parallel()
			var got api.Caller
			var refused error
			handler := algnhsa.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, refused = gateway.Caller(c.claim)(r) }),
				&algnhsa.Options{RequestType: algnhsa.RequestTypeAPIGatewayV2})
			authorizer := ""
			if c.authorizer != "" {
				authorizer = `,"authorizer":` + c.authorizer
			}
			request := `{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET","path":"/"}` + authorizer + `}}`
			if _, err := handler.Invoke(t.Context(), []byte(request)); err != nil {
				t.Fatal(err)
			}
			if c.refused != "" {
				if refused == nil || !strings.Contains(refused.Error(), c.refused) {
					t.Errorf("got %+v, %v", got, refused)
				}
			} else if refused != nil || got != c.want {
				t.Errorf("got %+v, %v, want %+v", got, refused, c.want)
			}
		})
	}
}
