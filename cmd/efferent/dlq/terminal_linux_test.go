package dlq

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// TestConfirmation answers the question before each act that may touch more
// than one message. "^C" is Ctrl-C.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	const replayPath = "POST /api/v1/dlq/webhook-failures/replay"
	counted := commandtest.Ok(replay.Items{Items: commandtest.Items(1, 1), ApproximateTotal: 1234, Cursor: "more"})
	count := "GET /api/v1/dlq?limit=1&queue=webhook-failures"
	matching := "GET /api/v1/dlq?limit=200&queue=webhook-failures&tenant=acme"
	for name, c := range map[string]struct {
		args, asks, types string
		answers           []commandtest.Answered
		requests          []string
		shows             string
		code              int
	}{
		"all, yes": {"replay --all", "Replay about 1,234 messages of webhook-failures to their queue? [y/N]", "y\n",
			[]commandtest.Answered{counted, commandtest.Started(commandtest.Move(deadletter.Completed, 1234))},
			[]string{count, replayPath + " {}"}, "1,234 replayed", 0},
		"all, no":     {"replay --all", "[y/N]", "n\n", []commandtest.Answered{counted}, []string{count}, "nothing was done", 1},
		"all, Enter":  {"replay --all", "[y/N]", "\n", []commandtest.Answered{counted}, []string{count}, "nothing was done", 1},
		"all, Ctrl-D": {"replay --all", "[y/N]", "\x04", []commandtest.Answered{counted}, []string{count}, "nothing was done", 1},
		"all, Ctrl-C": {"replay --all", "[y/N]", "\x03", []commandtest.Answered{counted}, []string{count}, "interrupted: nothing was done", 130},
		"a filter": {"replay --tenant acme", "Replay the 3 messages of webhook-failures that match to their queue? [y/N]", "YES\n",
			[]commandtest.Answered{commandtest.Ok(replay.Items{Items: commandtest.Items(1, 3), ApproximateTotal: 9}),
				commandtest.Some(deadletter.Completed, "", 3, 0, "")},
			[]string{matching, replayPath + ` {"tenant":"acme"}`}, "3 replayed of 10 looked at", 0},
		"a filter that takes many": {"replay --tenant acme", "that match, 200 or more, to their queue? [y/N]", "no\n",
			[]commandtest.Answered{commandtest.Ok(replay.Items{Items: commandtest.Items(1, 200), ApproximateTotal: 900, Cursor: "a"})},
			[]string{matching}, "nothing was done", 1},
		"a filter that takes nothing listed": {"replay --tenant acme",
			"None is listed that matches. Look for them in webhook-failures itself, about 9 messages", "no\n",
			[]commandtest.Answered{commandtest.Ok(replay.Items{ApproximateTotal: 9})}, []string{matching}, "nothing was done", 1},
		"a filter that the API refuses": {"replay --tenant acme", "no such queue", "",
			[]commandtest.Answered{commandtest.Problem(404, "no such queue")},
			[]string{matching}, "no such queue", 1},
		"items": {"replay item-1 item-2", "Replay 2 messages of webhook-failures to their queue? [y/N]", "y\n",
			[]commandtest.Answered{commandtest.OneItem(deadletter.Completed, "")},
			[]string{replayPath + "/item-1", replayPath + "/item-2"}, "item-1 replayed", 0},
		"discard": {"rm item-1 item-2", "Discard 2 messages of webhook-failures for good? [y/N]", "y\n", []commandtest.Answered{{Status: 204}},
			[]string{"DELETE /api/v1/dlq/webhook-failures/item-1", "DELETE /api/v1/dlq/webhook-failures/item-2"}, "item-2 discarded", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := commandtest.ScriptAPI(t, c.answers...)
			x := commandtest.OnTerminal(t, 120, api.Prepare(strings.Fields("dlq "+c.args)...))
			x.Await(c.asks)
			x.Typed(c.types)
			if code := x.End(); code != c.code || !strings.Contains(x.Shown(), c.shows) {
				t.Errorf("exit code %d, shown %q", code, x.Shown())
			}
			api.Expect(t, c.requests...)
		})
	}
}

// TestProgress shows the bar of each kind of long work.
func TestProgress(t *testing.T) {
	t.Parallel()
	counted := commandtest.Ok(replay.Items{ApproximateTotal: 40})
	for name, c := range map[string]struct {
		args    string
		answers []commandtest.Answered
		shows   []string
	}{
		"a move task": {"replay --all --yes", []commandtest.Answered{commandtest.Started(commandtest.Move(deadletter.Running, 0)),
			commandtest.Moves(commandtest.Move(deadletter.Running, 617)),
			commandtest.Moves(commandtest.Move(deadletter.Completed, 1234))},
			[]string{"replayed  50% ", "(617/1234", "1,234 replayed from webhook-failures"}},
		"a filter": {"replay --tenant acme --yes", []commandtest.Answered{counted, commandtest.Some(deadletter.Running, "a", 3, 0, ""),
			commandtest.Some(deadletter.Completed, "", 2, 0, "")},
			[]string{"3 replayed; looked at  25% ", "5 replayed of 20"}},
		"items": {"replay item-1 item-2 --yes", []commandtest.Answered{commandtest.OneItem(deadletter.Completed, "")},
			[]string{"replayed  50% ", "item-1 replayed"}},
		"a list": {"list --limit all", []commandtest.Answered{commandtest.Ok(replay.Items{Items: commandtest.Items(1, 10), ApproximateTotal: 40,
			Cursor: "a"}),
			commandtest.Ok(replay.Items{Items: commandtest.Items(11, 30), ApproximateTotal: 40})},
			[]string{"listed  25% ", "40 of about 40"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := commandtest.ScriptAPI(t, c.answers...)
			x := commandtest.OnTerminal(t, 120, api.Prepare(strings.Fields("dlq "+c.args)...))
			if code := x.End(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			commandtest.MustHold(t, "the terminal", x.Shown(), c.shows)
		})
	}
}
