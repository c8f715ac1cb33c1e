package deliveries

import (
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// TestWaitingForACircuit: no time is told at which it ends.
func TestWaitingForACircuit(t *testing.T) {
	t.Parallel()
	held := replay.WaitingItem{ItemID: "item-0", Queue: "webhooks", WebhookID: "evt_0", URL: commandtest.TheEndpoint.URL, Reason: "circuit",
		Since:   commandtest.Noon,
		Circuit: commandtest.TheEndpoint.Key(), Why: "down"}
	older := held
	older.ItemID, older.Since = "item-9", commandtest.Noon.Add(-time.Hour)
	due := held
	due.ItemID, due.Circuit, due.Reason, due.Due = "item-1", "", "delay", commandtest.Noon
	count := commandtest.CountNo("acme", 2)
	count.Reason, count.Next, count.Until = "circuit", time.Time{}, time.Time{}
	commandtest.RunCases(t, "waiting", []commandtest.Case{
		{"each, last, by age", "list --each", []commandtest.Answered{commandtest.Ok(replay.WaitingItems{Items: []replay.WaitingItem{held, older,
			due}})},
			[]string{"GET /api/v1/waiting?limit=50"}, []string{"WEBHOOK  TO                 CIRCUIT", "-        ",
				"down\nitem-9  -                    circuit", "down\nitem-0  -", commandtest.TheEndpoint.Key() + "  down\n"}, nil, 0},
		{"counted", "list", []commandtest.Answered{commandtest.Counts("", count, count)}, []string{"GET /api/v1/waiting/counts?"},
			[]string{"  -     -     circuit  acme"}, nil, 0},
		{"counted, as JSON", "list --json", []commandtest.Answered{commandtest.Counts("", count)}, []string{"GET /api/v1/waiting/counts?"},
			[]string{`"since":"2026-11-24T12:00:00Z"}],"complete":true`}, nil, 0},
	})
	r := attempt.Record{Verdict: attempt.Held, Waiting: true, Circuit: commandtest.TheEndpoint.Key(),
		NextAt: commandtest.Noon.Add(time.Hour), At: commandtest.Noon,
		Reason: "never sent: the circuit of https://a.test/in is open: 5 failures in a row"}
	if got := outlook(r, commandtest.Noon); got != "held: the circuit of https://a.test/in is open: 5 failures in a row" ||
		nextText(r) != "-" {
		t.Errorf("deliveries show says %q, and next %q", got, nextText(r))
	}
}

// TestOutlook: deliveries show says when a message goes on.
func TestOutlook(t *testing.T) {
	t.Parallel()
	later := commandtest.Noon.Add(time.Hour)
	for want, r := range map[string]attempt.Record{
		"": {Verdict: attempt.Delivered}, "waits until " + console.TimeText(later) + ": 503": {Verdict: attempt.Retryable, NextAt: later},
		"waits until " + console.TimeText(later) + " in the waiting room: 503": {Verdict: attempt.Retryable, NextAt: later,
			Waiting: true},
		"is held until " + console.TimeText(later) + ": 503":                     {Verdict: attempt.Held, NextAt: later},
		"is held until " + console.TimeText(later) + " in the waiting room: 503": {Verdict: attempt.Held, NextAt: later, Waiting: true},
		"waits no longer: it was due at " + console.TimeText(commandtest.Noon) +
			": 503": {Verdict: attempt.Retryable, NextAt: commandtest.Noon, Waiting: true},
		"503": {Verdict: attempt.Permanent, Dropped: true},
	} {
		r.Reason = "503"
		if got := outlook(r, commandtest.Noon); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
