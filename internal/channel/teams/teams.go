// Package teams hands notifications over to Microsoft Teams, by the webhooks of
// workflows ("Post to a channel when a webhook request is received").
package teams

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
)

// maxMessage is Teams' limit of a message with its card ("Limits and specifications
// for Microsoft Teams", chat: about 28 KB).
const maxMessage = 28 << 10 // bytes

// Sender posts cards.
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

// Addressless says that the workflow posts where it posts, whatever the recipient.
func (s *Sender) Addressless() bool { return s.c.Addressless() }

// Limit is that of one webhook.
func (s *Sender) Limit(recipient string) channel.Limit {
	return s.c.Limit(channel.Teams, recipient)
}

// Send posts h as a card. That a workflow took it is all that is known: it posts
// later, and tells nobody.
func (s *Sender) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	to := s.c.URL(h.Recipient)
	if to == "" {
		return channel.Failed(channel.Permanent, 0, "Teams: the recipient is none of the webhooks in the secret "+channel.TeamsSecret)
	}
	body, refused, ok := bodyOf(h)
	if !ok {
		return refused
	}
	a := exchange.Post(ctx, s.rt, to, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body)
	if a.Err != nil {
		return channel.Lost("Teams", a.Connected, a.Status, a.Err)
	}
	return outcomeOf(a.Status, a.Body, a.RetryAfter(s.clock.Now())).Saying(string(a.Body), channel.HookSecrets(to)...)
}

// message is what the workflow's template takes: one attachment for each card.
type message struct {
	Type        string       `json:"type"`
	Attachments []attachment `json:"attachments"`
}

type attachment struct {
	ContentType string         `json:"contentType"`
	ContentURL  *string        `json:"contentUrl"`
	Content     jsontext.Value `json:"content"`
}

func bodyOf(h channel.Handover) (body []byte, refused channel.Outcome, ok bool) {
	if problem := channel.CheckText(channel.Teams, h.Subject, h.Body); problem != "" {
		return nil, channel.Failed(channel.Permanent, 0, "Teams: the text "+problem), false
	}
	card := h.Card
	if card == nil {
		card = cardOf(h.Subject, h.Body)
	}
	body, err := json.Marshal(message{"message", []attachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: card}}})
	switch {
	case err != nil:
		return nil, channel.Failed(channel.Permanent, 0, "Teams: the text is not valid Unicode"), false
	case len(body) > maxMessage:
		return nil, channel.Failed(channel.Permanent, 0, "Teams: the message must be at most 28 KiB, with its card"), false
	}
	return body, channel.Outcome{}, true
}

// textBlock is one text of a card.
type textBlock struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Wrap   bool   `json:"wrap"`
	Size   string `json:"size,omitempty"`
	Weight string `json:"weight,omitempty"`
}

type adaptiveCard struct {
	Schema  string      `json:"$schema"`
	Type    string      `json:"type"`
	Version string      `json:"version"`
	Body    []textBlock `json:"body"`
}

// cardOf is a card of a subject and a text. It is nil, which nothing takes, where
// they are no Unicode.
func cardOf(subject, body string) jsontext.Value {
	c := adaptiveCard{Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4"}
	if subject != "" {
		c.Body = append(c.Body, textBlock{Type: "TextBlock", Text: plain(subject), Wrap: true, Size: "Medium", Weight: "Bolder"})
	}
	c.Body = append(c.Body, textBlock{Type: "TextBlock", Text: plain(body), Wrap: true})
	card, err := json.Marshal(c)
	if err != nil {
		return jsontext.Value("\xff")
	}
	return card
}

// plain writes a text so that Markdown leaves it alone ("Text features in Adaptive
// Cards"): a new line takes two.
func plain(s string) string {
	return strings.ReplaceAll(escape.Replace(strings.ReplaceAll(s, "\r\n", "\n")), "\n", "\n\n")
}

var escape = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "`", "\\`", "#", `\#`, "~", `\~`, "{{", `\{{`)
