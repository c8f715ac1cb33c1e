package waiting

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/internal/deadletter"
)

// TestWaitingConfirmation answers the question before each act that may touch
// more than one message.
func TestWaitingConfirmation(t *testing.T) {
	t.Parallel()
	const count = "GET /api/v1/waiting/counts?"
	several := commandtest.Counts("", commandtest.CountNo("acme", 1200), commandtest.CountNo("beta", 34))
	for name, c := range map[string]struct {
		args, asks, types string
		answers           []commandtest.Answered
		requests          []string
		shows             string
		code              int
	}{
		"all, yes": {"drop --all", "Drop 1,234 messages for good? [y/N]", "y\n",
			[]commandtest.Answered{several, commandtest.Acted(deadletter.Completed, "", 1234, 0, "")},
			[]string{count, `POST /api/v1/waiting/drop {"all":true}`}, "1,234 dropped", 0},
		"all, no": {"drop --all", "[y/N]", "\n", []commandtest.Answered{several}, []string{count}, "nothing was done", 1},
		"a filter": {"release --tenant acme", "Send 1 message now? [y/N]", "y\n",
			[]commandtest.Answered{commandtest.Counts("", commandtest.CountNo("acme", 1)), commandtest.Acted(deadletter.Completed, "", 1, 0, "")},
			[]string{count + "tenant=acme", `POST /api/v1/waiting/release {"tenant":"acme"}`}, "1 released", 0},
		"a filter that takes nothing": {"drop --tenant acme", "nothing waits that matches", "", []commandtest.Answered{commandtest.Counts("")},
			[]string{count + "tenant=acme"}, "", 1},
		"items": {"drop item-1 item-2", "Drop 2 messages for good? [y/N]", "n\n", []commandtest.Answered{commandtest.Counts("")}, nil,
			"nothing was done", 1},
		"one": {"drop item-1", "item-1 dropped", "", []commandtest.Answered{commandtest.OneItem(deadletter.Completed, "")},
			[]string{`POST /api/v1/waiting/drop {"item_id":"item-1"}`}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := commandtest.ScriptAPI(t, append(c.answers, commandtest.Problem(500, "the script is over"))...)
			x := commandtest.OnTerminal(t, 100, api.Prepare(append([]string{"waiting"}, strings.Fields(c.args)...)...))
			x.Await(c.asks)
			if c.types != "" {
				x.Typed(c.types)
			}
			if code := x.End(); code != c.code || !strings.Contains(x.Shown(), c.shows) {
				t.Errorf("exit code %d, and it shows %q", code, x.Shown())
			}
			api.Expect(t, c.requests...)
		})
	}
}
