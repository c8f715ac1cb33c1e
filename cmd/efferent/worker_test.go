package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/localaws/secretserver"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
)

// startEndpoint serves SQS and Secrets Manager with nothing that works on the
// queues, as LocalStack would.
func startEndpoint(t *testing.T) *running {
	t.Helper()
	db, err := sqlite.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := sqsserver.Open(t.Context(), sqlite.NewQueues(db), sqsserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := secretserver.Open(t.Context(), sqlite.NewSecrets(db), secretserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := createQueues(context.Background(), engine, settings.DefaultMaxReceives); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(awsRouter(sqsserver.NewHandler(engine), secretserver.NewHandler(secrets), http.NotFoundHandler()))
	t.Cleanup(func() { engine.Close(); server.Close(); db.Close() })
	s := &running{t: t, awsURL: server.URL}
	s.connect()
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	return s
}

// startWorker runs a worker process on s.
func startWorker(t *testing.T, s *running) *process {
	t.Helper()
	return startWorkerOn(t, s, filepath.Join(t.TempDir(), "w.db"))
}

// startWorkerOn runs one on a data file.
func startWorkerOn(t *testing.T, s *running, file string) *process {
	t.Helper()
	p := startProcess(t, []string{
		"AWS_ENDPOINT_URL=" + s.awsURL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"EFFERENT_ALLOW_HTTP=loopback", "EFFERENT_ALLOW_CIDRS=127.0.0.0/8",
	}, "worker", "--store", "sqlite:"+file, "--http", "127.0.0.1:0")
	s.httpURL = p.httpURL
	return p
}

func TestWorker(t *testing.T) {
	t.Parallel()
	s := startEndpoint(t)
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
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	close(hold)
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v; stderr: %s", err, p.stderr.String())
	}
	if a := s.Attributes(t, settings.WebhooksQueue); a["ApproximateNumberOfMessagesNotVisible"] != "0" ||
		a["ApproximateNumberOfMessages"] != "0" {
		t.Errorf("after the end: %v; want the queue to be empty", a)
	}
}

func TestWorkerErrors(t *testing.T) {
	t.Parallel()
	s := startEndpoint(t)
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
		{"no port", []string{"--store", "sqlite::memory:", "--http", "127.0.0.1:99999"}, "--http"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, stderr, err := s.command("", append([]string{"worker", "--dev"}, c.args...)...)
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
	s := startEndpoint(t)
	startWorkerOn(t, s, file)
	for end := time.Now().Add(soon); ; {
		records, err := s.History(t.Context(), "evt_old")
		if err == nil && len(records) == 0 {
			return
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("it is still there: %v, %v", records, err)
		}
	}
}
