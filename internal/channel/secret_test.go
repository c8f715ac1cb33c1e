package channel

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSecrets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		on   Name
		in   string
		want any
	}{
		{Email, `{"host": "mail.acme.test"}`, EmailConfig{Host: "mail.acme.test", Port: 587, TLS: TLSStart, From: "noreply@example.com"}},
		{Email, `{"host": "m", "tls": "implicit", "username": "u", "password": "hush", "from": "Efferent <e@acme.test>"}`,
			EmailConfig{Host: "m", Port: 465, TLS: TLSImplicit, Username: "u", Password: "hush", From: "Efferent <e@acme.test>"}},
		{Email, `{"host": "m", "port": 25, "tls": "none"}`, EmailConfig{Host: "m", Port: 25, TLS: TLSNone, From: DefaultFrom}},
		{Email, `{"host": "::1", "tls": "none", "username": "u", "password": "p"}`,
			EmailConfig{Host: "::1", Port: 587, TLS: TLSNone, Username: "u", Password: "p", From: DefaultFrom}},
		{Email, `{"host": "m", "port": 465}`, EmailConfig{Host: "m", Port: 465, TLS: TLSImplicit, From: DefaultFrom}},
		{Email, `{"host": "bücher.test", "ehlo": "[IPv6:2001:db8::1]"}`,
			EmailConfig{Host: "bücher.test", Port: 587, TLS: TLSStart, From: DefaultFrom, EHLO: "[IPv6:2001:db8::1]"}},
		{Email, `{"host": "m", "ehlo": "[192.0.2.1]"}`, EmailConfig{Host: "m", Port: 587, TLS: TLSStart, From: DefaultFrom, EHLO: "[192.0.2.1]"}},
		{Email, `{"host": "m", "ehlo": "a-1.xn--bcher-kva.test"}`,
			EmailConfig{Host: "m", Port: 587, TLS: TLSStart, From: DefaultFrom, EHLO: "a-1.xn--bcher-kva.test"}},
		{Email, `{"ses": true, "from": "e@acme.test"}`, EmailConfig{SES: true, From: "e@acme.test"}},
		{Slack, `{"webhook_url": "https://hooks.slack.com/services/T/B/x"}`,
			SlackConfig{WebhookURL: "https://hooks.slack.com/services/T/B/x", RatePerSecond: 1}},
		{Slack, `{"bot_token": "xoxb-1"}`, SlackConfig{BotToken: "xoxb-1", BaseURL: "https://slack.com", RatePerSecond: 1}},
		{Slack, `{"bot_token": "xoxb-1", "base_url": "http://127.0.0.1:80/x/"}`,
			SlackConfig{BotToken: "xoxb-1", BaseURL: "http://127.0.0.1:80/x", RatePerSecond: 1}},
		{Slack, `{"bot_token": "xoxb-1", "rate_per_second": 0.5}`,
			SlackConfig{BotToken: "xoxb-1", BaseURL: "https://slack.com", RatePerSecond: 0.5}},
		{Email, `{"host": "m", "rate_per_second": 14, "connections": 3}`,
			EmailConfig{Host: "m", Port: 587, TLS: TLSStart, From: DefaultFrom, RatePerSecond: 14, Connections: 3}},
		{Email, `{"ses": true, "from": "e@acme.test", "rate_per_second": 14}`, EmailConfig{SES: true, From: "e@acme.test", RatePerSecond: 14}},
		{SMS, `{"account_sid": "AC1", "auth_token": "t", "from_number": "+15005550006"}`,
			SMSConfig{AccountSID: "AC1", AuthToken: "t", FromNumber: "+15005550006", BaseURL: "https://api.twilio.com", MaxSegments: 10}},
		{SMS, `{"account_sid": "AC1", "auth_token": "t", "messaging_service_sid": "MG1", "base_url": "http://localhost:1", "max_segments": 2}`,
			SMSConfig{AccountSID: "AC1", AuthToken: "t", MessagingServiceSID: "MG1", BaseURL: "http://localhost:1", MaxSegments: 2}},
		{SMS, `{"end_user_messaging": true, "origination_identity": "pool-1"}`,
			SMSConfig{EndUserMessaging: true, OriginationIdentity: "pool-1", MaxSegments: 10}},
		{Email, `{"host": "m", "senders": {"acme": "Acme <e@acme.test>"}}`,
			EmailConfig{Host: "m", Port: 587, TLS: TLSStart, From: DefaultFrom, Senders: map[string]string{"acme": "Acme <e@acme.test>"}}},
		{Teams, `{"webhook_url": "https://prod-1.logic.azure.com:443/workflows/1?sig=a"}`,
			HookConfig{WebhookURL: "https://prod-1.logic.azure.com:443/workflows/1?sig=a", RatePerSecond: 4}},
		{Teams, `{"webhooks": {"ops": "http://127.0.0.1:1/a"}, "rate_per_second": 0.5}`,
			HookConfig{Webhooks: map[string]string{"ops": "http://127.0.0.1:1/a"}, RatePerSecond: 0.5}},
		{Discord, `{"webhook_url": "https://discord.com/api/webhooks/1/a_-"}`, HookConfig{WebhookURL: "https://discord.com/api/webhooks/1/a_-",
			RatePerSecond: 2}},
		{Webhook, `{"url": "https://a.test/in", "secret": "whsec_aHVzaA=="}`,
			SignedConfig{SignedEndpoint: SignedEndpoint{URL: "https://a.test/in", Key: "whsec_aHVzaA=="}}},
		{Webhook, `{"webhooks": {"ops": {"url": "https://a.test/in", "secret": "whsk_aHVzaA=="}}}`,
			SignedConfig{Webhooks: map[string]SignedEndpoint{"ops": {URL: "https://a.test/in", Key: "whsk_aHVzaA=="}}}},
	} {
		got, err := parse(c.on, c.in)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got:\n%s", c.in, err, diff)
		}
	}
}

func parse(on Name, secret string) (any, error) {
	switch on {
	case Email:
		return ParseEmail(secret)
	case Slack:
		return ParseSlack(secret)
	case Teams:
		return ParseTeams(secret)
	case Discord:
		return ParseDiscord(secret)
	case Webhook:
		return ParseSigned(secret)
	}
	return ParseSMS(secret)
}

func TestParseSecretsRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		on       Name
		in, says string
	}{
		{Email, `not JSON: hush`, "not a JSON object"},
		{Email, `"hush"`, "not a JSON object"},
		{Email, `{"host": "m", "host": "hush"}`, "each key once"},
		{Email, `{"host": "m", "hots": "hush"}`, `field "hots": unknown`},
		{Email, `{"Host": "hush"}`, `field "Host": unknown`},
		{Email, `{"host": "m", "port": "hush"}`, `field "port": is of the wrong type`},
		{Email, `{}`, `field "host"`},
		{Email, `{"host": "m/hush"}`, `field "host"`},
		{Email, `{"host": "m\r\nhush"}`, `field "host"`},
		{Email, `{"host": "m", "port": 70000}`, `field "port"`},
		{Email, `{"host": "m", "tls": "hush"}`, `field "tls"`},
		{Email, `{"host": "m", "tls": "opportunistic"}`, `field "tls": can't be opportunistic, except on a loopback address`},
		{Email, `{"host": "m", "from": "hush"}`, `field "from"`},
		{Email, `{"host": "m", "from": "a@b.test\r\nX: hush"}`, `field "from"`},
		{Email, `{"host": "m", "password": "hush"}`, `field "username": missing`},
		{Email, `{"host": "m", "username": "u"}`, `field "password": missing`},
		{Email, `{"host": "mail.acme.test", "username": "u", "password": "hush", "tls": "none"}`, `field "tls": can't be none with a password`},
		{Email, `{"ses": true, "host": "m"}`, `field "ses"`},
		{Email, `{"ses": true, "ehlo": "mail.acme.test"}`, `field "ses"`},
		{Email, `{"ses": true}`, `field "from": missing beside ses`},
		{Email, `null`, "not a JSON object"},
		{Email, ` `, "not a JSON object"},
		{Email, `{"host": "m", "from": ""}`, `field "from": must not be empty`},
		{Email, `{"host": "m", "username": "", "password": ""}`, `field "password": must not be empty`},
		{Email, `{"host": "m", "tls": null}`, `field "tls": must not be empty`},
		{Email, `{"host": "m", "port": 0}`, `field "port": must not be empty`},
		{Email, `{"host": "m:465"}`, `field "host"`},
		{Email, `{"host": "[::1]"}`, `field "host"`},
		{Email, `{"host": "m", "port": 465, "tls": "starttls"}`, `field "tls": must be implicit on port 465`},
		{Email, `{"host": "m", "port": 465, "tls": "none"}`, `field "tls": must be implicit on port 465`},
		{Email, `{"host": "m", "username": "u\n", "password": "hush"}`, `field "username": must have no line breaks`},
		{Email, `{"host": "m", "username": "u", "password": "hush\n"}`, `field "password": must have no line breaks`},
		{Email, `{"host": "m", "ehlo": "hush"}`, `field "ehlo": must be a full domain name`},
		{Email, `{"host": "m", "ehlo": "hush.acme.test\r\nMAIL FROM:<>"}`, `field "ehlo"`},
		{Email, `{"host": "m", "ehlo": "bücher.test"}`, `field "ehlo"`},
		{Email, `{"host": "m", "ehlo": "192.0.2.1"}`, `field "ehlo"`},
		{Email, `{"host": "m", "ehlo": "[IPv6:192.0.2.1]"}`, `field "ehlo"`},
		{Email, `{"host": "m", "ehlo": "[2001:db8::1]"}`, `field "ehlo"`},
		{Email, `{"host": "m", "connections": -1}`, `field "connections"`},
		{Email, `{"host": "m", "connections": 1001}`, `field "connections"`},
		{Email, `{"ses": true, "from": "e@acme.test", "connections": 3}`, `field "ses"`},
		{Email, `{"host": "m", "rate_per_second": -1}`, `field "rate_per_second": must be a number from 0.001 to 10000`},
		{Email, `{"host": "m", "rate_per_second": 0}`, `field "rate_per_second": must not be empty`},
		{Slack, `{"bot_token": "xoxb-hush", "rate_per_second": 10001}`, `field "rate_per_second"`},
		{SMS, `{"end_user_messaging": true, "origination_identity": "x", "rate_per_second": 0.0001}`, `field "rate_per_second"`},
		{Slack, `{}`, `field "webhook_url": give this or bot_token`},
		{Slack, `{"webhook_url": "https://h/hush", "bot_token": "hush"}`, "one of the two"},
		{Slack, `{"webhook_url": "http://hooks.slack.com/hush"}`, `field "webhook_url": must be an https URL`},
		{Slack, `{"webhook_url": "https://u:hush@h/"}`, `field "webhook_url"`},
		{Slack, `{"webhook_url": "://hush"}`, `field "webhook_url"`},
		{Slack, `{"webhook_url": "https://h/hush", "base_url": "https://h"}`, `field "base_url"`},
		{Slack, `{"bot_token": "hush\n"}`, `field "bot_token"`},
		{Slack, `{"bot_token": "xoxb-hush", "base_url": "http://slack.test"}`, `field "base_url"`},
		{Slack, `{"bot_token": "https://hooks.slack.com/services/hush"}`, `field "bot_token": is not a Slack token`},
		{Slack, `{"bot_token": ""}`, `field "bot_token": must not be empty`},
		{Slack, `{"webhook_url": "https://h:99999/hush"}`, `field "webhook_url"`},
		{SMS, `{"account_sid": "SKhush", "auth_token": "hush"}`, `field "account_sid"`},
		{SMS, `{"account_sid": "AC1", "auth_token": "hush hush", "from_number": "+15005550006"}`, `field "auth_token"`},
		{SMS, `{"account_sid": "AC1", "auth_token": "hush", "from_number": "070-1234567"}`, `field "from_number"`},
		{SMS, `{"account_sid": "AC1", "auth_token": "hush", "from_number": "+46 70 123"}`, `field "from_number"`},
		{SMS, `{"account_sid": "AC1", "auth_token": "hush", "from_number": "15005550006"}`, `field "from_number"`},
		{SMS, `{"account_sid": "AC1", "auth_token": "hush", "from_number": ""}`, `field "from_number": must not be empty`},
		{SMS, `{"account_sid": "AC1", "auth_token": null, "from_number": "+15005550006"}`, `field "auth_token": must not be empty`},
		{SMS, `{"account_sid": "AC1/hush"}`, `field "account_sid"`},
		{SMS, `{"account_sid": "AC1"}`, `field "auth_token"`},
		{SMS, `{"account_sid": "AC1", "auth_token": "hush"}`, `field "from_number": give this`},
		{SMS, `{"account_sid": "AC1", "auth_token": "hush", "from_number": "+1500555hush"}`, `field "from_number"`},
		{SMS, `{"account_sid": "AC1", "auth_token": "hush", "messaging_service_sid": "hush"}`, `field "messaging_service_sid"`},
		{SMS, `{"account_sid": "AC1", "auth_token": "hush", "from_number": "+15005550006", "base_url": "http://api.twilio.com"}`,
			`field "base_url"`},
		{SMS, `{"account_sid": "AC1", "auth_token": "hush", "from_number": "+15005550006", "max_segments": -1}`, `field "max_segments"`},
		{SMS, `{"account_sid": "AC1", "auth_token": "hush", "from_number": "+15005550006", "origination_identity": "x"}`,
			`field "origination_identity"`},
		{SMS, `{"end_user_messaging": true}`, `field "origination_identity"`},
		{SMS, `{"end_user_messaging": true, "origination_identity": "x", "auth_token": "hush"}`, `field "end_user_messaging"`},
	} {
		_, err := parse(c.on, c.in)
		if err == nil {
			t.Errorf("%s: no error", c.in)
			continue
		}
		if !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), SecretName(c.on)) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error %q, want %q in it", c.in, err, c.says)
		}
		if errors.Is(err, ErrNotConfigured) {
			t.Errorf("%s: what is configured wrongly is not configured", c.in)
		}
	}
	for _, on := range []Name{Email, Slack, SMS} {
		if _, err := parse(on, ""); !errors.Is(err, ErrNotConfigured) || !strings.Contains(err.Error(), SecretName(on)) {
			t.Errorf("%s: got %v", on, err)
		}
	}
}

func TestDevSecret(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		on   Name
		env  map[string]string
		want any
	}{
		{"a mail catcher", Email, map[string]string{"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "1025"},
			EmailConfig{Host: "127.0.0.1", Port: 1025, TLS: TLSOpportunistic, From: DefaultFrom}},
		{"a server", Email, map[string]string{"SMTP_HOST": "m", "SMTP_USER": "u", "SMTP_PASS": "p"},
			EmailConfig{Host: "m", Port: 587, TLS: TLSStart, Username: "u", Password: "p", From: DefaultFrom}},
		{"port 465", Email, map[string]string{"SMTP_HOST": "localhost", "SMTP_PORT": "465"},
			EmailConfig{Host: "localhost", Port: 465, TLS: TLSImplicit, From: DefaultFrom}},
		{"Slack", Slack, map[string]string{"SLACK_WEBHOOK_URL": "http://127.0.0.1:9/x"},
			SlackConfig{WebhookURL: "http://127.0.0.1:9/x", RatePerSecond: 1}},
		{"Twilio", SMS, map[string]string{"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM_NUMBER": "+15005550006",
			"TWILIO_BASE_URL": "http://127.0.0.1:9"}, SMSConfig{AccountSID: "AC1", AuthToken: "t", FromNumber: "+15005550006",
			BaseURL: "http://127.0.0.1:9", MaxSegments: 10}},
	} {
		secret, err := DevSecret(c.on, func(name string) string { return c.env[name] })
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := parse(c.on, secret)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got:\n%s", c.name, err, diff)
		}
	}
}

func TestDevSecretRefuses(t *testing.T) {
	t.Parallel()
	for _, on := range []Name{Email, Slack, SMS, "fax"} {
		if _, err := DevSecret(on, func(string) string { return "" }); !errors.Is(err, ErrNotConfigured) {
			t.Errorf("%s: got %v", on, err)
		}
	}
	env := map[string]string{"SMTP_HOST": "m", "SMTP_PORT": "hush"}
	if _, err := DevSecret(Email, func(name string) string { return env[name] }); err == nil || !strings.Contains(err.Error(), "SMTP_PORT") ||
		strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v", err)
	}
	// Half a configuration is one, and wrong.
	secret, err := DevSecret(SMS, func(name string) string { return map[string]string{"TWILIO_ACCOUNT_SID": "AC1"}[name] })
	if _, parsed := ParseSMS(secret); err != nil || parsed == nil || errors.Is(parsed, ErrNotConfigured) {
		t.Errorf("got %v, %v", err, parsed)
	}
}

func TestCheckSecret(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		good       bool
	}{
		{EmailSecret, `{"host": "mail.acme.test"}`, true},
		{EmailSecret, `{"bot_token": "xoxb-hush"}`, false},
		{SlackSecret, `{"webhook_url": "https://hooks.slack.com/services/T0/B0/hush"}`, true},
		{SlackSecret, `{"host": "mail.acme.test"}`, false},
		{SMSSecret, `{"end_user_messaging": true, "origination_identity": "EFFERENT"}`, true},
		{SMSSecret, "hush", false},
		{EmailSecret, `{"host": "m", "senders": {"acme": "hush"}}`, false},
		{EmailSecret, `{"host": "m", "senders": {"": "e@acme.test"}}`, false},
		{EmailSecret, `{"host": "m", "senders": ["hush"]}`, false},
		{TeamsSecret, `{"webhook_url": "https://a.test/hush?sig=hush"}`, true},
		{TeamsSecret, `{"webhook_url": "http://a.test/hush"}`, false},
		{TeamsSecret, `{"webhook_url": "https://a.test/", "webhooks": {"hush": "https://a.test/"}}`, false},
		{TeamsSecret, `{"webhooks": {"hush hush": "https://a.test/"}}`, false},
		{TeamsSecret, `{"webhooks": {}}`, false},
		{TeamsSecret, `{"webhook_url": "https://a.test/", "rate_per_second": -1}`, false},
		{WebhookSecret, `{"url": "https://a.test/", "secret": "whsec_aHVzaA==", "rate_per_second": 1e9}`, false},
		{DiscordSecret, `{"webhook_url": "https://discord.com/api/webhooks/1/hush"}`, true},
		{DiscordSecret, `{"webhook_url": "https://discord.com/hush"}`, false},
		{WebhookSecret, `{"url": "https://a.test/", "secret": "whsec_aHVzaA=="}`, true},
		{WebhookSecret, `{"url": "https://a.test/", "secret": "hush"}`, false},
		{WebhookSecret, `{"url": "https://a.test/"}`, false},
		{WebhookSecret, `{"url": "hush", "secret": "whsec_aHVzaA=="}`, false},
		{WebhookSecret, `{"webhooks": {"a": {"url": "https://a.test/", "secret": "whsec_hush!"}}}`, false},
		{"efferent/webhooks/acme", "hush", true},
	} {
		if err := CheckSecret(c.name, c.text); (err == nil) != c.good || err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s %s: %v", c.name, c.text, err)
		}
	}
}

func TestSecretsOfChannelsByTheirNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Name{
		"efferent/smtp": Email, "efferent/prod/slack": Slack, "efferent/prod-twilio": SMS, "efferent/a/b/smtp": Email,
		"efferent/prod": "", "efferent/prodsmtp": "", "smtp": "", "other/smtp": "", "efferent/webhooks/smtp": "", "efferent/ledger/a/smtp": "",
		"efferent/smtp/": "", "efferent/smtp/x": "", "": "",
	} {
		if got := Configured(name); got != want {
			t.Errorf("%q configures %q, want %q", name, got, want)
		}
		if err := CheckSecret(name, "{"); (err != nil) != (want != "") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for prefix, good := range map[string]bool{
		"efferent/": true, "efferent/prod/": true, "efferent/prod-": true, "efferent/a.b_c/d+e=f@": true,
		"": false, "efferent": false, "efferent/prod": false, "prod/": false, "efferent/a b/": false, "efferent/webhooks/": false,
		"efferent/webhooks/prod/": false, "efferent/ledger/x-": false, "efferent/*": false,
	} {
		if err := CheckSecrets(prefix); (err == nil) != good {
			t.Errorf("%q: %v", prefix, err)
		}
		if good && SecretUnder(prefix, SMS) != prefix+"twilio" {
			t.Errorf("%q makes %q", prefix, SecretUnder(prefix, SMS))
		}
	}
}
