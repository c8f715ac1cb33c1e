package channel

import (
	"cmp"
	"regexp"
)

// SlackConfig is the secret efferent/slack: one of the first two.
type SlackConfig struct {
	WebhookURL string `json:"webhook_url"`
	BotToken   string `json:"bot_token"`
	BaseURL    string `json:"base_url"` // of the Web API, without a slash at its end
	// RatePerSecond is how many go to one channel (DefaultSlackRate).
	RatePerSecond float64 `json:"rate_per_second"`
}

// ParseSlack reads the secret efferent/slack, as ParseEmail reads its own.
func ParseSlack(secret string) (SlackConfig, error) {
	var c SlackConfig
	if err := parseSecret(SlackSecret, secret, &c); err != nil {
		return SlackConfig{}, err
	}
	c = c.withDefaults()
	if field, problem := c.check(); problem != "" {
		return SlackConfig{}, secretError(SlackSecret, field, problem)
	}
	return c, nil
}

// DefaultSlackRate is what Slack takes for one channel, or by one webhook ("Rate
// limits").
const DefaultSlackRate = 1

func (c SlackConfig) withDefaults() SlackConfig {
	c.RatePerSecond = cmp.Or(c.RatePerSecond, DefaultSlackRate)
	if c.BotToken != "" {
		c.BaseURL = baseURL(c.BaseURL, "https://slack.com")
	}
	return c
}

// A token is told by its beginning ("Tokens": xoxb-, xoxp-, xoxe.xoxb-).
var slackToken = regexp.MustCompile(`^xox[\x21-\x7e]+$`)

func (c SlackConfig) check() (field, problem string) {
	switch {
	case (c.WebhookURL == "") == (c.BotToken == ""):
		return "webhook_url", "give this or bot_token, one of the two"
	case c.WebhookURL != "" && !goodURL(c.WebhookURL):
		return "webhook_url", urlWanted
	case c.WebhookURL != "" && c.BaseURL != "":
		return "base_url", "is for bot_token only"
	case c.BotToken != "" && !slackToken.MatchString(c.BotToken):
		return "bot_token", "is not a Slack token (xox…)"
	case c.BotToken != "" && !goodURL(c.BaseURL):
		return "base_url", urlWanted
	case !goodRate(c.RatePerSecond):
		return "rate_per_second", rateWanted
	}
	return "", ""
}
