package main

import (
	"encoding/pem"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/webhook"
)

var whole = map[string]string{
	settings.WebhooksQueueURL: "https://sqs.test/1/webhooks", settings.AuditQueueURL: "https://sqs.test/1/audit.fifo",
	settings.AttemptsTable: "attempts", settings.WaitingTable: "waiting", settings.CircuitsTable: "circuits", settings.PaceTable: "pace",
	settings.EndpointsTable: "endpoints",
	"AWS_REGION":            "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
}

func TestWire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, variable, value, says string }{
		{name: "whole"},
		{"no queue", settings.WebhooksQueueURL, "", settings.WebhooksQueueURL},
		{"no table", settings.AttemptsTable, "", settings.AttemptsTable},
		{"no waiting room", settings.WaitingTable, "", settings.WaitingTable},
		{"no endpoints", settings.EndpointsTable, "", settings.EndpointsTable},
		{"no region", "AWS_REGION", "", "AWS_REGION"},
		{"no bundle", settings.CABundle, "nowhere.pem", settings.CABundle},
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
		settings.AllowHTTP: "127.0.0.1", settings.AllowCIDRs: "127.0.0.0/8", settings.ResponseLimit: "2",
		settings.CircuitLimits: "failures=7", settings.SecretGrace: "43h",
	})
	h, err := wire(func(name string) string { return set[name] }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	attempts, queue, audit := h.Attempts.(*awsdynamodb.Attempts), h.Queue.(*awssqs.Queue), h.Audit.(*awssqs.Audit)
	if room := h.Room.(*awsdynamodb.Waiting); room.Table != "waiting" {
		t.Errorf("the room is %+v", room)
	}
	if attempts.Table != "attempts" || queue.URL != whole[settings.WebhooksQueueURL] {
		t.Errorf("attempts %+v, queue %+v", attempts, queue)
	}
	if audit.URL != whole[settings.AuditQueueURL] || audit.Lanes != 7 {
		t.Errorf("audit %+v", audit)
	}
	if secrets := h.Secrets.(*awssecrets.Signing); secrets.TTL != 42*time.Second || secrets.Grace != 43*time.Hour {
		t.Errorf("the TTL is %s, the grace %s", secrets.TTL, secrets.Grace)
	}
	if policy, err := h.Policies.Lookup("mine"); err != nil || policy.Attempts() != 3 || h.MaxReceives != 33 {
		t.Errorf("policy %+v, %v; %d receives", policy, err, h.MaxReceives)
	}
	circuits := h.Circuits.(*circuit.Keeper)
	if store := circuits.Store.(*awsdynamodb.Circuits); store.Table != "circuits" || circuits.Limits.Threshold != 7 {
		t.Errorf("circuits %+v, limits %+v", store, circuits.Limits)
	}
	if store := h.Endpoints.(*endpoint.Known).Store.(*awsdynamodb.Endpoints); store.Table != "endpoints" {
		t.Errorf("endpoints %+v", store)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if x := h.Sender.Post(t.Context(), request(t, server.URL)); x.Status != http.StatusNotFound || x.Response != "40" {
		t.Errorf("over plain http to this machine: %+v", x)
	}
}

func request(t *testing.T, url string) webhook.Request {
	t.Helper()
	secret, err := webhook.ParseSecret("correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	return webhook.Request{URL: url, ID: "x", EventType: "e", Body: []byte("{}"), Secrets: []webhook.Secret{secret}, At: time.Now()}
}

// TestPrivateAuthority: what vouches for an endpoint may be in a file.
func TestPrivateAuthority(t *testing.T) {
	t.Parallel()
	endpoint := httptest.NewTLSServer(http.NotFoundHandler())
	defer endpoint.Close()
	set := maps.Clone(whole)
	set[settings.CABundle], set[settings.AllowCIDRs] = filepath.Join(t.TempDir(), "ca.pem"), "127.0.0.0/8"
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: endpoint.Certificate().Raw})
	if err := os.WriteFile(set[settings.CABundle], bundle, 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := wire(func(name string) string { return set[name] }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if x := h.Sender.Post(t.Context(), request(t, endpoint.URL)); x.Status != http.StatusNotFound {
		t.Errorf("got %+v", x)
	}
}

// TestBundleOutOfReach: a function whose secret can't be read, or holds no bundle,
// starts all the same, says why nothing can be sent, and goes on once that is mended.
func TestBundleOutOfReach(t *testing.T) {
	t.Parallel()
	endpoint := httptest.NewTLSServer(http.NotFoundHandler())
	defer endpoint.Close()
	bundle := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: endpoint.Certificate().Raw}))
	var secret atomic.Value // its text; empty where it can't be read
	secret.Store("")
	manager := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		text := secret.Load().(string)
		if text == "" {
			w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_ = json.MarshalWrite(w, map[string]string{"SecretString": text})
	}))
	defer manager.Close()
	set := maps.Clone(whole)
	set[settings.CABundle], set[settings.AllowCIDRs], set["AWS_ENDPOINT_URL"] = "efferent/ca", "127.0.0.0/8", manager.URL
	h, err := wire(func(name string) string { return set[name] }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	late, now := h.Sender.(*webhook.Late), time.Now()
	late.Now = func() time.Time { return now }
	for _, c := range []struct{ text, why string }{{"", "AccessDenied"}, {"hunter2", "no certificate"}, {bundle, ""}, {"", ""}} {
		secret.Store(c.text)
		now = now.Add(time.Minute)
		err := h.Ready(t.Context())
		if c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why) || !strings.Contains(err.Error(), settings.CABundle) ||
			strings.Contains(err.Error(), "hunter2")) || c.why == "" && err != nil {
			t.Errorf("the secret is %q: %v", c.text, err)
		}
		x := h.Sender.Post(t.Context(), request(t, endpoint.URL))
		if x.Ours != (c.why != "") || (x.Status == http.StatusNotFound) != (c.why == "") {
			t.Errorf("the secret is %q: %+v", c.text, x)
		}
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
	h.Metrics.Record([]metric.Event{{Name: metric.OutcomesMissing, Value: 1, Labels: metric.Labels{Action: "webhook.failed"}},
		{Name: metric.OldestUndelivered, Value: 90}})
	_ = in.Close()
	lines, err := io.ReadAll(out)
	for _, want := range []string{`"OutcomesMissing":1`, `"action":"webhook.failed"`, `"OldestUndelivered":90`} {
		if err != nil || !strings.Contains(string(lines), want) {
			t.Errorf("it wrote %q, %v, and not %s", lines, err, want)
		}
	}
}
