package slack

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/channel"
)

type message struct {
	Channel  string         `json:"channel,omitempty"`
	TS       string         `json:"ts,omitempty"`        // of the message to change
	ThreadTS string         `json:"thread_ts,omitempty"` // of the message to answer
	Text     string         `json:"text"`
	Blocks   jsontext.Value `json:"blocks,omitzero"`
}

// bodyOf is h as both of Slack's ways take it, or the outcome of a text that
// can't be sent. Beside blocks the text is what notifications show.
func bodyOf(h channel.Handover) (body []byte, refused channel.Outcome, ok bool) {
	return encoded(message{Channel: h.Recipient, Text: channel.SlackText(h.Subject, h.Body), Blocks: h.Blocks}, h)
}

func encoded(m message, h channel.Handover) (body []byte, refused channel.Outcome, ok bool) {
	if problem := channel.CheckText(channel.Slack, h.Subject, h.Body); problem != "" {
		return nil, channel.Failed(channel.Permanent, 0, "Slack: the text "+problem), false
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, channel.Failed(channel.Permanent, 0, "Slack: the text is not valid Unicode"), false
	}
	return body, channel.Outcome{}, true
}

// posted is what a bot's message is known by: "conversation/ts", and, of one in a
// thread, "/ts" of the thread.
type posted struct{ conversation, ts, thread string }

func parsePosted(id string) posted {
	parts := append(strings.Split(id, "/"), "", "", "")
	return posted{parts[0], parts[1], parts[2]}
}

func (p posted) String() string {
	if p.thread == "" {
		return p.conversation + "/" + p.ts
	}
	return p.conversation + "/" + p.ts + "/" + p.thread
}

// root is the message that a thread hangs on: an answer to an answer belongs under
// the first one ("Replying to other messages with chat.postMessage").
func (p posted) root() string { return cmp.Or(p.thread, p.ts) }

// forBot is h as a bot posts it, answers by it, or changes a message to it. What
// stays away of a change stays as it was, so blocks that are gone are said to be
// none ("chat.update").
func forBot(h channel.Handover) (method string, m message, answers string) {
	m = message{Channel: h.Recipient, Text: channel.SlackText(h.Subject, h.Body), Blocks: h.Blocks}
	switch {
	case h.Replaces != "":
		earlier := parsePosted(h.Replaces)
		m.Channel, m.TS = earlier.conversation, earlier.ts
		if m.Blocks == nil {
			m.Blocks = jsontext.Value("[]")
		}
		return "chat.update", m, earlier.thread
	case h.Thread != "":
		earlier := parsePosted(h.Thread)
		m.Channel, m.ThreadTS = earlier.conversation, earlier.root()
	}
	return "chat.postMessage", m, m.ThreadTS
}

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json; charset=utf-8"}}
}
