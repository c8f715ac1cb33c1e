package awsses

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/channel"
)

// service is a scripted SES.
type service struct {
	*httptest.Server
	status int
	code   string // of an error
	cut    bool   // ends the connection after the request
	hang   func() // is called in place of an answer

	mu       sync.Mutex
	requests []string
}

func start(t *testing.T, s *service) aws.Config {
	t.Helper()
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	// Other calls may have little time: a hand-over has its own.
	hasty := awshttp.NewBuildableClient().WithTimeout(time.Nanosecond)
	return aws.Config{Region: "eu-north-1", BaseEndpoint: &s.URL, HTTPClient: hasty,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "hush", "")}
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path+" "+string(body))
	s.mu.Unlock()
	switch {
	case s.cut:
		panic(http.ErrAbortHandler)
	case s.hang != nil:
		s.hang()
		<-r.Context().Done()
	case s.code != "":
		w.Header().Set("X-Amzn-ErrorType", s.code)
		w.WriteHeader(s.status)
		fmt.Fprint(w, `{"message": "about ann@acme.test: a private text"}`)
	default:
		w.WriteHeader(s.status)
		fmt.Fprint(w, `{"MessageId": "0100-ses"}`)
	}
}

// count is how many requests came.
func (s *service) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func aMail() channel.Handover {
	return channel.Handover{ID: "n_7", Recipient: "ann@acme.test", Subject: "Grüße", Body: "a private text"}
}

func check(t *testing.T, got channel.Outcome, class channel.Class, status int, says string) {
	t.Helper()
	if got.Class != class || got.Status != status || !strings.Contains(got.Reason, says) || (got.Reason == "") != got.Sent() {
		t.Errorf("%+v, want %s with %d: %s", got, class, status, says)
	}
	if status >= 400 && status < 500 && !strings.Contains(got.Response, ": about ") {
		t.Errorf("what the service said is not kept: %q", got.Response)
	}
	for _, private := range []string{"ann@", "private", "hush", "127.0.0.1"} {
		if strings.Contains(got.Reason, private) {
			t.Errorf("the reason %q tells %q", got.Reason, private)
		}
	}
}

// TestAnswers gives each answer once: a second request could be a second mail.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		code   string
		class  channel.Class
	}{
		{400, "BadRequestException", channel.Permanent},
		{400, "ValidationException", channel.Permanent},
		{400, "MessageRejected", channel.Configuration},
		{400, "MailFromDomainNotVerifiedException", channel.Configuration},
		{400, "AccountSuspendedException", channel.Configuration},
		{400, "SendingPausedException", channel.Configuration},
		{404, "NotFoundException", channel.Configuration},
		{403, "AccessDeniedException", channel.Configuration},
		{403, "ExpiredTokenException", channel.Configuration},
		{403, "SignatureDoesNotMatch", channel.Configuration},
		{400, "LimitExceededException", channel.Limited},
		{429, "TooManyRequestsException", channel.Limited},
		{400, "ThrottlingException", channel.Limited},
		{429, "SomethingNew", channel.Limited},
		{500, "InternalFailure", channel.Transient},
		{503, "ServiceUnavailable", channel.Transient},
	} {
		t.Run(fmt.Sprint(c.status, c.code), func(t *testing.T) {
			t.Parallel()
			s := &service{status: c.status, code: c.code}
			sender := New(start(t, s), channel.EmailConfig{From: "noreply@efferent.test"})
			check(t, sender.Send(t.Context(), aMail()), c.class, c.status, "SES: "+c.code)
			if n := s.count(); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	waiting, giveUp := context.WithCancel(t.Context())
	for name, c := range map[string]struct {
		service  *service
		closed   bool
		ctx      context.Context
		change   func(*aws.Config)
		class    channel.Class
		says     string
		requests int
	}{
		"nobody there": {&service{}, true, t.Context(), nil, channel.Transient, "connection refused", 0},
		"no such host": {&service{}, false, t.Context(),
			func(c *aws.Config) { c.BaseEndpoint = aws.String("http://no-such-host.invalid") }, channel.Transient, "the host's name", 0},
		"cut after the request":   {&service{cut: true}, false, t.Context(), nil, channel.Unknown, "it may have been taken", 1},
		"the caller gives up":     {&service{hang: giveUp}, false, waiting, nil, channel.Unknown, "cancelled after the request", 1},
		"the caller has given up": {&service{status: 200}, false, gone, nil, channel.Transient, "cancelled", 0},
		"no credentials": {&service{status: 200}, false, t.Context(), func(c *aws.Config) { c.Credentials = noCredentials{} },
			channel.Configuration, "check the region and the credentials", 0},
		"no region": {&service{status: 200}, false, t.Context(),
			func(c *aws.Config) { c.Region, c.BaseEndpoint = "", nil }, channel.Configuration, "check the region and the credentials", 0},
		"the SDK may try three times more": {&service{cut: true}, false, t.Context(), func(c *aws.Config) { c.RetryMaxAttempts = 4 },
			channel.Unknown, "it may have been taken", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := start(t, c.service)
			if c.closed {
				c.service.Close()
			}
			if c.change != nil {
				c.change(&config)
			}
			check(t, New(config, channel.EmailConfig{From: "noreply@efferent.test"}).Send(c.ctx, aMail()), c.class, 0, c.says)
			if n := c.service.count(); n != c.requests {
				t.Errorf("%d requests, want %d", n, c.requests)
			}
		})
	}
}

type noCredentials struct{}

func (noCredentials) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, fmt.Errorf("no role at 127.0.0.1")
}

func TestRequest(t *testing.T) {
	t.Parallel()
	s := &service{status: 200}
	h := aMail()
	h.ListUnsubscribe = "https://acme.test/leave"
	out := New(start(t, s), channel.EmailConfig{From: "Efferent <noreply@efferent.test>"}).Send(t.Context(), h)
	if diff := cmp.Diff(channel.Outcome{ProviderID: "0100-ses", Status: 200}, out); diff != "" {
		t.Error(diff)
	}
	method, body, _ := strings.Cut(s.requests[0], " {")
	var got, want any
	if err := json.Unmarshal([]byte("{"+body), &got); err != nil || method != "POST /v2/email/outbound-emails" {
		t.Fatalf("%s: %v", s.requests[0], err)
	}
	headers := got.(map[string]any)["Content"].(map[string]any)["Simple"].(map[string]any)["Headers"].([]any)
	names := map[string]any{}
	for _, h := range headers {
		names[h.(map[string]any)["Name"].(string)] = h.(map[string]any)["Value"]
	}
	if diff := cmp.Diff(map[string]any{"Auto-Submitted": "auto-generated", "List-Unsubscribe": "<https://acme.test/leave>",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}, names); diff != "" {
		t.Error(diff)
	}
	delete(got.(map[string]any)["Content"].(map[string]any)["Simple"].(map[string]any), "Headers")
	if err := json.Unmarshal([]byte(`{"FromEmailAddress": "Efferent <noreply@efferent.test>",
		"Destination": {"ToAddresses": ["ann@acme.test"]},
		"EmailTags": [{"Name": "efferent-id", "Value": "n_7"}],
		"Content": {"Simple": {"Subject": {"Data": "Grüße", "Charset": "UTF-8"},
			"Body": {"Text": {"Data": "a private text", "Charset": "UTF-8"}}}}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAddresses: SES takes ASCII only.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		want     string // a part of the request
		class    channel.Class
		says     string
	}{
		{"noreply@efferent.test", "ann@bücher.test", `"ToAddresses":["ann@xn--bcher-kva.test"]`, "", ""},
		{"noreply@bücher.test", "ann@acme.test", `"FromEmailAddress":"noreply@xn--bcher-kva.test"`, "", ""},
		{"Müller & Søn <noreply@bücher.test>", "ann@acme.test",
			`"FromEmailAddress":"=?utf-8?b?TcO8bGxlciAmIFPDuG4=?= <noreply@xn--bcher-kva.test>"`, "", ""},
		{"noreply@efferent.test", "änn@acme.test", "", channel.Permanent, "the recipient must have only ASCII before the @"},
		{"noreply@efferent.test", "ann@bü_cher.test", "", channel.Permanent, "the recipient must have a domain"},
		{"nörply@efferent.test", "ann@acme.test", "", channel.Configuration, "from must have only ASCII before the @"},
		{"noreply@bü_cher.test", "ann@acme.test", "", channel.Configuration, "from must have a domain"},
	} {
		t.Run(c.from+" "+c.to, func(t *testing.T) {
			t.Parallel()
			s := &service{status: 200}
			h := aMail()
			h.Recipient = c.to
			status := 0
			if c.class == "" {
				status = 200
			}
			check(t, New(start(t, s), channel.EmailConfig{From: c.from}).Send(t.Context(), h), c.class, status, c.says)
			if s.count() != status/200 || c.want != "" && !strings.Contains(s.requests[0], c.want) {
				t.Errorf("the requests are %v, want %s", s.requests, c.want)
			}
		})
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	s := &service{status: 200}
	h := aMail()
	h.Subject = "Hi\r\nBcc: eve@acme.test"
	check(t, New(start(t, s), channel.EmailConfig{From: "noreply@efferent.test"}).Send(t.Context(), h), channel.Permanent, 0, "the subject")
	if n := s.count(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// TestWholeMail: what only emails have, as SES takes it.
func TestWholeMail(t *testing.T) {
	t.Parallel()
	s := &service{status: 200}
	h := aMail()
	h.Tenant, h.HTML, h.Body, h.More = "acme", "<b>a</b>", "", []string{"bob@bücher.test"}
	h.CC, h.BCC, h.ReplyTo = []string{"Cåro <caro@acme.test>"}, []string{"eve@acme.test"}, "Help <help@acme.test>"
	h.Headers, h.Thread = map[string]string{"x-campaign": "a"}, "0100-earlier"
	h.Attachments = []channel.Attachment{{Name: "å.pdf", Content: []byte("a")}, {Name: "logo.png", ContentID: "logo", Content: []byte("b")}}
	c := channel.EmailConfig{From: "noreply@efferent.test", Senders: map[string]string{"acme": "Acme <billing@acme.test>"}}
	if out := New(start(t, s), c).Send(t.Context(), h); !out.Sent() {
		t.Fatalf("%+v", out)
	}
	_, body, _ := strings.Cut(s.requests[0], " {")
	var got, want any
	if err := json.Unmarshal([]byte("{"+body), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"FromEmailAddress": "Acme <billing@acme.test>", "ReplyToAddresses": ["Help <help@acme.test>"],
		"Destination": {"ToAddresses": ["ann@acme.test", "bob@xn--bcher-kva.test"],
			"CcAddresses": ["=?utf-8?q?C=C3=A5ro?= <caro@acme.test>"], "BccAddresses": ["eve@acme.test"]},
		"EmailTags": [{"Name": "efferent-id", "Value": "n_7"}],
		"Content": {"Simple": {"Subject": {"Data": "Grüße", "Charset": "UTF-8"}, "Body": {"Html": {"Data": "<b>a</b>", "Charset": "UTF-8"}},
			"Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"},
				{"Name": "In-Reply-To", "Value": "<0100-earlier@eu-north-1.amazonses.com>"},
				{"Name": "References", "Value": "<0100-earlier@eu-north-1.amazonses.com>"}, {"Name": "X-Campaign", "Value": "a"}],
			"Attachments": [{"FileName": "å.pdf", "RawContent": "YQ==", "ContentType": "application/pdf", "ContentDisposition": "ATTACHMENT",
				"ContentTransferEncoding": "BASE64"}, {"FileName": "logo.png", "RawContent": "Yg==", "ContentType": "image/png",
				"ContentDisposition": "INLINE", "ContentTransferEncoding": "BASE64", "ContentId": "logo"}]}}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if domain := messageDomain("us-east-1"); domain != "@email.amazonses.com" {
		t.Error(domain)
	}
}

// TestReports: where a configuration set is named, its events can tell the attempt.
func TestReports(t *testing.T) {
	t.Parallel()
	s := &service{status: 200}
	h := aMail()
	h.MessageID, h.Attempt = "4f3c1b7e-0000-4000-8000-000000000001", 3
	sender := New(start(t, s), channel.EmailConfig{From: "noreply@efferent.test", ConfigurationSet: "efferent"})
	if out := sender.Send(t.Context(), h); !out.Sent() || !channel.ReportsOn(sender) {
		t.Fatalf("%+v", out)
	}
	_, body, _ := strings.Cut(s.requests[0], " {")
	var got struct {
		ConfigurationSetName string
		EmailTags            []struct{ Name, Value string }
	}
	if err := json.Unmarshal([]byte("{"+body), &got); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(got); text != "{efferent [{efferent-id n_7} {efferent-message "+h.MessageID+"} {efferent-attempt 3}]}" {
		t.Error(text)
	}
	if channel.ReportsOn(New(start(t, s), channel.EmailConfig{From: "noreply@efferent.test"})) {
		t.Error("without a configuration set it reports")
	}
}
