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
		settings.EventsQueueURL: "https://sqs.test/1/events", settings.WebhooksQueueURL: "https://sqs.test/1/webhooks",
		settings.AuditQueueURL: "https://sqs.test/1/audit.fifo",
		settings.AttemptsTable: "attempts", settings.EndpointsTable: "endpoints", settings.EventsTable: "events",
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
	}
	for missing := range whole {
		if strings.HasPrefix(missing, "AWS_") && missing != "AWS_REGION" {
			missing = "" // those are asked for later
		}
		for _, tokens := range []string{"", "efferent/tokens"} {
			t.Run("without "+missing+", tokens by "+tokens, func(t *testing.T) {
				t.Parallel()
				h, err := wire(func(name string) string {
					switch name {
					case missing:
						return ""
					case settings.TokenSecret:
						return tokens
					case settings.MaxEndpoints:
						return "7"
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
				case h.Endpoints.(*awsdynamodb.Endpoints).Table != "endpoints" || h.MaxEndpoints != 7 || (h.Tokens != nil) != (tokens != ""):
					t.Errorf("got %+v", h)
				}
			})
		}
	}
}
