package circuits

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// runCircuits runs one of the circuits commands against s, which must succeed.
func runCircuits(s *commandtest.Running, t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	return s.Local(t, "circuits", args...)
}

// TestCircuitCommands works on an endpoint that asks to be left alone for a day,
// with every one of the commands.
func TestCircuitCommands(t *testing.T) {
	t.Parallel()
	s := devtest.StartLocal(t)
	var mended atomic.Bool
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		if !mended.Load() {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	send := func(n int) {
		s.Send(t, scenario.Text(fmt.Sprintf("evt_%d", n), e.URL+"/in?key=hidden", `"tenant":"acme"`))
	}
	send(0)
	s.CircuitWith(t, func(c replay.Circuit) bool { return c.Phase == replay.PhaseOpen })
	for n := range 4 {
		send(n + 1)
	}
	c := s.CircuitWith(t, func(c replay.Circuit) bool { return c.Waiting == 4 })
	if c.URL != e.URL+"/in" || c.Tenant != "acme" || c.Forever || !strings.Contains(c.Why, "503") {
		t.Errorf("the circuit is %+v", c)
	}
	if table, note := runCircuits(s, t, "list"); !strings.Contains(table, "acme") || !strings.Contains(table, " 23h ") ||
		note != "1 circuit, 1 open\n" {
		t.Errorf("listed: %s%s", table, note)
	}
	if shown, _ := runCircuits(s, t, "show", e.URL+"/in?key=hidden", "--tenant", "acme"); !strings.Contains(shown, c.ID) ||
		!strings.Contains(shown, "Waiting   4 in the waiting room\n") {
		t.Errorf("shown: %s", shown)
	}
	held := heldFor(s, t, c)
	shown, stderr, err := s.Command("", "deliveries", "show", "--dev", held[0].WebhookID)
	if err != nil || !strings.Contains(shown, "\nheld: the circuit of "+e.URL+"/in is open: ") || len(e.Arrivals("evt_1")) > 0 {
		t.Errorf("deliveries show: %v %s%s", err, shown, stderr)
	}
	s.Waiting(t, "drop", held[0].ItemID)
	s.Waiting(t, "release", held[1].ItemID)
	// It is not sent either, and waits again.
	s.CircuitWith(t, func(c replay.Circuit) bool { return c.Waiting == 3 })

	opened, _ := runCircuits(s, t, "open", e.URL+"/in", "--tenant", "acme", "--why", "they move")
	if opened != e.URL+"/in is open until it is closed by hand, and what is for it waits: opened by local: they move\n" {
		t.Errorf("opened: %s", opened)
	}
	send(9)
	s.CircuitWith(t, func(c replay.Circuit) bool { return c.Waiting == 4 && c.Forever && !c.Gone })
	if len(e.Arrivals("evt_9")) > 0 {
		t.Error("what was to wait was sent")
	}
	mended.Store(true)
	closed, _ := runCircuits(s, t, "close", c.ID)
	if closed != e.URL+"/in is closed; 4 messages are waiting for it, and go out, a few at first\n" {
		t.Errorf("closed: %s", closed)
	}
	s.CircuitWith(t, func(c replay.Circuit) bool { return c.Waiting < 4 })
}

// heldFor are the messages that wait for a circuit.
func heldFor(s *commandtest.Running, t *testing.T, c replay.Circuit) []replay.WaitingItem {
	t.Helper()
	out, _ := s.Waiting(t, "list", "--each", "--json", "--reason", "circuit")
	var all replay.WaitingItems
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	for _, i := range all.Items {
		if i.Circuit != c.ID || !i.Due.IsZero() {
			t.Errorf("it waits as %+v", i)
		}
	}
	return all.Items
}
