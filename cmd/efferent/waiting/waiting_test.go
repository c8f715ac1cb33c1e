package waiting

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

func waits(cursor string, from, n int) commandtest.Answered {
	page := replay.WaitingItems{Cursor: cursor}
	for i := range n {
		page.Items = append(page.Items, replay.WaitingItem{ItemID: fmt.Sprint("item-", from+i), Queue: "webhooks", WebhookID: "evt",
			URL: "https://a.test/in", Reason: "delay", Why: "answered\x1b[2J 503", Attempts: 3, Since: commandtest.Noon,
			Due: commandtest.Noon.Add(-time.Duration(from+i) * time.Hour)})
	}
	return commandtest.Ok(page)
}

func TestWaitingList(t *testing.T) {
	t.Parallel()
	const path, each = "GET /api/v1/waiting/counts", "GET /api/v1/waiting?limit="
	mail := replay.WaitingCount{Queue: "notifications", Channel: "sms", Reason: "trouble", Count: 4990}
	commandtest.RunCases(t, "waiting", []commandtest.Case{
		{"a table", "list", []commandtest.Answered{commandtest.Counts("", mail, commandtest.CountNo("acme", 2))}, []string{path + "?"},
			[]string{"COUNT  SINCE", "4,990  ", "  trouble  -       sms\n", "  delay    acme    https://a.test/in\n"},
			[]string{"4,992 in the waiting room\n"}, 0},
		{"in several requests", "list --json", []commandtest.Answered{commandtest.Counts("a=b", commandtest.CountNo("acme", 2),
			commandtest.CountNo("beta", 3)), commandtest.Counts("", commandtest.CountNo("acme", 2))},
			[]string{path + "?", path + "?cursor=a%3Db"}, []string{`"tenant":"acme"`, `"count":4`, `"complete":true}`}, nil, 0},
		{"filtered", "list --queue webhooks --tenant a --url-prefix https://a.test --reason delay --webhook-id evt",
			[]commandtest.Answered{commandtest.Counts("")},
			[]string{path + "?queue=webhooks&reason=delay&tenant=a&url_prefix=https%3A%2F%2Fa.test&webhook_id=evt"}, nil,
			[]string{"nothing matches of what waits\n"}, 0},
		{"nothing", "list", []commandtest.Answered{commandtest.Counts("")}, []string{path + "?"}, nil, []string{"The waiting room is empty.\n"},
			0},
		{"not to the end", "list", []commandtest.Answered{commandtest.Ok(replay.WaitingCounts{})}, []string{path + "?"}, nil,
			[]string{"has not counted to the end"}, 1},
		{"an empty filter", "list --tenant ''", nil, nil, nil, []string{"--tenant is empty"}, 2},
		{"each, by when they are due", "list --each", []commandtest.Answered{waits("", 1, 2)}, []string{each + "50"},
			[]string{"ITEM    DUE                  REASON  ATTEMPTS  WEBHOOK  TO", "item-2  2026-11-24 10:00:00  delay   3         evt      https",
				"answered [2J 503\nitem-1"}, []string{"2 in the waiting room\n"}, 0},
		{"each, in pages that may be short", "list --each --limit all --json",
			[]commandtest.Answered{waits("a", 1, 1), waits("b", 9, 0), waits("", 2, 1)},
			[]string{each + "200", "GET /api/v1/waiting?cursor=a&limit=200", "GET /api/v1/waiting?cursor=b&limit=200"},
			[]string{`{"items":[{"item_id":"item-2"`, `"item_id":"item-1"`}, nil, 0},
		{"each, and more", "list --each --limit 3", []commandtest.Answered{waits("a", 1, 2), waits("b", 3, 1)},
			[]string{each + "3", "GET /api/v1/waiting?cursor=a&limit=1"}, []string{"item-3"}, []string{"3 listed; more with --limit\n"}, 0},
		{"a limit that is none", "list --limit=-1", nil, nil, nil, []string{`--limit: "-1" must be a number from 1 on, or all`}, 2},
	})
}

func TestWaitingActs(t *testing.T) {
	t.Parallel()
	const drop, release = "POST /api/v1/waiting/drop ", "POST /api/v1/waiting/release "
	commandtest.RunCases(t, "waiting", []commandtest.Case{
		{"one", "release item-1", []commandtest.Answered{commandtest.OneItem(deadletter.Completed, "")},
			[]string{release + `{"item_id":"item-1"}`},
			[]string{"item-1 released, webhook-id evt_1\n"}, nil, 0},
		{"one, in a long search", "drop item-1 --json", []commandtest.Answered{commandtest.OneItem(deadletter.Running, "a"),
			commandtest.OneItem(deadletter.Completed, "")},
			[]string{drop + `{"item_id":"item-1"}`, drop + `{"item_id":"item-1","cursor":"a"}`}, []string{`"status":"COMPLETED"`}, nil, 0},
		{"several, some of which fail", "drop --yes item-1 item-2",
			[]commandtest.Answered{commandtest.Problem(409, "another run"), commandtest.OneItem(deadletter.Completed, "")},
			[]string{drop + `{"item_id":"item-1"}`, drop + `{"item_id":"item-2"}`}, []string{" dropped, webhook-id evt_1\n"},
			[]string{"item-1 not dropped: another run\n", "1 of 2 items not dropped"}, 1},
		{"by a filter, in several requests", "release --tenant acme --reason delay --yes",
			[]commandtest.Answered{commandtest.Acted(deadletter.Running, "a", 3, 0, ""), commandtest.Acted(deadletter.Completed, "", 4, 0, "")},
			[]string{release + `{"tenant":"acme","reason":"delay"}`, release + `{"tenant":"acme","reason":"delay","cursor":"a"}`},
			[]string{"7 released of 20 looked at in the waiting room\n"}, nil, 0},
		{"all", "drop --all --yes --json", []commandtest.Answered{commandtest.Acted(deadletter.Completed, "", 4, 0, "")},
			[]string{drop + `{"all":true}`},
			[]string{`"moved":4`}, nil, 0},
		{"and some fail", "drop --all --yes", []commandtest.Answered{commandtest.Acted(deadletter.Completed, "", 4, 1, "another run")},
			[]string{drop + `{"all":true}`},
			[]string{"4 dropped"}, []string{"1 not dropped, and still in the waiting room: another run"}, 1},
		{"and it breaks off", "drop --all --yes", []commandtest.Answered{commandtest.Acted(deadletter.Failed, "", 4, 0, "why")},
			[]string{drop + `{"all":true}`},
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
	count := commandtest.CountNo("acme-eu", 123_456)
	count.URL, count.Reason = "https://hooks.acme.test/in", "retry-after"
	screen := terminal.Screen{Out: &out}
	if err := terminal.Table(screen, countColumns(commandtest.Noon.Add(36*time.Hour)), []replay.WaitingCount{count}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 80 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	commandtest.MustHold(t, "the table", out.String(),
		[]string{"123,456  36h    now   now   retry-after  acme-eu  https://hooks.acme.test/in\n"})
}
