package channel

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

// Sender hands one notification over, once at most. What went wrong is in the
// Outcome. It may be used by many goroutines at once.
type Sender interface {
	Send(ctx context.Context, h Handover) Outcome
}

// Secrets gives the secrets that configure channels, by name. They were read at
// or after since, except that one secret is read at most once in half a minute:
// until then what is cached is given, however old that is against since. The
// zero since takes whatever is cached. Its error wraps ErrNotConfigured where there is none; any other may
// pass. It is used by many goroutines at once.
type Secrets interface {
	Text(ctx context.Context, name string, since time.Time) (string, error)
}

// Providers makes the channels' senders of their secrets. It may be used by
// many goroutines at once.
type Providers struct {
	Secrets Secrets
	// SES and EndUserMessaging make AWS's own senders; nil where there are none.
	SES              func(EmailConfig) Sender
	EndUserMessaging func(SMSConfig) Sender
	// HTTP carries the requests to Slack and Twilio.
	HTTP  http.RoundTripper
	Clock clockwork.Clock

	mu   sync.Mutex
	made map[Name]made
}

// made is a sender, and the secret that it was made of: a sender knows the pace
// of its provider, so it is kept for as long as the secret stays.
type made struct {
	secret string
	sender Sender
}

// Sender returns a channel's sender. Its error wraps ErrNotConfigured where
// there is none that can be used; any other may pass.
func (p *Providers) Sender(ctx context.Context, on Name) (Sender, error) {
	secret, err := p.Secrets.Text(ctx, SecretName(on), time.Time{})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if m, ok := p.made[on]; ok && m.secret == secret {
		return m.sender, nil
	}
	s, err := p.make(on, secret)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotConfigured, err)
	}
	if p.made == nil {
		p.made = map[Name]made{}
	}
	p.made[on] = made{secret, s}
	return s, nil
}

func (p *Providers) make(on Name, secret string) (Sender, error) {
	switch on {
	case Email:
		return p.email(secret)
	case Slack:
		return p.slack(secret)
	case SMS:
		return p.sms(secret)
	}
	return nil, fmt.Errorf("there is no channel %q", on)
}

func (p *Providers) email(secret string) (Sender, error) {
	c, err := ParseEmail(secret)
	switch {
	case err != nil:
		return nil, err
	case c.SES && p.SES == nil:
		return nil, fmt.Errorf("secret %q: SES is not available here; name an SMTP server", EmailSecret)
	case c.SES:
		return p.SES(c), nil
	}
	return NewSMTP(c, nil, p.Clock.Now), nil
}

func (p *Providers) slack(secret string) (Sender, error) {
	c, err := ParseSlack(secret)
	switch {
	case err != nil:
		return nil, err
	case c.BotToken != "":
		return NewSlackBot(c, p.HTTP, p.Clock), nil
	}
	return NewSlackWebhook(c, p.HTTP, p.Clock), nil
}

func (p *Providers) sms(secret string) (Sender, error) {
	c, err := ParseSMS(secret)
	switch {
	case err != nil:
		return nil, err
	case c.EndUserMessaging && p.EndUserMessaging == nil:
		return nil, fmt.Errorf("secret %q: AWS End User Messaging is not available here; use Twilio", SMSSecret)
	case c.EndUserMessaging:
		return p.EndUserMessaging(c), nil
	}
	return NewTwilio(c, p.HTTP, p.Clock), nil
}

// Addressless says that a webhook posts to its own channel, whatever the
// notification's recipient is: it may have none for Slack.
func (s *SlackWebhook) Addressless() bool { return true }
