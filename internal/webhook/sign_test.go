package webhook

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type vector struct {
	Scheme, Secret, Public, ID, Body, Signature string
	Timestamp                                   int64
}

func vectors(t testing.TB) map[string]vector {
	t.Helper()
	b, err := os.ReadFile("../../testdata/standard-webhooks.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	byScheme := map[string]vector{}
	for _, v := range file.Vectors {
		byScheme[v.Scheme] = v
	}
	if byScheme["v1"].Secret == "" || byScheme["v1a"].Secret == "" {
		t.Fatalf("vectors %v", byScheme)
	}
	return byScheme
}

func secret(t testing.TB, s string) Secret {
	t.Helper()
	parsed, err := ParseSecret(s)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// signed is the headers of v, signed anew by secrets.
func signed(t testing.TB, v vector, secrets ...string) http.Header {
	t.Helper()
	var parsed []Secret
	for _, s := range secrets {
		parsed = append(parsed, secret(t, s))
	}
	h := http.Header{}
	if err := Sign(h, parsed, v.ID, "invoice.paid", time.Unix(v.Timestamp, 999), []byte(v.Body)); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSignKnownAnswers(t *testing.T) {
	t.Parallel()
	all := vectors(t)
	v1, v1a := all["v1"], all["v1a"]
	// HMAC-SHA256 of the body under the text of v1's secret; by OpenSSL:
	// printf '{"test": 2432232314}' | openssl dgst -sha256 -hmac whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
	const seed = "sha256=80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c"
	raw := signed(t, v1, "whsec of another kind").Get("webhook-signature")
	cases := []struct {
		name                   string
		secrets                []string
		wantSeed, wantStandard string
	}{
		{"v1", []string{v1.Secret}, seed, v1.Signature},
		{"v1a signs neither of the others", []string{v1a.Secret}, "", v1a.Signature},
		{"two: current first, X by the current", []string{v1.Secret, v1a.Secret}, seed, v1.Signature + " " + v1a.Signature},
		{"two: the current one private", []string{v1a.Secret, v1.Secret}, "", v1a.Signature + " " + v1.Signature},
		{"two shared", []string{v1.Secret, "whsec of another kind"}, seed, v1.Signature + " " + raw},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := signed(t, v1, c.secrets...)
			want := http.Header{"Webhook-Id": {v1.ID}, "Webhook-Timestamp": {fmt.Sprint(v1.Timestamp)}, "X-Webhook-Event": {"invoice.paid"},
				"Webhook-Signature": {c.wantStandard}}
			if c.wantSeed != "" {
				want["X-Webhook-Signature"] = []string{c.wantSeed}
			}
			if fmt.Sprint(h) != fmt.Sprint(want) {
				t.Errorf("got  %v\nwant %v", h, want)
			}
		})
	}
}

func TestSignWithoutSecret(t *testing.T) {
	t.Parallel()
	for _, none := range [][]Secret{nil, {}, {{}}} {
		if err := Sign(http.Header{}, none, "i", "e", time.Unix(0, 0), nil); !errors.Is(err, ErrSecretUnusable) {
			t.Errorf("%v: %v", none, err)
		}
	}
}

func TestSignConcurrently(t *testing.T) {
	t.Parallel()
	v := vectors(t)["v1"]
	s := []Secret{secret(t, v.Secret)}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				h := http.Header{}
				if err := Sign(h, s, v.ID, "e", time.Unix(v.Timestamp, 0), []byte(v.Body)); err != nil || h.Get("webhook-signature") != v.Signature {
					t.Errorf("got %v, %v", h, err)
				}
			}
		})
	}
	group.Wait()
}

func TestParseSecretRefuses(t *testing.T) {
	t.Parallel()
	private := strings.TrimPrefix(vectors(t)["v1a"].Secret, "whsk_")
	b, err := base64.StdEncoding.DecodeString(private)
	if err != nil {
		t.Fatal(err)
	}
	b[63] ^= 1
	good := vectors(t)["v1"].Secret
	key := strings.TrimPrefix(good, "whsec_")
	cases := []struct{ name, secret, says string }{
		{"empty", "", "empty"},
		{"bare whsec_", "whsec_", "nothing follows"},
		{"only padding", "whsec_====", "not base64"},
		{"padded too much", "whsec_aHVudGVyMg===", "not base64"},
		{"not base64", "whsec_hunter2!", "not base64"},
		{"URL-safe base64", "whsec_ab-_", "with + for -"},
		{"bare whsk_", "whsk_", "nothing follows"},
		{"whsk_ too short", "whsk_aHVudGVyMg==", "this one has 7"},
		{"whsk_ with another's public half", "whsk_" + base64.StdEncoding.EncodeToString(b), "do not belong together"},
		{"a public key", vectors(t)["v1a"].Public, "public"},

		{"a signature's prefix", "v1," + good, "without v1,"},
		{"a signature", vectors(t)["v1"].Signature, "signature"},
		{"an ed25519 signature", vectors(t)["v1a"].Signature, "signature"},
		{"a signature in hex", "sha256=" + strings.Repeat("0a", 32), "signature"},
		{"a header", "Webhook-Signature: v1," + key, "header"},
		{"Bearer", "Bearer " + good, "the word before it"},
		{"bearer of another kind", "bearer " + key, "the word before it"},
		{"double quotes", `"` + good + `"`, "quotes"},
		{"single quotes", "'" + key + "'", "quotes"},
		{"one quote", `"` + good, "nothing before that"},
		{"a variable", "WEBHOOK_SECRET=" + good, "nothing before that"},
		{"twice", good + good, "twice"},
		{"twice the prefix", "whsec_" + good, "twice"},
		{"with a hyphen", "whsec-" + key, "nearly"},
		{"capitals", "WHSEC_" + key, "nearly"},
		{"a capital", "Whsec_" + key, "nearly"},
		{"a colon", "whsec:" + key, "nearly"},
		{"a private one in capitals", "WHSK_" + key, "nearly"},
		{"a last line break", good + "\n", "line break"},
		{"a last line break, of Windows", key + "\r\n", "line break"},
		{"a line break within", good[:20] + "\n" + good[20:], "line break"},
		{"a space before", " " + good, "space around"},
		{"a space behind", key + " ", "space around"},
		{"a tab behind", key + "\t", "space around"},
		{"no-break space behind", key + "\u00a0", "space around"},
		{"a byte order mark", "\ufeff" + good, "can't be seen"},
		{"a zero-width space", key + "\u200b", "can't be seen"},
		{"UTF-16", "w\x00h\x00", "can't be seen"},
		{"a JSON object", `{"ep1": "` + good + `"}`, "NAME#KEY"},
		{"a JSON object in lines", "\n{\n \"ep1\": \"" + key + "\"\n}\n", "NAME#KEY"},
		{"nearly a JSON object", "{ep1: " + key + "}", "NAME#KEY"},
		{"a JSON array", `["` + key + `"]`, "NAME#KEY"},
		{"PEM", "-----BEGIN PRIVATE KEY-----\n" + key + "\n-----END PRIVATE KEY-----\n", "PEM"},
		{"an ARN", "arn:aws:secretsmanager:eu-north-1:1:secret:" + SecretPrefix + "a-AbCdEf", "ARN"},
		{"a name", SecretPrefix + "acme", "name"},
		{"a URL", "https://hooks.acme.test/in?t=" + key, "URL"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseSecret(c.secret)
			if !errors.Is(err, ErrSecretUnusable) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want it to say %s", err, c.says)
			}
			for _, private := range []string{key, "hunter2!", "aHVudGVyMg", "ab-_"} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("%v holds the secret", err)
				}
			}
		})
	}
}

// Any other text is a secret of its own bytes, however it looks.
func TestParseSecretTakes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"x", "hunter2", "correct horse battery staple", "whsec of another kind", "wh_sec", "v1", "v1a", "v1.abc", "12345", "null",
		"{x", "x}", `"`, `"x`, `x"y"`, "'tis", "sk_live_1", "bearer", "basically", "lösenord", "密码", "https", "=?!\\/",
		strings.Repeat("x", 65536),
	} {
		if s, err := ParseSecret(text); err != nil || s.KeyBytes() != len(text) {
			t.Errorf("%.20q: %v, a key of %d bytes", text, err, s.KeyBytes())
		}
	}
	if n := secret(t, vectors(t)["v1"].Secret).KeyBytes(); n != 24 {
		t.Errorf("the known secret's key has %d bytes", n)
	}
	if n := secret(t, vectors(t)["v1a"].Secret).KeyBytes(); n != 0 {
		t.Errorf("the private key has %d bytes", n)
	}
}

// FuzzParseSecret signs with whatever is taken for a secret, and lets the
// Standard Webhooks library verify it, as a receiver who has the same text.
func FuzzParseSecret(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Secret)
		f.Add(v.Public)
		f.Add(v.Signature)
	}
	for _, text := range []string{
		"", "hunter2", "whsec_aHVudGVyMg", "whsec_aHVudGVyMg==", "whsec_ab-_", "WHSEC_ab", `{"a":"b"}`, "\"x\"", "x\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSecret(text)
		if err != nil {
			if !errors.Is(err, ErrSecretUnusable) {
				t.Errorf("%v is of no class", err)
			}
			return
		}
		if strings.TrimSpace(text) != text || strings.ContainsAny(text, "\r\n\x00") {
			t.Errorf("%q is taken", text)
		}
		body, now, h := []byte(`{"a":1}`), time.Now(), http.Header{}
		if err := Sign(h, []Secret{s}, "evt_1", "a.b", now, body); err != nil {
			t.Fatal(err)
		}
		if err := Verify(h, body, now, text); err != nil {
			t.Errorf("not by our own: %v", err)
		}
		var theirs *standardwebhooks.Webhook
		switch shared, isShared := strings.CutPrefix(text, "whsec_"); {
		case strings.HasPrefix(text, "whsk_"): // the library knows v1 only; Verify has checked it
			return
		case isShared: // it wants the padding
			bare := strings.TrimRight(shared, "=")
			theirs, err = standardwebhooks.NewWebhook("whsec_" + bare + strings.Repeat("=", -len(bare)&3))
		default:
			theirs, err = standardwebhooks.NewWebhookRaw([]byte(text))
		}
		if err == nil {
			err = theirs.Verify(body, h)
		}
		if err != nil {
			t.Errorf("not by the library: %v", err)
		}
	})
}

func TestParseSecretForms(t *testing.T) {
	t.Parallel()
	v := vectors(t)["v1a"]
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(v.Secret, "whsk_"))
	if err != nil {
		t.Fatal(err)
	}
	whole := signed(t, v, v.Secret).Get("webhook-signature")
	for name, form := range map[string]string{
		"whsk_ seed":     "whsk_" + base64.StdEncoding.EncodeToString(b[:ed25519.SeedSize]),
		"whsk_ unpadded": strings.TrimRight(v.Secret, "="),
	} {
		if got := signed(t, v, form).Get("webhook-signature"); got != whole {
			t.Errorf("%s: %s, want %s", name, got, whole)
		}
	}
	padded, unpadded := signed(t, v, "whsec_aHVudGVyMg=="), signed(t, v, "whsec_aHVudGVyMg")
	if padded.Get("webhook-signature") != unpadded.Get("webhook-signature") {
		t.Error("v1 depends on the padding")
	}
	if padded.Get("x-webhook-signature") == unpadded.Get("x-webhook-signature") {
		t.Error("X-Webhook-Signature is not of the text as it is")
	}
	if raw := signed(t, v, "hunter2"); raw.Get("webhook-signature") != padded.Get("webhook-signature") {
		t.Error("a secret without a prefix is not its own bytes")
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	s := secret(t, "hunter2")
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "secrets", []Secret{s})
	asJSON, err := json.Marshal(map[string]any{"secret": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s, s, s),
		fmt.Sprintf("%+v %#v", []Secret{s}, Request{Secrets: []Secret{s}}), log.String(), string(asJSON)} {
		for _, private := range []string{"hunter2", fmt.Sprint([]byte("hunter2")), fmt.Sprintf("%x", "hunter2")} {
			if strings.Contains(shown, private) {
				t.Errorf("shown: %s", shown)
			}
		}
	}
}

// The Standard Webhooks library takes what we sign, and we take what it signs.
func TestAgainstTheStandardLibrary(t *testing.T) {
	t.Parallel()
	v := vectors(t)["v1"]
	theirs, err := standardwebhooks.NewWebhook(v.Secret)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	v.Timestamp = now.Unix()
	if err := theirs.Verify([]byte(v.Body), signed(t, v, "whsec_b3RoZXI=", v.Secret)); err != nil {
		t.Errorf("they refuse ours: %v", err)
	}
	signature, err := theirs.Sign(v.ID, now, []byte(v.Body))
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set("webhook-id", v.ID)
	h.Set("webhook-timestamp", fmt.Sprint(now.Unix()))
	h.Set("webhook-signature", signature)
	if err := Verify(h, []byte(v.Body), now, v.Secret); err != nil {
		t.Errorf("we refuse theirs: %v", err)
	}
	if raw, err := standardwebhooks.NewWebhookRaw([]byte("hunter2")); err != nil ||
		raw.Verify([]byte(v.Body), signed(t, v, "hunter2")) != nil {
		t.Error("they refuse a secret without a prefix")
	}
}
