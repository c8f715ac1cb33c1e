package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/efferent/efferent/internal/attempt"
)

func verdicts(records []attempt.Record) string {
	var all []string
	for _, r := range records {
		all = append(all, fmt.Sprintf("%d:%d:%s", r.Attempt, r.Status, r.Verdict))
	}
	return strings.Join(all, " ")
}

func TestSignedOnEveryAttempt(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	e := newEndpoint(t, func(w http.ResponseWriter, _ *http.Request, nth int) {
		if nth == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	s.send(webhookText("evt_1", e.URL+"/in"))
	if got, want := verdicts(s.attempts("evt_1")), "1:503:retryable 2:200:delivered"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	verifier, err := standardwebhooks.NewWebhook(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, h := range e.arrived["evt_1"] {
		if err := verifier.Verify(e.bodies["evt_1"], h); err != nil {
			t.Errorf("attempt %d: %v", i+1, err)
		}
	}
}

// TestPoison sends a batch of bad messages around a good one: each ends in the
// dead-letter queue with its reason, the good one is delivered.
func TestPoison(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	e := newEndpoint(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}
	})
	bad := map[string]struct{ text, reason string }{
		"unknown-key": {webhookText("unknown-key", e.URL, `"evnt_type":"x"`), `field "evnt_type": unknown; did you mean "event_type"?`},
		"no-secret":   {strings.Replace(webhookText("no-secret", e.URL), testSecretN, "efferent/webhooks/none", 1), "secret not found"},
		"foreign":     {strings.Replace(webhookText("foreign", e.URL), testSecretN, "prod/database", 1), `field "secret": must be the name or ARN of a secret under efferent/webhooks/`},
		"metadata":    {webhookText("metadata", "https://169.254.169.254/latest/meta-data"), "169.254.169.254 is not public"},
		"plain-http":  {webhookText("plain-http", "http://203.0.113.7/in"), "plain http to 203.0.113.7 is not allowed"},
		"redirect":    {webhookText("redirect", e.URL+"/redirect"), "302 Found: redirects are not followed"},
		"crlf":        {webhookText("crlf", e.URL, `"headers":{"X-A":"a\r\nHost: b"}`), `"X-A" has a line break`},
		"signed":      {webhookText("signed", e.URL, `"headers":{"Webhook-Id":"a"}`), `"Webhook-Id" may not be set`},
	}
	texts := []string{webhookText("good", e.URL), "no JSON"}
	for _, b := range bad {
		texts = append(texts, b.text)
	}
	s.send(texts...)
	if got := verdicts(s.attempts("good")); got != "1:200:delivered" {
		t.Errorf("the good one: %s", got)
	}
	for id, b := range bad {
		records := s.attempts(id)
		if len(records) != 1 || records[0].Verdict != attempt.Permanent || !strings.Contains(records[0].Reason, b.reason) {
			t.Errorf("%s: %s, %q; want one permanent failure for %q", id, verdicts(records), records[0].Reason, b.reason)
		}
	}
	for _, m := range s.failures("webhook-failures", len(bad)+1) {
		if m.Attributes["DeadLetterQueueSourceArn"] != queueARN(webhooksQueue) {
			t.Errorf("%s has the source %q", *m.Body, m.Attributes["DeadLetterQueueSourceArn"])
		}
		if *m.Body == "no JSON" {
			if records := s.attempts(*m.MessageId); !strings.Contains(records[0].Reason, "not valid JSON") {
				t.Errorf("no JSON: %q", records[0].Reason)
			}
		}
	}
}

// TestMoveTaskTriesAfresh redrives a permanent and an exhausted message the way
// the console does.
func TestMoveTaskTriesAfresh(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	var mended sync.Map
	e := newEndpoint(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if _, ok := mended.Load("mended"); ok {
			return
		}
		if r.URL.Path == "/missing" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	})
	s.send(webhookText("missing", e.URL+"/missing"), webhookText("down", e.URL+"/down"))
	s.attempts("missing")
	if got, want := verdicts(s.attempts("down")), "1:502:retryable 2:502:retryable 3:502:retryable 4:502:exhausted"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.failures("webhook-failures", 2)
	mended.Store("mended", true)
	arn := queueARN("webhook-failures")
	if _, err := s.sqs.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"missing", "down"} {
		records := s.attemptsUntil(id, func(v attempt.Verdict) bool { return v == attempt.Delivered })
		if last := records[len(records)-1]; last.Attempt != 1 || last.MessageID == records[0].MessageID {
			t.Errorf("%s was not tried afresh: %+v", id, last)
		}
	}
}

// TestHangingEndpointsHoldUpNobody sends more to endpoints that never begin or
// never end their answer than there are places, and then to one that works.
func TestHangingEndpointsHoldUpNobody(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	release := make(chan struct{})
	hang := newEndpoint(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Path == "/endless" {
			for {
				select {
				case <-release:
					return
				case <-r.Context().Done():
					return
				case <-time.After(10 * time.Millisecond):
					_, _ = w.Write([]byte("x"))
					w.(http.Flusher).Flush()
				}
			}
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	good := newEndpoint(t, ok)
	for i := range 30 {
		var texts []string
		for k := range 9 {
			path := []string{"/never", "/endless"}[k%2]
			texts = append(texts, webhookText(fmt.Sprintf("hang-%d-%d", i, k), hang.URL+path))
		}
		s.send(append(texts, webhookText(fmt.Sprintf("good-%d", i), good.URL))...)
	}
	for range 30 {
		select {
		case <-good.seen:
		case <-time.After(soon):
			t.Fatal("the endpoint that works got nothing more")
		}
	}
}

func TestInUse(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	data := filepath.Join(t.TempDir(), "e.db")
	startProcess(t, nil, "dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", data)
	for flag, args := range map[string][]string{
		"--aws":  {"--aws", taken.Addr().String(), "--http", "127.0.0.1:0", "--data", ":memory:"},
		"--http": {"--aws", "127.0.0.1:0", "--http", taken.Addr().String(), "--data", ":memory:"},
		"--data": {"--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", data},
	} {
		out, err := command(append([]string{"dev"}, args...)...).CombinedOutput()
		if err == nil || !strings.Contains(err.Error(), "exit status 1") || !strings.Contains(string(out), flag) || !strings.Contains(string(out), "in use") {
			t.Errorf("%s in use: %v, %s", flag, err, out)
		}
	}
}

// TestTermination shows that SIGTERM ends the process well while exchanges are
// open, and that what was in hand is there at the next start.
func TestTermination(t *testing.T) {
	t.Parallel()
	args := []string{"dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "e.db")}
	e := newEndpoint(t, func(_ http.ResponseWriter, r *http.Request, nth int) {
		if nth == 1 {
			<-r.Context().Done()
		}
	})
	p := startProcess(t, nil, args...)
	p.putSecret(testSecretN, testSecret)
	p.send(webhookText("evt_1", e.URL))
	<-e.seen
	if err := p.terminate(); err != nil {
		t.Errorf("it ended with %v; stderr: %s", err, p.stderr.String())
	}
	p = startProcess(t, nil, args...)
	if got := verdicts(p.attempts("evt_1")); got != "1:200:delivered" {
		t.Errorf("after the restart: %s", got)
	}
	if err := p.terminate(); err != nil {
		t.Errorf("it ended with %v; stderr: %s", err, p.stderr.String())
	}
}

// TestKillUnderLoad kills the process again and again while messages are sent,
// and shows that every acknowledged one arrives.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	args := []string{"dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "e.db")}
	e := newEndpoint(t, ok)
	var acknowledged []string
	for round := range 4 {
		p := startProcess(t, nil, args...)
		if round == 0 {
			p.putSecret(testSecretN, testSecret)
		}
		acknowledged = append(acknowledged, sendUntilKilled(t, p, e, round)...)
	}
	p := startProcess(t, nil, args...)
	ctx, stop := context.WithTimeout(t.Context(), soon)
	defer stop()
	for _, id := range acknowledged {
		for !e.has(id) {
			select {
			case <-e.seen:
			case <-ctx.Done():
				t.Fatalf("%s was acknowledged and never arrived; stderr: %s", id, p.stderr.String())
			}
		}
	}
	if len(acknowledged) < 100 {
		t.Errorf("only %d messages were acknowledged: too few to tell", len(acknowledged))
	}
}

func (e *endpoint) has(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.arrived[id]) > 0
}

// sendUntilKilled sends from several goroutines, kills the process once some
// hundred have arrived, and returns what was acknowledged.
func sendUntilKilled(t *testing.T, p *process, e *endpoint, round int) []string {
	var mu sync.Mutex
	var acknowledged []string
	var senders sync.WaitGroup
	for sender := range 4 {
		senders.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("evt-%d-%d-%d", round, sender, i)
				text := webhookText(id, e.URL)
				_, err := p.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: p.url(webhooksQueue), MessageBody: &text})
				if err != nil {
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, id)
				mu.Unlock()
			}
		})
	}
	for range 100 {
		<-e.seen
	}
	p.kill()
	senders.Wait()
	return slices.Clone(acknowledged)
}
