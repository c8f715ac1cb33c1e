package main

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/aws/gateway"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/settings"
)

var whole = map[string]string{
	settings.WebhooksQueueURL: "https://sqs.test/1/webhooks", settings.WebhookFailuresQueueURL: "https://sqs.test/1/webhook-failures",
	settings.NotificationsQueueURL:        "https://sqs.test/1/notifications",
	settings.NotificationFailuresQueueURL: "https://sqs.test/1/notification-failures",
	settings.AuditQueueURL:                "https://sqs.test/1/audit.fifo",
	settings.AttemptsTable:                "attempts", settings.WaitingTable: "waiting", settings.CircuitsTable: "circuits",
	settings.EndpointsTable: "endpoints", settings.EventsQueueURL: "https://sqs.test/1/events",
	settings.EventFailuresQueueURL: "https://sqs.test/1/event-failures",
	settings.LedgerTable:           "ledger", settings.LedgerBucket: "tiles", settings.CheckpointsBucket: "checkpoints",
	"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
}

func TestWire(t *testing.T) {
	t.Parallel()
	for variable := range whole {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			_, err := wire(func(name string) string {
				if name == variable {
					return ""
				}
				return whole[name]
			}, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("without %s: %v", variable, err)
			}
		})
	}
	h, err := wire(func(name string) string { return whole[name] }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	h.Routes().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/dlq?queue=nobodys", nil))
	if body := answer.Body.String(); answer.Code != http.StatusNotFound || !strings.Contains(body, "webhook-failures") ||
		!strings.Contains(body, "notification-failures") {
		t.Errorf("the API answers %d %s", answer.Code, body)
	}
}

// TestAuditFailures: who asks for them is told what to do.
func TestAuditFailures(t *testing.T) {
	t.Parallel()
	h, err := wire(func(name string) string { return whole[name] }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	h.Routes().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/dlq?queue="+settings.AuditFailuresQueue, nil))
	if body := answer.Body.String(); answer.Code != http.StatusNotFound || !strings.Contains(body, "docs/dead-letters.md") {
		t.Errorf("the API answers %d %s", answer.Code, body)
	}
}

// TestWhereItGoes: each queue has its own source, and the settings reach who
// heeds them.
func TestWhereItGoes(t *testing.T) {
	t.Parallel()
	h, err := wire(func(name string) string {
		switch name {
		case settings.AuditLanes:
			return "7"
		case settings.ReportsQueueURL:
			return "https://sqs.test/1/reports"
		case settings.ReportFailuresQueueURL:
			return "https://sqs.test/1/report-failures"
		}
		return whole[name]
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, q := range h.Queues {
		letters, source, moves := q.Letters.(*awssqs.Letters), q.Source.(*awssqs.Source), q.Moves.(*awssqs.Moves)
		read := q.Read(`{"id":"x","url":"https://a.test","channel":"email"}`)
		got = append(got, strings.Join([]string{q.Name, q.From, letters.URL, moves.URL, source.URL, read.URL, read.Channel}, " "))
	}
	want := []string{
		"webhook-failures webhooks https://sqs.test/1/webhook-failures https://sqs.test/1/webhook-failures https://sqs.test/1/webhooks " +
			"https://a.test ",
		"notification-failures notifications https://sqs.test/1/notification-failures https://sqs.test/1/notification-failures " +
			"https://sqs.test/1/notifications  email",
		"event-failures events https://sqs.test/1/event-failures https://sqs.test/1/event-failures https://sqs.test/1/events  ",
		"report-failures reports https://sqs.test/1/report-failures https://sqs.test/1/report-failures https://sqs.test/1/reports  ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	room, records, sender := h.Room.(*awsdynamodb.Waiting), h.Records.(*awsdynamodb.Attempts), h.Exit.Sender.(*awssqs.Outgoing)
	wantURLs := map[string]string{"webhooks": "https://sqs.test/1/webhooks", "notifications": "https://sqs.test/1/notifications",
		"events": "https://sqs.test/1/events"}
	if room.Table != "waiting" || h.Exit.Places != room || records.Table != "attempts" || !maps.Equal(sender.URLs, wantURLs) {
		t.Errorf("the waiting room is %+v, its exit %+v to %v; records are kept in %+v", room, h.Exit, sender.URLs, records)
	}
	if circuits := h.Circuits.(*awsdynamodb.Circuits); circuits.Table != "circuits" || h.Metrics == nil {
		t.Errorf("circuits are kept in %+v", circuits)
	}
	audit, claims, history := h.Audit.(*awssqs.Audit), h.Claims.(*awsdynamodb.Claims), h.History.(*awsdynamodb.Attempts)
	if audit.URL != whole[settings.AuditQueueURL] || audit.Lanes != 7 || claims.Table != "attempts" || history.Table != "attempts" {
		t.Errorf("audit %+v, claims %+v, history %+v", audit, claims, history)
	}
}

// TestCaller: who API Gateway says is limited to one tenant sees nothing here.
func TestCaller(t *testing.T) {
	t.Parallel()
	h, err := wire(func(name string) string {
		if name == settings.TenantClaim {
			return "tenant"
		}
		return whole[name]
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	handler := gateway.Function(h.Routes())
	for path, want := range map[string]string{"/api/v1/openapi.json": `"statusCode":200`, "/api/v1/waiting": "limited to"} {
		got, err := handler.Invoke(t.Context(), []byte(`{"version":"2.0","rawPath":"`+path+`","requestContext":{"http":{"method":"GET"},`+
			`"authorizer":{"jwt":{"claims":{"iss":"https://id.test","sub":"ann","tenant":"acme"}}}}}`))
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s: got %.200s, %v, want %s", path, got, err, want)
		}
	}
}

// TestWithoutNotifications: where they were left out, the API knows none.
func TestWithoutNotifications(t *testing.T) {
	t.Parallel()
	h, err := wire(func(name string) string {
		switch name {
		case settings.NotificationsQueueURL:
			return settings.None
		case settings.NotificationFailuresQueueURL:
			return ""
		}
		return whole[name]
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if urls := h.Exit.Sender.(*awssqs.Outgoing).URLs; len(h.Queues) != 2 || h.Queues[0].From != "webhooks" || h.Queues[1].From != "events" ||
		len(urls) != 2 {
		t.Errorf("there are %+v, and what waits goes to %v", h.Queues, urls)
	}
}
