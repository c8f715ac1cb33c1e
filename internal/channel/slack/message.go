package slack

import (
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/channel"
)

type message struct {
	Channel string `json:"channel,omitempty"`
	Text    string `json:"text"`
}

// bodyOf is h as both of Slack's ways take it, or the outcome of a text that
// can't be sent.
func bodyOf(h channel.Handover) (body []byte, refused channel.Outcome, ok bool) {
	if problem := channel.CheckText(channel.Slack, h.Subject, h.Body); problem != "" {
		return nil, channel.Failed(channel.Permanent, 0, "Slack: the text "+problem), false
	}
	body, err := json.Marshal(message{Channel: h.Recipient, Text: channel.SlackText(h.Subject, h.Body)})
	if err != nil {
		return nil, channel.Failed(channel.Permanent, 0, "Slack: the text is not valid Unicode"), false
	}
	return body, channel.Outcome{}, true
}

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json; charset=utf-8"}}
}
