package main

import (
	"log/slog"
	"maps"
	"strings"
	"testing"

	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/settings"
)

func TestWire(t *testing.T) {
	t.Parallel()
	whole := map[string]string{
		settings.WebhooksQueueURL: "https://sqs.test/1/webhooks", settings.NotificationsQueueURL: "https://sqs.test/1/notifications",
		settings.WaitingTable: "waiting", settings.CircuitsTable: "circuits", settings.EndpointsTable: "endpoints",
		settings.EventsQueueURL: "https://sqs.test/1/events",
		"AWS_REGION":            "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
	}
	for _, missing := range []string{"", settings.WebhooksQueueURL, settings.NotificationsQueueURL, settings.WaitingTable,
		settings.CircuitsTable, settings.EndpointsTable, settings.EventsQueueURL, "AWS_REGION"} {
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
}

// TestWithoutNotifications: where they were left out, what waits goes to webhooks
// only.
func TestWithoutNotifications(t *testing.T) {
	t.Parallel()
	h, err := wire(func(name string) string {
		switch name {
		case settings.NotificationsQueueURL:
			return settings.None
		case settings.MaxHeld, settings.Metrics, "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL":
			return ""
		}
		return "of " + name
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{settings.WebhooksQueue: "of " + settings.WebhooksQueueURL, settings.EventsQueue: "of " + settings.EventsQueueURL}
	if urls := h.Exit.Sender.(*awssqs.Outgoing).URLs; !maps.Equal(urls, want) {
		t.Errorf("what waits goes to %v", urls)
	}
}
