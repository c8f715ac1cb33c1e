package worker

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/cmd/efferent/ownqueues"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
)

// startWorker runs a worker process on s.
func startWorker(t *testing.T, s *commandtest.Running) *commandtest.Process {
	t.Helper()
	return startWorkerOn(t, s, filepath.Join(t.TempDir(), "w.db"))
}

// startWorkerOn runs one on a data file.
func startWorkerOn(t *testing.T, s *commandtest.Running, file string, more ...string) *commandtest.Process {
	t.Helper()
	p := commandtest.StartProcess(t, []string{
		"AWS_ENDPOINT_URL=" + s.AWSURL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"EFFERENT_ALLOW_HTTP=loopback", "EFFERENT_ALLOW_CIDRS=127.0.0.0/8",
	}, append([]string{"worker", "--store", "sqlite:" + file, "--http", "127.0.0.1:0"}, more...)...)
	s.HTTPURL = p.HTTPURL
	return p
}

// TestAWorkerOutlivesItsQueue: what becomes of the queue while it works is told by
// its health, and it goes on when the queue is as it should be.
func TestAWorkerOutlivesItsQueue(t *testing.T) {
	t.Parallel()
	s := devtest.StartEndpoint(t)
	p := startWorker(t, s)
	s.HTTPURL = p.HTTPURL
	p.Health(t, "/readyz", http.StatusOK)
	set := func(policy string) {
		if _, err := s.SQS.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: s.QueueURL(t, "webhooks"),
			Attributes: map[string]string{ownqueues.RedrivePolicy: policy}}); err != nil {
			t.Fatal(err)
		}
	}
	// What can't be delivered shows within seconds that the policy is gone.
	policy := s.Attributes(t, "webhooks")[ownqueues.RedrivePolicy]
	set("")
	s.Send(t, `{"garbage": true}`)
	if said := p.Health(t, "/readyz", http.StatusServiceUnavailable); !strings.Contains(said, "has no redrive policy") {
		t.Errorf("it says %s", said)
	}
	_, stderr, err := s.Command("", "health", "--ready", strings.TrimPrefix(p.HTTPURL, "http://"))
	if err == nil || !strings.Contains(stderr, "not ready") {
		t.Errorf("the probe for readiness says %q, %v", stderr, err)
	}
	if out, stderr, err := s.Command("", "health", strings.TrimPrefix(p.HTTPURL, "http://")); err != nil ||
		!strings.Contains(out, "webhooks: trouble has no redrive policy") {
		t.Errorf("the probe for life says %q %q, %v", out, stderr, err)
	}
	set(policy)
	p.Health(t, "/readyz", http.StatusOK)

	loseTheQueue(t, s, p)
	if err := p.Terminate(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(p.Stderr.String(), "it is left alone"); n != 2 {
		t.Errorf("it told of two troubles %d times:\n%s", n, p.Stderr.String())
	}
}

// loseTheQueue deletes a worker's queue and makes it again.
func loseTheQueue(t *testing.T, s *commandtest.Running, p *commandtest.Process) {
	t.Helper()
	if _, err := s.SQS.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: s.QueueURL(t, "webhooks")}); err != nil {
		t.Fatal(err)
	}
	if said := p.Health(t, "/readyz", http.StatusServiceUnavailable); !strings.Contains(said, "does not exist") {
		t.Errorf("it says %s", said)
	}
	s.Queues(t)
	p.Health(t, "/readyz", http.StatusOK)
	e := scenario.NewEndpoint(t, scenario.OK)
	s.Send(t, scenario.Text("evt_after", e.URL))
	if got := scenario.Verdicts(s.Attempts(t, "evt_after")); got != "1:200:delivered" {
		t.Errorf("what came then: %s", got)
	}
}

// TestAWorkersDoor: who has no token is not let in, and who has one is.
func TestAWorkersDoor(t *testing.T) {
	t.Parallel()
	s := devtest.StartEndpoint(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(exampleToken), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startWorkerOn(t, s, filepath.Join(t.TempDir(), "w.db"),
		"--allow-host", "efferent.test", "--token-from", token, "--health", "127.0.0.1:0")
	p.Health(t, "/healthz", http.StatusOK)
	if status, _, err := p.API(t.Context(), http.MethodGet, "/api/v1/dlq", ""); err != nil || status != http.StatusUnauthorized {
		t.Errorf("without a token: %d, %v", status, err)
	}
	for host, want := range map[string]int{"efferent.test": http.StatusOK, "other.test": http.StatusForbidden} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTPURL+"/api/v1/dlq?queue=webhook-failures", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("Authorization", "Bearer "+exampleToken)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", host, resp.StatusCode, want)
		}
	}
	if out, stderr, err := s.Command("", "dlq", "list", "--api", p.HTTPURL, "--token", exampleToken); err != nil {
		t.Errorf("the command with the token: %v, %q %q", err, out, stderr)
	}
	if err := p.Terminate(); err != nil || strings.Contains(p.Stderr.String(), exampleToken) {
		t.Errorf("%v: %s", err, p.Stderr.String())
	}
}

func TestWorker(t *testing.T) {
	t.Parallel()
	s := devtest.StartEndpoint(t)
	p := startWorker(t, s)
	t.Run("webhooks", func(t *testing.T) { scenario.Webhooks(t, &s.Stack) })
	t.Run("notifications", func(t *testing.T) { scenario.Notifications(t, &s.Stack) })
	if status, _, err := s.API(t.Context(), http.MethodGet, "/api/v1/audit/checkpoints", ""); status != http.StatusNotImplemented ||
		err != nil {
		t.Errorf("without a ledger the API answers %d, %v", status, err)
	}

	// SIGTERM lets the batch in hand finish.
	hold := make(chan struct{})
	e := scenario.NewEndpoint(t, func(http.ResponseWriter, *http.Request, int) { <-hold })
	s.Send(t, scenario.Text("evt_1", e.URL))
	<-e.Seen
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	close(hold)
	if err := p.Cmd.Wait(); err != nil {
		t.Errorf("it ended with %v; stderr: %s", err, p.Stderr.String())
	}
	if a := s.Attributes(t, settings.WebhooksQueue); a["ApproximateNumberOfMessagesNotVisible"] != "0" ||
		a["ApproximateNumberOfMessages"] != "0" {
		t.Errorf("after the end: %v; want the queue to be empty", a)
	}
}

func TestWorkerErrors(t *testing.T) {
	t.Parallel()
	s := devtest.StartEndpoint(t)
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no such queue", []string{"--queues", "webhooks,other"}, "--queues other"},
		{"no ledger", []string{"--queues", "audit.fifo", "--store", "sqlite::memory:"}, "LEDGER_TABLE"},
		{"no table", nil, "ATTEMPTS_TABLE"},
		{"no waiting room", nil, "WAITING_TABLE"},
		{"no such store", []string{"--store", "redis"}, "--store redis"},
		{"the stack is not there", []string{"--store", "sqlite::memory:", "--prefix", "prod-"}, "prod-webhooks"},
		{"nothing to do", []string{"--queues", ""}, "--queues"},
		{"twice", []string{"--queues", "webhooks,webhooks"}, "twice"},
		{"all that is missing", []string{"--store", "sqlite::memory:", "--prefix", "prod-"},
			"prod-audit.fifo: does not exist, or may not be seen (sqs:GetQueueUrl)\n" +
				"  prod-events: does not exist, or may not be seen (sqs:GetQueueUrl)\n" +
				"This mends it:\n  efferent queues create --dev --prefix prod-\n"},
		{"open to all", []string{"--store", "sqlite::memory:", "--http", "0.0.0.0:0"}, "--allow-host"},
		{"no port", []string{"--store", "sqlite::memory:", "--http", "127.0.0.1:99999"}, "--http"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, stderr, err := s.Command("", append([]string{"worker", "--dev"}, c.args...)...)
			if err == nil || !strings.Contains(stderr, c.says) {
				t.Errorf("got %v, %q; want it to tell %q", err, stderr, c.says)
			}
		})
	}
}

// TestAWorkersRecordsExpire: in a file there is nobody else who deletes them.
func TestAWorkersRecordsExpire(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "w.db")
	db, err := sqlite.Open(file)
	if err == nil {
		old := attempt.Record{WebhookID: "evt_old", MessageID: "m", Attempt: 1, Verdict: attempt.Delivered,
			At: time.Now().Add(-2 * attempt.Retention)}
		err = errors.Join(sqlite.NewAttempts(db).Put(t.Context(), []attempt.Record{old}), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	s := devtest.StartEndpoint(t)
	startWorkerOn(t, s, file)
	for end := time.Now().Add(commandtest.Soon); ; {
		records, err := s.History(t.Context(), "evt_old")
		if err == nil && len(records) == 0 {
			return
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("it is still there: %v, %v", records, err)
		}
	}
}
