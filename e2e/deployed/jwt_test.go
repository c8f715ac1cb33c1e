//go:build e2e

package deployed

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/ledger"
)

// issuer is an identity provider.
type issuer struct {
	*httptest.Server
	key *rsa.PrivateKey
}

// startIssuer serves its keys with the certificate in dir, which MiniStack
// trusts.
func startIssuer(t *testing.T, dir string) *issuer {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	i.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/.well-known/openid-configuration" {
			fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q}`, i.URL, i.URL+"/keys")
			return
		}
		fmt.Fprintf(w, `{"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k1", "n": %q, "e": %q}]}`,
			encoded(key.N.Bytes()), encoded(big.NewInt(int64(key.E)).Bytes()))
	}))
	i.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	i.StartTLS()
	t.Cleanup(i.Close)
	return i
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token is signed with RS256 (RFC 7515).
func (i *issuer) token(t *testing.T, audience string, expires time.Time) string {
	t.Helper()
	claims, err := json.Marshal(map[string]any{"iss": i.URL, "sub": "ann", "aud": audience, "exp": expires.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	text := encoded([]byte(`{"alg": "RS256", "kid": "k1"}`)) + "." + encoded(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, i.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encoded(signature)
}

// TestDeployedWithJWT lets in who bears a token of an identity provider, and
// records the discard as that person's.
func TestDeployedWithJWT(t *testing.T) {
	target := newTarget(t)
	config := target.start(t, true)
	provider := startIssuer(t, filepath.Dir(target.CA))
	chosen := maps.Clone(choices)
	chosen["jwtIssuer"], chosen["jwtAudience"] = provider.URL, "efferent"
	s, a, b := deploy(t, target, config, chosen)
	makeUpForMiniStack(t, config)

	soon := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		token string
		want  int
	}{
		"no token":            {"", http.StatusUnauthorized},
		"for somebody else":   {provider.token(t, "other", soon), http.StatusUnauthorized},
		"expired":             {provider.token(t, "efferent", time.Now().Add(-time.Minute)), http.StatusUnauthorized},
		"of another provider": {startIssuer(t, filepath.Dir(target.CA)).token(t, "efferent", soon), http.StatusUnauthorized},
		"good":                {provider.token(t, "efferent", soon), http.StatusOK},
	} {
		wantStatus(t, a.bearing(c.token), name, c.want)
	}
	wantStatus(t, a, "a signature, which is no token", http.StatusUnauthorized)

	ann := a.bearing(provider.token(t, "efferent", soon))
	s.API = ann.call
	s.Send(t, `{"id": "evt_bad"}`)
	item := s.Attempts(t, "evt_bad")[0].MessageID
	s.Failures(t, "webhook-failures", "webhooks", "evt_bad")
	if status := s.Insist(t, http.MethodDelete, "/dlq/webhook-failures/"+item); status != http.StatusNoContent {
		t.Fatalf("the discard was answered %d", status)
	}
	awaitEntry(t, b, ledger.DLQDiscard, provider.URL+"#ann")
}

// bearing is the API for somebody with a token.
func (a *api) bearing(token string) *api {
	other := a.as(nil)
	other.token = token
	return other
}
