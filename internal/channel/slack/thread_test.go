package slack

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
)

// TestThreadsAndUpdates: what a bot says of an earlier message, and by what its own
// is known.
func TestThreadsAndUpdates(t *testing.T) {
	t.Parallel()
	const text = `"text":"*Hi &lt;you&gt;*\na private text"`
	for name, c := range map[string]struct {
		change             func(*channel.Handover)
		method, body, told string
	}{
		"a post": {func(h *channel.Handover) {}, "chat.postMessage", `{"channel":"C0123",` + text + `}`, "C9/2.2"},
		"blocks": {func(h *channel.Handover) { h.Blocks = []byte(`[{"type":"divider"}]`) }, "chat.postMessage",
			`{"channel":"C0123",` + text + `,"blocks":[{"type":"divider"}]}`, "C9/2.2"},
		"an answer": {func(h *channel.Handover) { h.Thread = "C9/1.1" }, "chat.postMessage",
			`{"channel":"C9","thread_ts":"1.1",` + text + `}`, "C9/2.2/1.1"},
		"an answer to an answer": {func(h *channel.Handover) { h.Thread = "C9/1.5/1.1" }, "chat.postMessage",
			`{"channel":"C9","thread_ts":"1.1",` + text + `}`, "C9/2.2/1.1"},
		"a change": {func(h *channel.Handover) { h.Replaces = "C9/1.1" }, "chat.update",
			`{"channel":"C9","ts":"1.1",` + text + `,"blocks":[]}`, "C9/2.2"},
		"a change of an answer": {func(h *channel.Handover) { h.Replaces, h.Blocks = "C9/1.5/1.1", []byte(`[{"type":"divider"}]`) },
			"chat.update",
			`{"channel":"C9","ts":"1.5",` + text + `,"blocks":[{"type":"divider"}]}`, "C9/2.2/1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ctx := channeltest.Start(t, answer{Status: 200, Body: `{"ok":true,"channel":"C9","ts":"2.2"}`})
			s, h := senders["slackbot"](p.URL)
			c.change(&h)
			out := s.Send(ctx, h)
			requests, bodies := p.Seen()
			got := []string{requests[0].URL.Path, bodies[0], out.ProviderID}
			if diff := cmp.Diff([]string{"/api/" + c.method, c.body, c.told}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestErrorsOfThreadsAndUpdates: the earlier message is gone for good.
func TestErrorsOfThreadsAndUpdates(t *testing.T) {
	t.Parallel()
	for name := range strings.FieldsSeq("message_not_found cant_update_message edit_window_closed thread_not_found invalid_blocks") {
		p, ctx := channeltest.Start(t, answer{Status: 200, Body: `{"ok":false,"error":"` + name + `"}`})
		s, h := senders["slackbot"](p.URL)
		h.Replaces = "C9/1.1"
		channeltest.Check(t, s.Send(ctx, h), channel.Outcome{Class: channel.Permanent, Status: 200, Reason: name})
	}
}

// TestWebhookHasNoThreads: it would be posted beside, where nobody expects it.
func TestWebhookHasNoThreads(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*channel.Handover){
		func(h *channel.Handover) { h.Thread = "C9/1.1" }, func(h *channel.Handover) { h.Replaces = "C9/1.1" },
	} {
		p, ctx := channeltest.Start(t, answer{Status: 200, Body: "ok"})
		s, h := senders["slack"](p.URL)
		change(&h)
		channeltest.Check(t, s.Send(ctx, h), channel.Outcome{Class: channel.Permanent, Reason: "take a bot_token"})
		if requests, _ := p.Seen(); len(requests) != 0 {
			t.Error("it was posted")
		}
	}
}
