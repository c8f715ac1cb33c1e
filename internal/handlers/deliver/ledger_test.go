package deliver

import (
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/webhook"
)

// TestWhatTheLedgerHolds: the tenant and the time of each act, and nothing that
// must stay erasable. Each entry is by the key of its own month.
func TestWhatTheLedgerHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, webhook.Exchange{Status: 503, Duration: 2 * time.Second}, ok200)
	w.now = time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC)
	text := `{"id":"a","url":"https://hooks.test/services/T0/secret?token=t","secret":"efferent/webhooks/a","event_type":"e",` +
		`"body":{"n":"private"},"tenant":"acme"}`
	w.handle(aMessage("a", text, 1))
	w.now = w.now.Add(time.Minute)
	w.handle(aMessage("a", text, 2))
	november, december := ledger.NewRedactor([]byte("2026-11"), false), ledger.NewRedactor([]byte("2026-12"), false)
	const url = "https://hooks.test/services/T0/secret"
	first := time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC)
	second := first.Add(62 * time.Second)
	for i, want := range []struct {
		action, id, resource string
		at                   time.Time
	}{
		{ledger.WebhookAttempt, "m-a#1", november.BeforeSending(url, "e"), first},
		{ledger.WebhookFailed, "m-a#1", december.AfterSending(url, 503), first.Add(2 * time.Second)},
		{ledger.WebhookAttempt, "m-a#2", december.BeforeSending(url, "e"), second},
		{ledger.WebhookDelivered, "m-a#2", december.AfterSending(url, 200), second.Add(ok200.Duration)},
	} {
		e := w.entries[i]
		if e.Action != want.action || e.ID != want.id || e.Resource != want.resource || e.Tenant != "acme" || !e.Timestamp.Equal(want.at) {
			t.Errorf("entry %d is %+v", i, e)
		}
		b, err := e.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, hidden := range []string{"services", "secret", "token", "private"} {
			if strings.Contains(string(b), hidden) {
				t.Errorf("entry %d tells of %q: %s", i, hidden, b)
			}
		}
	}
}

// TestToldLate: what is told in December of November is by November's key.
func TestToldLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ok200)
	at := time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC)
	w.now = at.Add(time.Hour)
	w.record("a", attempt.Record{Attempt: 1, At: at, URL: "https://a.test/in", Status: 200, Verdict: attempt.Delivered})
	w.handle(aMessage("a", body("a"), 2))
	want := ledger.NewRedactor([]byte("2026-11"), false).AfterSending("https://a.test/in", 200)
	if len(w.entries) != 1 || w.entries[0].Resource != want || !w.entries[0].Timestamp.Equal(at) {
		t.Errorf("the ledger has %+v", w.entries)
	}
}

// TestRefusedInTheLedger: what can't be sent is told of with as little.
func TestRefusedInTheLedger(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"id":"a","url":"https://u:pa/ss@hooks.test/secret","secret":"efferent/webhooks/a","event_type":"e","body":1,"tenant":"acme","what":1}`,
		`{"id":"a","url":"secret","secret":"efferent/webhooks/a","event_type":"e","body":1,"tenant":"acme"}`,
	} {
		w := newWorld(t, ok200)
		w.handle(aMessage("a", text, 1))
		if len(w.entries) != 1 {
			t.Fatalf("%s: the ledger has %+v", text, w.entries)
		}
		if e := w.entries[0]; e.Action != ledger.WebhookFailed || strings.Contains(e.Resource, "secret") || strings.Contains(e.Resource, "pa") {
			t.Errorf("%s: the ledger has %+v", text, e)
		}
	}
}
