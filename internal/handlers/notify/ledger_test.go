package notify

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/ledger"
)

// TestWhatTheLedgerHolds: the tenant, and each channel's address as a hash of
// its month.
func TestWhatTheLedgerHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers[channel.Email] = []channel.Outcome{{Class: channel.Permanent, Reason: "550"}}
	q := w.message("1", `{"id":"n_1","channel":"email","recipient":"ann@acme.test","subject":"s","body":"private","tenant":"acme",`+
		`"recipients":{"slack":"C123"},"fallback":["slack"]}`)
	if !w.receive(w.handler(), q) {
		t.Fatal("it was not sent")
	}
	r := ledger.NewRedactor([]byte("2026-11"), false)
	got := map[string]string{}
	for _, e := range w.entries {
		if e.Tenant != "acme" || e.Timestamp.IsZero() {
			t.Errorf("the ledger has %+v", e)
		}
		got[e.Action+" "+e.ID] = e.Resource
		b, err := e.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, hidden := range []string{"ann@", "C123", "private"} {
			if strings.Contains(string(b), hidden) {
				t.Errorf("an entry tells of %q: %s", hidden, b)
			}
		}
	}
	for act, want := range map[string]string{
		"notification.attempt m-1#1": r.OnChannel("email", []string{"ann@acme.test"}, ""),
		"notification.failed m-1#1":  r.OnChannel("email", []string{"ann@acme.test"}, "permanent"),
		"notification.attempt m-1#2": r.OnChannel("slack", []string{"C123"}, ""),
		"notification.sent m-1#2":    r.OnChannel("slack", []string{"C123"}, ""),
	} {
		if got[act] != want {
			t.Errorf("%s: got %q, want %q", act, got[act], want)
		}
	}
	if len(got) != 4 {
		t.Errorf("the ledger has %v", got)
	}
}
