package main

import (
	"log/slog"
	"strings"
	"testing"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/settings"
)

func TestWire(t *testing.T) {
	t.Parallel()
	whole := map[string]string{
		settings.AuditQueueURL: "https://sqs.test/1/audit.fifo", settings.DirectoryTable: "directory",
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
	}
	for _, missing := range []string{"", settings.AuditQueueURL, settings.DirectoryTable, "AWS_REGION"} {
		for _, tokens := range []string{"", "efferent/tokens"} {
			t.Run("without "+missing+", tokens by "+tokens, func(t *testing.T) {
				t.Parallel()
				h, err := wire(func(name string) string {
					switch name {
					case missing:
						return ""
					case settings.TokenSecret:
						return tokens
					}
					return whole[name]
				}, slog.New(slog.DiscardHandler))
				switch {
				case missing != "":
					if err == nil || !strings.Contains(err.Error(), missing) {
						t.Errorf("got %v", err)
					}
				case err != nil:
					t.Error(err)
				case h.Suppressions.(*awsdynamodb.Suppressions).Table != "directory":
					t.Errorf("got %+v", h)
				}
			})
		}
	}
}
