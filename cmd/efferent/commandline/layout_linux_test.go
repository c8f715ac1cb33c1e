package commandline

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// What is long in real data, and texts of other people.
const (
	longID     = "0f5c9a61-2b1e-4f53-9d0c-7a1a3d1f0e55-1"
	longURL    = "https://hooks.a-customer-with-a-long-name.example/api/v2/tenants/4711/endpoints/efferent?x=1"
	longTenant = "a-customer-with-a-long-name-eu-north-1"
	longReason = "no connection: dial tcp 203.0.113.7:443: connect: connection refused; 4 of 4 attempts failed, 最後の試行 \x1b[2Jfailed\u202e"
)

// longWords are those of a reason, as they must be shown.
var longWords = []string{"no connection: dial tcp 203.0.113.7:443: connect: connection refused; 4 of 4 attempts failed, 最後の試行 [2Jfailed"}

func longRecord(n int, url string) attempt.Record {
	return attempt.Record{WebhookID: "evt_1042", Origin: fmt.Sprint(longID, n), MessageID: fmt.Sprint(longID, n), Attempt: 1,
		At:  commandtest.Noon,
		URL: url, Tenant: longTenant, Status: 503, DurationMS: 10_000, Verdict: attempt.Retryable, Reason: longReason,
		NextAt: commandtest.Noon.Add(48 * time.Hour), Waiting: true}
}

// TestNothingIsCut runs every listing on terminals of several widths, and on none:
// what matters is there, in full, and only a word that is wider than the terminal
// makes a line that is.
func TestNothingIsCut(t *testing.T) {
	t.Parallel()
	next := console.TimeText(commandtest.Noon.Add(48 * time.Hour).UTC())
	letter := replay.Item{ItemID: longID, WebhookID: "evt_1042", EventType: "invoice.payment.reminder.sent", URL: longURL, Tenant: longTenant,
		Reason: longReason, LastStatus: 503, Attempts: 4, FirstAt: commandtest.Noon, LastAt: commandtest.Noon}
	waits := replay.WaitingItem{ItemID: longID, Queue: "webhooks", WebhookID: "evt_1042", Tenant: longTenant, URL: longURL,
		Reason: "retry-after", Why: longReason, Attempts: 3, Since: commandtest.Noon, Due: commandtest.Noon.Add(48 * time.Hour)}
	count := replay.WaitingCount{Queue: "webhooks", Tenant: longTenant, URL: longURL, Reason: "retry-after", Count: 4990,
		Since: commandtest.Noon}
	breaker := commandtest.CircuitOf(circuit.Name{Scope: circuit.Endpoint, Tenant: longTenant, URL: longURL}, 1000)
	breaker.Why, breaker.Forever = longReason, true
	task := commandtest.Move(deadletter.Failed, 7)
	task.ID, task.Reason = strings.Repeat("eyJ0YXNrSWQi", 12), longReason
	for name, c := range map[string]struct {
		args   string
		answer any
		shows  []string
	}{
		"dead letters": {"dlq list", replay.Items{Items: []replay.Item{letter}, ApproximateTotal: 1}, []string{longID, longTenant, "503"}},
		"a dead letter": {"dlq show x", replay.Letter{Item: letter, Body: "{}", Attempts: []attempt.Record{longRecord(1, longURL)}},
			[]string{longID, longURL, "retryable", next}},
		"tasks": {"dlq tasks", replay.Tasks{Tasks: []replay.Task{task}}, []string{task.ID, "FAILED", "1,234"}},
		"deliveries": {"deliveries show evt_1042", replay.Delivery{Attempts: []attempt.Record{longRecord(1, longURL)}},
			[]string{"retryable", next}},
		"two endpoints": {"deliveries show evt_1042",
			replay.Delivery{Attempts: []attempt.Record{longRecord(1, longURL), longRecord(2, "https://b.test")}},
			[]string{longURL, "https://b.test", longID + "2", "retryable", next}},
		"what waits": {"waiting list --each", replay.WaitingItems{Items: []replay.WaitingItem{waits}},
			[]string{longID, longURL, next, "retry-after"}},
		"circuits":  {"circuits list", replay.Circuits{Items: []replay.Circuit{breaker}}, []string{"open", "never", longURL, longTenant}},
		"a circuit": {"circuits show " + breaker.ID, breaker, []string{breaker.ID, "never", longURL, longTenant}},
		"counts": {"waiting list", replay.WaitingCounts{Items: []replay.WaitingCount{count}, Complete: true},
			[]string{"4,990", "retry-after", longURL, longTenant}},
	} {
		for _, width := range []int{0, 60, 80, 100, 120, 200} {
			t.Run(fmt.Sprint(name, " at ", width), func(t *testing.T) {
				t.Parallel()
				api := commandtest.ScriptAPI(t, commandtest.Ok(c.answer))
				cmd := api.Prepare(strings.Fields(c.args)...)
				var shown string
				if width == 0 {
					shown = commandtest.Finish(cmd).Stdout
				} else {
					x := commandtest.OnTerminal(t, uint16(width), cmd)
					x.End()
					shown = strings.ReplaceAll(x.Shown(), "\r\n", "\n")
				}
				shows := c.shows
				if name != "counts" {
					shows = append(shows, longWords...)
				}
				holdsAll(t, shown, shows)
				commandtest.Fits(t, shown, width)
			})
		}
	}
}

// holdsAll wants each text in full, but for where its lines are broken.
func holdsAll(t *testing.T, shown string, texts []string) {
	t.Helper()
	flat := strings.Join(strings.Fields(shown), " ")
	for _, text := range texts {
		if !strings.Contains(flat, text) {
			t.Errorf("%q is not shown in\n%s", text, shown)
		}
	}
}
