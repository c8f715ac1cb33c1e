package channel

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"

	"github.com/efferent/efferent/internal/loopback"
)

// HookConfig is the secret of a channel that posts to webhooks, efferent/teams or
// efferent/discord: one webhook for all recipients, or several that recipients
// name. The URLs are secrets themselves.
type HookConfig struct {
	WebhookURL string            `json:"webhook_url"`
	Webhooks   map[string]string `json:"webhooks"`
	// RatePerSecond is how many go to one of them.
	RatePerSecond float64 `json:"rate_per_second"`
}

// What providers take by one webhook: Teams 4 a second ("Rate limiting for
// connectors"), and Discord 5 in 2 seconds (what its X-RateLimit headers say).
const (
	DefaultTeamsRate   = 4
	DefaultDiscordRate = 2
)

// URL is where a recipient's messages go; "" where none of the webhooks is theirs.
func (c HookConfig) URL(recipient string) string {
	if c.WebhookURL != "" {
		return c.WebhookURL
	}
	return c.Webhooks[recipient]
}

// Limit is that of one webhook of a channel.
func (c HookConfig) Limit(of Name, recipient string) Limit {
	return Limit{Key: LimitKey(string(of), c.URL(recipient)), Rate: RateOf(c.RatePerSecond)}
}

// Addressless says that every recipient's messages go to the same place.
func (c HookConfig) Addressless() bool { return c.WebhookURL != "" }

// ParseTeams reads the secret efferent/teams, as ParseEmail reads its own.
func ParseTeams(secret string) (HookConfig, error) {
	c, err := parseHooks(TeamsSecret, secret, goodHookURL, hookURLWanted)
	c.RatePerSecond = cmp.Or(c.RatePerSecond, DefaultTeamsRate)
	return c, err
}

// discordPath is a webhook's id and token ("Execute Webhook").
var discordPath = regexp.MustCompile(`/webhooks/[0-9]{1,20}/[A-Za-z0-9_-]+/?$`)

// ParseDiscord reads the secret efferent/discord, as ParseEmail reads its own.
func ParseDiscord(secret string) (HookConfig, error) {
	c, err := parseHooks(DiscordSecret, secret, func(s string) bool {
		u, err := url.Parse(s)
		return goodHookURL(s) && err == nil && discordPath.MatchString(u.Path)
	}, hookURLWanted+", with …/webhooks/ and the webhook's id and token")
	c.RatePerSecond = cmp.Or(c.RatePerSecond, DefaultDiscordRate)
	return c, err
}

func parseHooks(name, secret string, good func(string) bool, wanted string) (HookConfig, error) {
	var c HookConfig
	if err := parseSecret(name, secret, &c); err != nil {
		return HookConfig{}, err
	}
	if field, problem := c.check(good, wanted); problem != "" {
		return HookConfig{}, secretError(name, field, problem)
	}
	return c, nil
}

func (c HookConfig) check(good func(string) bool, wanted string) (field, problem string) {
	if (c.WebhookURL == "") == (len(c.Webhooks) == 0) {
		return "webhook_url", "give this or webhooks, one of the two"
	}
	if c.WebhookURL != "" && !good(c.WebhookURL) {
		return "webhook_url", wanted
	}
	if c.RatePerSecond != 0 && !goodRate(c.RatePerSecond) {
		return "rate_per_second", rateWanted
	}
	for name, u := range c.Webhooks {
		if !hookName.MatchString(name) {
			return "webhooks", hookNamesWanted
		}
		if !good(u) {
			return "webhooks", "has a URL that is wrong: each " + wanted
		}
	}
	return "", ""
}

const hookNamesWanted = "must have names of 1 to 100 of A-Z, a-z, 0-9, _, ., #, @ and -"

const hookURLWanted = "must be an https URL, or http on a loopback address, without a user or a fragment"

// goodHookURL is goodURL with a query, in which the webhooks of workflows have their
// signature.
func goodHookURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Hostname() != "" && goodPort(u.Port()) && u.User == nil && !strings.Contains(s, "#") &&
		(u.Scheme == "https" || u.Scheme == "http" && loopback.Is(u.Hostname()))
}

// HookSecrets are what of a webhook's URL an answer may quote.
func HookSecrets(rawURL string) []string {
	all := []string{rawURL}
	u, err := url.Parse(rawURL)
	if err != nil {
		return all
	}
	all = append(all, u.RequestURI(), u.EscapedPath(), u.RawQuery)
	if at := strings.LastIndexByte(strings.TrimRight(u.Path, "/"), '/'); at >= 0 && len(u.Path) > at+8 {
		all = append(all, strings.Trim(u.Path[at:], "/"))
	}
	for _, name := range []string{"sig", "code"} {
		if v := u.Query().Get(name); v != "" {
			all = append(all, v)
		}
	}
	return all
}

// SignedConfig is the secret efferent/webhook: one endpoint for all recipients, or
// several that recipients name.
type SignedConfig struct {
	SignedEndpoint
	Webhooks map[string]SignedEndpoint `json:"webhooks"`
	// RatePerSecond is how many go to one of them; 0 where its answers tell.
	RatePerSecond float64 `json:"rate_per_second"`
}

// SignedEndpoint is where signed webhooks go, and the key that signs them.
type SignedEndpoint struct {
	URL string `json:"url"`
	Key string `json:"secret"` // whsec_… or whsk_…
}

// Endpoint is a recipient's; ok is false where it has none.
func (c SignedConfig) Endpoint(recipient string) (e SignedEndpoint, ok bool) {
	if c.URL != "" {
		return c.SignedEndpoint, true
	}
	e, ok = c.Webhooks[recipient]
	return e, ok
}

// ParseSigned reads the secret efferent/webhook, as ParseEmail reads its own.
func ParseSigned(secret string) (SignedConfig, error) {
	var c SignedConfig
	if err := parseSecret(WebhookSecret, secret, &c); err != nil {
		return SignedConfig{}, err
	}
	if field, problem := c.check(); problem != "" {
		return SignedConfig{}, secretError(WebhookSecret, field, problem)
	}
	return c, nil
}

func (c SignedConfig) check() (field, problem string) {
	if (c.URL == "" && c.Key == "") == (len(c.Webhooks) == 0) {
		return "url", "give this and secret, or webhooks, one of the two"
	}
	if c.RatePerSecond != 0 && !goodRate(c.RatePerSecond) {
		return "rate_per_second", rateWanted
	}
	if len(c.Webhooks) == 0 {
		return c.SignedEndpoint.check()
	}
	for name, e := range c.Webhooks {
		if !hookName.MatchString(name) {
			return "webhooks", hookNamesWanted
		}
		if field, problem := e.check(); problem != "" {
			return "webhooks", "has one whose " + field + " is wrong: it " + problem
		}
	}
	return "", ""
}

// check: whether the URL may be sent to is the guard's to say, when it is.
func (e SignedEndpoint) check() (field, problem string) {
	u, err := url.Parse(e.URL)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "url", "must be an https or http URL without a user"
	}
	key, isShared := strings.CutPrefix(e.Key, "whsec_")
	if !isShared {
		key, isShared = strings.CutPrefix(e.Key, "whsk_")
	}
	if _, err := base64.StdEncoding.DecodeString(key); !isShared || err != nil || key == "" {
		return "secret", "must be a key that signs: whsec_ or whsk_ and base64"
	}
	return "", ""
}
