package access_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/efferent/efferent/internal/access"
	"github.com/efferent/efferent/internal/api"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

type keys [][]byte

func (k keys) TokenKeys(context.Context) ([][]byte, error) {
	if k == nil {
		return nil, errors.New("no keys")
	}
	return k, nil
}

var (
	first, second = []byte(strings.Repeat("a", 32)), []byte(strings.Repeat("b", 32))
	local         = api.Caller{Name: "local"}
)

// callerOf is whom a request lets in.
func callerOf(t *testing.T, k keys, now time.Time, path, authorization string) (c api.Caller, err error) {
	t.Helper()
	tokens := &access.Tokens{Keys: k, Now: func() time.Time { return now }}
	who := tokens.Caller(func(*http.Request) (api.Caller, error) { return local, nil })
	r := httptest.NewRequest("GET", path, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	access.Doors(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c, err = who(r) })).ServeHTTP(httptest.NewRecorder(), r)
	return c, err
}

func signed(t *testing.T, method jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": "efferent", "aud": "tenant", "sub": "ann", "tenant": "acme", "iat": noon.Unix(),
		"exp": noon.Add(time.Hour).Unix()}
	change(claims)
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokens(t *testing.T) {
	t.Parallel()
	tokens := &access.Tokens{Keys: keys{first}, Now: func() time.Time { return noon }}
	token, until, err := tokens.Make(t.Context(), api.Caller{Name: "ann", Tenant: "acme", ReadOnly: true}, time.Hour)
	if err != nil || !until.Equal(noon.Add(time.Hour)) {
		t.Fatal(until, err)
	}
	for path, at := range map[string]time.Duration{"/api/v1/x": 0, "/token/api/v1/x": 59 * time.Minute} {
		for _, k := range []keys{{first}, {second, first}} { // after a rotation too
			c, err := callerOf(t, k, noon.Add(at), path, "Bearer "+token)
			if err != nil || c.Tenant != "acme" || !c.ReadOnly || !strings.Contains(c.Name, "ann") {
				t.Errorf("%s: got %+v, %v", path, c, err)
			}
		}
	}
}

// TestTokensThatAreNotGood let nobody in, as nobody else either.
func TestTokensThatAreNotGood(t *testing.T) {
	t.Parallel()
	same := func(jwt.MapClaims) {}
	set := func(name string, value any) func(jwt.MapClaims) { return func(c jwt.MapClaims) { c[name] = value } }
	for name, token := range map[string]string{
		"another key":    signed(t, jwt.SigningMethodHS256, second, same),
		"no signature":   signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, same),
		"another hash":   signed(t, jwt.SigningMethodHS512, first, same),
		"over":           signed(t, jwt.SigningMethodHS256, first, set("exp", noon.Add(-time.Minute).Unix())),
		"without an end": signed(t, jwt.SigningMethodHS256, first, func(c jwt.MapClaims) { delete(c, "exp") }),
		"of later":       signed(t, jwt.SigningMethodHS256, first, set("iat", noon.Add(time.Hour).Unix())),
		"for others":     signed(t, jwt.SigningMethodHS256, first, set("aud", "others")),
		"of no tenant":   signed(t, jwt.SigningMethodHS256, first, set("tenant", "")),
		"changed":        signed(t, jwt.SigningMethodHS256, first, same) + "A",
	} {
		for _, path := range []string{"/api/v1/x", "/token/api/v1/x"} {
			var refused *api.Refusal
			if c, err := callerOf(t, keys{first}, noon, path, "Bearer "+token); !errors.As(err, &refused) || refused.Status != 401 ||
				c != (api.Caller{}) {
				t.Errorf("%s at %s: got %+v, %v", name, path, c, err)
			}
		}
	}
	if _, err := callerOf(t, nil, noon, "/api/v1/x", "Bearer "+signed(t, jwt.SigningMethodHS256, first, same)); err == nil ||
		errors.As(err, new(*api.Refusal)) {
		t.Errorf("without keys: %v", err)
	}
}

// TestWithoutKeys: where there is no key nothing is signed, and nobody is let in.
func TestWithoutKeys(t *testing.T) {
	t.Parallel()
	for _, k := range []keys{nil, {}} {
		tokens := &access.Tokens{Keys: k, Now: func() time.Time { return noon }}
		if token, _, err := tokens.Make(t.Context(), api.Caller{Name: "ann", Tenant: "acme"}, time.Hour); err == nil || token != "" {
			t.Errorf("%d keys: made %q", len(k), token)
		}
	}
	for _, key := range [][]byte{first, {}} {
		token := signed(t, jwt.SigningMethodHS256, key, func(jwt.MapClaims) {})
		if c, err := callerOf(t, keys{}, noon, "/api/v1/x", "Bearer "+token); err == nil || c != (api.Caller{}) {
			t.Errorf("got %+v, %v", c, err)
		}
	}
}

// TestLeeway: clocks differ by seconds, not more.
func TestLeeway(t *testing.T) {
	t.Parallel()
	token := signed(t, jwt.SigningMethodHS256, first, func(c jwt.MapClaims) { c["exp"] = noon.Unix() })
	for late, good := range map[time.Duration]bool{4 * time.Second: true, 6 * time.Second: false} {
		if _, err := callerOf(t, keys{first}, noon.Add(late), "/api/v1/x", "Bearer "+token); (err == nil) != good {
			t.Errorf("%v after its end: %v", late, err)
		}
	}
}

// TestBrings: a token of ours, good or not, or whoever comes by the door.
func TestBrings(t *testing.T) {
	t.Parallel()
	ours := signed(t, jwt.SigningMethodHS256, second, func(jwt.MapClaims) {})
	theirs := signed(t, jwt.SigningMethodHS256, second, func(c jwt.MapClaims) { c["iss"] = "https://id.test" })
	for _, c := range []struct {
		path, authorization string
		want                bool
	}{
		{"/api/v1/x", "bearer " + ours, true}, {"/api/v1/x", "Bearer " + theirs, false}, {"/api/v1/x", "", false},
		{"/api/v1/x", "Basic " + ours, false}, {"/token/api/v1/x", "", true}, {"/token", "", false}, {"/tokens/x", "", false},
		{"/api/v1/x", "Bearer " + ours[:len(ours)/3], false}, // its claims are cut off
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.Header.Set("Authorization", c.authorization)
		if got := access.Brings(r); got != c.want {
			t.Errorf("%s, %.20q: %v", c.path, c.authorization, got)
		}
	}
}

// FuzzBearer: whatever is brought, who is let in at the door has a token that was signed.
func FuzzBearer(f *testing.F) {
	f.Add("Bearer x.y.z")
	f.Add("bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJlZmZlcmVudCJ9.")
	tokens := &access.Tokens{Keys: keys{first}, Now: func() time.Time { return noon }}
	who := tokens.Caller(func(*http.Request) (api.Caller, error) { return local, nil })
	f.Fuzz(func(t *testing.T, authorization string) {
		r := httptest.NewRequest("GET", "/token/x", nil)
		r.Header["Authorization"] = []string{authorization}
		access.Doors(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if c, err := who(r); err == nil {
				t.Errorf("%q lets in %+v", authorization, c)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	})
}

// TestOthersAreAskedFor: who brings no token of ours is whom somebody else says, but not
// at the door.
func TestOthersAreAskedFor(t *testing.T) {
	t.Parallel()
	theirs := signed(t, jwt.SigningMethodHS256, first, func(c jwt.MapClaims) { c["iss"] = "https://id.test" })
	for _, authorization := range []string{"", "Bearer", "Bearer x", "Basic eDp5", "Bearer " + theirs, "AWS4-HMAC-SHA256 Credential=x"} {
		if c, err := callerOf(t, keys{first}, noon, "/api/v1/x", authorization); err != nil || c != local {
			t.Errorf("%q: got %+v, %v", authorization, c, err)
		}
		for _, path := range []string{"/token/api/v1/x", "/token/"} {
			if c, err := callerOf(t, keys{first}, noon, path, authorization); err == nil || c != (api.Caller{}) {
				t.Errorf("%q at %s: got %+v, %v", authorization, path, c, err)
			}
		}
	}
}
