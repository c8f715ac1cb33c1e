package channel

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jonboulle/clockwork"
)

// SlackBot posts by chat.postMessage, to any conversation that its token may
// write to.
type SlackBot struct {
	token, base string
	rt          http.RoundTripper
	clock       clockwork.Clock
}

// NewSlackBot returns the sender for c.BotToken.
func NewSlackBot(c SlackConfig, rt http.RoundTripper, clock clockwork.Clock) *SlackBot {
	return &SlackBot{token: c.BotToken, base: c.BaseURL, rt: rt, clock: clock}
}

// Send posts h's text to h.Recipient. Links and channel names in it stay text.
func (s *SlackBot) Send(ctx context.Context, h Handover) Outcome {
	if problem := CheckRecipient(Slack, h.Recipient); problem != "" {
		return failed(Permanent, 0, "Slack: the recipient "+problem)
	}
	body, refused, ok := slackBody(h)
	if !ok {
		return refused
	}
	header := slackHeader()
	header.Set("Authorization", "Bearer "+s.token)
	x := post(ctx, s.rt, "Slack", s.base+"/api/chat.postMessage", header, body)
	if x.lost != nil {
		return *x.lost
	}
	return slackBotOutcome(x.status, x.body, retryAfter(x.header, s.clock.Now()))
}

// slackAnswer is a part of every answer of the Web API.
type slackAnswer struct {
	OK      *bool  `json:"ok"`
	Error   string `json:"error"`
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

// slackBotOutcome reads the answer: a failure is a 200 with ok:false ("Using
// the Web API", evaluating responses), or a 429 ("Rate limits").
func slackBotOutcome(status int, body []byte, after time.Duration) Outcome {
	var a slackAnswer
	if err := json.Unmarshal(body, &a); err != nil || a.OK == nil {
		a = slackAnswer{}
	}
	switch {
	case status == http.StatusTooManyRequests || a.Error == "ratelimited" || a.Error == "rate_limited":
		o := failed(Transient, status, "Slack: too many requests")
		o.RetryAfter = after
		return o
	case a.OK == nil || status != http.StatusOK:
		return slackStatus(status)
	case *a.OK:
		return sent(a.Channel+"/"+a.TS, status)
	}
	name := slackErrorName.FindString(a.Error)
	class, known := slackErrors[name]
	if !known {
		class = Permanent
	}
	if name == "" {
		name = "an error without a name"
	}
	return failed(class, status, "Slack: "+name)
}
