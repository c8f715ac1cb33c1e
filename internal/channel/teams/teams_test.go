package teams

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
	"github.com/efferent/efferent/internal/channel/exchange"
)

type answer = channeltest.Answer

const query = "?api-version=1&sp=%2Ftriggers&sig=" + channeltest.SecretAuth

func sender(base string) (channel.Sender, channel.Handover) {
	c := channel.HookConfig{WebhookURL: base + "/workflows/1/triggers/manual/paths/invoke" + query}
	return New(c, exchange.NewTransport(), clockwork.NewFakeClockAt(channeltest.Noon)),
		channel.Handover{ID: "n_7", Recipient: "ops", Subject: "Hi", Body: channeltest.Body}
}

func failure(status int, code string) answer {
	return answer{Status: status, Body: fmt.Sprintf(`{"error":{"code":%q,"message":"%s"}}`, code, channeltest.Body)}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	after := failure(429, "TooManyRequests")
	after.Header = map[string]string{"Retry-After": "7"}
	for _, c := range []struct {
		answer answer
		want   channel.Outcome // its Reason: a part of it
	}{
		{answer{Status: 202}, channel.Outcome{Status: 202}},
		{answer{Status: 200, Body: "ok"}, channel.Outcome{Status: 200}},
		{failure(200, "Odd"), channel.Outcome{Class: channel.Unknown, Status: 200, Reason: "may have been taken"}},
		{failure(401, "DirectApiAuthorizationRequired"),
			channel.Outcome{Class: channel.Configuration, Status: 401, Reason: "DirectApiAuthorizationRequired"}},
		{failure(401, "SomethingNew"), channel.Outcome{Class: channel.Configuration, Status: 401, Reason: "secret efferent/teams"}},
		{failure(404, "WorkflowNotFound"), channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "WorkflowNotFound"}},
		{failure(400, "WorkflowTriggerIsNotEnabled"),
			channel.Outcome{Class: channel.Configuration, Status: 400, Reason: "WorkflowTriggerIsNotEnabled"}},
		{failure(400, "TriggerInputSchemaMismatch"),
			channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "TriggerInputSchemaMismatch"}},
		{failure(413, "RequestEntityTooLarge"), channel.Outcome{Class: channel.Permanent, Status: 413, Reason: "RequestEntityTooLarge"}},
		{failure(400, channeltest.Body), channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "400"}},
		{answer{Status: 302, Header: map[string]string{"Location": "/elsewhere"}},
			channel.Outcome{Class: channel.Configuration, Status: 302, Reason: "redirect"}},
		{after, channel.Outcome{Class: channel.Limited, Status: 429, RetryAfter: 7 * time.Second, Reason: "TooManyRequests"}},
		{failure(502, "NoResponse"), channel.Outcome{Class: channel.Transient, Status: 502, Reason: "502"}},
		{answer{Status: 503, Body: "<html>"}, channel.Outcome{Class: channel.Transient, Status: 503, Reason: "503"}},
		{answer{Status: 401, Body: "no " + channeltest.SecretAuth + " in /workflows/1/triggers/manual/paths/invoke" + query},
			channel.Outcome{Class: channel.Configuration, Status: 401, Reason: "401"}},
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
		"too long":        {func(h *channel.Handover) { h.Body = strings.Repeat("a", 28<<10) }, "at most 28 KiB"},
		"a long card":     {func(h *channel.Handover) { h.Card = []byte(`"` + strings.Repeat("a", 28<<10) + `"`) }, "at most 28 KiB"},
		"no text":         {func(h *channel.Handover) { h.Body = "" }, "must not be empty"},
		"no Unicode":      {func(h *channel.Handover) { h.Body = "\xff" }, "Unicode"},
		"nobody's":        {func(h *channel.Handover) { h.Recipient = "" }, "none of the webhooks in the secret efferent/teams"},
		"somebody else's": {func(h *channel.Handover) { h.Recipient = "sales" }, "none of the webhooks"},
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
	card := func(content string) string {
		return `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null,` +
			`"content":` + content + `}]}`
	}
	for name, c := range map[string]struct {
		change func(*channel.Handover)
		want   string
	}{
		"a text": {func(h *channel.Handover) { h.Body = "a *b*\n[c](d)" },
			card(`{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json",` +
				`"type":"AdaptiveCard","version":"1.4","body":[{"type":"TextBlock","text":"Hi","wrap":true,"size":"Medium","weight":"Bolder"},` +
				`{"type":"TextBlock","text":"a \\*b\\*\n\n\\[c\\](d)","wrap":true}]}`)},
		"a card": {func(h *channel.Handover) { h.Card = []byte(`{"type":"AdaptiveCard","b":[1]}`) }, card(`{"type":"AdaptiveCard","b":[1]}`)},
	} {
		p, ctx := channeltest.Start(t, answer{Status: 202})
		s, h := sender(p.URL)
		c.change(&h)
		s.Send(ctx, h)
		requests, bodies := p.Seen()
		var got, want any
		if err := json.Unmarshal([]byte(bodies[0]), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if r := requests[0]; r.Method != "POST" || !strings.HasSuffix(r.URL.String(), query) {
			t.Errorf("%s %s", r.Method, r.URL)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(202, []byte(""))
	f.Add(401, []byte(`{"error":{"code":"DirectApiAuthorizationRequired"}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		channeltest.Reads(t, status, body, outcomeOf(status, body, 0))
	})
}
