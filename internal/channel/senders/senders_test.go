package senders

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
	"github.com/efferent/efferent/internal/channel/exchange"
	"github.com/efferent/efferent/internal/webhook"
)

// secretTexts are secrets by name. Without a text there is none; "away" can't
// be read now.
type secretTexts map[string]string

var errAway = errors.New("away")

func (s secretTexts) Text(_ context.Context, name string, _ time.Time) (string, error) {
	switch text := s[name]; text {
	case "":
		return "", fmt.Errorf("secret %q: %w", name, channel.ErrNotConfigured)
	case "away":
		return "", errAway
	default:
		return text, nil
	}
}

// ofAWS is a sender of AWS's own.
type ofAWS struct{ on channel.Name }

func (ofAWS) Send(context.Context, channel.Handover) channel.Outcome { return channel.Outcome{} }

func newMaker(s secretTexts, aws bool) *Maker {
	m := &Maker{Secrets: s, HTTP: exchange.NewTransport(), Clock: clockwork.NewFakeClockAt(channeltest.Noon)}
	if aws {
		m.SES = func(channel.EmailConfig) channel.Sender { return ofAWS{channel.Email} }
		m.EndUserMessaging = func(channel.SMSConfig) channel.Sender { return ofAWS{channel.SMS} }
		m.Webhooks = webhook.NewClient(webhook.Options{})
	}
	return m
}

const (
	smtpSecret   = `{"host": "mail.acme.test"}`
	sesSecret    = `{"ses": true, "from": "noreply@acme.test"}`
	hookSecret   = `{"webhook_url": "https://hooks.slack.com/services/` + channeltest.SecretPath + `"}`
	botSecret    = `{"bot_token": "` + channeltest.SecretToken + `"}`
	twilioSecret = `{"account_sid": "AC1", "auth_token": "` + channeltest.SecretAuth + `", "from_number": "+15005550001"}`

	teamsSecret   = `{"webhook_url": "https://prod-1.logic.azure.com/workflows/1?sig=hush"}`
	discordSecret = `{"webhooks": {"ops": "https://discord.com/api/webhooks/1/hush"}}`
	signedSecret  = `{"url": "https://a.test/", "secret": "whsec_aHVzaA=="}`

	eumSecret = `{"end_user_messaging": true, "origination_identity": "EFFERENT"}`
)

func TestMaker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		on     channel.Name
		secret string
		aws    bool
		want   string // the sender's type, or a part of the error
		pass   bool   // the error may pass
	}{
		{channel.Email, smtpSecret, false, "*smtp.Sender", false},
		{channel.Email, sesSecret, true, "senders.ofAWS", false},
		{channel.Email, sesSecret, false, "SES is not available here", false},
		{channel.Email, `{"host": ""}`, true, "host", false},
		{channel.Email, "", true, "not configured", false},
		{channel.Email, "away", true, "away", true},
		{channel.Slack, hookSecret, false, "*slack.Webhook", false},
		{channel.Slack, botSecret, false, "*slack.Bot", false},
		{channel.Slack, `{"bot_token": "hush", "webhook_url": "hush"}`, false, "efferent/slack", false},
		{channel.Slack, "hush", false, "efferent/slack", false},
		{channel.SMS, twilioSecret, false, "*twilio.Sender", false},
		{channel.SMS, eumSecret, true, "senders.ofAWS", false},
		{channel.SMS, eumSecret, false, "AWS End User Messaging is not available here", false},
		{channel.SMS, `{"account_sid": "AC1"}`, false, "auth_token", false},
		{channel.Teams, teamsSecret, false, "*teams.Sender", false},
		{channel.Teams, `{"webhook_url": "hush"}`, false, "efferent/teams", false},
		{channel.Discord, discordSecret, false, "*discord.Sender", false},
		{channel.Discord, "", false, "not configured", false},
		{channel.Webhook, signedSecret, true, "*signed.Sender", false},
		{channel.Webhook, signedSecret, false, "signed webhooks are not available here", false},
		{channel.Webhook, `{"url": "https://a.test/", "secret": "hush"}`, true, "efferent/webhook", false},
		{"fax", smtpSecret, false, "", false},
	} {
		s, err := newMaker(secretTexts{channel.SecretName(c.on): c.secret}, c.aws).Sender(t.Context(), c.on, time.Time{})
		got := fmt.Sprintf("%T", s)
		if err != nil {
			got = err.Error()
			if errors.Is(err, channel.ErrNotConfigured) == c.pass {
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
	s := secretTexts{channel.SlackSecret: hookSecret}
	m := newMaker(s, false)
	get := func() channel.Sender {
		got, err := m.Sender(t.Context(), channel.Slack, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := get()
	if get() != first {
		t.Error("the same secret made another sender")
	}
	s[channel.SlackSecret] = strings.Replace(hookSecret, "T0", "T1", 1)
	second := get()
	if second == first {
		t.Error("another secret made no other sender")
	}
	s[channel.SlackSecret] = "{"
	if _, err := m.Sender(t.Context(), channel.Slack, time.Time{}); !errors.Is(err, channel.ErrNotConfigured) {
		t.Errorf("a spoilt secret: %v", err)
	}
	s[channel.SlackSecret] = hookSecret
	if get() == second {
		t.Error("the sender is that of the other secret")
	}
}

// asked notes since when a secret is wanted.
type asked struct {
	secretTexts
	since time.Time
}

func (a *asked) Text(ctx context.Context, name string, since time.Time) (string, error) {
	a.since = since
	return a.secretTexts.Text(ctx, name, since)
}

// hanging is a store of secrets that does not answer, and tells who asks.
type hanging chan struct{}

func (h hanging) Text(ctx context.Context, _ string, _ time.Time) (string, error) {
	h <- struct{}{}
	<-ctx.Done()
	return "", ctx.Err()
}

// TestAskersDontWaitForEachOther: all of them wait for the secret.
func TestAskersDontWaitForEachOther(t *testing.T) {
	t.Parallel()
	const askers = 10
	h := make(hanging, askers)
	m := &Maker{Secrets: h, Clock: clockwork.NewRealClock()}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	var all sync.WaitGroup
	for range askers {
		all.Go(func() {
			if _, err := m.Sender(ctx, channel.Email, time.Time{}); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
	for range askers {
		select {
		case <-h:
		case <-ctx.Done():
			t.Error("not all have asked")
		}
	}
	stop()
	all.Wait()
}

// TestSenderOfANewSecret: since when the secret must have been read is the
// caller's to say.
func TestSenderOfANewSecret(t *testing.T) {
	t.Parallel()
	a := &asked{secretTexts: secretTexts{channel.SlackSecret: hookSecret}}
	m := newMaker(a.secretTexts, false)
	m.Secrets = a
	if _, err := m.Sender(t.Context(), channel.Slack, channeltest.Noon); err != nil || !a.since.Equal(channeltest.Noon) {
		t.Errorf("%v: it was asked for one since %v", err, a.since)
	}
}

// TestSecretsUnderAPrefix are read by their whole names, and named so by what goes
// wrong.
func TestSecretsUnderAPrefix(t *testing.T) {
	t.Parallel()
	const name = "efferent/prod/slack"
	m := newMaker(secretTexts{name: hookSecret, channel.SlackSecret: "hush"}, false)
	m.Prefix = "efferent/prod/"
	m.HTTP = redirecting{}
	s, err := m.Sender(t.Context(), channel.Slack, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	o := s.Send(t.Context(), channel.Handover{ID: "n", Body: "hello"})
	if !strings.Contains(o.Reason, name) || strings.Contains(o.Reason, channel.SlackSecret) {
		t.Errorf("got %+v, want it to name %s", o, name)
	}
	if again, err := m.Sender(t.Context(), channel.Slack, time.Time{}); err != nil || again != s {
		t.Errorf("the same secret makes another sender: %v", err)
	}
	if a, ok := s.(interface{ Addressless() bool }); !ok || !a.Addressless() {
		t.Error("a webhook needs an address all of a sudden")
	}
	m.Secrets = secretTexts{name: `{"webhook_url": "ftp://x"}`}
	if _, err := m.Sender(t.Context(), channel.Slack, time.Time{}); !errors.Is(err, channel.ErrNotConfigured) ||
		!strings.Contains(err.Error(), name) || strings.Contains(err.Error(), channel.SlackSecret) {
		t.Errorf("got %v, want it to name %s", err, name)
	}
}

type redirecting struct{}

func (redirecting) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusFound, Header: http.Header{}, Body: http.NoBody}, nil
}
