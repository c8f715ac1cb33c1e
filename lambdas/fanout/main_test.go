package main

import (
	"log/slog"
	"strings"
	"testing"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/settings"
)

func TestWire(t *testing.T) {
	t.Parallel()
	whole := map[string]string{
		settings.EventsQueueURL: "https://sqs.test/1/events", settings.WebhooksQueueURL: "https://sqs.test/1/webhooks",
		settings.AuditQueueURL: "https://sqs.test/1/audit.fifo", settings.AttemptsTable: "attempts", settings.WaitingTable: "waiting",
		settings.EndpointsTable: "endpoints", settings.EventsTable: "events",
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
	}
	for missing := range whole {
		if missing == "AWS_ACCESS_KEY_ID" || missing == "AWS_SECRET_ACCESS_KEY" {
			missing = "" // those are asked for later
		}
		t.Run("without "+missing, func(t *testing.T) {
			t.Parallel()
			h, err := wire(func(name string) string {
				if name == missing {
					return ""
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
			case h.Events.(*awsdynamodb.Events).Table != "events" || h.Queue.(*awssqs.Queue).URL != whole[settings.EventsQueueURL] ||
				h.Sender.(*awssqs.Outgoing).URLs[settings.WebhooksQueue] != whole[settings.WebhooksQueueURL]:
				t.Errorf("got %+v", h)
			}
		})
	}
}
