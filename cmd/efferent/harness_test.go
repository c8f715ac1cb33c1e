package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/attempt"
)

// asCommand makes the test binary be the efferent command, so that tests have
// real processes to kill.
const asCommand = "EFFERENT_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

const (
	testSecret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	testSecretN = "efferent/webhooks/test"
	soon        = 30 * time.Second // how long a test waits for what should come at once
)

// stack is a running Efferent, in this process or another, and clients for it.
type stack struct {
	t       *testing.T
	awsURL  string
	httpURL string
	sqs     *sqs.Client
	secrets *secretsmanager.Client
}

func (s *stack) connect() {
	config := aws.Config{Region: localRegion, BaseEndpoint: &s.awsURL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	s.sqs, s.secrets = sqs.NewFromConfig(config), secretsmanager.NewFromConfig(config)
}

// startLocal runs Efferent in this process.
func startLocal(t *testing.T) *stack {
	t.Helper()
	l, err := openLocal(t.Context(), localConfig{AWS: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: ":memory:",
		Getenv: func(string) string { return "" }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	s := &stack{t: t, awsURL: l.awsURL, httpURL: l.httpURL}
	s.connect()
	s.putSecret(testSecretN, testSecret)
	return s
}

func (s *stack) putSecret(name, value string) {
	s.t.Helper()
	if err := putSecret(s.t.Context(), s.secrets, name, value); err != nil {
		s.t.Fatal(err)
	}
}

func attributesOf(url *string) *sqs.GetQueueAttributesInput {
	return &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}}
}

func (s *stack) url(queue string) *string {
	u := queueURL(s.awsURL, queue)
	return &u
}

func (s *stack) send(texts ...string) {
	s.t.Helper()
	entries := make([]types.SendMessageBatchRequestEntry, len(texts))
	for i, text := range texts {
		id := fmt.Sprint(i)
		entries[i] = types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &text}
	}
	out, err := s.sqs.SendMessageBatch(s.t.Context(), &sqs.SendMessageBatchInput{QueueUrl: s.url(webhooksQueue), Entries: entries})
	if err != nil || len(out.Failed) > 0 {
		s.t.Fatalf("send: %v, %+v", err, out)
	}
}

// text is a webhook message; more are further fields of it.
func webhookText(id, url string, more ...string) string {
	fields := append([]string{
		fmt.Sprintf(`"id":%q,"url":%q,"secret":%q,"event_type":"test.run","body":{"id": %q}`, id, url, testSecretN, id)}, more...)
	return "{" + strings.Join(fields, ",") + "}"
}

// attempts waits until the delivery has ended and returns its attempts.
func (s *stack) attempts(id string) []attempt.Record {
	s.t.Helper()
	return s.attemptsUntil(id, attempt.Verdict.Final)
}

// attemptsUntil waits until the last attempt's verdict is as wanted.
func (s *stack) attemptsUntil(id string, wanted func(attempt.Verdict) bool) []attempt.Record {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.t.Context(), soon)
	defer stop()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		records, err := attemptsOf(ctx, &apiFlags{API: s.httpURL}, id)
		if err != nil {
			s.t.Fatalf("attempts of %s: %v", id, err)
		}
		if n := len(records); n > 0 && wanted(records[n-1].Verdict) {
			return records
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("%s has not come to its end: %+v", id, records)
		}
	}
}

// failures looks at n messages of a dead-letter queue, and leaves them visible.
func (s *stack) failures(queue string, n int) []types.Message {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.t.Context(), soon)
	defer stop()
	var all []types.Message
	for len(all) < n {
		out, err := s.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: s.url(queue), MaxNumberOfMessages: 10, WaitTimeSeconds: 20,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
		if err != nil {
			s.t.Fatalf("%s holds %d messages, %d were expected: %v", queue, len(all), n, err)
		}
		all = append(all, out.Messages...)
	}
	for _, m := range all {
		if _, err := s.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: s.url(queue), ReceiptHandle: m.ReceiptHandle}); err != nil {
			s.t.Fatal(err)
		}
	}
	return all
}

// endpoint is a receiver that answers as told and remembers what arrived.
type endpoint struct {
	*httptest.Server
	mu      sync.Mutex
	arrived map[string][]http.Header
	bodies  map[string][]byte
	seen    chan string // the webhook-id of each arrival
}

func newEndpoint(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, nth int)) *endpoint {
	e := &endpoint{arrived: map[string][]http.Header{}, bodies: map[string][]byte{}, seen: make(chan string, 100_000)}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id := r.Header.Get("webhook-id")
		e.mu.Lock()
		e.arrived[id] = append(e.arrived[id], r.Header)
		e.bodies[id] = body
		nth := len(e.arrived[id])
		e.mu.Unlock()
		e.seen <- id
		answer(w, r, nth)
	}))
	t.Cleanup(e.Close)
	return e
}

func ok(http.ResponseWriter, *http.Request, int) {}

// process is efferent as a process of its own.
type process struct {
	*stack
	cmd    *exec.Cmd
	stderr strings.Builder
}

var readyLine = regexp.MustCompile(`^ready (?:aws=(http://\S+) http=(http://\S+) data=\S+|queues=\S+ store=\S+ http=(http://\S+))\n$`)

func startProcess(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{stack: &stack{t: t}, cmd: command(args...)}
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	found := readyLine.FindStringSubmatch(line)
	if found == nil {
		_ = p.cmd.Wait()
		t.Fatalf("%v said %q and, on stderr, %s", args, line, p.stderr.String())
	}
	p.awsURL, p.httpURL = found[1], found[2]+found[3]
	p.connect()
	return p
}

func command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asCommand+"=1")
	return c
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *process) terminate() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}
