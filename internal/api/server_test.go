package api_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/api"
)

// serve answers one request of a caller, and gives what was logged too.
func serve(c api.Caller, refused error, r *http.Request, routes ...api.Route) (out *httptest.ResponseRecorder, log string) {
	var lines bytes.Buffer
	out = httptest.NewRecorder()
	s := api.Server{Caller: func(*http.Request) (api.Caller, error) { return c, refused }, Log: slog.New(slog.NewTextHandler(&lines, nil))}
	s.Routes(routes[:1], routes[1:]).ServeHTTP(out, r)
	return out, lines.String()
}

func done(r *http.Request) (int, any, error) { return http.StatusNoContent, nil, nil }

// TestCallersOfOneTenant: they are let in to what is their tenant's, and nowhere else
// unless a route says so.
func TestCallersOfOneTenant(t *testing.T) {
	t.Parallel()
	routes := []api.Route{
		{Pattern: "GET /all", Answer: done}, {Pattern: "GET /document", Answer: done, Anyone: true},
		{Pattern: "POST /body", Answer: done, AnyTenant: true},
		{Pattern: "GET /tenants/{tenant}/x", Answer: done}, {Pattern: "PUT /tenants/{tenant}/x", Answer: done},
		{Pattern: "GET /tenants/{tenant}/secret", Answer: done, Secret: true},
	}
	everyone, acme, looks := api.Caller{Name: "ann"}, api.Caller{Tenant: "acme"}, api.Caller{Tenant: "acme", ReadOnly: true}
	operator := api.Caller{ReadOnly: true}
	for _, c := range []struct {
		caller  api.Caller
		request string
		status  int
	}{
		{everyone, "GET /all", 204}, {everyone, "PUT /tenants/acme/x", 204}, {everyone, "GET /tenants/acme/secret", 204},
		{acme, "GET /all", 403}, {acme, "GET /document", 204}, {acme, "POST /body", 204},
		{acme, "GET /tenants/acme/x", 204}, {acme, "PUT /tenants/acme/x", 204}, {acme, "GET /tenants/acme/secret", 204},
		{acme, "GET /tenants/beta/x", 403}, {acme, "GET /tenants/ACME/x", 403}, {acme, "GET /tenants/acme%20/x", 403},
		{acme, "GET /tenants/%61cme/x", 404}, {acme, "GET /tenants/beta%2F..%2Facme/x", 403}, {acme, "GET /tenants/%2561cme/x", 403},
		{acme, "GET /tenants/beta/../acme/x", 404}, {acme, "GET /tenants//x", 404},
		{acme, "GET /tenants/../x", 404}, {acme, "GET /tenants/./x", 404}, {acme, "GET /tenants/acme/x/..", 404},
		{everyone, "GET /%61ll", 404}, {everyone, "GET /all/", 404}, {everyone, "GET //all", 404},
		{looks, "GET /tenants/acme/x", 204}, {looks, "HEAD /tenants/acme/x", 204}, {looks, "PUT /tenants/acme/x", 403},
		{looks, "GET /tenants/acme/secret", 403}, {looks, "GET /tenants/beta/x", 403}, {looks, "GET /document", 204}, {looks, "POST /body", 403},
		{operator, "GET /all", 204}, {operator, "GET /tenants/beta/x", 204}, {operator, "PUT /tenants/beta/x", 403},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		if out, _ := serve(c.caller, nil, httptest.NewRequest(method, path, nil), routes...); out.Code != c.status {
			t.Errorf("%+v: %s: got %d, want %d: %s", c.caller, c.request, out.Code, c.status, out.Body)
		}
	}
}

// TestWhoIsNotKnown is told why, and comes no further.
func TestWhoIsNotKnown(t *testing.T) {
	t.Parallel()
	reached := func(*http.Request) (int, any, error) { panic("reached") }
	for status, err := range map[int]error{401: api.Refuse(401, "who are you"), 503: errors.New("the keys can't be read")} {
		out, log := serve(api.Caller{}, err, httptest.NewRequest("GET", "/a", nil), api.Route{Pattern: "GET /a", Answer: reached})
		if out.Code != status || strings.Contains(out.Body.String(), "keys") || (status == 503) != strings.Contains(log, "the keys") {
			t.Errorf("got %d %s, logged %q", out.Code, out.Body, log)
		}
	}
}

func TestTagged(t *testing.T) {
	t.Parallel()
	out, _ := serve(api.Caller{}, nil, httptest.NewRequest("GET", "/a", nil), api.Route{Pattern: "GET /a",
		Answer: func(*http.Request) (int, any, error) {
			return 201, api.Tagged{Version: 7, Location: "/b", Value: 1}, nil
		}})
	if got := out.Header().Get("ETag") + " " + out.Header().Get("Location") + " " + out.Body.String(); got != `"7" /b 1` {
		t.Errorf("got %s", got)
	}
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	for given, good := range map[string]bool{
		"": true, `"7"`: true, `*`: true, `"6", "7"`: true, `"6"`: false, `7`: false, `W/"7"`: false, `"77"`: false,
	} {
		r := httptest.NewRequest("PATCH", "/", nil)
		if given != "" {
			r.Header.Set("If-Match", given)
		}
		var refused *api.Refusal
		if err := api.IfMatch(r, 7); (err == nil) != good || err != nil && (!errors.As(err, &refused) || refused.Status != 412) {
			t.Errorf("If-Match: %s: got %v", given, err)
		}
	}
}

// TestIfNoneMatch: what must not be there isn't replaced, and what somebody has isn't
// sent again.
func TestIfNoneMatch(t *testing.T) {
	t.Parallel()
	for given, c := range map[string]struct{ refused, sent bool }{
		"": {false, true}, "*": {true, false}, `"7"`: {true, false}, `"6", "7"`: {true, false}, `"6"`: {false, true}, `W/"7"`: {false, false},
	} {
		r := httptest.NewRequest("PUT", "/", nil)
		get := httptest.NewRequest("GET", "/a", nil)
		if given != "" {
			r.Header.Set("If-None-Match", given)
			get.Header.Set("If-None-Match", given)
		}
		var refused *api.Refusal
		if err := api.Precondition(r, 7, true); (err != nil) != c.refused || err != nil && (!errors.As(err, &refused) || refused.Status != 412) {
			t.Errorf("%s: a change gets %v", given, err)
		}
		if err := api.Precondition(r, 0, false); err != nil {
			t.Errorf("%s: what is made gets %v", given, err)
		}
		out, _ := serve(api.Caller{}, nil, get, api.Route{Pattern: "GET /a",
			Answer: func(*http.Request) (int, any, error) { return 200, api.Tagged{Version: 7, Value: 1}, nil }})
		if got := out.Code == 200 && out.Body.String() == "1"; got != c.sent || !got && (out.Code != 304 || out.Body.Len() > 0) ||
			out.Header().Get("ETag") != `"7"` {
			t.Errorf("%s: a read gets %d %s", given, out.Code, out.Body)
		}
	}
	r := httptest.NewRequest("PUT", "/", nil)
	r.Header.Set("If-Match", "*")
	if api.Precondition(r, 0, false) == nil {
		t.Error("If-Match: * is taken where there is nothing")
	}
}
