// Package discord hands notifications over to Discord, by webhooks of its
// channels.
package discord

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
)

// Sender posts messages, and changes what it has posted.
type Sender struct {
	c     channel.HookConfig
	rt    http.RoundTripper
	clock clockwork.Clock
}

// New returns the sender for c's webhooks. Give it a transport that keeps no
// connections (exchange.NewTransport).
func New(c channel.HookConfig, rt http.RoundTripper, clock clockwork.Clock) *Sender {
	return &Sender{c, rt, clock}
}

// Addressless says that the webhook posts to its own channel, whatever the
// recipient.
func (s *Sender) Addressless() bool { return s.c.Addressless() }

// Limit is that of one webhook.
func (s *Sender) Limit(recipient string) channel.Limit {
	return s.c.Limit(channel.Discord, recipient)
}

// Send posts h, or changes the message that it takes the place of.
func (s *Sender) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	hook := s.c.URL(h.Recipient)
	if hook == "" {
		return channel.Failed(channel.Permanent, 0, "Discord: the recipient is none of the webhooks in the secret "+channel.DiscordSecret)
	}
	body, refused, ok := bodyOf(h)
	if !ok {
		return refused
	}
	method, to := place(hook, h.Replaces)
	a := exchange.Do(ctx, s.rt, method, to, http.Header{"Content-Type": {"application/json"}}, body)
	if a.Err != nil {
		return channel.Lost("Discord", a.Connected, a.Status, a.Err)
	}
	return outcomeOf(a.Status, a.Body, a.RetryAfter(s.clock.Now())).Saying(string(a.Body), channel.HookSecrets(hook)...)
}

// place is where a message goes: with wait, the answer has its id ("Execute
// Webhook", "Edit Webhook Message").
func place(hook, replaces string) (method, to string) {
	u, err := url.Parse(hook)
	if err != nil {
		return http.MethodPost, hook
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	if replaces != "" {
		u.Path += "/messages/" + replaces
		return http.MethodPatch, u.String()
	}
	q := u.Query()
	q.Set("wait", "true")
	u.RawQuery = q.Encode()
	return http.MethodPost, u.String()
}

type message struct {
	Content string         `json:"content"`
	Embeds  jsontext.Value `json:"embeds,omitzero"`
	// AllowedMentions keeps a text from waking up everyone.
	AllowedMentions mentions `json:"allowed_mentions"`
}

type mentions struct {
	Parse []string `json:"parse"`
}

func bodyOf(h channel.Handover) (body []byte, refused channel.Outcome, ok bool) {
	text := plain(h.Body)
	if h.Subject != "" {
		text = "**" + plain(h.Subject) + "**\n" + text
	}
	if problem := channel.CheckText(channel.Discord, "", text); problem != "" {
		return nil, channel.Failed(channel.Permanent, 0, "Discord: the text "+problem+", and each character that Markdown knows as two"), false
	}
	m := message{Content: text, Embeds: h.Embeds, AllowedMentions: mentions{Parse: []string{}}}
	if m.Embeds == nil && h.Replaces != "" { // what stays away stays as it was
		m.Embeds = jsontext.Value("[]")
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, channel.Failed(channel.Permanent, 0, "Discord: the text is not valid Unicode"), false
	}
	return body, channel.Outcome{}, true
}

// link is what Discord makes a link of: what is escaped in it would lead elsewhere.
var link = regexp.MustCompile(`https?://[^\s<>]+`)

// plain writes a text so that Markdown leaves it alone, and links work.
func plain(s string) string {
	var b strings.Builder
	at := 0
	for _, found := range link.FindAllStringIndex(s, -1) {
		b.WriteString(escape.Replace(s[at:found[0]]) + s[found[0]:found[1]])
		at = found[1]
	}
	return b.String() + escape.Replace(s[at:])
}

var escape = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "~", `\~`, "|", `\|`, ">", `\>`, "#", `\#`, "[", `\[`, "<",
	`\<`)
