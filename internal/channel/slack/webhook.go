// Package slack hands notifications over to Slack: by an incoming webhook, or by
// a bot's token.
package slack

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
	"github.com/efferent/efferent/internal/pace"
)

// Webhook posts by one incoming webhook.
type Webhook struct {
	url   string
	rt    http.RoundTripper
	clock clockwork.Clock
	rate  pace.Rate
}

// NewWebhook returns the sender for c.WebhookURL.
func NewWebhook(c channel.SlackConfig, rt http.RoundTripper, clock clockwork.Clock) *Webhook {
	return &Webhook{url: c.WebhookURL, rt: rt, clock: clock, rate: channel.RateOf(c.RatePerSecond)}
}

// Limit is that of the webhook ("Rate limits": incoming webhooks, 1 per second).
func (s *Webhook) Limit(string) channel.Limit {
	return channel.Limit{Key: channel.LimitKey("slack", s.url), Rate: s.rate}
}

// Addressless says that a webhook posts to its own channel, whatever the
// notification's recipient is: it may have none for Slack.
func (s *Webhook) Addressless() bool { return true }

// Send posts h's text. The webhook belongs to one channel: only those of
// before Slack's apps heed h.Recipient ("Sending messages using incoming
// webhooks"), so it may be empty, and one that is no channel is left out.
func (s *Webhook) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	if h.Thread != "" || h.Replaces != "" {
		return channel.Failed(channel.Permanent, 0, "Slack: thread and update take a bot_token; an incoming webhook can only post")
	}
	if channel.CheckRecipient(channel.Slack, h.Recipient) != "" {
		h.Recipient = ""
	}
	body, refused, ok := bodyOf(h)
	if !ok {
		return refused
	}
	a := exchange.Post(ctx, s.rt, s.url, jsonHeader(), body)
	if a.Err != nil {
		return lost(a)
	}
	return webhookOutcome(a.Status, string(a.Body), a.RetryAfter(s.clock.Now())).Saying(string(a.Body), s.secrets()...)
}

// secrets are the URL and what of it an answer may quote.
func (s *Webhook) secrets() []string {
	u, err := url.Parse(s.url)
	if err != nil {
		return []string{s.url}
	}
	return []string{s.url, u.EscapedPath(), strings.TrimPrefix(u.Path, "/services/"), path.Base(u.Path)}
}

// webhookOutcome reads a webhook's answer: 200 with the body ok, or an
// error's name as the body ("Handling errors" in "Sending messages using
// incoming webhooks"; Slack's changelog of 2016-05-17).
func webhookOutcome(status int, body string, after time.Duration) channel.Outcome {
	body = strings.TrimSpace(body)
	name := errorName.FindString(body)
	class, known := errorClasses[name]
	switch {
	case status == http.StatusOK && body == "ok":
		return channel.Taken("", status)
	case status == http.StatusTooManyRequests:
		o := channel.Failed(channel.Limited, status, "Slack: too many requests")
		o.RetryAfter = after
		return o
	case known:
		return channel.Failed(class, status, "Slack: "+name)
	}
	o := byStatus(status)
	if name != "" {
		o.Reason += ": " + name
	}
	return o
}
