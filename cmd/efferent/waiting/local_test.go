package waiting

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/dev"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
)

// TestWaitingCommands works on messages whose endpoints asked to wait, with every
// one of the commands.
func TestWaitingCommands(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
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
	all := s.WaitFor(t, 6)
	table, note := s.Waiting(t, "list")
	if strings.Count(table, "\n") != 7 || strings.Count(table, " 23h ") != 12 || strings.Count(table, e.URL+"/in/5\n") != 1 ||
		note != "6 in the waiting room\n" {
		t.Errorf("listed: %s%s", table, note)
	}
	table, note = s.Waiting(t, "list", "--each", "--limit", "2")
	if strings.Count(table, "\n") != 3 || note != "2 listed; more with --limit\n" {
		t.Errorf("each: %s%s", table, note)
	}
	if _, note = s.Waiting(t, "list", "--tenant", "nobody"); note != "nothing matches of what waits\n" {
		t.Errorf("nobody's: %s", note)
	}
	shown, stderr, err := s.Command("", "deliveries", "show", "--dev", all[0].WebhookID)
	if err != nil || !strings.Contains(shown, "\nwaits until "+console.TimeText(all[0].Due)+" in the waiting room: 503 Service Unavailable") {
		t.Errorf("deliveries show: %v %s%s", err, shown, stderr)
	}

	if out, _ := s.Waiting(t, "drop", all[0].ItemID); out != all[0].ItemID+" dropped, webhook-id "+all[0].WebhookID+"\n" {
		t.Errorf("dropped: %s", out)
	}
	if shown, _, _ = s.Command("", "deliveries", "show", "--dev", all[0].WebhookID); !strings.Contains(shown, " dropped ") ||
		!strings.HasSuffix(shown, "\ndropped from the waiting room by local\n") {
		t.Errorf("deliveries show of what was dropped: %s", shown)
	}
	_, stderr, err = s.Command("", "waiting", "release", "--dev", all[0].ItemID)
	if err == nil || !strings.Contains(stderr, "no message waits") {
		t.Errorf("released what was dropped: %v, %s", err, stderr)
	}

	mended.Store(true)
	for _, i := range all {
		s.CloseCircuit(t, i.URL)
	}
	delivered := func(v attempt.Verdict) bool { return v == attempt.Delivered }
	if out, _ := s.Waiting(t, "release", all[1].ItemID); !strings.Contains(out, " released, webhook-id "+all[1].WebhookID) {
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
	if out, _ := s.Waiting(t, "drop", "--tenant", tenant, "--yes"); out != want {
		t.Errorf("dropped of a tenant: %s", out)
	}
	if out, _ := s.Waiting(t, "release", "--all", "--yes"); !strings.HasPrefix(out, fmt.Sprintf("%d released of ", 4-left)) {
		t.Errorf("released all: %s", out)
	}
	s.WaitFor(t, 0)
	if _, note := s.Waiting(t, "list"); note != "The waiting room is empty.\n" {
		t.Errorf("at the end: %s", note)
	}
}

// TestDeadLettersOutOfTheRoom: equal messages that waited in the room and were
// refused then are listed with all of their attempts, and no more once the
// console's call has taken them; those that die again are, and can be replayed.
func TestDeadLettersOutOfTheRoom(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
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
		s.WaitFor(t, n+1)
		s.CloseCircuit(t, e.URL)
	}
	s.Waiting(t, "release", "--webhook-id", "evt", "--yes")
	for _, i := range s.Parked(t, "webhook-failures", 4) {
		if i.Attempts != 2 {
			t.Errorf("it is listed with %d attempts", i.Attempts)
		}
	}
	arn := dev.QueueARN("webhook-failures")
	if _, err := s.SQS.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
		t.Fatal(err)
	}
	for arrived.Load() < 12 {
		<-e.Seen
	}
	left := s.Parked(t, "webhook-failures", 1)[0]
	if left.Attempts != 3 {
		t.Errorf("what was redriven and died again is listed with %d attempts", left.Attempts)
	}
	s.DLQ(t, "replay", left.ItemID)
	s.Parked(t, "webhook-failures", 0)
	records := s.AttemptsUntil(t, "evt", func(v attempt.Verdict) bool { return v == attempt.Delivered })
	highest := 0
	for _, r := range records {
		highest = max(highest, r.Attempt)
	}
	if len(records) < 12 || highest != 4 {
		t.Errorf("the attempts are %+v", records)
	}
}
