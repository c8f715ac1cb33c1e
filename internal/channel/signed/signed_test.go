package signed

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
	"github.com/efferent/efferent/internal/webhook"
)

type answer = channeltest.Answer

const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// sender is one that may send to this machine.
func sender(base string) (channel.Sender, channel.Handover) {
	http, _ := webhook.ParseAllowHTTP("loopback")
	client := webhook.NewClient(webhook.Options{AllowHTTP: http, AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	c := channel.SignedConfig{SignedEndpoint: channel.SignedEndpoint{URL: base + "/in?token=" + channeltest.SecretAuth, Key: key}}
	return New(c, client, clockwork.NewFakeClockAt(channeltest.Noon)),
		channel.Handover{ID: "n_7", Tenant: "acme", Recipient: "ops", Subject: "Hi", Body: channeltest.Body, Thread: "n_6"}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer answer
		want   channel.Outcome // its Reason: a part of it
	}{
		{answer{Status: 204}, channel.Outcome{Status: 204, ProviderID: "n_7"}},
		{answer{Status: 503, Header: map[string]string{"Retry-After": "7"}},
			channel.Outcome{Class: channel.Transient, Status: 503, RetryAfter: 7 * time.Second, Reason: "503"}},
		{answer{Status: 429}, channel.Outcome{Class: channel.Limited, Status: 429, Reason: "429"}},
		{answer{Status: 500, Body: "at /in?token=" + channeltest.SecretAuth}, channel.Outcome{Class: channel.Transient, Status: 500,
			Reason: "500"}},
		{answer{Status: 401}, channel.Outcome{Class: channel.Configuration, Status: 401, Reason: "secret efferent/webhook"}},
		{answer{Status: 404}, channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "404"}},
		{answer{Status: 410}, channel.Outcome{Class: channel.Configuration, Status: 410, Reason: "410"}},
		{answer{Status: 301, Header: map[string]string{"Location": "/x"}},
			channel.Outcome{Class: channel.Configuration, Status: 301, Reason: "redirects are not followed"}},
		{answer{Status: 400}, channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "400"}},
		{answer{Status: 413}, channel.Outcome{Class: channel.Permanent, Status: 413, Reason: "413"}},
		{answer{Status: 404, Header: map[string]string{"webhook-delivery": "abort-message"}},
			channel.Outcome{Class: channel.Permanent, Status: 404, Reason: "no more"}},
		{answer{Fault: channeltest.Refuse}, channel.Outcome{Class: channel.Transient, Reason: "no connection"}},
		{answer{Fault: channeltest.Cut}, channel.Outcome{Class: channel.Unknown, Reason: "it may have been taken"}},
		{answer{Fault: channeltest.Hang}, channel.Outcome{Class: channel.Unknown, Reason: "interrupted"}},
		{answer{Fault: channeltest.Untrusted}, channel.Outcome{Class: channel.Transient, Reason: "TLS"}},
	} {
		t.Run(fmt.Sprintf("%d %s", c.answer.Status, c.answer.Fault), func(t *testing.T) {
			t.Parallel()
			p, ctx := channeltest.Start(t, c.answer)
			s, h := sender(p.URL)
			channeltest.Check(t, s.Send(ctx, h), c.want)
		})
	}
}

// TestSigned: what comes is what Standard Webhooks' own check takes.
func TestSigned(t *testing.T) {
	t.Parallel()
	p, ctx := channeltest.Start(t, answer{Status: 200})
	s, h := sender(p.URL)
	s.Send(ctx, h)
	requests, bodies := p.Seen()
	if err := webhook.Verify(requests[0].Header, []byte(bodies[0]), channeltest.Noon, key); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(`{"type":"notification","timestamp":"2026-11-24T12:00:00Z","data":{"id":"n_7","tenant":"acme","recipient":"ops",`+
		`"subject":"Hi","body":"a private text","thread":"n_6"}}`, bodies[0]); diff != "" {
		t.Error(diff)
	}
	if r := requests[0]; r.Header.Get("Webhook-Id") != "n_7" || r.Header.Get("X-Webhook-Event") != "notification" {
		t.Errorf("%v", r.Header)
	}
}

// guard tells what a client without exceptions says.
func TestGuarded(t *testing.T) {
	t.Parallel()
	client := webhook.NewClient(webhook.Options{})
	for to, says := range map[string]string{
		"https://127.0.0.1/":       "127.0.0.1",
		"http://hooks.acme.test/":  "plain http",
		"https://169.254.169.254/": "169.254.169.254",
	} {
		c := channel.SignedConfig{Webhooks: map[string]channel.SignedEndpoint{"ops": {URL: to, Key: key}}}
		_, h := sender("")
		channeltest.Check(t, New(c, client, clockwork.NewRealClock()).Send(t.Context(), h),
			channel.Outcome{Class: channel.Configuration, Reason: says})
		h.Recipient = "sales"
		channeltest.Check(t, New(c, client, clockwork.NewRealClock()).Send(t.Context(), h),
			channel.Outcome{Class: channel.Permanent, Reason: "none of the webhooks in the secret efferent/webhook"})
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	s, h := sender("https://hooks.acme.test")
	h.Body = "\xff"
	channeltest.Check(t, s.Send(t.Context(), h), channel.Outcome{Class: channel.Permanent, Reason: "Unicode"})
	h.Body = ""
	channeltest.Check(t, s.Send(t.Context(), h), channel.Outcome{Class: channel.Permanent, Reason: "must not be empty"})
	bad := New(channel.SignedConfig{SignedEndpoint: channel.SignedEndpoint{URL: "https://a.test", Key: "whsec_!"}}, nil,
		clockwork.NewRealClock())
	channeltest.Check(t, bad.Send(t.Context(), h), channel.Outcome{Class: channel.Configuration, Reason: "can't sign"})
}

// TestOurs: what we lack is held, not told as the endpoint's.
func TestOurs(t *testing.T) {
	t.Parallel()
	o := outcomeOf(webhook.Exchange{Ours: true, Err: http.ErrAbortHandler}, "n_7")
	if !o.Ours || o.Class != channel.Transient || strings.Contains(o.Reason, "abort") {
		t.Errorf("%+v", o)
	}
}
