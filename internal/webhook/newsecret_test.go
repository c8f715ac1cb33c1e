package webhook_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/webhook"
)

// TestNewSecret: a new secret is of its forerunner's kind, and none is made twice.
func TestNewSecret(t *testing.T) {
	t.Parallel()
	private := webhook.NewSecret("whsk_")
	for like, c := range map[string]struct {
		prefix string
		bytes  int
	}{
		"": {"whsec_", 32}, "whsec_x": {"whsec_", 32}, private: {"whsk_", 0}, "correct horse battery staple": {"", 52},
	} {
		made := webhook.NewSecret(like)
		secret, err := webhook.ParseSecret(made)
		if err != nil || !strings.HasPrefix(made, c.prefix) || secret.KeyBytes() != c.bytes || made == like || made == webhook.NewSecret(like) {
			t.Errorf("after %q: %v, %d bytes", like, err, secret.KeyBytes())
		}
		if public := secret.PublicKey(); (public != "") != (c.prefix == "whsk_") {
			t.Errorf("after %q: public key %q", like, public)
		}
	}
	if public := (webhook.Secret{}).PublicKey(); public != "" {
		t.Errorf("of nothing: %q", public)
	}
}

// TestPublicKeyVerifies signs with a new private key.
func TestPublicKeyVerifies(t *testing.T) {
	t.Parallel()
	secret, err := webhook.ParseSecret(webhook.NewSecret("whsk_"))
	if err != nil {
		t.Fatal(err)
	}
	h, at, body := http.Header{}, time.Unix(1760000000, 0), []byte(`{}`)
	if err := webhook.Sign(h, []webhook.Secret{secret}, "evt_1", "a.b", at, body); err != nil {
		t.Fatal(err)
	}
	if err := webhook.Verify(h, body, at, secret.PublicKey()); err != nil {
		t.Error(err)
	}
}
