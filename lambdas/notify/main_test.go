package main

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/channel/senders"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/webhook"
)

var whole = map[string]string{
	settings.NotificationsQueueURL: "https://sqs.test/1/notifications", settings.AuditQueueURL: "https://sqs.test/1/audit.fifo",
	settings.AttemptsTable: "attempts", settings.WaitingTable: "waiting", settings.PaceTable: "pace", settings.DirectoryTable: "directory",
	"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
}

func TestWire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, variable, value, says string }{
		{name: "whole"},
		{"no queue", settings.NotificationsQueueURL, "", settings.NotificationsQueueURL},
		{"no audit queue", settings.AuditQueueURL, "", settings.AuditQueueURL},
		{"no table", settings.AttemptsTable, "", settings.AttemptsTable},
		{"no waiting room", settings.WaitingTable, "", settings.WaitingTable},
		{"no region", "AWS_REGION", "", "AWS_REGION"},
		{"bad policy", settings.RetryPolicies, "x=25h", `"x"`},
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

// TestSettingsAreHeeded: what is read reaches who heeds it.
func TestSettingsAreHeeded(t *testing.T) {
	t.Parallel()
	set := maps.Clone(whole)
	maps.Copy(set, map[string]string{
		settings.AuditLanes: "7", settings.SecretTTL: "42s", settings.MaxReceives: "33", settings.RetryPolicies: "mine=1s,2s",
		settings.Attachments:    "acme-files/invoices/",
		settings.ChannelSecrets: "efferent/prod/", settings.Proxy: "http://proxy.internal:3128",
	})
	h, err := wire(func(name string) string { return set[name] }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	attempts, queue, audit := h.Attempts.(*awsdynamodb.Attempts), h.Queue.(*awssqs.Queue), h.Audit.(*awssqs.Audit)
	if room := h.Room.(*awsdynamodb.Waiting); room.Table != "waiting" {
		t.Errorf("the room is %+v", room)
	}
	if claims := h.Claims.(*awsdynamodb.Claims); attempts.Table != "attempts" || claims.Table != "attempts" ||
		queue.URL != whole[settings.NotificationsQueueURL] {
		t.Errorf("attempts %+v, claims %+v, queue %+v", attempts, claims, queue)
	}
	if audit.URL != whole[settings.AuditQueueURL] || audit.Lanes != 7 {
		t.Errorf("audit %+v", audit)
	}
	maker := h.Senders.(*senders.Maker)
	if secrets := maker.Secrets.(*awssecrets.Texts); secrets.TTL != 42*time.Second || maker.Prefix != "efferent/prod/" {
		t.Errorf("the TTL is %s, and names begin with %s", secrets.TTL, maker.Prefix)
	}
	request := httptest.NewRequest(http.MethodPost, "https://slack.test", nil)
	if by, err := maker.HTTP.(*http.Transport).Proxy(request); err != nil || by.String() != "http://proxy.internal:3128" {
		t.Errorf("Slack is reached by %v, %v", by, err)
	}
	if files := h.Files.(*awss3.Files); len(files.Places) != 1 || files.Places[0] != "acme-files/invoices/" {
		t.Errorf("attachments are read from %v", files.Places)
	}
	if parts := h.Parts.(*awssqs.Outgoing); parts.URLs[settings.NotificationsQueue] != whole[settings.NotificationsQueueURL] {
		t.Errorf("parts go to %v", parts.URLs)
	}
	if x := maker.Webhooks.Post(t.Context(), webhook.Request{URL: "http://hooks.acme.test/"}); x.Err == nil ||
		!strings.Contains(x.Err.Error(), "plain http") {
		t.Errorf("a webhook by plain http: %v", x.Err)
	}
	if policy, err := h.Policies.Lookup("mine"); err != nil || policy.Attempts() != 3 || h.MaxReceives != 33 {
		t.Errorf("policy %+v, %v; %d receives", policy, err, h.MaxReceives)
	}
}

// TestMetrics is not parallel: they go where CloudWatch looks for them, which is
// standard output.
func TestMetrics(t *testing.T) {
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	os.Stdout = in
	h, err := wire(func(name string) string { return whole[name] }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h.Metrics.Record([]metric.Event{{Name: metric.Misconfigured, Value: 1, Labels: metric.Labels{Channel: "email"}},
		{Name: metric.OutcomesMissing, Value: 1, Labels: metric.Labels{Action: "notification.failed"}},
		{Name: metric.OldestUndelivered, Value: 90}})
	_ = in.Close()
	lines, err := io.ReadAll(out)
	for _, want := range []string{`"Misconfigured":1`, `"channel":"email"`, `"OutcomesMissing":1`, `"action":"notification.failed"`,
		`"OldestUndelivered":90`} {
		if err != nil || !strings.Contains(string(lines), want) {
			t.Errorf("it wrote %q, %v, and not %s", lines, err, want)
		}
	}
}
