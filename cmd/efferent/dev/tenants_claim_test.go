package dev

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/access"
	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/aws/gateway"
	"github.com/efferent/efferent/internal/handlers/directory"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// TestTenantsByClaim: behind API Gateway, which has decoded the path, no route of any
// handler is reached by who is limited to one tenant with the name of another in it.
func TestTenantsByClaim(t *testing.T) {
	t.Parallel()
	var reached []string
	routes := slices.Concat(new(replay.Handler).Serves(), new(endpoints.Handler).Serves(), new(directory.Handler).Serves())
	for i, to := range routes {
		routes[i].Answer = func(r *http.Request) (int, any, error) {
			if !to.Anyone && !to.AnyTenant { // which look for themselves
				reached = append(reached, r.PathValue("tenant"))
			}
			return http.StatusNoContent, nil, nil
		}
	}
	server := api.Server{Caller: gateway.Caller("tenant"), Log: slog.New(slog.DiscardHandler)}
	function := gateway.Function(access.Doors(server.Routes(routes)))
	for _, to := range routes {
		method, pattern, _ := strings.Cut(to.Pattern, " ")
		for _, name := range append(oddNames, "acme", "ac%6de", "ac%256de") {
			path := strings.NewReplacer("{tenant}", name, "{", "", "}", "").Replace(pattern)
			decoded, err := url.PathUnescape(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, rawPath := range []string{path, decoded} {
				event := claimed(t, method, rawPath)
				answer, err := function.Invoke(t.Context(), event)
				if err != nil || strings.Contains(string(answer), `"statusCode":3`) || strings.Contains(string(answer), `"statusCode":5`) {
					t.Errorf("%s %q: %s, %v", method, rawPath, answer, err)
				}
			}
		}
	}
	if slices.ContainsFunc(reached, func(tenant string) bool { return tenant != "acme" }) || len(reached) < 20 {
		t.Errorf("these were reached: %q", reached)
	}
}

// claimed is an event of who bears a token for acme.
func claimed(t *testing.T, method, rawPath string) []byte {
	t.Helper()
	event, err := json.Marshal(map[string]any{"version": "2.0", "rawPath": rawPath, "headers": map[string]string{"host": "api.test"},
		"requestContext": map[string]any{"http": map[string]string{"method": method},
			"authorizer": map[string]any{"jwt": map[string]any{"claims": map[string]string{
				"iss": "https://id.test", "sub": "ann", "tenant": "acme"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return event
}
