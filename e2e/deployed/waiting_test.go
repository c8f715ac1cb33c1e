//go:build e2e

package deployed

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
)

// roomPolicy is a policy of one wait, too long to be spent in SQS.
const (
	roomPolicy = "room=130s"
	roomDelay  = 130 * time.Second
)

// waits sends a webhook that its endpoint refuses once. It returns how to see
// that the message waited in the waiting room, which takes minutes, and that
// release, by its own clock, let it go.
func waits(t *testing.T, s *scenario.Stack) (waited func(t *testing.T)) {
	t.Helper()
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, nth int) {
		if nth == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	id := "waits-" + uuid.NewString()[:8]
	s.Send(t, scenario.Text(id, e.URL, `"retry":"room"`))
	first := s.AttemptsUntil(t, id, func(v attempt.Verdict) bool { return v == attempt.Retryable })[0]
	if !first.Waiting {
		t.Errorf("it does not wait in the waiting room: %+v", first)
	}
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
