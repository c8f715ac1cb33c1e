package twilio

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
	"github.com/efferent/efferent/internal/channel/exchange"
	"github.com/efferent/efferent/internal/report"
)

type answer = channeltest.Answer

// sender over a provider's address, and a hand-over that it may get.
func sender(base string) (channel.Sender, channel.Handover) {
	c := channel.SMSConfig{AccountSID: "AC1", AuthToken: channeltest.SecretAuth, FromNumber: "+15005550001", BaseURL: base, MaxSegments: 3}
	return New(c, exchange.NewTransport(), clockwork.NewFakeClockAt(channeltest.Noon)),
		channel.Handover{ID: "n_7", Recipient: channeltest.Number, Subject: "Hi", Body: channeltest.Body}
}

const (
	htmlPage = "<html>" + channeltest.Body + "</html>"
	aMessage = `{"sid": "SM1", "status": "queued", "error_code": null, "to": "+15005550006"}`
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	after := map[string]string{"Retry-After": "7"}
	for _, c := range []struct {
		answer answer
		want   channel.Outcome // its Reason: a part of it
	}{
		{answer{Status: 201, Body: aMessage}, channel.Outcome{Status: 201, ProviderID: "SM1"}},
		{answer{Status: 201, Body: strings.Replace(aMessage, "queued", "accepted", 1)}, channel.Outcome{Status: 201, ProviderID: "SM1"}},
		{answer{Status: 201, Body: `{"sid": "SM1", "status": "failed", "error_code": 30003}`},
			channel.Outcome{Class: channel.Permanent, Status: 201, ProviderID: "SM1", Reason: "30003"}},
		{answer{Status: 201, Body: `{"sid": "SM1", "status": "undelivered", "error_code": 21610}`},
			channel.Outcome{Class: channel.OptedOut, Status: 201, ProviderID: "SM1", Reason: "21610"}},
		{answer{Status: 201, Body: `{"sid": "SM1", "status": "failed", "error_code": null}`},
			channel.Outcome{Class: channel.Permanent, Status: 201, ProviderID: "SM1", Reason: "refused"}},
		{answer{Status: 201, Body: htmlPage}, channel.Outcome{Class: channel.Unknown, Status: 201, Reason: "without a sid"}},
		{answer{Status: 200, Body: `{}`}, channel.Outcome{Class: channel.Unknown, Status: 200, Reason: "without a sid"}},
		{twilioError(400, 21211), channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "21211"}},
		{twilioError(400, 21614), channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "21614"}},
		{twilioError(400, 21635), channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "21635"}},
		{twilioError(400, 21612), channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "21612"}},
		{twilioError(400, 21617), channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "21617"}},
		{twilioError(400, 99999), channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "99999"}},
		{answer{Status: 400, Body: htmlPage}, channel.Outcome{Class: channel.Permanent, Status: 400, Reason: "400"}},
		{twilioError(400, 21610), channel.Outcome{Class: channel.OptedOut, Status: 400, Reason: "21610"}},
		{twilioError(401, 20003), channel.Outcome{Class: channel.Configuration, Status: 401, Reason: "20003"}},
		{answer{Status: 401}, channel.Outcome{Class: channel.Configuration, Status: 401, Reason: "401"}},
		{answer{Status: 402}, channel.Outcome{Class: channel.Configuration, Status: 402, Reason: "402"}},
		{twilioError(400, 30034), channel.Outcome{Class: channel.Configuration, Status: 400, Reason: "30034"}},
		{twilioError(400, 30037), channel.Outcome{Class: channel.Configuration, Status: 400, Reason: "30037"}},
		{answer{Status: 401, Body: `{"code": 20003, "message": "hush-token, QUMxOmh1c2gtdG9rZW4="}`},
			channel.Outcome{Class: channel.Configuration, Status: 401, Reason: "20003"}},
		{answer{Status: 403}, channel.Outcome{Class: channel.Configuration, Status: 403, Reason: "403"}},
		{twilioError(404, 20404), channel.Outcome{Class: channel.Configuration, Status: 404, Reason: "20404"}},
		{twilioError(400, 21212), channel.Outcome{Class: channel.Configuration, Status: 400, Reason: "21212"}},
		{twilioError(400, 21606), channel.Outcome{Class: channel.Configuration, Status: 400, Reason: "21606"}},
		{twilioError(400, 21659), channel.Outcome{Class: channel.Configuration, Status: 400, Reason: "21659"}},
		{twilioError(400, 21408), channel.Outcome{Class: channel.Configuration, Status: 400, Reason: "21408"}},
		{answer{Status: 307, Header: map[string]string{"Location": "/elsewhere"}},
			channel.Outcome{Class: channel.Configuration, Status: 307, Reason: "redirect"}},
		{answer{Status: 429, Header: after, Body: `{"code": 20429, "status": 429}`},
			channel.Outcome{Class: channel.Limited, Status: 429, RetryAfter: 7 * time.Second, Reason: "20429"}},
		{answer{Status: 429, Header: after}, channel.Outcome{Class: channel.Limited, Status: 429, RetryAfter: 7 * time.Second, Reason: "429"}},
		{twilioError(400, 21611), channel.Outcome{Class: channel.Limited, Status: 400, Reason: "21611"}},
		{answer{Status: 408}, channel.Outcome{Class: channel.Unknown, Status: 408, Reason: "may have been taken"}},
		{twilioError(500, 20500), channel.Outcome{Class: channel.Unknown, Status: 500, Reason: "may have been taken"}},
		{answer{Status: 503, Header: after, Body: htmlPage}, channel.Outcome{Class: channel.Unknown, Status: 503, Reason: "may have been taken"}},
	} {
		t.Run(fmt.Sprintf("%d %.40s", c.answer.Status, c.answer.Body), func(t *testing.T) {
			t.Parallel()
			p, ctx := channeltest.Start(t, c.answer)
			s, h := sender(p.URL)
			if !c.want.Sent() {
				c.want.Response = strings.NewReplacer("hush-token", "[secret]", "h1c2gtdG9rZW4=", "[secret]4=").Replace(c.answer.Body)
			}
			channeltest.Check(t, s.Send(ctx, h), c.want)
			if requests, _ := p.Seen(); len(requests) != 1 {
				t.Errorf("got %d requests", len(requests))
			}
		})
	}
}

func twilioError(status, code int) answer {
	return answer{Status: status, Body: fmt.Sprintf(`{"code": %d, "message": "To: +15005550006", "more_info": "x", "status": %d}`,
		code, status)}
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
	for _, c := range []struct {
		change func(*channel.Handover)
		says   string
	}{
		{func(h *channel.Handover) { h.Recipient = "0701234567" }, "E.164"},
		{func(h *channel.Handover) { h.Body = strings.Repeat("a", 1601) }, "1600 characters"},
		{func(h *channel.Handover) { h.Body = strings.Repeat("a", 456) }, "takes 4 segments, and the budget is 3"},
		{func(h *channel.Handover) { h.Body = strings.Repeat("ж", 198) }, "takes 4 segments, and the budget is 3"},
	} {
		t.Run(c.says, func(t *testing.T) {
			t.Parallel()
			p, ctx := channeltest.Start(t, answer{Status: 500})
			s, h := sender(p.URL)
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
	for _, c := range []struct {
		name   string
		config channel.SMSConfig
		want   url.Values
	}{
		{"a number", channel.SMSConfig{FromNumber: "+15005550001"},
			url.Values{"To": {channeltest.Number}, "From": {"+15005550001"}, "Body": {"Hi: a+b & c=d é"}}},
		{"a service", channel.SMSConfig{MessagingServiceSID: "MG1"}, url.Values{
			"To": {channeltest.Number}, "MessagingServiceSid": {"MG1"}, "Body": {"Hi: a+b & c=d é"}}},
	} {
		p, ctx := channeltest.Start(t, answer{Status: 201, Body: aMessage})
		config := c.config
		config.AccountSID, config.AuthToken, config.BaseURL, config.MaxSegments = "AC1", channeltest.SecretAuth, p.URL, 3
		New(config, exchange.NewTransport(), clockwork.NewFakeClockAt(channeltest.Noon)).Send(
			ctx, channel.Handover{ID: "n_7", Recipient: channeltest.Number, Subject: "Hi", Body: "a+b & c=d é"})
		requests, bodies := p.Seen()
		form, err := url.ParseQuery(bodies[0])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, form); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
		user, password, _ := requests[0].BasicAuth()
		got := []string{requests[0].Method, requests[0].URL.Path, user, password, requests[0].Header.Get("Content-Type")}
		if diff := cmp.Diff([]string{"POST", "/2010-04-01/Accounts/AC1/Messages.json", "AC1", channeltest.SecretAuth,
			"application/x-www-form-urlencoded"},
			got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(201, []byte(aMessage))
	f.Add(400, []byte(`{"code": 21211, "status": 400}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		o := outcomeOf(status, body, 0)
		channeltest.Reads(t, status, body, o)
		if o.Class == channel.Transient && status >= 500 {
			t.Errorf("a second SMS after %d %q", status, body)
		}
	})
}

// TestStatusCallback: Twilio is told where to report, of which attempt, where that is
// wanted, and the URL names nobody.
func TestStatusCallback(t *testing.T) {
	t.Parallel()
	for _, callback := range []string{"", "https://callbacks.acme.test/api"} {
		p, ctx := channeltest.Start(t, answer{Status: 201, Body: aMessage})
		c := channel.SMSConfig{AccountSID: "AC1", AuthToken: channeltest.SecretAuth, FromNumber: "+15005550001", MaxSegments: 3,
			BaseURL: p.URL, CallbackURL: callback}
		s := New(c, exchange.NewTransport(), clockwork.NewFakeClockAt(channeltest.Noon))
		_, h := sender("")
		h.MessageID, h.Attempt = "4f3c1b7e-0000-4000-8000-000000000001", 3
		if out := s.Send(ctx, h); !out.Sent() || channel.ReportsOn(s) != (callback != "") {
			t.Fatalf("%+v", out)
		}
		_, bodies := p.Seen()
		form, err := url.ParseQuery(bodies[0])
		if err != nil {
			t.Fatal(err)
		}
		if callback == "" {
			if form.Has("StatusCallback") {
				t.Errorf("nobody wants reports: %v", form)
			}
			continue
		}
		path, whole := strings.CutPrefix(form.Get("StatusCallback"), callback+report.CallbackPath)
		token, retries, _ := strings.Cut(path, "#")
		of, ok := report.ReadToken(token, channeltest.SecretAuth)
		if !whole || !ok || of != (report.Key{WebhookID: h.ID, MessageID: h.MessageID, Attempt: 3}) || retries != "rc=3&rp=5xx,ct,rt" {
			t.Errorf("%s is of %+v, %v", form.Get("StatusCallback"), of, ok)
		}
	}
}
