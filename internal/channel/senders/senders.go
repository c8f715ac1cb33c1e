// Package senders makes the channels' senders of the secrets that configure
// them. It alone knows every provider but AWS's own, which its user gives it.
package senders

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/discord"
	"github.com/efferent/efferent/internal/channel/signed"
	"github.com/efferent/efferent/internal/channel/slack"
	"github.com/efferent/efferent/internal/channel/smtp"
	"github.com/efferent/efferent/internal/channel/teams"
	"github.com/efferent/efferent/internal/channel/twilio"
)

// Maker makes senders, and keeps each for as long as its secret stays the same.
// It may be used by many goroutines at once.
type Maker struct {
	Secrets channel.Secrets
	// Prefix is what the names of the secrets begin with; channel.DefaultSecrets where
	// it is empty.
	Prefix string
	// SES and EndUserMessaging make AWS's own senders; nil where there are none.
	SES              func(channel.EmailConfig) channel.Sender
	EndUserMessaging func(channel.SMSConfig) channel.Sender
	// HTTP carries the requests to all but AWS and mail servers (exchange.NewTransport).
	HTTP http.RoundTripper
	// Webhooks sends signed webhooks, guarded (webhook.Client); nil where none may be.
	Webhooks signed.Poster
	Clock    clockwork.Clock

	mu   sync.Mutex
	made map[channel.Name]made
}

// made is a sender, and the secret that it was made of: a sender knows the pace
// of its provider, so it is kept for as long as the secret stays.
type made struct {
	secret string
	sender channel.Sender
}

// Secret is the name of the secret that configures a channel.
func (m *Maker) Secret(on channel.Name) string {
	return channel.SecretUnder(cmp.Or(m.Prefix, channel.DefaultSecrets), on)
}

// Sender returns a channel's sender, of a secret that was read at or after
// since, as channel.Secrets promises it. It is the very same value for as long
// as the secret stays the same, so that a caller can tell a new one. Its error
// wraps channel.ErrNotConfigured where there is none that can be used; any
// other may pass.
func (m *Maker) Sender(ctx context.Context, on channel.Name, since time.Time) (channel.Sender, error) {
	name := m.Secret(on)
	secret, err := m.Secrets.Text(ctx, name, since)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if kept, ok := m.made[on]; ok && kept.secret == secret {
		return kept.sender, nil
	}
	s, err := m.make(on, secret)
	if usual := channel.SecretName(on); name != usual {
		s, err = rename(s, err, usual, name)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", channel.ErrNotConfigured, err)
	}
	if m.made == nil {
		m.made = map[channel.Name]made{}
	}
	m.made[on] = made{secret, s}
	return s, nil
}

func rename(s channel.Sender, err error, from, to string) (channel.Sender, error) {
	if err != nil {
		return nil, renamedError{err, strings.ReplaceAll(err.Error(), from, to)}
	}
	return renamed{s, from, to}, nil
}

func (m *Maker) make(on channel.Name, secret string) (channel.Sender, error) {
	switch on {
	case channel.Email:
		return m.email(secret)
	case channel.Slack:
		return m.slack(secret)
	case channel.SMS:
		return m.sms(secret)
	case channel.Teams:
		c, err := channel.ParseTeams(secret)
		return teams.New(c, m.HTTP, m.Clock), err
	case channel.Discord:
		c, err := channel.ParseDiscord(secret)
		return discord.New(c, m.HTTP, m.Clock), err
	case channel.Webhook:
		return m.webhook(secret)
	}
	return nil, fmt.Errorf("there is no channel %q", on)
}

func (m *Maker) email(secret string) (channel.Sender, error) {
	c, err := channel.ParseEmail(secret)
	switch {
	case err != nil:
		return nil, err
	case c.SES && m.SES == nil:
		return nil, fmt.Errorf("secret %q: SES is not available here; name an SMTP server", channel.EmailSecret)
	case c.SES:
		return m.SES(c), nil
	}
	return smtp.New(c, nil, m.Clock.Now), nil
}

func (m *Maker) slack(secret string) (channel.Sender, error) {
	c, err := channel.ParseSlack(secret)
	switch {
	case err != nil:
		return nil, err
	case c.BotToken != "":
		return slack.NewBot(c, m.HTTP, m.Clock), nil
	}
	return slack.NewWebhook(c, m.HTTP, m.Clock), nil
}

func (m *Maker) webhook(secret string) (channel.Sender, error) {
	c, err := channel.ParseSigned(secret)
	if err == nil && m.Webhooks == nil {
		err = fmt.Errorf("secret %q: signed webhooks are not available here", channel.WebhookSecret)
	}
	return signed.New(c, m.Webhooks, m.Clock), err
}

func (m *Maker) sms(secret string) (channel.Sender, error) {
	c, err := channel.ParseSMS(secret)
	switch {
	case err != nil:
		return nil, err
	case c.EndUserMessaging && m.EndUserMessaging == nil:
		return nil, fmt.Errorf("secret %q: AWS End User Messaging is not available here; use Twilio", channel.SMSSecret)
	case c.EndUserMessaging:
		return m.EndUserMessaging(c), nil
	}
	return twilio.New(c, m.HTTP, m.Clock), nil
}
