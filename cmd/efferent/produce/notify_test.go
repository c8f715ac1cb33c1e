package produce

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/internal/standin"
)

// TestNotify sends by every channel, whose secrets dev's environment gives.
func TestNotify(t *testing.T) {
	t.Parallel()
	providers := commandtest.StartProviders(t, commandtest.TakesAll)
	file := filepath.Join(t.TempDir(), "logo.png")
	if err := os.WriteFile(file, []byte("PNG"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := commandtest.StartProcess(t, []string{
		"SMTP_HOST=127.0.0.1", fmt.Sprintf("SMTP_PORT=%d", providers.MailPort), "SLACK_WEBHOOK_URL=" + providers.URL + "/services/T/B/x",
		"TWILIO_ACCOUNT_SID=AC0", "TWILIO_AUTH_TOKEN=x", "TWILIO_FROM_NUMBER=+15005550006", "TWILIO_BASE_URL=" + providers.URL,
		"TEAMS_WEBHOOK_URL=" + providers.URL + "/workflows/teams/triggers/manual/paths/invoke?sig=x",
		"DISCORD_WEBHOOK_URL=" + providers.URL + "/api/webhooks/77/x",
		"NOTIFY_WEBHOOK_URL=" + providers.URL + "/in/machine", "NOTIFY_WEBHOOK_SECRET=" + standin.SigningKey,
	}, "dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", ":memory:")
	for _, c := range []struct {
		id, to, stdin, holds string
		args                 []string
	}{
		{"n_1", "ann@acme.test", "", "Subject: Hi", []string{"--channel", "email", "--recipient", "ann@acme.test", "--subject", "Hi", "--body",
			"text"}},
		{"n_2", "C0123", "from a file\n", "from a file", []string{
			"--channel", "slack", "--recipient", "C0123", "--body-file", "-", "--tenant", "acme"}},
		{"n_3", "+46701234567", "", "code 1", []string{"--channel", "sms", "--recipient", "+46701234567", "--body", "code 1", "--fallback",
			"email,slack",
			"--recipients", "email=ann@acme.test", "--recipients", "slack=C0123"}},
		{"n_4", "teams", "", "It is paid.", []string{"--channel", "teams", "--recipient", "ops", "--body", "It is paid."}},
		{"n_5", "77", "", "It is paid.", []string{"--channel", "discord", "--recipient", "ops", "--body", "It is paid."}},
		{"n_6", "machine", "", `"subject":"Hi"`, []string{"--channel", "webhook", "--recipient", "ops", "--subject", "Hi", "--body", "text"}},
		{"n_7", "eve@acme.test", "<p>It is <b>paid</b>.</p>", "filename=logo.png", []string{"--channel", "email", "--recipient", "bob@acme.test",
			"--recipient", "caro@acme.test", "--bcc", "eve@acme.test", "--html-file", "-", "--attach", file, "--header", "X-Campaign=a,b",
			"--reply-to", "Help <help@acme.test>", "--thread", "n_1"}},
	} {
		out, stderr, err := p.Command(c.stdin, append([]string{"notify", "--dev", "--id", c.id}, c.args...)...)
		var printed notified
		if err != nil || json.Unmarshal([]byte(out), &printed) != nil || printed.NotificationID != c.id || printed.MessageID == "" {
			t.Fatalf("notify printed %q, %q, %v", out, stderr, err)
		}
		p.Attempts(t, c.id)
		got := providers.Taken(c.to)
		if len(got) != 1 || !strings.Contains(got[0].Text, c.holds) || strings.HasSuffix(got[0].Text, "file\n") {
			t.Errorf("%s got %+v", c.to, got)
		}
	}
	if err := p.Terminate(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	for _, private := range []string{"from a file", "code 1", "services/T/B"} {
		if strings.Contains(p.Stderr.String(), private) {
			t.Errorf("the log tells %q: %s", private, p.Stderr.String())
		}
	}
}

func TestNotifyErrors(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	email := []string{"--channel", "email", "--recipient", "ann@acme.test"}
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"unknown channel":          {[]string{"--channel", "fax", "--recipient", "1", "--body", "b"}, `field "channel"`},
		"no such address":          {[]string{"--channel", "sms", "--recipient", "0701", "--body", "b"}, `field "recipient"`},
		"no such fallback address": {append(email, "--body", "b", "--fallback", "sms", "--recipients", "sms=0701"), `field "recipients": sms`},
		"too long a text": {[]string{"--channel", "sms", "--recipient", "+46701234567", "--body", strings.Repeat("x", 2000)},
			`field "body"`},
		"own channel as fallback": {append(email, "--body", "b", "--fallback", "email"), `field "fallback"`},
		"no body":                 {email, "--body"},
		"an empty body":           {append(email, "--body", ""), `field "body"`},
		"no such file":            {append(email, "--body-file", "none.txt"), "none.txt"},
		"none among others":       {append(email, "--body", "b", "--fallback", "none,sms"), `field "fallback"`},
		"no stack of that prefix": {append(email, "--body", "b", "--prefix", "prod-"), "prod-notifications"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, stderr, err := s.Command("", append([]string{"notify", "--dev"}, c.args...)...)
			if err == nil || !strings.Contains(stderr, c.says) {
				t.Errorf("got %v, %q; want it to tell %q", err, stderr, c.says)
			}
		})
	}
}

func TestBadChannelSettings(t *testing.T) {
	t.Parallel()
	for env, says := range map[string]string{
		"SMTP_HOST=127.0.0.1 SMTP_PORT=smtp":       "SMTP_PORT",
		"SLACK_WEBHOOK_URL=http://slack.test/x":    "webhook_url",
		"TWILIO_ACCOUNT_SID=AC0":                   "auth_token",
		"SMTP_HOST=mail.test SMTP_USER=ann":        "password",
		"SLACK_WEBHOOK_URL=https://u:hush@a.test/": "webhook_url",
	} {
		cmd := commandtest.Command("dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", ":memory:")
		cmd.Env = append(cmd.Env, strings.Fields(env)...)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), says) || strings.Contains(string(out), "hush") {
			t.Errorf("%s: %v, %s", env, err, out)
		}
	}
	s := devtest.StartLocal(t)
	if _, stderr, err := s.Command(`{"webhook_url":"https://hooks.test/x?hush"}`, "secret", "put", "--dev", "efferent/slack"); err == nil ||
		!strings.Contains(stderr, "webhook_url") || strings.Contains(stderr, "hush") {
		t.Errorf("secret put: %v, %q", err, stderr)
	}
}

// TestThread: an alert, its end and its correction are one thread in Slack, though the
// end is sent before the alert.
func TestThread(t *testing.T) {
	t.Parallel()
	providers := commandtest.StartProviders(t, commandtest.TakesAll)
	p := commandtest.StartProcess(t, []string{"SLACK_BOT_TOKEN=xoxb-standin", "SLACK_BASE_URL=" + providers.URL}, "dev", "--aws",
		"127.0.0.1:0", "--http",
		"127.0.0.1:0", "--data", ":memory:")
	for _, args := range [][]string{
		{"--id", "end", "--body", "It is over.", "--thread", "alert"},
		{"--id", "alert", "--body", "Disk full"},
		{"--id", "note", "--body", "It was db-3.", "--thread", "end"},
		{"--id", "correction", "--body", "Disk was full", "--update", "alert"},
	} {
		// On its last channel a notification waits for longer than these commands may take.
		if _, stderr, err := p.Command("", append([]string{"notify", "--dev", "--channel", "slack", "--fallback", "none", "--recipient", "C0123"},
			args...)...); err != nil {
			t.Fatalf("%v, %s", err, stderr)
		}
	}
	for _, id := range []string{"alert", "end", "note", "correction"} {
		p.Attempts(t, id)
	}
	earlier, alert := map[string]string{}, ""
	for _, m := range providers.Taken("C0123") {
		earlier[m.Text] = m.Earlier
	}
	for _, r := range p.Attempts(t, "alert") {
		_, alert, _ = strings.Cut(r.ProviderID, "/")
	}
	for text, want := range map[string]string{"Disk full": "", "It is over.": alert, "It was db-3.": alert, "Disk was full": alert} {
		if got, ok := earlier[text]; !ok || got != want {
			t.Errorf("%q belongs to %q, want %q; all are %v", text, got, want, earlier)
		}
	}
}
