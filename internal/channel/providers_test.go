package channel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

// secretTexts are secrets by name. Without a text there is none; "away" can't
// be read now.
type secretTexts map[string]string

var errAway = errors.New("away")

func (s secretTexts) Text(_ context.Context, name string, _ time.Time) (string, error) {
	switch text := s[name]; text {
	case "":
		return "", fmt.Errorf("secret %q: %w", name, ErrNotConfigured)
	case "away":
		return "", errAway
	default:
		return text, nil
	}
}

// ofAWS is a sender of AWS's own.
type ofAWS struct{ on Name }

func (ofAWS) Send(context.Context, Handover) Outcome { return Outcome{} }

func newProviders(s secretTexts, aws bool) *Providers {
	p := &Providers{Secrets: s, HTTP: NewTransport(), Clock: clockwork.NewFakeClockAt(noon)}
	if aws {
		p.SES = func(EmailConfig) Sender { return ofAWS{Email} }
		p.EndUserMessaging = func(SMSConfig) Sender { return ofAWS{SMS} }
	}
	return p
}

const (
	smtpSecret   = `{"host": "mail.acme.test"}`
	sesSecret    = `{"ses": true, "from": "noreply@acme.test"}`
	hookSecret   = `{"webhook_url": "https://hooks.slack.com/services/` + secretPath + `"}`
	botSecret    = `{"bot_token": "` + secretToken + `"}`
	twilioSecret = `{"account_sid": "AC1", "auth_token": "` + secretAuth + `", "from_number": "+15005550001"}`
	eumSecret    = `{"end_user_messaging": true, "origination_identity": "EFFERENT"}`
)

func TestProviders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		on     Name
		secret string
		aws    bool
		want   string // the sender's type, or a part of the error
		pass   bool   // the error may pass
	}{
		{Email, smtpSecret, false, "*channel.SMTP", false},
		{Email, sesSecret, true, "channel.ofAWS", false},
		{Email, sesSecret, false, "SES is not available here", false},
		{Email, `{"host": ""}`, true, "host", false},
		{Email, "", true, "not configured", false},
		{Email, "away", true, "away", true},
		{Slack, hookSecret, false, "*channel.SlackWebhook", false},
		{Slack, botSecret, false, "*channel.SlackBot", false},
		{Slack, `{"bot_token": "hush", "webhook_url": "hush"}`, false, "efferent/slack", false},
		{Slack, "hush", false, "efferent/slack", false},
		{SMS, twilioSecret, false, "*channel.Twilio", false},
		{SMS, eumSecret, true, "channel.ofAWS", false},
		{SMS, eumSecret, false, "AWS End User Messaging is not available here", false},
		{SMS, `{"account_sid": "AC1"}`, false, "auth_token", false},
		{"fax", smtpSecret, false, "", false},
	} {
		s, err := newProviders(secretTexts{SecretName(c.on): c.secret}, c.aws).Sender(t.Context(), c.on)
		got := fmt.Sprintf("%T", s)
		if err != nil {
			got = err.Error()
			if errors.Is(err, ErrNotConfigured) == c.pass {
				t.Errorf("%s %s: the error is %v", c.on, c.secret, err)
			}
		}
		if !strings.Contains(got, c.want) || strings.Contains(got, "hush") {
			t.Errorf("%s %s: got %s, want %s", c.on, c.secret, got, c.want)
		}
	}
}

// TestSenderIsKept: a sender knows its provider's pace, so it stays until the
// secret is another one.
func TestSenderIsKept(t *testing.T) {
	t.Parallel()
	s := secretTexts{SlackSecret: hookSecret}
	p := newProviders(s, false)
	get := func() Sender {
		got, err := p.Sender(t.Context(), Slack)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := get()
	if get() != first {
		t.Error("the same secret made another sender")
	}
	s[SlackSecret] = strings.Replace(hookSecret, "T0", "T1", 1)
	second := get()
	if second == first {
		t.Error("another secret made no other sender")
	}
	s[SlackSecret] = "{"
	if _, err := p.Sender(t.Context(), Slack); !errors.Is(err, ErrNotConfigured) {
		t.Errorf("a spoilt secret: %v", err)
	}
	s[SlackSecret] = hookSecret
	if get() == second {
		t.Error("the sender is that of the other secret")
	}
}

func TestCheckSecret(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		good       bool
	}{
		{EmailSecret, smtpSecret, true}, {EmailSecret, botSecret, false}, {SlackSecret, hookSecret, true}, {SlackSecret, smtpSecret, false},
		{SMSSecret, eumSecret, true}, {SMSSecret, "hush", false}, {"efferent/webhooks/acme", "hush", true},
	} {
		if err := CheckSecret(c.name, c.text); (err == nil) != c.good || err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s %s: %v", c.name, c.text, err)
		}
	}
}
