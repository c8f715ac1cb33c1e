package awssms

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

// service is a scripted End User Messaging.
type service struct {
	*httptest.Server
	status int
	answer string
	cut    bool   // ends the connection after the request
	hang   func() // is called in place of an answer

	mu       sync.Mutex
	requests []string
	targets  []string
	ports    map[string]bool // of the clients
}

func start(t *testing.T, s *service) aws.Config {
	t.Helper()
	s.Server, s.ports = httptest.NewServer(s), map[string]bool{}
	t.Cleanup(s.Close)
	// Other calls may have little time: a hand-over has its own.
	hasty := awshttp.NewBuildableClient().WithTimeout(time.Nanosecond)
	return aws.Config{Region: "eu-north-1", BaseEndpoint: &s.URL, HTTPClient: hasty,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "hush", "")}
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests, s.targets = append(s.requests, string(body)), append(s.targets, r.Header.Get("X-Amz-Target"))
	s.ports[r.RemoteAddr] = true
	s.mu.Unlock()
	switch {
	case s.cut:
		panic(http.ErrAbortHandler)
	case s.hang != nil:
		s.hang()
		<-r.Context().Done()
	default:
		w.WriteHeader(s.status)
		fmt.Fprint(w, s.answer)
	}
}

// count is how many requests came.
func (s *service) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

var identity = channel.SMSConfig{EndUserMessaging: true, OriginationIdentity: "EFFERENT", MaxSegments: 3}

func aText() channel.Handover {
	return channel.Handover{ID: "n_7", Recipient: "+46700000007", Subject: "Hi", Body: "a private text"}
}

func check(t *testing.T, got channel.Outcome, class channel.Class, status int, says string) {
	t.Helper()
	if got.Class != class || got.Status != status || !strings.Contains(got.Reason, says) || (got.Reason == "") != got.Sent() {
		t.Errorf("%+v, want %s with %d: %s", got, class, status, says)
	}
	if status >= 400 && status < 500 && !strings.Contains(got.Response, ": about ") {
		t.Errorf("what the service said is not kept: %q", got.Response)
	}
	for _, private := range []string{"+4670", "private", "hush", "127.0.0.1"} {
		if strings.Contains(got.Reason, private) {
			t.Errorf("the reason %q tells %q", got.Reason, private)
		}
	}
}

// TestAnswers gives each answer once: a second request could be a second SMS.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status       int
		code, reason string
		class        channel.Class
	}{
		{400, "ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT", channel.OptedOut},
		{400, "ConflictException", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION", channel.Permanent},
		{400, "ConflictException", "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE", channel.Permanent},
		{400, "ConflictException", "NUMBER_CAPABILITIES_MISMATCH", channel.Configuration},
		{400, "ConflictException", "", channel.Configuration},
		{400, "ValidationException", "DESTINATION_PHONE_NUMBER_INVALID", channel.Permanent},
		{400, "ValidationException", "FIELD_VALIDATION_FAILED", channel.Permanent},
		{400, "ValidationException", "SENDER_ID_NOT_REGISTERED", channel.Configuration},
		{400, "ValidationException", "COUNTRY_NOT_ENABLED", channel.Configuration},
		{400, "AccessDeniedException", "ACCOUNT_DISABLED", channel.Configuration},
		{400, "ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", channel.Configuration},
		{400, "ResourceNotFoundException", "", channel.Configuration},
		{400, "ThrottlingException", "", channel.Limited},
		{429, "SomethingNew", "", channel.Limited},
		{400, "ExpiredTokenException", "", channel.Configuration},
		{403, "InvalidSignatureException", "", channel.Configuration},
		{500, "InternalServerException", "", channel.Unknown},
		{503, "ServiceUnavailable", "", channel.Unknown},
		{502, "SomethingNew", "", channel.Unknown},
	} {
		t.Run(fmt.Sprint(c.status, c.code, c.reason), func(t *testing.T) {
			t.Parallel()
			s := &service{status: c.status, answer: fmt.Sprintf(`{"__type": "com.amazonaws#%s", "Message": "about +46700000007: a private text", `+
				`"Reason": %q}`, c.code, c.reason)}
			sender := New(start(t, s), identity)
			check(t, sender.Send(t.Context(), aText()), c.class, c.status, "End User Messaging: "+c.code)
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
		status   int
		says     string
		requests int
	}{
		"nobody there":            {&service{}, true, t.Context(), nil, channel.Transient, 0, "connection refused", 0},
		"cut after the request":   {&service{cut: true}, false, t.Context(), nil, channel.Unknown, 0, "it may have been taken", 1},
		"the caller gives up":     {&service{hang: giveUp}, false, waiting, nil, channel.Unknown, 0, "cancelled after the request", 1},
		"the caller has given up": {&service{status: 200}, false, gone, nil, channel.Transient, 0, "cancelled", 0},
		"no credentials": {&service{status: 200}, false, t.Context(), func(c *aws.Config) { c.Credentials = noCredentials{} },
			channel.Configuration, 0, "check the region and the credentials", 0},
		"the SDK may try three times more": {&service{cut: true}, false, t.Context(), func(c *aws.Config) { c.RetryMaxAttempts = 4 },
			channel.Unknown, 0, "it may have been taken", 1},
		"an answer that can't be read": {&service{status: 200, answer: "<html>"}, false, t.Context(), nil, channel.Unknown, 200,
			"it may have been taken", 1},
		"an error that can't be read": {&service{status: 500, answer: "<html>"}, false, t.Context(), nil, channel.Unknown, 500,
			"End User Messaging: ", 1},
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
			check(t, New(config, identity).Send(c.ctx, aText()), c.class, c.status, c.says)
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

// TestRequest sends twice, each time on a connection of its own.
func TestRequest(t *testing.T) {
	t.Parallel()
	s := &service{status: 200, answer: `{"MessageId": "eum-1"}`}
	sender := New(start(t, s), identity)
	for range 2 {
		out := sender.Send(t.Context(), aText())
		if diff := cmp.Diff(channel.Outcome{ProviderID: "eum-1", Status: 200}, out); diff != "" {
			t.Error(diff)
		}
	}
	if len(s.ports) != 2 || s.targets[0] != "PinpointSMSVoiceV2.SendTextMessage" {
		t.Errorf("%v from %v", s.targets, s.ports)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(s.requests[0]), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"DestinationPhoneNumber": "+46700000007", "MessageBody": "Hi: a private text",
		"OriginationIdentity": "EFFERENT",
		"MessageType":         "TRANSACTIONAL", "Context": map[string]any{"efferent-id": "n_7"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	s := &service{status: 200}
	sender := New(start(t, s), identity)
	for says, change := range map[string]func(*channel.Handover){
		"E.164":      func(h *channel.Handover) { h.Recipient = "0701234567" },
		"the budget": func(h *channel.Handover) { h.Body = strings.Repeat("a", 500) },
	} {
		h := aText()
		change(&h)
		check(t, sender.Send(t.Context(), h), channel.Permanent, 0, says)
	}
	if n := s.count(); n != 0 {
		t.Errorf("%d requests", n)
	}
}
