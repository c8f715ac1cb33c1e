package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

func countNo(tenant string, n int) replay.WaitingCount {
	return replay.WaitingCount{Queue: "webhooks", Tenant: tenant, URL: "https://a.test/in", Reason: "delay", Count: n, Since: noon,
		Next: noon.Add(time.Hour), Until: noon.Add(2 * time.Hour)}
}

func counts(cursor string, all ...replay.WaitingCount) answered {
	return ok(replay.WaitingCounts{Items: all, Complete: cursor == "", Cursor: cursor})
}

func waits(cursor string, from, n int) answered {
	page := replay.WaitingItems{Cursor: cursor}
	for i := range n {
		page.Items = append(page.Items, replay.WaitingItem{ItemID: fmt.Sprint("item-", from+i), Queue: "webhooks", WebhookID: "evt",
			URL: "https://a.test/in", Reason: "delay", Why: "answered\x1b[2J 503", Attempts: 3, Since: noon,
			Due: noon.Add(-time.Duration(from+i) * time.Hour)})
	}
	return ok(page)
}

func TestWaitingList(t *testing.T) {
	t.Parallel()
	const path, each = "GET /api/v1/waiting/counts", "GET /api/v1/waiting?limit="
	mail := replay.WaitingCount{Queue: "notifications", Channel: "sms", Reason: "trouble", Count: 4990}
	runCases(t, "waiting", []dlqCase{
		{"a table", "list", []answered{counts("", mail, countNo("acme", 2))}, []string{path + "?"},
			[]string{"COUNT  SINCE", "4,990  ", "  trouble  -       sms\n", "  delay    acme    https://a.test/in\n"},
			[]string{"4,992 in the waiting room\n"}, 0},
		{"in several requests", "list --json", []answered{counts("a=b", countNo("acme", 2), countNo("beta", 3)), counts("", countNo("acme", 2))},
			[]string{path + "?", path + "?cursor=a%3Db"}, []string{`"tenant":"acme"`, `"count":4`, `"complete":true}`}, nil, 0},
		{"filtered", "list --queue webhooks --tenant a --url-prefix https://a.test --reason delay --webhook-id evt", []answered{counts("")},
			[]string{path + "?queue=webhooks&reason=delay&tenant=a&url_prefix=https%3A%2F%2Fa.test&webhook_id=evt"}, nil,
			[]string{"nothing matches of what waits\n"}, 0},
		{"nothing", "list", []answered{counts("")}, []string{path + "?"}, nil, []string{"The waiting room is empty.\n"}, 0},
		{"not to the end", "list", []answered{ok(replay.WaitingCounts{})}, []string{path + "?"}, nil, []string{"has not counted to the end"}, 1},
		{"an empty filter", "list --tenant ''", nil, nil, nil, []string{"--tenant is empty"}, 2},
		{"each, by when they are due", "list --each", []answered{waits("", 1, 2)}, []string{each + "50"},
			[]string{"ITEM    DUE                  REASON  ATTEMPTS  WEBHOOK  TO", "item-2  2026-11-24 10:00:00  delay   3         evt      https",
				"answered [2J 503\nitem-1"}, []string{"2 in the waiting room\n"}, 0},
		{"each, in pages that may be short", "list --each --limit all --json", []answered{waits("a", 1, 1), waits("b", 9, 0), waits("", 2, 1)},
			[]string{each + "200", "GET /api/v1/waiting?cursor=a&limit=200", "GET /api/v1/waiting?cursor=b&limit=200"},
			[]string{`{"items":[{"item_id":"item-2"`, `"item_id":"item-1"`}, nil, 0},
		{"each, and more", "list --each --limit 3", []answered{waits("a", 1, 2), waits("b", 3, 1)},
			[]string{each + "3", "GET /api/v1/waiting?cursor=a&limit=1"}, []string{"item-3"}, []string{"3 listed; more with --limit\n"}, 0},
		{"a limit that is none", "list --limit=-1", nil, nil, nil, []string{`--limit: "-1" must be a number from 1 on, or all`}, 2},
	})
}

func acted(status, cursor string, moved int64, failed int, reason string) answered {
	return started(replay.Task{Kind: replay.KindFilter, Status: status, Cursor: cursor, StartedAt: noon, Moved: moved, Examined: 10,
		Failed: failed, Reason: reason})
}

func TestWaitingActs(t *testing.T) {
	t.Parallel()
	const drop, release = "POST /api/v1/waiting/drop ", "POST /api/v1/waiting/release "
	runCases(t, "waiting", []dlqCase{
		{"one", "release item-1", []answered{oneItem(deadletter.Completed, "")}, []string{release + `{"item_id":"item-1"}`},
			[]string{"item-1 released, webhook-id evt_1\n"}, nil, 0},
		{"one, in a long search", "drop item-1 --json", []answered{oneItem(deadletter.Running, "a"), oneItem(deadletter.Completed, "")},
			[]string{drop + `{"item_id":"item-1"}`, drop + `{"item_id":"item-1","cursor":"a"}`}, []string{`"status":"COMPLETED"`}, nil, 0},
		{"several, some of which fail", "drop --yes item-1 item-2", []answered{problem(409, "another run"), oneItem(deadletter.Completed, "")},
			[]string{drop + `{"item_id":"item-1"}`, drop + `{"item_id":"item-2"}`}, []string{" dropped, webhook-id evt_1\n"},
			[]string{"item-1 not dropped: another run\n", "1 of 2 items not dropped"}, 1},
		{"by a filter, in several requests", "release --tenant acme --reason delay --yes",
			[]answered{acted(deadletter.Running, "a", 3, 0, ""), acted(deadletter.Completed, "", 4, 0, "")},
			[]string{release + `{"tenant":"acme","reason":"delay"}`, release + `{"tenant":"acme","reason":"delay","cursor":"a"}`},
			[]string{"7 released of 20 looked at in the waiting room\n"}, nil, 0},
		{"all", "drop --all --yes --json", []answered{acted(deadletter.Completed, "", 4, 0, "")}, []string{drop + `{"all":true}`},
			[]string{`"moved":4`}, nil, 0},
		{"and some fail", "drop --all --yes", []answered{acted(deadletter.Completed, "", 4, 1, "another run")}, []string{drop + `{"all":true}`},
			[]string{"4 dropped"}, []string{"1 not dropped, and still in the waiting room: another run"}, 1},
		{"and it breaks off", "drop --all --yes", []answered{acted(deadletter.Failed, "", 4, 0, "why")}, []string{drop + `{"all":true}`},
			[]string{"4 dropped"}, []string{"has not come to its end (FAILED): why"}, 1},
		{"nothing meant", "drop", nil, nil, nil, []string{"which messages are meant?"}, 2},
		{"all and a filter", "drop --all --tenant a --yes", nil, nil, nil, []string{"do not go together"}, 2},
		{"an item and a filter", "release item-1 --tenant a --yes", nil, nil, nil, []string{"do not go together"}, 2},
		{"all and an empty filter", "drop --all --tenant '' --yes", nil, nil, nil, []string{"--tenant is empty"}, 2},
		{"all without a yes", "drop --all", nil, nil, nil, []string{"use --yes"}, 2},
		{"a filter without a yes", "release --tenant a", nil, nil, nil, []string{"use --yes"}, 2},
		{"several without a yes", "drop item-1 item-2", nil, nil, nil, []string{"use --yes"}, 2},
	})
}

// TestWaitingTableIsNarrow: what it says of a channel, or of a short URL, fits a
// terminal of 80 columns.
func TestWaitingTableIsNarrow(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	count := countNo("acme-eu", 123_456)
	count.URL, count.Reason = "https://hooks.acme.test/in", "retry-after"
	screen := terminal.Screen{Out: &out}
	if err := terminal.Table(screen, countColumns(noon.Add(36*time.Hour)), []replay.WaitingCount{count}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 80 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	mustHold(t, "the table", out.String(), []string{"123,456  36h    now   now   retry-after  acme-eu  https://hooks.acme.test/in\n"})
}

func TestSpanText(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{"0s": -time.Second, "119s": 119*time.Second + 999*time.Millisecond, "2m": 2 * time.Minute,
		"119m": 2*time.Hour - 1, "2h": 2 * time.Hour, "47h": 48*time.Hour - 1, "2d": 48 * time.Hour, "14d": 14 * 24 * time.Hour} {
		if got := spanText(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

// TestOutlook: deliveries show says when a message goes on.
func TestOutlook(t *testing.T) {
	t.Parallel()
	later := noon.Add(time.Hour)
	for want, r := range map[string]attempt.Record{
		"": {Verdict: attempt.Delivered}, "waits until " + timeText(later) + ": 503": {Verdict: attempt.Retryable, NextAt: later},
		"waits until " + timeText(later) + " in the waiting room: 503":   {Verdict: attempt.Retryable, NextAt: later, Waiting: true},
		"is held until " + timeText(later) + ": 503":                     {Verdict: attempt.Held, NextAt: later},
		"is held until " + timeText(later) + " in the waiting room: 503": {Verdict: attempt.Held, NextAt: later, Waiting: true},
		"waits no longer: it was due at " + timeText(noon) + ": 503":     {Verdict: attempt.Retryable, NextAt: noon, Waiting: true},
		"503": {Verdict: attempt.Permanent, Dropped: true},
	} {
		r.Reason = "503"
		if got := outlook(r, noon); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
