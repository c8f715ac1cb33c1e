package dev

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/settings"
)

// TestNoPrivateAuthorities: who is at the machine is told at the start that a bundle
// can't be read, be it a file or a secret.
func TestNoPrivateAuthorities(t *testing.T) {
	t.Parallel()
	for _, bundle := range []string{"nowhere.pem", "efferent/ca"} {
		l, err := Open(t.Context(), Config{AWS: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: ":memory:",
			Log: slog.New(slog.DiscardHandler), Getenv: func(name string) string { return map[string]string{settings.CABundle: bundle}[name] }})
		if err == nil {
			l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), settings.CABundle) || !strings.Contains(err.Error(), bundle) {
			t.Errorf("%s: got %v", bundle, err)
		}
	}
}
