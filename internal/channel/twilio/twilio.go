// Package twilio hands notifications over by SMS to Twilio.
package twilio

import (
	"context"
	"net/http"
	"net/url"

	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
	"github.com/efferent/efferent/internal/report"
)

// Sender sends SMS by Twilio's Messages resource.
type Sender struct {
	c     channel.SMSConfig
	rt    http.RoundTripper
	clock clockwork.Clock
}

// New returns the sender for c's Twilio account. Give it a transport
// that keeps no connections (exchange.NewTransport): on a kept one, more outcomes would
// be unknown.
func New(c channel.SMSConfig, rt http.RoundTripper, clock clockwork.Clock) *Sender {
	return &Sender{c: c, rt: rt, clock: clock}
}

// Limit is that of the sender: a number, or a messaging service.
func (t *Sender) Limit(string) channel.Limit {
	return channel.Limit{Key: channel.LimitKey("twilio", t.c.AccountSID, t.c.FromNumber, t.c.MessagingServiceSID),
		Rate: channel.RateOf(t.c.RatePerSecond)}
}

// Reports reports whether Twilio is told where to report.
func (t *Sender) Reports() bool { return t.c.CallbackURL != "" }

// Send hands h over as one message of as many segments as it takes.
func (t *Sender) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	if refused, ok := channel.CheckSMS(h, t.c.MaxSegments); !ok {
		return refused
	}
	form := url.Values{"To": {h.Recipient}, "Body": {channel.SMSText(h.Subject, h.Body)}}
	if t.c.MessagingServiceSID != "" {
		form.Set("MessagingServiceSid", t.c.MessagingServiceSID)
	} else {
		form.Set("From", t.c.FromNumber)
	}
	if t.Reports() {
		k := report.Key{WebhookID: h.ID, MessageID: h.MessageID, Attempt: h.Attempt}
		form.Set("StatusCallback", t.c.CallbackURL+report.CallbackPath+k.Token(t.c.AuthToken)+report.Retries)
	}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
	header.Set("Authorization", basicAuth(t.c.AccountSID, t.c.AuthToken))
	to := t.c.BaseURL + "/2010-04-01/Accounts/" + url.PathEscape(t.c.AccountSID) + "/Messages.json"
	a := exchange.Post(ctx, t.rt, to, header, []byte(form.Encode()))
	if a.Err != nil {
		return channel.Lost("Twilio", a.Connected, a.Status, a.Err)
	}
	return outcomeOf(a.Status, a.Body, a.RetryAfter(t.clock.Now())).Saying(string(a.Body), t.c.AuthToken)
}

func basicAuth(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}
