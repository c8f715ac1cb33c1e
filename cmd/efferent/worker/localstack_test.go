//go:build localstack && linux

package worker

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/ownqueues"
	"github.com/efferent/efferent/e2e/localstack"
	"github.com/efferent/efferent/e2e/scenario"
)

// onLocalStack is a LocalStack with a worker on queues that queues create made.
func onLocalStack(t *testing.T) *commandtest.Running {
	t.Helper()
	s := commandtest.ConnectTo(t, localstack.Start(t), "")
	if out := s.Queues(t); strings.Count(out, "  made\n") != len(ownqueues.Names()) {
		t.Fatalf("queues create says %s", out)
	}
	if out := s.Queues(t); strings.Count(out, "  is there\n") != len(ownqueues.Names()) || strings.Contains(out, "should") {
		t.Errorf("a second time it says %s", out)
	}
	return s
}

// TestWorkerOnLocalStack runs every scenario on LocalStack's queues, SQS's own
// redrive among them.
func TestWorkerOnLocalStack(t *testing.T) {
	s := onLocalStack(t)
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	startWorker(t, s)
	t.Run("webhooks", func(t *testing.T) { scenario.Webhooks(t, &s.Stack) })
	t.Run("notifications", func(t *testing.T) { scenario.Notifications(t, &s.Stack) })
	t.Run("redrive", func(t *testing.T) { scenario.Redrive(t, &s.Stack) })
	t.Run("dead letters", func(t *testing.T) { scenario.DeadLetters(t, &s.Stack, true) })
}

// TestWalkOnLocalStack is a stranger's: the commands of docs/worker.md, and nothing
// else, from a secret to a dead letter that is replayed.
func TestWalkOnLocalStack(t *testing.T) {
	s := onLocalStack(t)
	startWorkerOn(t, s, filepath.Join(t.TempDir(), "w.db"))
	var well atomic.Bool
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		if !well.Load() {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	prepare := func(args ...string) *exec.Cmd {
		c := commandtest.Command(args...)
		c.Env = append(c.Env, "AWS_ENDPOINT_URL="+s.AWSURL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
			"EFFERENT_API_URL="+s.HTTPURL)
		return c
	}
	walk := func(args ...string) string {
		t.Helper()
		out, err := prepare(args...).Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	until := func(says string, args ...string) string {
		t.Helper()
		for end := time.Now().Add(commandtest.Soon); ; time.Sleep(100 * time.Millisecond) {
			if out := walk(args...); strings.Contains(out, says) {
				return out
			} else if time.Now().After(end) {
				t.Fatalf("%v never says %s, but\n%s", args, says, out)
			}
		}
	}
	walk("secret", "put", "--generate", "efferent/webhooks/acme")
	send := func(id string) {
		walk("send", "--url", e.URL, "--secret", "efferent/webhooks/acme", "--event", "invoice.paid", "--body", `{"amount": 42}`, "--id", id)
	}
	send("evt_1")
	until("permanent", "deliveries", "show", "evt_1")
	until("evt_1", "dlq", "list")
	well.Store(true)
	send("evt_2")
	until("delivered", "deliveries", "show", "evt_2")
	look := [][]string{{"deliveries", "show", "evt_1"}, {"dlq", "list"}, {"queues", "create"}, {"secret", "list"}, {"waiting", "list"},
		{"circuits", "list"}, {"health", "--ready", strings.TrimPrefix(s.HTTPURL, "http://")}, {"dlq", "replay", "--all", "--yes"},
		{"dlq", "tasks"}}
	for _, args := range look {
		x := commandtest.OnTerminal(t, 80, prepare(args...))
		if code := x.End(); code != 0 {
			t.Errorf("%v: exit %d\n%s", args, code, x.Shown())
		}
		commandtest.Fits(t, strings.ReplaceAll(x.Shown(), "\r\n", "\n"), 80)
	}
	until("delivered", "deliveries", "show", "evt_1")
	if out := walk("health", "--ready", strings.TrimPrefix(s.HTTPURL, "http://")); !strings.Contains(out, "webhooks: ok") {
		t.Errorf("its health is %s", out)
	}
	if got := fmt.Sprint(len(e.Arrivals("evt_1"))); got != "2" {
		t.Errorf("evt_1 was sent %s times", got)
	}
}

// TestQueueLostOnLocalStack: the worker rests while its queue is gone, and goes on
// when it is there again.
func TestQueueLostOnLocalStack(t *testing.T) {
	s := onLocalStack(t)
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	loseTheQueue(t, s, startWorker(t, s))
}
