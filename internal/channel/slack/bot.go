package slack

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
	"github.com/efferent/efferent/internal/pace"
)

// Bot posts by chat.postMessage, to any conversation that its token may
// write to, and changes what it has posted by chat.update.
type Bot struct {
	token, base string
	rate        pace.Rate
	rt          http.RoundTripper
	clock       clockwork.Clock
}

// NewBot returns the sender for c.BotToken.
func NewBot(c channel.SlackConfig, rt http.RoundTripper, clock clockwork.Clock) *Bot {
	return &Bot{token: c.BotToken, base: c.BaseURL, rate: channel.RateOf(c.RatePerSecond), rt: rt, clock: clock}
}

// Limit is that of one conversation ("Rate limits": posting messages, 1 per second per
// channel).
func (s *Bot) Limit(recipient string) channel.Limit {
	return channel.Limit{Key: channel.LimitKey("slack", s.token, recipient), Rate: s.rate}
}

// Send posts h's text to h.Recipient. Links and channel names in it stay text.
func (s *Bot) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	if problem := channel.CheckRecipient(channel.Slack, h.Recipient); problem != "" {
		return channel.Failed(channel.Permanent, 0, "Slack: the recipient "+problem)
	}
	method, m, thread := forBot(h)
	body, refused, ok := encoded(m, h)
	if !ok {
		return refused
	}
	header := jsonHeader()
	header.Set("Authorization", "Bearer "+s.token)
	a := exchange.Post(ctx, s.rt, s.base+"/api/"+method, header, body)
	if a.Err != nil {
		return lost(a)
	}
	o := botOutcome(a.Status, a.Body, a.RetryAfter(s.clock.Now())).Saying(string(a.Body), s.token)
	if o.Sent() && thread != "" {
		o.ProviderID += "/" + thread
	}
	return o
}

// botAnswer is a part of every answer of the Web API.
type botAnswer struct {
	OK      *bool  `json:"ok"`
	Error   string `json:"error"`
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

// botOutcome reads the answer: a failure is a 200 with ok:false ("Using
// the Web API", evaluating responses), or a 429 ("Rate limits").
func botOutcome(status int, body []byte, after time.Duration) channel.Outcome {
	var a botAnswer
	if err := json.Unmarshal(body, &a); err != nil || a.OK == nil {
		a = botAnswer{}
	}
	switch {
	case status == http.StatusTooManyRequests || a.Error == "ratelimited" || a.Error == "rate_limited":
		o := channel.Failed(channel.Limited, status, "Slack: too many requests")
		o.RetryAfter = after
		return o
	case a.OK == nil || status != http.StatusOK:
		return byStatus(status)
	case *a.OK:
		return channel.Taken(posted{conversation: a.Channel, ts: a.TS}.String(), status)
	}
	name := errorName.FindString(a.Error)
	class, known := errorClasses[name]
	if !known {
		class = channel.Permanent
	}
	if name == "" {
		name = "an error without a name"
	}
	return channel.Failed(class, status, "Slack: "+name)
}
