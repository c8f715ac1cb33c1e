package channel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"
)

// These must never stand in a reason.
const (
	secretPath  = "T0/B0/hushhushhush"
	secretToken = "xoxb-hushhush"
	secretAuth  = "hush-token"
	theNumber   = "+15005550006"
	theBody     = "a private text"
)

// answer is what a scripted provider does with a request.
type answer struct {
	status int
	header map[string]string
	body   string
	// fault, in place of an answer or of its end.
	fault fault
}

type fault string

const (
	refuse    fault = "connection refused"
	cut       fault = "cut after the request"
	cutMiddle fault = "cut in the answer's body"
	hang      fault = "the caller gives up after the request"
	gone      fault = "the caller has given up before"
	untrusted fault = "a certificate that nobody trusts"
	plain     fault = "no TLS where TLS is due"
	noHost    fault = "a host without an address"
)

// provider is a scripted HTTP server. It gives one answer, and notes the
// requests.
type provider struct {
	answer
	url      string
	giveUp   context.CancelFunc
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
}

func newProvider(t *testing.T, a answer) (*provider, context.Context) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	p := &provider{answer: a, giveUp: cancel}
	switch a.fault {
	case gone:
		cancel()
	case noHost:
		p.url = "https://no-such-host.invalid"
		return p, ctx
	case untrusted:
		s := httptest.NewTLSServer(p)
		s.Config.ErrorLog = quiet()
		t.Cleanup(s.Close)
		p.url = s.URL
		return p, ctx
	}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	p.url = s.URL
	switch a.fault {
	case plain:
		p.url = strings.Replace(s.URL, "http:", "https:", 1)
	case refuse:
		s.Close()
	}
	return p, ctx
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	p.requests, p.bodies = append(p.requests, r), append(p.bodies, string(body))
	p.mu.Unlock()
	switch p.fault {
	case cut:
		panic(http.ErrAbortHandler)
	case hang:
		p.giveUp()
		<-r.Context().Done()
		return
	case cutMiddle:
		w.Header().Set("Content-Length", "1000")
	}
	for name, value := range p.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(p.status)
	_, _ = io.WriteString(w, p.body)
}

func (p *provider) seen() ([]*http.Request, []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests, p.bodies
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

type sender interface {
	Send(context.Context, Handover) Outcome
}

// senders over one provider's address, and the hand-over that each may get.
var senders = map[string]func(base string) (sender, Handover){
	"slack": func(base string) (sender, Handover) {
		return NewSlackWebhook(SlackConfig{WebhookURL: base + "/services/" + secretPath}, NewTransport(), clockwork.NewFakeClockAt(noon)),
			Handover{ID: "n_7", Recipient: "C0123", Subject: "Hi <you>", Body: theBody}
	},
	"slackbot": func(base string) (sender, Handover) {
		return NewSlackBot(SlackConfig{BotToken: secretToken, BaseURL: base}, NewTransport(), clockwork.NewFakeClockAt(noon)),
			Handover{ID: "n_7", Recipient: "C0123", Subject: "Hi <you>", Body: theBody}
	},
	"twilio": func(base string) (sender, Handover) {
		c := SMSConfig{AccountSID: "AC1", AuthToken: secretAuth, FromNumber: "+15005550001", BaseURL: base, MaxSegments: 3}
		return NewTwilio(c, NewTransport(), clockwork.NewFakeClockAt(noon)),
			Handover{ID: "n_7", Recipient: theNumber, Subject: "Hi", Body: theBody}
	},
}

const (
	htmlPage = "<html>" + theBody + "</html>"
	created  = `{"sid": "SM1", "status": "queued", "error_code": null, "to": "+15005550006"}`
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	after := map[string]string{"Retry-After": "7"}
	for _, c := range []struct {
		sender string
		answer answer
		want   Outcome // its Reason: a part of it
	}{
		{"slack", answer{status: 200, body: "ok"}, Outcome{Status: 200}},
		{"slack", answer{status: 200, body: "ok\n"}, Outcome{Status: 200}},
		{"slack", answer{status: 200, body: "invalid_payload"}, Outcome{Class: Permanent, Status: 200, Reason: "invalid_payload"}},
		{"slack", answer{status: 200, body: htmlPage}, Outcome{Class: Unknown, Status: 200, Reason: "without its ok"}},
		{"slack", answer{status: 204}, Outcome{Class: Unknown, Status: 204, Reason: "without its ok"}},
		{"slack", answer{status: 400, body: "invalid_payload"}, Outcome{Class: Permanent, Status: 400, Reason: "invalid_payload"}},
		{"slack", answer{status: 400, body: "user_not_found"}, Outcome{Class: Permanent, Status: 400, Reason: "user_not_found"}},
		{"slack", answer{status: 400, body: "too_many_attachments"}, Outcome{Class: Permanent, Status: 400, Reason: "too_many_attachments"}},
		{"slack", answer{status: 400, body: "something_new"}, Outcome{Class: Permanent, Status: 400, Reason: "something_new"}},
		{"slack", answer{status: 404, body: "channel_not_found"}, Outcome{Class: Permanent, Status: 404, Reason: "channel_not_found"}},
		{"slack", answer{status: 410, body: "channel_is_archived"}, Outcome{Class: Permanent, Status: 410, Reason: "channel_is_archived"}},
		{"slack", answer{status: 403, body: "action_prohibited"}, Outcome{Class: Configuration, Status: 403, Reason: "action_prohibited"}},
		{"slack", answer{status: 403, body: "posting_to_general_channel_denied"},
			Outcome{Class: Configuration, Status: 403, Reason: "posting_to_general"}},
		{"slack", answer{status: 403, body: "invalid_token"}, Outcome{Class: Configuration, Status: 403, Reason: "invalid_token"}},
		{"slack", answer{status: 404, body: "no_service"}, Outcome{Class: Configuration, Status: 404, Reason: "no_service"}},
		{"slack", answer{status: 404, body: "no_service_id"}, Outcome{Class: Configuration, Status: 404, Reason: "no_service_id"}},
		{"slack", answer{status: 404, body: "no_active_hooks"}, Outcome{Class: Configuration, Status: 404, Reason: "no_active_hooks"}},
		{"slack", answer{status: 404, body: "no_team"}, Outcome{Class: Configuration, Status: 404, Reason: "no_team"}},
		{"slack", answer{status: 404, body: htmlPage}, Outcome{Class: Configuration, Status: 404, Reason: "404"}},
		{"slack", answer{status: 302, header: map[string]string{"Location": "/elsewhere"}},
			Outcome{Class: Configuration, Status: 302, Reason: "redirect"}},
		{"slack", answer{status: 429, header: after, body: "rate_limited"},
			Outcome{Class: Transient, Status: 429, RetryAfter: 7 * time.Second, Reason: "too many"}},
		{"slack", answer{status: 429}, Outcome{Class: Transient, Status: 429, Reason: "too many"}},
		{"slack", answer{status: 500, body: "rollup_error"}, Outcome{Class: Transient, Status: 500, Reason: "rollup_error"}},
		{"slack", answer{status: 503, body: htmlPage}, Outcome{Class: Transient, Status: 503, Reason: "503"}},

		{"slackbot", answer{status: 200, body: `{"ok": true, "channel": "C9", "ts": "1.2", "message": {"text": "x"}}`},
			Outcome{Status: 200, ProviderID: "C9/1.2"}},
		{"slackbot", answer{status: 200, body: `{"ok": false, "error": "channel_not_found"}`},
			Outcome{Class: Permanent, Status: 200, Reason: "channel_not_found"}},
		{"slackbot", answer{status: 200, body: `{"ok": false, "error": "is_archived"}`},
			Outcome{Class: Permanent, Status: 200, Reason: "is_archived"}},
		{"slackbot", answer{status: 200, body: `{"ok": false, "error": "msg_too_long"}`},
			Outcome{Class: Permanent, Status: 200, Reason: "msg_too_long"}},
		{"slackbot", answer{status: 200, body: `{"ok": false, "error": "something_new"}`},
			Outcome{Class: Permanent, Status: 200, Reason: "something_new"}},
		{"slackbot", answer{status: 200, body: `{"ok": false, "error": "` + theBody + `"}`},
			Outcome{Class: Permanent, Status: 200, Reason: "without a name"}},
		{"slackbot", answer{status: 200, body: `{"ok": false, "error": "not_in_channel"}`},
			Outcome{Class: Configuration, Status: 200, Reason: "not_in_channel"}},
		{"slackbot", answer{status: 200, body: `{"ok": false, "error": "invalid_auth"}`},
			Outcome{Class: Configuration, Status: 200, Reason: "invalid_auth"}},
		{"slackbot", answer{status: 200, body: `{"ok": false, "error": "token_revoked"}`},
			Outcome{Class: Configuration, Status: 200, Reason: "token_revoked"}},
		{"slackbot", answer{status: 200, body: `{"ok": false, "error": "missing_scope", "needed": "chat:write"}`},
			Outcome{Class: Configuration, Status: 200, Reason: "missing_scope"}},
		{"slackbot", answer{status: 200, body: `{"ok": false, "error": "internal_error"}`},
			Outcome{Class: Transient, Status: 200, Reason: "internal_error"}},
		{"slackbot", answer{status: 200, body: `{"ok": false, "error": "fatal_error"}`},
			Outcome{Class: Transient, Status: 200, Reason: "fatal_error"}},
		{"slackbot", answer{status: 200, header: after, body: `{"ok": false, "error": "ratelimited"}`},
			Outcome{Class: Transient, Status: 200, RetryAfter: 7 * time.Second, Reason: "too many"}},
		{"slackbot", answer{status: 429, header: after, body: `{"ok": false, "error": "ratelimited"}`},
			Outcome{Class: Transient, Status: 429, RetryAfter: 7 * time.Second, Reason: "too many"}},
		{"slackbot", answer{status: 503, body: `{"ok": false, "error": "service_unavailable"}`},
			Outcome{Class: Transient, Status: 503, Reason: "503"}},
		{"slackbot", answer{status: 200, body: htmlPage}, Outcome{Class: Unknown, Status: 200, Reason: "without its ok"}},
		{"slackbot", answer{status: 200, body: `{"error": "x"}`}, Outcome{Class: Unknown, Status: 200, Reason: "without its ok"}},
		{"slackbot", answer{status: 301, header: map[string]string{"Location": "/elsewhere"}},
			Outcome{Class: Configuration, Status: 301, Reason: "redirect"}},

		{"twilio", answer{status: 201, body: created}, Outcome{Status: 201, ProviderID: "SM1"}},
		{"twilio", answer{status: 201, body: strings.Replace(created, "queued", "accepted", 1)}, Outcome{Status: 201, ProviderID: "SM1"}},
		{"twilio", answer{status: 201, body: `{"sid": "SM1", "status": "failed", "error_code": 30003}`},
			Outcome{Class: Permanent, Status: 201, ProviderID: "SM1", Reason: "30003"}},
		{"twilio", answer{status: 201, body: `{"sid": "SM1", "status": "undelivered", "error_code": 21610}`},
			Outcome{Class: OptedOut, Status: 201, ProviderID: "SM1", Reason: "21610"}},
		{"twilio", answer{status: 201, body: `{"sid": "SM1", "status": "failed", "error_code": null}`},
			Outcome{Class: Permanent, Status: 201, ProviderID: "SM1", Reason: "refused"}},
		{"twilio", answer{status: 201, body: htmlPage}, Outcome{Class: Unknown, Status: 201, Reason: "without a sid"}},
		{"twilio", answer{status: 200, body: `{}`}, Outcome{Class: Unknown, Status: 200, Reason: "without a sid"}},
		{"twilio", twilioError(400, 21211), Outcome{Class: Permanent, Status: 400, Reason: "21211"}},
		{"twilio", twilioError(400, 21614), Outcome{Class: Permanent, Status: 400, Reason: "21614"}},
		{"twilio", twilioError(400, 21635), Outcome{Class: Permanent, Status: 400, Reason: "21635"}},
		{"twilio", twilioError(400, 21612), Outcome{Class: Permanent, Status: 400, Reason: "21612"}},
		{"twilio", twilioError(400, 21617), Outcome{Class: Permanent, Status: 400, Reason: "21617"}},
		{"twilio", twilioError(400, 99999), Outcome{Class: Permanent, Status: 400, Reason: "99999"}},
		{"twilio", answer{status: 400, body: htmlPage}, Outcome{Class: Permanent, Status: 400, Reason: "400"}},
		{"twilio", twilioError(400, 21610), Outcome{Class: OptedOut, Status: 400, Reason: "21610"}},
		{"twilio", twilioError(401, 20003), Outcome{Class: Configuration, Status: 401, Reason: "20003"}},
		{"twilio", answer{status: 401}, Outcome{Class: Configuration, Status: 401, Reason: "401"}},
		{"twilio", answer{status: 403}, Outcome{Class: Configuration, Status: 403, Reason: "403"}},
		{"twilio", twilioError(404, 20404), Outcome{Class: Configuration, Status: 404, Reason: "20404"}},
		{"twilio", twilioError(400, 21212), Outcome{Class: Configuration, Status: 400, Reason: "21212"}},
		{"twilio", twilioError(400, 21606), Outcome{Class: Configuration, Status: 400, Reason: "21606"}},
		{"twilio", twilioError(400, 21659), Outcome{Class: Configuration, Status: 400, Reason: "21659"}},
		{"twilio", twilioError(400, 21408), Outcome{Class: Configuration, Status: 400, Reason: "21408"}},
		{"twilio", answer{status: 307, header: map[string]string{"Location": "/elsewhere"}},
			Outcome{Class: Configuration, Status: 307, Reason: "redirect"}},
		{"twilio", answer{status: 429, header: after, body: `{"code": 20429, "status": 429}`},
			Outcome{Class: Transient, Status: 429, RetryAfter: 7 * time.Second, Reason: "20429"}},
		{"twilio", answer{status: 429, header: after}, Outcome{Class: Transient, Status: 429, RetryAfter: 7 * time.Second, Reason: "429"}},
		{"twilio", twilioError(400, 21611), Outcome{Class: Transient, Status: 400, Reason: "21611"}},
		{"twilio", answer{status: 408}, Outcome{Class: Unknown, Status: 408, Reason: "may have been taken"}},
		{"twilio", twilioError(500, 20500), Outcome{Class: Unknown, Status: 500, Reason: "may have been taken"}},
		{"twilio", answer{status: 503, header: after, body: htmlPage}, Outcome{Class: Unknown, Status: 503, Reason: "may have been taken"}},
	} {
		t.Run(fmt.Sprintf("%s %d %.40s", c.sender, c.answer.status, c.answer.body), func(t *testing.T) {
			t.Parallel()
			p, ctx := newProvider(t, c.answer)
			s, h := senders[c.sender](p.url)
			check(t, s.Send(ctx, h), c.want)
			if requests, _ := p.seen(); len(requests) != 1 {
				t.Errorf("got %d requests", len(requests))
			}
		})
	}
}

func twilioError(status, code int) answer {
	return answer{status: status, body: fmt.Sprintf(`{"code": %d, "message": "To: +15005550006", "more_info": "x", "status": %d}`,
		code, status)}
}

// check compares outcomes; the reason holds a part, and no secret.
func check(t *testing.T, got, want Outcome) {
	t.Helper()
	if !strings.Contains(got.Reason, want.Reason) || (want.Reason == "") != (got.Reason == "") {
		t.Errorf("got the reason %q, want %q in it", got.Reason, want.Reason)
	}
	for _, secret := range []string{secretPath, secretToken, secretAuth, theNumber, theBody, "hush", "C0123", "ann@"} {
		if strings.Contains(got.Reason, secret) {
			t.Errorf("the reason %q tells %q", got.Reason, secret)
		}
	}
	got.Reason, want.Reason = "", ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Sent() != (want.Class == "") {
		t.Errorf("Sent() is %v", got.Sent())
	}
}

// What breaks is the same to every provider, but for what each class leads to.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault    fault
		want     Outcome
		requests int
	}{
		{refuse, Outcome{Class: Transient, Reason: "no connection: connection refused"}, 0},
		{noHost, Outcome{Class: Transient, Reason: "no connection: the host's name"}, 0},
		{gone, Outcome{Class: Transient, Reason: "cancelled"}, 0},
		{untrusted, Outcome{Class: Configuration, Reason: "certificate is not trusted"}, 0},
		{plain, Outcome{Class: Configuration, Reason: "does not speak TLS"}, 0},
		{cut, Outcome{Class: Unknown, Reason: "connection closed after the request was handed over"}, 1},
		{hang, Outcome{Class: Unknown, Reason: "cancelled after the request was handed over"}, 1},
		{cutMiddle, Outcome{Class: Unknown, Status: 200, Reason: "connection closed after the request was handed over"}, 1},
	} {
		for name, make := range senders {
			t.Run(name+" "+string(c.fault), func(t *testing.T) {
				t.Parallel()
				p, ctx := newProvider(t, answer{status: 200, body: "ok", fault: c.fault})
				s, h := make(p.url)
				check(t, s.Send(ctx, h), c.want)
				if requests, _ := p.seen(); len(requests) != c.requests {
					t.Errorf("got %d requests, want %d", len(requests), c.requests)
				}
			})
		}
	}
}

// A time-out is told as one, before and after the hand-over.
func TestTimeOut(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	defer close(release)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		<-release
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s, h := senders["twilio"]("http://" + l.Addr().String())
	check(t, s.Send(ctx, h), Outcome{Class: Unknown, Reason: "time-out after the request was handed over"})
	check(t, s.Send(ctx, h), Outcome{Class: Transient, Reason: "no connection: time-out"})
}

func TestRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sender string
		change func(*Handover)
		says   string
	}{
		{"slack", func(h *Handover) { h.Body = strings.Repeat("a", 40001) }, "40000 characters"},
		{"slackbot", func(h *Handover) { h.Body = strings.Repeat("a", 40001) }, "40000 characters"},
		{"slackbot", func(h *Handover) { h.Recipient = "" }, "must not be empty"},
		{"slackbot", func(h *Handover) { h.Recipient = "ann@acme.test" }, "Slack channel"},
		{"slackbot", func(h *Handover) { h.Body = "\xff" }, "Unicode"},
		{"slack", func(h *Handover) { h.Body = "\xff" }, "Unicode"},
		{"twilio", func(h *Handover) { h.Recipient = "0701234567" }, "E.164"},
		{"twilio", func(h *Handover) { h.Body = strings.Repeat("a", 1601) }, "1600 characters"},
		{"twilio", func(h *Handover) { h.Body = strings.Repeat("a", 456) }, "takes 4 segments, and the budget is 3"},
		{"twilio", func(h *Handover) { h.Body = strings.Repeat("ж", 198) }, "takes 4 segments, and the budget is 3"},
	} {
		t.Run(c.sender+" "+c.says, func(t *testing.T) {
			t.Parallel()
			p, ctx := newProvider(t, answer{status: 500})
			s, h := senders[c.sender](p.url)
			c.change(&h)
			check(t, s.Send(ctx, h), Outcome{Class: Permanent, Reason: c.says})
			if requests, _ := p.seen(); len(requests) != 0 {
				t.Error("it was sent")
			}
		})
	}
}

func TestSlackRequests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sender, recipient, path, auth, body string }{
		{"slack", "C0123", "/services/" + secretPath, "", `{"channel":"C0123","text":"*Hi &lt;you&gt;*\na private text"}`},
		{"slack", "", "/services/" + secretPath, "", `{"text":"*Hi &lt;you&gt;*\na private text"}`},
		{"slackbot", "U1", "/api/chat.postMessage", "Bearer " + secretToken, `{"channel":"U1","text":"*Hi &lt;you&gt;*\na private text"}`},
	} {
		p, ctx := newProvider(t, answer{status: 200, body: "ok"})
		s, h := senders[c.sender](p.url)
		h.Recipient = c.recipient
		s.Send(ctx, h)
		requests, bodies := p.seen()
		r := requests[0]
		got := []string{r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), bodies[0]}
		if diff := cmp.Diff([]string{"POST", c.path, c.auth, "application/json; charset=utf-8", c.body}, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.sender, diff)
		}
	}
}

func TestTwilioRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config SMSConfig
		want   url.Values
	}{
		{"a number", SMSConfig{FromNumber: "+15005550001"},
			url.Values{"To": {theNumber}, "From": {"+15005550001"}, "Body": {"Hi: a+b & c=d é"}}},
		{"a service", SMSConfig{MessagingServiceSID: "MG1"}, url.Values{
			"To": {theNumber}, "MessagingServiceSid": {"MG1"}, "Body": {"Hi: a+b & c=d é"}}},
	} {
		p, ctx := newProvider(t, answer{status: 201, body: created})
		config := c.config
		config.AccountSID, config.AuthToken, config.BaseURL, config.MaxSegments = "AC1", secretAuth, p.url, 3
		NewTwilio(config, NewTransport(), clockwork.NewFakeClockAt(noon)).Send(
			ctx, Handover{ID: "n_7", Recipient: theNumber, Subject: "Hi", Body: "a+b & c=d é"})
		requests, bodies := p.seen()
		form, err := url.ParseQuery(bodies[0])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, form); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
		user, password, _ := requests[0].BasicAuth()
		got := []string{requests[0].Method, requests[0].URL.Path, user, password, requests[0].Header.Get("Content-Type")}
		if diff := cmp.Diff([]string{"POST", "/2010-04-01/Accounts/AC1/Messages.json", "AC1", secretAuth, "application/x-www-form-urlencoded"},
			got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 0 ": 0, "-1": 0, "soon": 0, "1e3": 0, "99999999999": 24 * time.Hour, "4000000000": 24 * time.Hour,
		"Tue, 24 Nov 2026 12:00:30 GMT": 30 * time.Second, "Tue, 24 Nov 2026 11:00:00 GMT": 0, "Tue, 24 Nov 2099 11:00:00 GMT": 24 * time.Hour,
	} {
		if got := retryAfter(http.Header{"Retry-After": {in}}, noon); got != want {
			t.Errorf("%q: got %v, want %v", in, got, want)
		}
	}
}

func TestLostNeverTellsTheError(t *testing.T) {
	t.Parallel()
	err := &url.Error{Op: "Post", URL: "https://hooks.slack.com/services/" + secretPath, Err: errors.New(theBody)}
	check(t, Lost("Slack", false, err), Outcome{Class: Transient, Reason: "the connection failed"})
	check(t, Lost("Slack", true, err), Outcome{Class: Unknown, Reason: "the connection failed after"})
}

func FuzzAnswers(f *testing.F) {
	f.Add(200, []byte("ok"))
	f.Add(404, []byte("channel_not_found"))
	f.Add(200, []byte(`{"ok": false, "error": "invalid_auth"}`))
	f.Add(201, []byte(created))
	f.Add(400, []byte(`{"code": 21211, "status": 400}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for name, o := range map[string]Outcome{
			"slack": slackWebhookOutcome(status, string(body), 0), "slackbot": slackBotOutcome(status, body, 0),
			"twilio": twilioOutcome(status, body, 0),
		} {
			if o.Sent() && (status < 200 || status > 299) {
				t.Errorf("%s: %d %q is sent", name, status, body)
			}
			if o.Sent() != (o.Reason == "") || o.Status != status {
				t.Errorf("%s: %+v", name, o)
			}
			if name == "twilio" && o.Class == Transient && status >= 500 {
				t.Errorf("a second SMS after %d %q", status, body)
			}
			if strings.ContainsAny(o.Reason, "\r\n\x00<") {
				t.Errorf("%s: the reason %q", name, o.Reason)
			}
			if _, err := json.Marshal(o.Reason); err != nil {
				t.Errorf("%s: the reason %q", name, o.Reason)
			}
		}
	})
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
