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
		settings.ReportsQueueURL: "https://sqs.test/1/reports",
	}
	aws := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
	for missing := range whole {
		_, err := wire(func(name string) string {
			if name == missing {
				return ""
			}
			return whole[name] + aws[name]
		}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	if h, err := wire(func(name string) string { return whole[name] + aws[name] }, slog.New(slog.DiscardHandler)); err != nil || h == nil {
		t.Error(err)
	}
}
