package dev

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/settings"
)

func TestScenarios(t *testing.T) {
	t.Parallel()
	scenario.Webhooks(t, &startLocal(t).Stack)
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	scenario.DeadLetters(t, &startLocal(t).Stack, true)
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	scenario.Notifications(t, &startLocal(t).Stack)
}

func TestRedrive(t *testing.T) {
	t.Parallel()
	scenario.Redrive(t, &startLocal(t).Stack)
}

// TestHangingEndpointsHoldUpNobody sends more to endpoints that never begin or
// never end their answer than there are places, and then to one that works.
func TestHangingEndpointsHoldUpNobody(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	release := make(chan struct{})
	hang := scenario.NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, _ int) {
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
	good := scenario.NewEndpoint(t, scenario.OK)
	for i := range 30 {
		var texts []string
		for k := range 9 {
			path := []string{"/never", "/endless"}[k%2]
			texts = append(texts, scenario.Text(fmt.Sprintf("hang-%d-%d", i, k), hang.URL+path))
		}
		s.Send(t, append(texts, scenario.Text(fmt.Sprintf("good-%d", i), good.URL))...)
	}
	for range 30 {
		select {
		case <-good.Seen:
		case <-time.After(commandtest.Soon):
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
	commandtest.StartProcess(t, nil, "dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", data)
	for flag, args := range map[string][]string{
		"--aws":  {"--aws", taken.Addr().String(), "--http", "127.0.0.1:0", "--data", ":memory:"},
		"--http": {"--aws", "127.0.0.1:0", "--http", taken.Addr().String(), "--data", ":memory:"},
		"--data": {"--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", data},
	} {
		out, err := commandtest.Command(append([]string{"dev"}, args...)...).CombinedOutput()
		if err == nil || !strings.Contains(err.Error(), "exit status 1") || !strings.Contains(string(out), flag) ||
			!strings.Contains(string(out), "in use") {
			t.Errorf("%s in use: %v, %s", flag, err, out)
		}
	}
}

// TestTermination shows that SIGTERM ends the process well while exchanges are
// open, and that what was in hand is there at the next start.
func TestTermination(t *testing.T) {
	t.Parallel()
	args := []string{"dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "e.db")}
	e := scenario.NewEndpoint(t, func(_ http.ResponseWriter, r *http.Request, nth int) {
		if nth == 1 {
			<-r.Context().Done()
		}
	})
	p := commandtest.StartProcess(t, nil, args...)
	p.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	p.Send(t, scenario.Text("evt_1", e.URL))
	<-e.Seen
	if err := p.Terminate(); err != nil {
		t.Errorf("it ended with %v; stderr: %s", err, p.Stderr.String())
	}
	p = commandtest.StartProcess(t, nil, args...)
	if got := scenario.Verdicts(p.Attempts(t, "evt_1")); got != "1:200:delivered" {
		t.Errorf("after the restart: %s", got)
	}
	if err := p.Terminate(); err != nil {
		t.Errorf("it ended with %v; stderr: %s", err, p.Stderr.String())
	}
}

// TestKillUnderLoad kills the process again and again while messages are sent,
// and shows that every acknowledged one arrives.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	args := []string{"dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "e.db")}
	e := scenario.NewEndpoint(t, scenario.OK)
	var acknowledged []string
	for round := range 4 {
		p := commandtest.StartProcess(t, nil, args...)
		if round == 0 {
			p.PutSecret(t, scenario.SecretName, scenario.SecretValue)
		}
		acknowledged = append(acknowledged, sendUntilKilled(t, p, e, round)...)
	}
	p := commandtest.StartProcess(t, nil, args...)
	ctx, stop := context.WithTimeout(t.Context(), commandtest.Soon)
	defer stop()
	for _, id := range acknowledged {
		for len(e.Arrivals(id)) == 0 {
			select {
			case <-e.Seen:
			case <-ctx.Done():
				t.Fatalf("%s was acknowledged and never arrived; stderr: %s", id, p.Stderr.String())
			}
		}
	}
	if len(acknowledged) < 100 {
		t.Errorf("only %d messages were acknowledged: too few to tell", len(acknowledged))
	}
}

// sendUntilKilled sends from several goroutines, kills the process once some
// hundred have arrived, and returns what was acknowledged.
func sendUntilKilled(t *testing.T, p *commandtest.Process, e *scenario.Endpoint, round int) []string {
	var mu sync.Mutex
	var acknowledged []string
	var senders sync.WaitGroup
	url := p.QueueURL(t, settings.WebhooksQueue)
	for sender := range 4 {
		senders.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("evt-%d-%d-%d", round, sender, i)
				text := scenario.Text(id, e.URL)
				_, err := p.SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: &text})
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
		<-e.Seen
	}
	p.Kill()
	senders.Wait()
	return slices.Clone(acknowledged)
}

// TestKillWhileReplaying kills the process again and again while dead letters
// are replayed and delivered, and shows that none is lost, and that each kill
// makes no more come again than a crash may: a letter that was sent and not
// settled is replayed once more, and a message that was posted and not recorded
// is posted once more. One kill can do both to the same letter.
func TestKillWhileReplaying(t *testing.T) {
	t.Parallel()
	const letters, kills = 600, 3
	args := []string{"dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "e.db")}
	var mended atomic.Bool
	var arrived atomic.Int64
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		if !mended.Load() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		arrived.Add(1)
	})
	p := commandtest.StartProcess(t, nil, args...)
	p.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	for i := 0; i < letters; i += 10 {
		var texts []string
		for k := range 10 {
			texts = append(texts, scenario.Text(fmt.Sprintf("evt-%d", i+k), e.URL))
		}
		p.Send(t, texts...)
	}
	p.Parked(t, deadletter.WebhookFailures, letters)
	mended.Store(true)
	for kill := range kills {
		ended := make(chan error, 1)
		go func() {
			_, _, err := p.Command("", "dlq", "replay", "--dev", "--event", "scenario.run", "--yes")
			ended <- err
		}()
		for want := int64(kill+1) * letters / (kills + 2); arrived.Load() < want; {
			select {
			case <-e.Seen:
			case err := <-ended:
				t.Fatalf("the replay ended with %v after %d had arrived", err, arrived.Load())
			}
		}
		p.Kill()
		<-ended
		p = commandtest.StartProcess(t, nil, args...)
	}
	p.DLQ(t, "replay", "--event", "scenario.run", "--yes")
	p.Parked(t, deadletter.WebhookFailures, 0)
	p.AwaitEmpty(t, settings.WebhooksQueue)
	all := 0
	for i := range letters {
		all += wantReplayed(t, p, e, fmt.Sprintf("evt-%d", i), kills)
	}
	// A pass has 16 receives of ten letters in hand when it is killed.
	if most := letters + kills*16*10; all > most {
		t.Errorf("%d letters were sent %d times, want %d at most", letters, all, most)
	}
}

// wantReplayed checks one letter of TestKillWhileReplaying, and returns how
// often it was sent: it was refused once, as one message, and then delivered as
// each of the messages that replays made of it.
func wantReplayed(t *testing.T, p *commandtest.Process, e *scenario.Endpoint, id string, kills int) (replays int) {
	t.Helper()
	records := p.Attempts(t, id)
	delivered, again := map[string]bool{}, 0
	for _, r := range records[1:] {
		if r.Verdict == attempt.Delivered {
			delivered[r.MessageID] = true
		} else {
			again++ // it came, or might have, and was no success: a time-out, say
		}
	}
	replays = len(delivered)
	most := again
	for earlier := range replays {
		// Between two replays of a letter lies a kill, and who was not made yet
		// can't be posted again because of it.
		most += 1 + kills - earlier
	}
	came := len(e.Arrivals(id)) - 1
	if replays < 1 || replays > kills+1 || came < replays || came > most {
		t.Errorf("%s was replayed %d times and came %d times, want %d at most: %s", id, replays, came, most, scenario.Verdicts(records))
	}
	return replays
}

// TestRegistered sends events to registered endpoints of three tenants.
func TestRegistered(t *testing.T) {
	t.Parallel()
	s := startWith(t, ":memory:", everyOutcome)
	s.Outcomes = s.QueueURL(t, settings.OutcomesQueue)
	scenario.Registered(t, &s.Stack)
}

// TestNoDataFile: a variable that is not set does not make an Efferent that
// forgets everything.
func TestNoDataFile(t *testing.T) {
	t.Parallel()
	out, err := commandtest.Command("dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", "").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--data") || !strings.Contains(string(out), "name one, or :memory:") {
		t.Errorf("%v: %s", err, out)
	}
}
