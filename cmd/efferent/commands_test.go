package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efferent/efferent/e2e/scenario"
)

// command runs efferent against s and returns what it printed.
func (s *running) command(stdin string, args ...string) (stdout, stderr string, err error) {
	s.t.Helper()
	c := command(args...)
	c.Env = append(c.Env, "AWS_ENDPOINT_URL="+s.awsURL, "EFFERENT_API_URL="+s.httpURL)
	var out, errs strings.Builder
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errs
	err = c.Run()
	return out.String(), errs.String(), err
}

func TestCommands(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	e := scenario.NewEndpoint(t, scenario.OK)
	generated, _, err := s.command("", "secret", "put", "--dev", "--generate", "efferent/webhooks/generated")
	if err != nil || !strings.HasPrefix(generated, "whsec_") {
		t.Fatalf("secret put printed %q, %v", generated, err)
	}
	if _, stderr, err := s.command(scenario.SecretValue+"\n", "secret", "put", "--dev", "efferent/webhooks/generated"); err != nil ||
		strings.Contains(stderr, scenario.SecretValue) {
		t.Fatalf("replacing the secret: %v, %q", err, stderr)
	}

	// A body with everything that is lost when JSON is read and written again.
	body := "{ \"n\": 1.00,\n \"d\": 1, \"d\": 2, \"u\": \"\\u00e9\\/\" }"
	file := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	out, stderr, err := s.command("", "send", "--dev", "--url", e.URL, "--secret", "efferent/webhooks/generated", "--event", "a.b",
		"--body-file", file, "--id", "evt_1", "--tenant", "acme", "--header", "X-A: b, c: d", "--retry", "replay", "--timeout", "15s")
	var printed sent
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
	if out, _, err = s.command("", "deliveries", "show", "--dev", "evt_1"); err != nil || !strings.Contains(out, "delivered") {
		t.Errorf("deliveries show printed %q, %v", out, err)
	}
	out, _, err = s.command("", "deliveries", "show", "--dev", "--json", "evt_1")
	if err != nil || !json.Valid([]byte(out)) || !strings.Contains(out, `"status":200`) {
		t.Errorf("deliveries show --json printed %q, %v", out, err)
	}

	out, _, err = s.command(`{"from":"stdin"}`, "send", "--dev", "--url", e.URL, "--secret", "efferent/webhooks/generated", "--event", "e",
		"--body-file", "-")
	if err != nil || json.Unmarshal([]byte(out), &printed) != nil || printed.WebhookID != printed.MessageID {
		t.Errorf("send without an id printed %q, %v", out, err)
	}
}

func TestCommandErrors(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
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
				cmd := command(c.args...)
				cmd.Env = append(cmd.Env, "EFFERENT_RETRY_POLICIES=slow=25h")
				out, err := cmd.CombinedOutput()
				if err == nil || !strings.Contains(string(out), c.says) {
					t.Errorf("got %v, %s", err, out)
				}
				return
			}
			_, stderr, err := s.command("", c.args...)
			if err == nil || !strings.Contains(stderr, c.says) {
				t.Errorf("got %v, %q; want it to tell %q", err, stderr, c.says)
			}
		})
	}
}

func TestForeignHostsAreRefused(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	for _, base := range []string{s.awsURL, s.httpURL} {
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

func TestDemo(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(*demo, context.Context) error{
		"webhooks": (*demo).webhooks, "notifications": (*demo).notifications} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := runDemo(t.Context(), &out, play); err != nil {
				t.Errorf("%v\n%s", err, out.String())
			}
			// Its last line is a command that anybody can run.
			_, args, ok := strings.Cut(out.String(), "check them: go run ./cmd/efferent ")
			fields := strings.Fields(args)
			if !ok || len(fields) != 5 {
				t.Fatalf("it ends by %q", out.String())
			}
			t.Cleanup(func() { _ = os.Remove(fields[2]) })
			if said, err := command(fields...).CombinedOutput(); err != nil || !strings.HasPrefix(string(said), "sound: entry ") {
				t.Errorf("%v: %v: %s", fields, err, said)
			}
		})
	}
}
