package scenario

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/attempt"
)

// Webhooks runs the scenarios of webhooks. SecretName must hold SecretValue,
// and the stack must be allowed plain http to loopback.
func Webhooks(t *testing.T, s *Stack) {
	t.Run("signed on every attempt", s.signedOnEveryAttempt)
	t.Run("retried after 1, 2 and 4 seconds, then parked", s.retriedThenParked)
	t.Run("poison, and its neighbours", s.poison)
	t.Run("a key of a JSON secret", s.jsonSecret)
}

func delivered(v attempt.Verdict) bool { return v == attempt.Delivered }

func newID(name string) string { return name + "-" + uuid.NewString()[:8] }

func (s *Stack) signedOnEveryAttempt(t *testing.T) {
	t.Parallel()
	e := NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, nth int) {
		if nth == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	id := newID("signed")
	s.Send(t, Text(id, e.URL+"/in"))
	if got, want := Verdicts(s.Attempts(t, id)), "1:503:retryable 2:200:delivered"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, a := range e.Arrivals(id) {
		a.Verify(t, SecretValue)
		if want := `{"id": "` + id + `"}`; a.Body != want || a.Header.Get("X-Webhook-Event") != "scenario.run" {
			t.Errorf("arrived %s as %s", a.Body, a.Header.Get("X-Webhook-Event"))
		}
	}
}

func (s *Stack) retriedThenParked(t *testing.T) {
	t.Parallel()
	e := NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusBadGateway) })
	id := newID("down")
	s.Send(t, Text(id, e.URL))
	records := s.Attempts(t, id)
	if got, want := Verdicts(records), "1:502:retryable 2:502:retryable 3:502:retryable 4:502:exhausted"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	// By the sender's clock: a busy receiver may be late to look at its own.
	for i, least := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		ended := records[i].At.Add(time.Duration(records[i].DurationMS) * time.Millisecond)
		if waited := records[i+1].At.Sub(ended); waited < least {
			t.Errorf("attempt %d came %s after the one before, want %s at least", i+2, waited, least)
		}
	}
	if n := len(e.Arrivals(id)); n < len(records) {
		t.Errorf("%d attempts are recorded, and only %d came", len(records), n)
	}
	s.Failures(t, "webhook-failures", "webhooks", id)
}

// poison sends bad messages around a good one: each ends in the dead-letter
// queue with its reason, the good one is delivered at once.
func (s *Stack) poison(t *testing.T) {
	t.Parallel()
	e := NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}
	})
	bad := []struct{ name, text, reason string }{
		{"unknown-key", Text("ID", e.URL, `"evnt_type":"x"`), `field "evnt_type": unknown; did you mean "event_type"?`},
		{"no-secret", strings.Replace(Text("ID", e.URL), SecretName, "efferent/webhooks/none", 1), "secret not found"},
		{"foreign", strings.Replace(Text("ID", e.URL), SecretName, "prod/database", 1),
			`field "secret": must be the name or ARN of a secret under efferent/webhooks/`},
		{"metadata", Text("ID", "https://169.254.169.254/latest/meta-data"), "169.254.169.254 is not public"},
		{"plain-http", Text("ID", "http://203.0.113.7/in"), "plain http to 203.0.113.7 is not allowed"},
		{"redirect", Text("ID", e.URL+"/redirect"), "302 Found: redirects are not followed"},
		{"crlf", Text("ID", e.URL, `"headers":{"X-A":"a\r\nHost: b"}`), `"X-A" has a line break`},
		{"signed", Text("ID", e.URL, `"headers":{"Webhook-Id":"a"}`), `"Webhook-Id" may not be set`},
	}
	good, noJSON := newID("good"), "no JSON "+uuid.NewString()
	texts, ids := []string{Text(good, e.URL), noJSON}, []string{noJSON}
	for _, b := range bad {
		id := newID(b.name)
		texts, ids = append(texts, strings.ReplaceAll(b.text, `"ID"`, `"`+id+`"`)), append(ids, id)
	}
	s.Send(t, texts...)
	if got := Verdicts(s.Attempts(t, good)); got != "1:200:delivered" {
		t.Errorf("the good one: %s", got)
	}
	for i, b := range bad {
		records := s.Attempts(t, ids[i+1])
		if len(records) != 1 || records[0].Verdict != attempt.Permanent || !strings.Contains(records[0].Reason, b.reason) {
			t.Errorf("%s: %s, %q; want one permanent failure for %q", b.name, Verdicts(records), records[0].Reason, b.reason)
		}
	}
	s.Failures(t, "webhook-failures", "webhooks", ids...)
}

func (s *Stack) jsonSecret(t *testing.T) {
	t.Parallel()
	name := SecretName + "-" + uuid.NewString()[:8]
	s.PutSecret(t, name, `{"first": "whsec_c29tZXRoaW5nIGVsc2U=", "second": "`+SecretValue+`"}`)
	e := NewEndpoint(t, OK)
	id := newID("json")
	s.Send(t, strings.Replace(Text(id, e.URL), SecretName, name+"#second", 1))
	if got := Verdicts(s.Attempts(t, id)); got != "1:200:delivered" {
		t.Errorf("got %s", got)
	}
	for _, a := range e.Arrivals(id) {
		a.Verify(t, SecretValue)
	}
}

// Redrive shows the console's redrive, where the queues can do it: what failed
// for good and what was exhausted are tried afresh. It moves all that is in the
// dead-letter queue, so it must run by itself.
func Redrive(t *testing.T, s *Stack) {
	var mended atomic.Bool
	e := NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		switch {
		case mended.Load():
		case r.URL.Path == "/missing":
			w.WriteHeader(http.StatusNotFound)
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	ids := []string{newID("missing"), newID("exhausted")}
	s.Send(t, Text(ids[0], e.URL+"/missing"), Text(ids[1], e.URL+"/down"))
	for _, id := range ids {
		s.Attempts(t, id)
	}
	s.Failures(t, "webhook-failures", "webhooks", ids...)
	s.awaitNone(t, "webhook-failures", hidden) // a move task takes what is visible
	mended.Store(true)
	arn := s.Attributes(t, "webhook-failures")["QueueArn"]
	if _, err := s.SQS.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		records := s.AttemptsUntil(t, id, delivered)
		// LocalStack keeps the message's id, and so the numbers go on.
		if last := records[len(records)-1]; last.Attempt != 1 && last.MessageID != records[0].MessageID {
			t.Errorf("%s was not tried afresh: %+v", id, last)
		}
	}
}
