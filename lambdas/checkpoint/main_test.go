package main

import (
	"log/slog"
	"strings"
	"testing"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/settings"
)

func TestWire(t *testing.T) {
	t.Parallel()
	whole := map[string]string{
		settings.LedgerTable: "ledger", settings.LedgerBucket: "bucket", settings.CheckpointsBucket: "checkpoints",
		settings.LedgerKMSKey: "key", settings.LedgerOrigin: "example.com/prod",
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
	}
	for _, missing := range []string{"", settings.LedgerTable, settings.LedgerBucket, settings.CheckpointsBucket, settings.LedgerKMSKey,
		settings.LedgerOrigin, "AWS_REGION"} {
		t.Run("without "+missing, func(t *testing.T) {
			t.Parallel()
			h, err := wire(func(name string) string {
				if name == missing {
					return ""
				}
				return whole[name]
			}, slog.New(slog.DiscardHandler))
			if missing == "" && (err != nil || h == nil) || missing != "" && (err == nil || !strings.Contains(err.Error(), missing)) {
				t.Errorf("got %+v, %v", h, err)
			}
		})
	}
	secret := map[string]string{settings.LedgerKMSKey: "", settings.LedgerKeySecret: "efferent/ledger/key"}
	h, err := wire(func(name string) string {
		if v, ok := secret[name]; ok {
			return v
		}
		return whole[name]
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := h.Key.(*awssecrets.LedgerKey); !ok {
		t.Errorf("the key is %T", h.Key)
	}
}
