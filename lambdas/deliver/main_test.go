package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/settings"
)

func TestWire(t *testing.T) {
	t.Parallel()
	whole := map[string]string{
		settings.WebhooksQueueURL: "https://sqs.test/1/webhooks", settings.AuditQueueURL: "https://sqs.test/1/audit.fifo",
		settings.AttemptsTable: "attempts",
		"AWS_REGION":           "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
	}
	for _, c := range []struct{ name, variable, value, says string }{
		{name: "whole"},
		{"no queue", settings.WebhooksQueueURL, "", settings.WebhooksQueueURL},
		{"no table", settings.AttemptsTable, "", settings.AttemptsTable},
		{"no region", "AWS_REGION", "", "AWS_REGION"},
		{"bad policy", settings.RetryPolicies, "x=1h", `"x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := wire(func(name string) string {
				if name == c.variable {
					return c.value
				}
				return whole[name]
			}, slog.New(slog.DiscardHandler))
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want it to name %q", err, c.says)
			}
		})
	}
}
