package discord

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

func sender(base string) (channel.Sender, channel.Handover) {
	c := channel.HookConfig{WebhookURL: base + "/api/webhooks/123/" + channeltest.SecretAuth}
	return New(c, exchange.NewTransport(), clockwork.NewFakeClockAt(channeltest.Noon)),
		channel.Handover{ID: "n_7", Recipient: "ops", Subject: "Hi", Body: channeltest.Body}
}

func failure(status, code int) answer {
	return answer{Status: status, Body: fmt.Sprintf(`{"message": %q, "code": %d}`, channeltest.Body, code)}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer answer
		want   channel.Outcome // its Reason: a part of it
	}{
		{answer{Status: 200, Body: `{"id": "112233", "channel_id": "9"}`}, channel.Outcome{Status: 200, ProviderID: "112233"}},
		{answer{Status: 200, Body: `{}`}, channel.Outcome{Class: channel.Unknown, Status: 200, Reason: "without the message's id"}},
		{answer{Status: 204}, channel.Outcome{Class: channel.Unknown, Status: 204, Reason: "without the message's id"}},
		{answer{Status: 200, Body: `{"id": "../x"}`}, channel.Outcome{Class: channel.Unknown, Status: 200, Reason: "without the message's id"}},
		{failure(404, 10015), channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "error 10015"}},
		{failure(401, 50027), channel.Outcome{Class: channel.Configuration, Status: 401, Reason: "error 50027"}},
		{failure(400, 220001), channel.Outcome{Class: channel.Configuration, Status: 400, Reason: "error 220001"}},
		{failure(404, 10008), channel.Outcome{Class: channel.Permanent, Status: 404, Reason: "error 10008"}},
		{failure(400, 50035), channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "error 50035"}},
		{failure(400, 50006), channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "error 50006"}},
		{failure(400, 99999), channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "error 99999"}},
		{failure(404, 0), channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "secret efferent/discord"}},
		{answer{Status: 429, Header: map[string]string{"Retry-After": "1"}, Body: `{"message": "x", "retry_after": 0.64, "global": false}`},
			channel.Outcome{Class: channel.Limited, Status: 429, RetryAfter: time.Second, Reason: "429"}},
		{answer{Status: 429, Body: `{"message": "x", "retry_after": 2.5}`},
			channel.Outcome{Class: channel.Limited, Status: 429, RetryAfter: 2500 * time.Millisecond, Reason: "429"}},
		{answer{Status: 429, Body: `{"retry_after": 1e300}`},
			channel.Outcome{Class: channel.Limited, Status: 429, RetryAfter: 24 * time.Hour, Reason: "429"}},
		{answer{Status: 502, Body: "<html>"}, channel.Outcome{Class: channel.Transient, Status: 502, Reason: "502"}},
		{answer{Status: 302, Header: map[string]string{"Location": "/elsewhere"}},
			channel.Outcome{Class: channel.Configuration, Status: 302, Reason: "redirect"}},
		{answer{Status: 404, Body: "/api/webhooks/123/" + channeltest.SecretAuth},
			channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "404"}},
	} {
		t.Run(fmt.Sprintf("%d %.40s", c.answer.Status, c.answer.Body), func(t *testing.T) {
			t.Parallel()
			p, ctx := channeltest.Start(t, c.answer)
			s, h := sender(p.URL)
			channeltest.Check(t, s.Send(ctx, h), c.want)
			if requests, _ := p.Seen(); len(requests) != 1 {
				t.Errorf("got %d requests", len(requests))
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	channeltest.Faults(t, sender)
}

func TestTimeOut(t *testing.T) {
	t.Parallel()
	channeltest.TimeOut(t, sender)
}

func TestRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*channel.Handover)
		says   string
	}{
		"too long":              {func(h *channel.Handover) { h.Body = strings.Repeat("a", 1994) }, "at most 2000 characters"},
		"too long when escaped": {func(h *channel.Handover) { h.Body = strings.Repeat("*", 1000) }, "at most 2000 characters"},
		"no text":               {func(h *channel.Handover) { h.Subject, h.Body = "", "" }, "must not be empty"},
		"no Unicode":            {func(h *channel.Handover) { h.Body = "\xff" }, "Unicode"},
		"nobody's":              {func(h *channel.Handover) { h.Recipient = "sales" }, "none of the webhooks in the secret efferent/discord"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ctx := channeltest.Start(t, answer{Status: 500})
			s := New(channel.HookConfig{Webhooks: map[string]string{"ops": p.URL}}, exchange.NewTransport(), clockwork.NewRealClock())
			_, h := sender(p.URL)
			c.change(&h)
			channeltest.Check(t, s.Send(ctx, h), channel.Outcome{Class: channel.Permanent, Reason: c.says})
			if requests, _ := p.Seen(); len(requests) != 0 {
				t.Error("it was sent")
			}
		})
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	const none = `"allowed_mentions":{"parse":[]}}`
	for name, c := range map[string]struct {
		change             func(*channel.Handover)
		method, path, body string
	}{
		"a text": {func(h *channel.Handover) { h.Body = "@everyone *a* https://a.test/b_c_d <b>" }, "POST",
			"/api/webhooks/123/hush-token?wait=true", `{"content":"**Hi**\n@everyone \\*a\\* https://a.test/b_c_d \\<b\\>",` + none},
		"embeds": {func(h *channel.Handover) { h.Subject, h.Embeds = "", []byte(`[{"title":"a"}]`) }, "POST",
			"/api/webhooks/123/hush-token?wait=true", `{"content":"a private text","embeds":[{"title":"a"}],` + none},
		"a change": {func(h *channel.Handover) { h.Replaces = "112233" }, "PATCH",
			"/api/webhooks/123/hush-token/messages/112233", `{"content":"**Hi**\na private text","embeds":[],` + none},
	} {
		p, ctx := channeltest.Start(t, answer{Status: 200, Body: `{"id":"1"}`})
		s, h := sender(p.URL)
		c.change(&h)
		s.Send(ctx, h)
		requests, bodies := p.Seen()
		got := []string{requests[0].Method, requests[0].URL.String(), bodies[0]}
		if diff := cmp.Diff([]string{c.method, c.path, c.body}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestThread: a webhook's URL may name a thread, or a forum's post.
func TestThread(t *testing.T) {
	t.Parallel()
	for replaces, want := range map[string]string{"": "POST https://d.test/webhooks/1/a?thread_id=5&wait=true",
		"9": "PATCH https://d.test/webhooks/1/a/messages/9?thread_id=5"} {
		method, to := place("https://d.test/webhooks/1/a/?thread_id=5", replaces)
		if got := method + " " + to; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(200, []byte(`{"id":"1"}`))
	f.Add(429, []byte(`{"retry_after":-1}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		o := outcomeOf(status, body, 0)
		channeltest.Reads(t, status, body, o)
		if o.RetryAfter < 0 || o.RetryAfter > 24*time.Hour {
			t.Error(o.RetryAfter)
		}
	})
}
