package slack

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
	"github.com/efferent/efferent/internal/channel/exchange"
)

type answer = channeltest.Answer

// senders over one provider's address, and the hand-over that each may get.
var senders = map[string]func(base string) (channel.Sender, channel.Handover){
	"slack": func(base string) (channel.Sender, channel.Handover) {
		c := channel.SlackConfig{WebhookURL: base + "/services/" + channeltest.SecretPath}
		return NewWebhook(c, exchange.NewTransport(), clockwork.NewFakeClockAt(channeltest.Noon)), aMessage()
	},
	"slackbot": func(base string) (channel.Sender, channel.Handover) {
		c := channel.SlackConfig{BotToken: channeltest.SecretToken, BaseURL: base}
		return NewBot(c, exchange.NewTransport(), clockwork.NewFakeClockAt(channeltest.Noon)), aMessage()
	},
}

func aMessage() channel.Handover {
	return channel.Handover{ID: "n_7", Recipient: "C0123", Subject: "Hi <you>", Body: channeltest.Body}
}

const htmlPage = "<html>" + channeltest.Body + "</html>"

func TestAnswers(t *testing.T) {
	t.Parallel()
	after := map[string]string{"Retry-After": "7"}
	for _, c := range []struct {
		sender string
		answer answer
		want   channel.Outcome // its Reason: a part of it
	}{
		{"slack", answer{Status: 200, Body: "ok"}, channel.Outcome{Status: 200}},
		{"slack", answer{Status: 200, Body: "ok\n"}, channel.Outcome{Status: 200}},
		{"slack", answer{Status: 200, Body: "invalid_payload"},
			channel.Outcome{Class: channel.Permanent, Status: 200, Reason: "invalid_payload"}},
		{"slack", answer{Status: 200, Body: htmlPage}, channel.Outcome{Class: channel.Unknown, Status: 200, Reason: "without its ok"}},
		{"slack", answer{Status: 204}, channel.Outcome{Class: channel.Unknown, Status: 204, Reason: "without its ok"}},
		{"slack", answer{Status: 400, Body: "invalid_payload"},
			channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "invalid_payload"}},
		{"slack", answer{Status: 400, Body: "user_not_found"},
			channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "user_not_found"}},
		{"slack", answer{Status: 400, Body: "too_many_attachments"},
			channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "too_many_attachments"}},
		{"slack", answer{Status: 400, Body: "something_new"}, channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "something_new"}},
		{"slack", answer{Status: 404, Body: "channel_not_found"},
			channel.Outcome{Class: channel.Permanent, Status: 404, Reason: "channel_not_found"}},
		{"slack", answer{Status: 410, Body: "channel_is_archived"},
			channel.Outcome{Class: channel.Permanent, Status: 410, Reason: "channel_is_archived"}},
		{"slack", answer{Status: 403, Body: "action_prohibited"},
			channel.Outcome{Class: channel.Configuration, Status: 403, Reason: "action_prohibited"}},
		{"slack", answer{Status: 403, Body: "posting_to_general_channel_denied"},
			channel.Outcome{Class: channel.Configuration, Status: 403, Reason: "posting_to_general"}},
		{"slack", answer{Status: 403, Body: "invalid_token"},
			channel.Outcome{Class: channel.Configuration, Status: 403, Reason: "invalid_token"}},
		{"slack", answer{Status: 404, Body: "no_service"}, channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "no_service"}},
		{"slack", answer{Status: 404, Body: "no_service_id"},
			channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "no_service_id"}},
		{"slack", answer{Status: 404, Body: "no_active_hooks"},
			channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "no_active_hooks"}},
		{"slack", answer{Status: 404, Body: "no_team"}, channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "no_team"}},
		{"slack", answer{Status: 404, Body: htmlPage}, channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "404"}},
		{"slack", answer{Status: 302, Header: map[string]string{"Location": "/elsewhere"}},
			channel.Outcome{Class: channel.Configuration, Status: 302, Reason: "redirect"}},
		{"slack", answer{Status: 429, Header: after, Body: "rate_limited"},
			channel.Outcome{Class: channel.Limited, Status: 429, RetryAfter: 7 * time.Second, Reason: "too many"}},
		{"slack", answer{Status: 429}, channel.Outcome{Class: channel.Limited, Status: 429, Reason: "too many"}},
		{"slack", answer{Status: 500, Body: "rollup_error"}, channel.Outcome{Class: channel.Transient, Status: 500, Reason: "rollup_error"}},
		{"slack", answer{Status: 503, Body: htmlPage}, channel.Outcome{Class: channel.Transient, Status: 503, Reason: "503"}},

		{"slack", answer{Status: 404, Body: "no service at /services/" + channeltest.SecretPath + ": hushhushhush"},
			channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "404"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "invalid_auth", "token": "` + channeltest.SecretToken + `"}`},
			channel.Outcome{Class: channel.Configuration, Status: 200, Reason: "invalid_auth"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": true, "channel": "C9", "ts": "1.2", "message": {"text": "x"}}`},
			channel.Outcome{Status: 200, ProviderID: "C9/1.2"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "channel_not_found"}`},
			channel.Outcome{Class: channel.Permanent, Status: 200, Reason: "channel_not_found"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "is_archived"}`},
			channel.Outcome{Class: channel.Permanent, Status: 200, Reason: "is_archived"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "msg_too_long"}`},
			channel.Outcome{Class: channel.Permanent, Status: 200, Reason: "msg_too_long"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "something_new"}`},
			channel.Outcome{Class: channel.Permanent, Status: 200, Reason: "something_new"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "` + channeltest.Body + `"}`},
			channel.Outcome{Class: channel.Permanent, Status: 200, Reason: "without a name"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "not_in_channel"}`},
			channel.Outcome{Class: channel.Configuration, Status: 200, Reason: "not_in_channel"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "invalid_auth"}`},
			channel.Outcome{Class: channel.Configuration, Status: 200, Reason: "invalid_auth"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "token_revoked"}`},
			channel.Outcome{Class: channel.Configuration, Status: 200, Reason: "token_revoked"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "missing_scope", "needed": "chat:write"}`},
			channel.Outcome{Class: channel.Configuration, Status: 200, Reason: "missing_scope"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "internal_error"}`},
			channel.Outcome{Class: channel.Transient, Status: 200, Reason: "internal_error"}},
		{"slackbot", answer{Status: 200, Body: `{"ok": false, "error": "fatal_error"}`},
			channel.Outcome{Class: channel.Transient, Status: 200, Reason: "fatal_error"}},
		{"slackbot", answer{Status: 200, Header: after, Body: `{"ok": false, "error": "ratelimited"}`},
			channel.Outcome{Class: channel.Limited, Status: 200, RetryAfter: 7 * time.Second, Reason: "too many"}},
		{"slackbot", answer{Status: 429, Header: after, Body: `{"ok": false, "error": "ratelimited"}`},
			channel.Outcome{Class: channel.Limited, Status: 429, RetryAfter: 7 * time.Second, Reason: "too many"}},
		{"slackbot", answer{Status: 503, Body: `{"ok": false, "error": "service_unavailable"}`},
			channel.Outcome{Class: channel.Transient, Status: 503, Reason: "503"}},
		{"slackbot", answer{Status: 200, Body: htmlPage}, channel.Outcome{Class: channel.Unknown, Status: 200, Reason: "without its ok"}},
		{"slackbot", answer{Status: 200, Body: `{"error": "x"}`},
			channel.Outcome{Class: channel.Unknown, Status: 200, Reason: "without its ok"}},
		{"slackbot", answer{Status: 301, Header: map[string]string{"Location": "/elsewhere"}},
			channel.Outcome{Class: channel.Configuration, Status: 301, Reason: "redirect"}},
	} {
		t.Run(fmt.Sprintf("%s %d %.40s", c.sender, c.answer.Status, c.answer.Body), func(t *testing.T) {
			t.Parallel()
			p, ctx := channeltest.Start(t, c.answer)
			s, h := senders[c.sender](p.URL)
			if !c.want.Sent() {
				c.want.Response = strings.NewReplacer("/services/"+channeltest.SecretPath, "[secret]", "hushhushhush", "[secret]",
					channeltest.SecretToken, "[secret]").Replace(c.answer.Body)
			}
			channeltest.Check(t, s.Send(ctx, h), c.want)
			if requests, _ := p.Seen(); len(requests) != 1 {
				t.Errorf("got %d requests", len(requests))
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, sender := range senders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			channeltest.Faults(t, sender)
		})
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sender string
		change func(*channel.Handover)
		says   string
	}{
		{"slack", func(h *channel.Handover) { h.Body = strings.Repeat("a", 40001) }, "40000 characters"},
		{"slackbot", func(h *channel.Handover) { h.Body = strings.Repeat("a", 40001) }, "40000 characters"},
		{"slackbot", func(h *channel.Handover) { h.Recipient = "" }, "must not be empty"},
		{"slackbot", func(h *channel.Handover) { h.Recipient = "ann@acme.test" }, "Slack channel"},
		{"slackbot", func(h *channel.Handover) { h.Body = "\xff" }, "Unicode"},
		{"slack", func(h *channel.Handover) { h.Body = "\xff" }, "Unicode"},
	} {
		t.Run(c.sender+" "+c.says, func(t *testing.T) {
			t.Parallel()
			p, ctx := channeltest.Start(t, answer{Status: 500})
			s, h := senders[c.sender](p.URL)
			c.change(&h)
			channeltest.Check(t, s.Send(ctx, h), channel.Outcome{Class: channel.Permanent, Reason: c.says})
			if requests, _ := p.Seen(); len(requests) != 0 {
				t.Error("it was sent")
			}
		})
	}
}

func TestSlackRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sender, recipient, path, auth, body string }{
		{"slack", "C0123", "/services/" + channeltest.SecretPath, "", `{"channel":"C0123","text":"*Hi &lt;you&gt;*\na private text"}`},
		{"slack", "", "/services/" + channeltest.SecretPath, "", `{"text":"*Hi &lt;you&gt;*\na private text"}`},
		{"slackbot", "U1", "/api/chat.postMessage", "Bearer " + channeltest.SecretToken,
			`{"channel":"U1","text":"*Hi &lt;you&gt;*\na private text"}`},
	} {
		p, ctx := channeltest.Start(t, answer{Status: 200, Body: "ok"})
		s, h := senders[c.sender](p.URL)
		h.Recipient = c.recipient
		s.Send(ctx, h)
		requests, bodies := p.Seen()
		r := requests[0]
		got := []string{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), bodies[0]}
		if diff := cmp.Diff([]string{"POST", c.path, c.auth, "application/json; charset=utf-8", c.body}, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.sender, diff)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(200, []byte("ok"))
	f.Add(404, []byte("channel_not_found"))
	f.Add(200, []byte(`{"ok": false, "error": "invalid_auth"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		channeltest.Reads(t, status, body, webhookOutcome(status, string(body), 0))
		channeltest.Reads(t, status, body, botOutcome(status, body, 0))
	})
}
