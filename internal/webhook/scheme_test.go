package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/message"
)

// The known answers, of standard-webhooks.json's v1 vector and of hunter2 as the
// secret before. Svix's is by svix 2.9.1 (PyPI), Webhook.sign; Convoy's are by
// convoy-python 0.2.0 (PyPI), Webhook.create_signature, of "1614265330,<body>"
// where they are timestamped; Outpost has no library that verifies, so its are by
// OpenSSL, as its "Verify Webhook Signatures" says:
//
//	printf '{"test": 2432232314}' | openssl dgst -sha256 -hmac whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
const (
	bodyHex     = "80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c"
	bodyHexOld  = "b7e689df20c8660833eccb6507fb36f1217ff1352a1dfb250924a1614abece8a"
	bodyBase64  = "gOyKic480iEzoQZsrstNBP6nRnZXyFFNcX7ELDilyUw="
	longBase64  = "Kbc18waUu1fHZ7CX/JhABimboKE2QL84cN9sNthlV1pcyToeUFxEVuDUCXQODPxtIgm9AXsj2RHOLXBWGM24Tw=="
	dotHex      = "2e37df5d4a028c51a7f3133d64ae1e300d2c2c900f1b1d49d4369ad2530f8964"
	dotHexOld   = "4023de4569c70199451f55082757480ca6343dfc561973b1cdcab729a1a62294"
	commaHex    = "cde55f0112d78487a56fce4b92e9898a5792d833c551ee2ed3c1e3274bf5c80e"
	commaHexOld = "528dea4a86ff150cc3671357faa15b93c099c04e631dd9bb85f608a407a124e1"
	longComma   = "TZNSAXO4re0M64sNwHQCjlSpoixqmZLmhjxbnCY56i0QRBJcImtO6aMEJHNOyARm5ymbh7mwVYG6CikH3GyVGA=="
)

// signedBy is the headers of v, signed by the option too.
func signedBy(t testing.TB, v vector, option Signature, secrets ...string) (http.Header, error) {
	t.Helper()
	r := Request{ID: v.ID, EventType: "invoice.paid", At: time.Unix(v.Timestamp, 999), Body: []byte(v.Body), Signature: &option}
	for _, s := range secrets {
		r.Secrets = append(r.Secrets, secret(t, s))
	}
	h := http.Header{}
	return h, r.sign(h)
}

func TestSchemeKnownAnswers(t *testing.T) {
	t.Parallel()
	all := vectors(t)
	v, private := all["v1"], all["v1a"]
	both := []string{v.Secret, "hunter2"}
	svix := map[string]string{"Svix-Id": v.ID, "Svix-Timestamp": "1614265330", "Svix-Signature": v.Signature}
	outpost := func(signature string) map[string]string {
		return map[string]string{"X-Outpost-Event-Id": v.ID, "X-Outpost-Topic": "invoice.paid",
			"X-Outpost-Timestamp": "2021-02-25T15:02:10Z", "X-Outpost-Signature": signature}
	}
	convoy := func(signature string) map[string]string {
		return map[string]string{"X-Convoy-Event-Id": v.ID, "X-Convoy-Idempotency-Key": v.ID, "X-Convoy-Signature": signature}
	}
	timed := outpost("t=1614265330,v0=" + dotHex + "," + dotHexOld)
	timed["X-Outpost-Timestamp"] = "1614265330"
	cases := map[string]struct {
		option  Signature
		secrets []string
		want    map[string]string
	}{
		"svix":                {Signature{Scheme: "svix"}, nil, svix},
		"svix, of both":       {Signature{Scheme: "svix"}, both, with(svix, "Svix-Signature", signed(t, v, both...).Get(headerSignatures))},
		"svix, of a key pair": {Signature{Scheme: "svix"}, []string{private.Secret}, with(svix, "Svix-Signature", private.Signature)},
		"svix, white label": {Signature{Scheme: "svix", Prefix: "acme-"}, nil,
			map[string]string{"Acme-Id": v.ID, "Acme-Timestamp": "1614265330", "Acme-Signature": v.Signature}},

		"outpost":            {Signature{Scheme: "outpost"}, nil, outpost("v0=" + bodyHex)},
		"outpost, of both":   {Signature{Scheme: "outpost"}, both, outpost("v0=" + bodyHex + "," + bodyHexOld)},
		"outpost in base64":  {Signature{Scheme: "outpost", Encoding: "base64"}, nil, outpost("v0=" + bodyBase64)},
		"outpost with times": {Signature{Scheme: "outpost", Timestamped: true}, both, timed},
		"outpost, own prefix": {Signature{Scheme: "outpost", Prefix: "X-ACME-"}, nil,
			map[string]string{"X-Acme-Event-Id": v.ID, "X-Acme-Topic": "invoice.paid",
				"X-Acme-Timestamp": "2021-02-25T15:02:10Z", "X-Acme-Signature": "v0=" + bodyHex}},
		"outpost of the shared one": {Signature{Scheme: "outpost"}, []string{private.Secret, v.Secret}, outpost("v0=" + bodyHex)},

		"convoy":            {Signature{Scheme: "convoy"}, both, convoy(bodyHex)},
		"convoy, said":      {Signature{Scheme: "convoy", Hash: "sha256", Encoding: "hex"}, nil, convoy(bodyHex)},
		"convoy in base64":  {Signature{Scheme: "convoy", Encoding: "base64"}, nil, convoy(bodyBase64)},
		"convoy by SHA-512": {Signature{Scheme: "convoy", Hash: "sha512", Encoding: "base64"}, nil, convoy(longBase64)},
		"convoy, advanced":  {Signature{Scheme: "convoy", Timestamped: true}, nil, convoy("t=1614265330,v1=" + commaHex)},
		"convoy, of both": {Signature{Scheme: "convoy", Timestamped: true}, both,
			convoy("t=1614265330,v1=" + commaHexOld + ",v1=" + commaHex)},
		"convoy, all of it": {Signature{Scheme: "convoy", Timestamped: true, Hash: "sha512", Encoding: "base64"}, nil,
			convoy("t=1614265330,v1=" + longComma)},
		"convoy, own header": {Signature{Scheme: "convoy", Header: "x-acme-hmac"}, nil,
			map[string]string{"X-Convoy-Event-Id": v.ID, "X-Convoy-Idempotency-Key": v.ID, "X-Acme-Hmac": bodyHex}},
	}
	for name, c := range cases {
		if c.secrets == nil {
			c.secrets = []string{v.Secret}
		}
		own := signed(t, v, c.secrets...)
		for only, want := range map[bool]http.Header{false: own, true: {}} {
			for name, value := range c.want {
				want.Set(name, value)
			}
			c.option.Only = only
			if got, err := signedBy(t, v, c.option, c.secrets...); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s, only: %t\ngot  %v, %v\nwant %v", name, only, got, err, want)
			}
		}
	}
}

func with(all map[string]string, name, value string) map[string]string {
	changed := map[string]string{name: value}
	for n, v := range all {
		if n != name {
			changed[n] = v
		}
	}
	return changed
}

// TestSchemeTakesOwnNames: a service may have used a name that is Efferent's too. It
// is the service's then.
func TestSchemeTakesOwnNames(t *testing.T) {
	t.Parallel()
	v := vectors(t)["v1"]
	h, err := signedBy(t, v, Signature{Scheme: "convoy", Header: "X-Webhook-Signature"}, v.Secret)
	if got := h["X-Webhook-Signature"]; err != nil || len(got) != 1 || got[0] != bodyHex || h.Get("webhook-signature") != v.Signature {
		t.Errorf("got %v, %v", h, err)
	}
}

func TestSchemeNeedsASharedSecret(t *testing.T) {
	t.Parallel()
	all := vectors(t)
	for label, c := range map[string]struct {
		scheme  string
		secrets []string
		want    error
	}{
		"a key pair for outpost": {"outpost", []string{all["v1a"].Secret}, ErrSecretUnusable},
		"a key pair for convoy":  {"convoy", []string{all["v1a"].Secret}, ErrSecretUnusable},
		"none":                   {"svix", nil, ErrSecretUnusable},
		"no such scheme":         {"stripe", []string{all["v1"].Secret}, message.ErrMalformed},
	} {
		for _, only := range []bool{false, true} {
			if h, err := signedBy(t, all["v1"], Signature{Scheme: c.scheme, Only: only}, c.secrets...); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, %v", label, h, err)
			}
		}
	}
}

func TestSignatureCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ json, field, says string }{
		{`{"scheme": "svix"}`, "", ""},
		{`{"scheme": "svix", "prefix": "webhook-", "only": true}`, "", ""},
		{`{"scheme": "outpost", "prefix": "X-Acme_", "timestamped": true, "encoding": "base64"}`, "", ""},
		{`{"scheme": "convoy", "header": "X-Webhook-Signature", "timestamped": true, "hash": "sha512", "encoding": "hex"}`, "", ""},
		{`{}`, "scheme", "svix, outpost or convoy"},
		{`{"scheme": "Svix"}`, "scheme", "svix, outpost or convoy"},
		{`{"scheme": "svix", "timestamped": true}`, "timestamped", "no option of the scheme svix"},
		{`{"scheme": "svix", "encoding": "base64"}`, "encoding", "no option of the scheme svix"},
		{`{"scheme": "outpost", "hash": "sha256"}`, "hash", "no option of the scheme outpost"},
		{`{"scheme": "outpost", "header": "x-a"}`, "header", "no option of the scheme outpost"},
		{`{"scheme": "convoy", "prefix": "x-"}`, "prefix", "no option of the scheme convoy"},
		{`{"scheme": "convoy", "hash": "SHA256"}`, "hash", "sha256 or sha512"},
		{`{"scheme": "convoy", "encoding": "b64"}`, "encoding", "hex or base64"},
		{`{"scheme": "convoy", "header": "Content-Length"}`, "header", "no header of the connection"},
		{`{"scheme": "convoy", "header": "HOST"}`, "header", "no header of the connection"},
		{`{"scheme": "convoy", "header": "a: b"}`, "header", "letters, digits"},
		{`{"scheme": "svix", "prefix": "x\r\nb: "}`, "prefix", "letters, digits"},
		{`{"scheme": "svix", "prefix": "Content-"}`, "prefix", "no header of the connection"},
		{`{"scheme": "svix", "prefix": "` + strings.Repeat("a", 65) + `"}`, "prefix", "at most 64"},
	} {
		var s Signature
		if err := json.Unmarshal([]byte(c.json), &s); err != nil {
			t.Fatal(err)
		}
		if field, problem := s.Check(); field != c.field || !strings.Contains(problem, c.says) {
			t.Errorf("%s: %s %s; want %s to be told %s", c.json, field, problem, c.field, c.says)
		}
	}
}

func TestPostSignsByTheScheme(t *testing.T) {
	t.Parallel()
	var got http.Header
	url := endpoint(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	r := request(t, url)
	r.Headers, r.Signature = http.Header{"Svix-Id": {"forged"}, "X-A": {"b"}}, &Signature{Scheme: "svix", Only: true}
	if x := client(t).Post(t.Context(), r); x.Err != nil {
		t.Fatal(x.Err)
	}
	if got.Get("svix-id") != "evt_1" || got.Get("svix-signature") == "" || got.Get("webhook-id") != "" || got.Get("x-a") != "b" {
		t.Errorf("got %v", got)
	}
}
