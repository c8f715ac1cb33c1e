// Package signed hands notifications over to any program that takes webhooks by
// Standard Webhooks: signed, and by the guarded client.
package signed

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/webhook"
)

// eventType is the type of what is sent, in its body and its header.
const eventType = "notification"

// Poster sends one webhook, as webhook.Client does: guarded, and once.
type Poster interface {
	Post(ctx context.Context, r webhook.Request) webhook.Exchange
}

// Sender posts notifications as webhooks.
type Sender struct {
	c     channel.SignedConfig
	post  Poster
	clock clockwork.Clock
}

// New returns the sender for c's endpoints.
func New(c channel.SignedConfig, post Poster, clock clockwork.Clock) *Sender {
	return &Sender{c, post, clock}
}

// Addressless says that there is one endpoint, whatever the recipient.
func (s *Sender) Addressless() bool { return s.c.URL != "" }

// Limit is that of one endpoint.
func (s *Sender) Limit(recipient string) channel.Limit {
	e, _ := s.c.Endpoint(recipient)
	return channel.Limit{Key: channel.LimitKey("webhook", e.URL), Rate: channel.RateOf(s.c.RatePerSecond)}
}

// payload is what is sent (Standard Webhooks, "Payload structure").
type payload struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	ID        string `json:"id"`
	Tenant    string `json:"tenant,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	Subject   string `json:"subject,omitempty"`
	Body      string `json:"body"`
	HTML      string `json:"html,omitempty"`
	// Thread and Update are the ids of earlier notifications.
	Thread string `json:"thread,omitempty"`
	Update string `json:"update,omitempty"`
}

// Send posts h. webhook-id is the notification's id, so that who gets it twice can
// tell.
func (s *Sender) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	e, ok := s.c.Endpoint(h.Recipient)
	if !ok {
		return channel.Failed(channel.Permanent, 0, "webhook: the recipient is none of the webhooks in the secret "+channel.WebhookSecret)
	}
	key, err := webhook.ParseSecret(e.Key)
	if err != nil {
		return channel.Failed(channel.Configuration, 0, "webhook: the key in the secret "+channel.WebhookSecret+" can't sign")
	}
	if problem := channel.CheckText(channel.Webhook, h.Subject, h.Body); problem != "" {
		return channel.Failed(channel.Permanent, 0, "webhook: the text "+problem)
	}
	now := s.clock.Now()
	body, err := json.Marshal(payload{eventType, now.UTC(), data{
		ID: h.ID, Tenant: h.Tenant, Recipient: h.Recipient, Subject: h.Subject, Body: h.Body, HTML: h.HTML, Thread: h.Thread, Update: h.Replaces,
	}})
	if err != nil {
		return channel.Failed(channel.Permanent, 0, "webhook: the text is not valid Unicode")
	}
	x := s.post.Post(ctx, webhook.Request{URL: e.URL, ID: h.ID, EventType: eventType, Body: body, Secrets: []webhook.Secret{key}, At: now})
	return outcomeOf(x, h.ID).Saying(x.Response, append(channel.HookSecrets(e.URL), e.Key)...)
}

// outcomeOf reads an exchange. What webhook.Classify calls permanent is the
// endpoint's refusal of this message, or says that nobody can be reached there. Its
// reasons hold nothing of the message or the key, but may name the host.
func outcomeOf(x webhook.Exchange, id string) channel.Outcome {
	verdict, reason := webhook.Classify(x)
	reason = "webhook: " + reason
	switch {
	case verdict == attempt.Delivered:
		return channel.Taken(id, x.Status)
	case x.Ours:
		o := channel.Failed(channel.Transient, 0, "webhook: not sent for lack of a file descriptor, a port or the proxy")
		o.Ours = true
		return o
	case x.Status == 0 && verdict == attempt.Permanent: // blocked, plain http, no URL
		return channel.Failed(channel.Configuration, 0, reason)
	case x.Status == 0 && x.Unreachable:
		return channel.Failed(channel.Transient, 0, reason)
	case x.Status == 0:
		return channel.Failed(channel.Unknown, 0, reason+": it may have been taken")
	case verdict == attempt.Retryable:
		o := channel.Failed(channel.Transient, x.Status, reason)
		if x.Status == http.StatusTooManyRequests {
			o.Class = channel.Limited
		}
		o.RetryAfter = x.RetryAfter
		return o
	case x.Gone, x.Status < 400, nobody[x.Status] && !x.Abort:
		return channel.Failed(channel.Configuration, x.Status, reason+": check the secret "+channel.WebhookSecret)
	}
	return channel.Failed(channel.Permanent, x.Status, reason)
}

// nobody are the answers that say that it is no endpoint, or not for us.
var nobody = map[int]bool{
	http.StatusUnauthorized: true, http.StatusForbidden: true, http.StatusNotFound: true, http.StatusMethodNotAllowed: true,
	http.StatusGone: true,
}
