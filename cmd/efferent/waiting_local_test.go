package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// waiting runs one of the waiting commands against s, which must succeed.
func (s *running) waiting(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	return s.local(t, "waiting", args...)
}

// waitFor lists the waiting room until it holds n messages.
func (s *running) waitFor(t *testing.T, n int) []replay.WaitingItem {
	t.Helper()
	var all replay.WaitingItems
	for end := time.Now().Add(soon); time.Now().Before(end); {
		out, _ := s.waiting(t, "list", "--each", "--json", "--limit", "all")
		all = replay.WaitingItems{}
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		if len(all.Items) == n {
			return all.Items
		}
	}
	t.Fatalf("%+v wait, want %d", all.Items, n)
	return nil
}

// TestWaitingCommands works on messages whose endpoints asked to wait, with every
// one of the commands.
func TestWaitingCommands(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	var mended atomic.Bool
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		if !mended.Load() {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	for i := range 6 {
		s.Send(t, scenario.Text(fmt.Sprintf("evt_%d", i), fmt.Sprintf("%s/in/%d?key=hidden", e.URL, i), fmt.Sprintf(`"tenant":"t%d"`, i%3)))
	}
	all := s.waitFor(t, 6)
	table, note := s.waiting(t, "list")
	if strings.Count(table, "\n") != 7 || strings.Count(table, " 23h ") != 12 || strings.Count(table, e.URL+"/in/5\n") != 1 ||
		note != "6 in the waiting room\n" {
		t.Errorf("listed: %s%s", table, note)
	}
	table, note = s.waiting(t, "list", "--each", "--limit", "2")
	if strings.Count(table, "\n") != 3 || note != "2 listed; more with --limit\n" {
		t.Errorf("each: %s%s", table, note)
	}
	if _, note = s.waiting(t, "list", "--tenant", "nobody"); note != "nothing matches of what waits\n" {
		t.Errorf("nobody's: %s", note)
	}
	shown, stderr, err := s.command("", "deliveries", "show", "--dev", all[0].WebhookID)
	if err != nil || !strings.Contains(shown, "\nwaits until "+timeText(all[0].Due)+" in the waiting room: 503 Service Unavailable") {
		t.Errorf("deliveries show: %v %s%s", err, shown, stderr)
	}

	if out, _ := s.waiting(t, "drop", all[0].ItemID); out != all[0].ItemID+" dropped, webhook-id "+all[0].WebhookID+"\n" {
		t.Errorf("dropped: %s", out)
	}
	if shown, _, _ = s.command("", "deliveries", "show", "--dev", all[0].WebhookID); !strings.Contains(shown, " dropped ") ||
		!strings.HasSuffix(shown, "\ndropped from the waiting room by local\n") {
		t.Errorf("deliveries show of what was dropped: %s", shown)
	}
	_, stderr, err = s.command("", "waiting", "release", "--dev", all[0].ItemID)
	if err == nil || !strings.Contains(stderr, "no message waits") {
		t.Errorf("released what was dropped: %v, %s", err, stderr)
	}

	mended.Store(true)
	for _, i := range all {
		s.closeCircuit(t, i.URL)
	}
	delivered := func(v attempt.Verdict) bool { return v == attempt.Delivered }
	if out, _ := s.waiting(t, "release", all[1].ItemID); !strings.Contains(out, " released, webhook-id "+all[1].WebhookID) {
		t.Errorf("released: %s", out)
	}
	// Its attempts go on under another SQS id.
	records := s.AttemptsUntil(t, all[1].WebhookID, delivered)
	if first, last := records[0], records[len(records)-1]; first.MessageID == last.MessageID || first.OriginID() != last.OriginID() ||
		last.Attempt != 2 {
		t.Errorf("the attempts are %+v", records)
	}
	tenant, left := all[2].Tenant, 0
	for _, i := range all[2:] {
		if i.Tenant == tenant {
			left++
		}
	}
	want := fmt.Sprintf("%d dropped of 4 looked at in the waiting room\n", left)
	if out, _ := s.waiting(t, "drop", "--tenant", tenant, "--yes"); out != want {
		t.Errorf("dropped of a tenant: %s", out)
	}
	if out, _ := s.waiting(t, "release", "--all", "--yes"); !strings.HasPrefix(out, fmt.Sprintf("%d released of ", 4-left)) {
		t.Errorf("released all: %s", out)
	}
	s.waitFor(t, 0)
	if _, note := s.waiting(t, "list"); note != "The waiting room is empty.\n" {
		t.Errorf("at the end: %s", note)
	}
}

// TestDeadLettersOutOfTheRoom: equal messages that waited in the room and were
// refused then are listed with all of their attempts, and no more once the
// console's call has taken them; those that die again are, and can be replayed.
func TestDeadLettersOutOfTheRoom(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	var arrived atomic.Int32
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		switch n := arrived.Add(1); {
		case n <= 4: // each is asked to wait
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		case n <= 4+4+1: // each is refused then, and one of those that are redriven
			w.WriteHeader(http.StatusNotFound)
		}
	})
	for n := range 4 { // each is sent, although the one before it was asked to wait
		s.Send(t, scenario.Text("evt", e.URL, `"tenant":"acme"`))
		s.waitFor(t, n+1)
		s.closeCircuit(t, e.URL)
	}
	s.waiting(t, "release", "--webhook-id", "evt", "--yes")
	for _, i := range s.parked(t, "webhook-failures", 4) {
		if i.Attempts != 2 {
			t.Errorf("it is listed with %d attempts", i.Attempts)
		}
	}
	arn := queueARN("webhook-failures")
	if _, err := s.SQS.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
		t.Fatal(err)
	}
	for arrived.Load() < 12 {
		<-e.Seen
	}
	left := s.parked(t, "webhook-failures", 1)[0]
	if left.Attempts != 3 {
		t.Errorf("what was redriven and died again is listed with %d attempts", left.Attempts)
	}
	s.dlq(t, "replay", left.ItemID)
	s.parked(t, "webhook-failures", 0)
	records := s.AttemptsUntil(t, "evt", func(v attempt.Verdict) bool { return v == attempt.Delivered })
	highest := 0
	for _, r := range records {
		highest = max(highest, r.Attempt)
	}
	if len(records) < 12 || highest != 4 {
		t.Errorf("the attempts are %+v", records)
	}
}
