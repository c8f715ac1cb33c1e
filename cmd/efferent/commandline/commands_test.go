package commandline

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/cmd/efferent/produce"
	"github.com/efferent/efferent/e2e/scenario"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	e := scenario.NewEndpoint(t, scenario.OK)
	generated, _, err := s.Command("", "secret", "put", "--dev", "--generate", "efferent/webhooks/generated")
	if err != nil || !strings.HasPrefix(generated, "whsec_") {
		t.Fatalf("secret put printed %q, %v", generated, err)
	}
	if _, stderr, err := s.Command(scenario.SecretValue+"\n", "secret", "put", "--dev", "efferent/webhooks/generated"); err != nil ||
		strings.Contains(stderr, scenario.SecretValue) {
		t.Fatalf("replacing the secret: %v, %q", err, stderr)
	}

	// A body with everything that is lost when JSON is read and written again.
	body := "{ \"n\": 1.00,\n \"d\": 1, \"d\": 2, \"u\": \"\\u00e9\\/\" }"
	file := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	out, stderr, err := s.Command("", "send", "--dev", "--url", e.URL, "--secret", "efferent/webhooks/generated", "--event", "a.b",
		"--body-file", file, "--id", "evt_1", "--tenant", "acme", "--header", "X-A: b, c: d", "--retry", "replay", "--timeout", "15s")
	var printed produce.Sent
	if err != nil || json.Unmarshal([]byte(out), &printed) != nil || printed.WebhookID != "evt_1" || printed.MessageID == "" {
		t.Fatalf("send printed %q, %q, %v", out, stderr, err)
	}
	<-e.Seen
	got := e.Arrivals("evt_1")[0]
	if got.Body != body || got.Header.Get("X-A") != "b, c: d" || got.Header.Get("X-Webhook-Event") != "a.b" {
		t.Errorf("arrived: %+v", got)
	}
	got.Verify(t, scenario.SecretValue)
	s.Attempts(t, "evt_1")
	if out, _, err = s.Command("", "deliveries", "show", "--dev", "evt_1"); err != nil || !strings.Contains(out, "delivered") {
		t.Errorf("deliveries show printed %q, %v", out, err)
	}
	out, _, err = s.Command("", "deliveries", "show", "--dev", "--json", "evt_1")
	if err != nil || !json.Valid([]byte(out)) || !strings.Contains(out, `"status":200`) {
		t.Errorf("deliveries show --json printed %q, %v", out, err)
	}

	out, _, err = s.Command(`{"from":"stdin"}`, "send", "--dev", "--url", e.URL, "--secret", "efferent/webhooks/generated", "--event", "e",
		"--body-file", "-")
	if err != nil || json.Unmarshal([]byte(out), &printed) != nil || printed.WebhookID != printed.MessageID {
		t.Errorf("send without an id printed %q, %v", out, err)
	}
}

func TestCommandErrors(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	send := func(more ...string) []string {
		return append([]string{"send", "--dev", "--secret", "efferent/webhooks/a", "--event", "e"}, more...)
	}
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"body is no JSON", send("--url", "https://a.test", "--body", "{"), "the body is not JSON"},
		{"bad URL", send("--url", "ftp://a.test", "--body", "{}"), `field "url": must begin with https://`},
		{"no body", send("--url", "https://a.test"), "--body"},
		{"two bodies", send("--url", "https://a.test", "--body", "{}", "--body-file", "x"), "--body"},
		{"no such file", send("--url", "https://a.test", "--body-file", "none.json"), "none.json"},
		{"header without a colon", send("--url", "https://a.test", "--body", "{}", "--header", "X"), `--header "X"`},
		{"reserved header", send("--url", "https://a.test", "--body", "{}", "--header", "Host: a"), `"Host" may not be set`},
		{"no stack of that prefix", send("--url", "https://a.test", "--body", "{}", "--prefix", "prod-"), "prod-webhooks"},
		{"nobody there", send("--url", "https://a.test", "--body", "{}", "--endpoint-url", "http://127.0.0.1:1"), "no efferent dev answers"},
		{"unknown delivery", []string{"deliveries", "show", "none"}, `"none"`},
		{"API is not there", []string{"deliveries", "show", "--api", "http://127.0.0.1:1", "x"}, "the API does not answer"},
		{"unusable secret", []string{"secret", "put", "--dev", "efferent/webhooks/a", "whsec_"}, "nothing follows whsec_"},
		{"no secret", []string{"secret", "put", "--dev", "efferent/webhooks/a"}, "empty"},
		{"an empty secret", []string{"secret", "put", "--dev", "efferent/webhooks/a", ""}, "empty"},
		{"a signature's prefix", []string{"secret", "put", "--dev", "efferent/webhooks/a", "v1," + scenario.SecretValue}, "without v1,"},
		{"a name that nothing uses", []string{"secret", "put", "--dev", "efferent/webhook/a", "x"}, `did you mean "efferent/webhooks/a"?`},
		{"generated for a channel", []string{"secret", "put", "--dev", "--generate", "efferent/smtp"}, "--generate makes secrets that sign"},
		{"a prefix, which secrets have none of", []string{"secret", "put", "--dev", "--prefix", "prod-", "efferent/webhooks/a", "x"}, "--prefix"},
		{"a value and --generate", []string{"secret", "put", "--dev", "--generate", "efferent/webhooks/a", "x"}, "not both"},
		{"bad settings", []string{"dev"}, "EFFERENT_RETRY_POLICIES"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.name == "bad settings" {
				cmd := commandtest.Command(c.args...)
				cmd.Env = append(cmd.Env, "EFFERENT_RETRY_POLICIES=slow=25h")
				out, err := cmd.CombinedOutput()
				if err == nil || !strings.Contains(string(out), c.says) {
					t.Errorf("got %v, %s", err, out)
				}
				return
			}
			_, stderr, err := s.Command("", c.args...)
			if err == nil || !strings.Contains(stderr, c.says) {
				t.Errorf("got %v, %q; want it to tell %q", err, stderr, c.says)
			}
		})
	}
}

func TestForeignHostsAreRefused(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	for _, base := range []string{s.AWSURL, s.HTTPURL} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/deliveries/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "rebound.example"
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s answered %s to a foreign Host", base, resp.Status)
		}
	}
}
