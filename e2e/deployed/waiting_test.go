//go:build e2e

package deployed

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/waiting"
)

// roomPolicies are policies of one wait, too long to be spent in SQS.
const (
	roomPolicies = "room=130s;hour=1h"
	roomDelay    = 130 * time.Second
)

// waits sends a webhook that its endpoint refuses once. It returns how to see
// that the message waited in the waiting room, which takes minutes, and that
// release, by its own clock, let it go.
func waits(t *testing.T, s *scenario.Stack) (waited func(t *testing.T)) {
	t.Helper()
	e := scenario.NewEndpoint(t, refuseOnce)
	first := sendToWait(t, s, e.URL, "room")
	id := first.WebhookID
	return func(t *testing.T) {
		records := s.Attempts(t, id)
		if got, want := scenario.Verdicts(records), "1:503:retryable 2:200:delivered"; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if last := records[1]; last.MessageID == first.MessageID || last.Origin != first.MessageID {
			t.Errorf("it came out of the waiting room as %s of %s, and went in as %s", last.MessageID, last.Origin, first.MessageID)
		}
		if waited := records[1].At.Sub(first.Ended()); waited < roomDelay {
			t.Errorf("it waited for %s, want %s at least", waited, roomDelay)
		}
		for _, a := range e.Arrivals(id) {
			a.Verify(t, scenario.SecretValue)
		}
	}
}

func refuseOnce(w http.ResponseWriter, _ *http.Request, nth int) {
	if nth == 1 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// sendToWait sends a webhook that waits after its first attempt, which it
// returns.
func sendToWait(t *testing.T, s *scenario.Stack, url, policy string) attempt.Record {
	t.Helper()
	id := "waits-" + uuid.NewString()[:8]
	s.Send(t, scenario.Text(id, url, fmt.Sprintf(`"retry":%q`, policy)))
	first := s.AttemptsUntil(t, id, func(v attempt.Verdict) bool { return v == attempt.Retryable })[0]
	if !first.Waiting {
		t.Errorf("it does not wait in the waiting room: %+v", first)
	}
	return first
}

// operatorDecides shows that who may call the API sees what waits, and has it
// sent now, or never.
func operatorDecides(t *testing.T, s *scenario.Stack) {
	e := scenario.NewEndpoint(t, refuseOnce)
	for act, want := range map[string]string{
		"release": "1:503:retryable 2:200:delivered",
		"drop":    "1:503:retryable 2:0:permanent",
	} {
		first := sendToWait(t, s, e.URL, "hour")
		item := listed(t, s, first.WebhookID)
		if wait := item.Due.Sub(first.Ended()); wait < time.Hour || item.Reason != string(waiting.Delay) || item.MessageID != first.MessageID {
			t.Errorf("it waits for %s: %+v", wait, item)
		}
		if status := s.Call(t, http.MethodPost, "/waiting/"+act, fmt.Sprintf(`{"item_id":%q}`, item.ItemID), nil); status != http.StatusAccepted {
			t.Fatalf("%s was answered %d", act, status)
		}
		if got := scenario.Verdicts(s.Attempts(t, first.WebhookID)); got != want {
			t.Errorf("%s: %s, want %s", act, got, want)
		}
	}
}

// listed waits until a webhook is listed among what waits: its record is written
// before it comes into the room.
func listed(t *testing.T, s *scenario.Stack, webhookID string) replay.WaitingItem {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		var list replay.WaitingItems
		s.Call(t, http.MethodGet, "/waiting?webhook_id="+webhookID, "", &list)
		if len(list.Items) > 0 {
			return list.Items[0]
		}
	}
	t.Fatalf("%s is not listed among what waits", webhookID)
	return replay.WaitingItem{}
}
