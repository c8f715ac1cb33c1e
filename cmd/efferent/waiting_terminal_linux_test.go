package main

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/deadletter"
)

// TestWaitingConfirmation answers the question before each act that may touch
// more than one message.
func TestWaitingConfirmation(t *testing.T) {
	t.Parallel()
	const count = "GET /api/v1/waiting/counts?"
	several := counts("", countNo("acme", 1200), countNo("beta", 34))
	for name, c := range map[string]struct {
		args, asks, types string
		answers           []answered
		requests          []string
		shows             string
		code              int
	}{
		"all, yes": {"drop --all", "Drop 1,234 messages for good? [y/N]", "y\n",
			[]answered{several, acted(deadletter.Completed, "", 1234, 0, "")},
			[]string{count, `POST /api/v1/waiting/drop {"all":true}`}, "1,234 dropped", 0},
		"all, no": {"drop --all", "[y/N]", "\n", []answered{several}, []string{count}, "nothing was done", 1},
		"a filter": {"release --tenant acme", "Send 1 message now? [y/N]", "y\n",
			[]answered{counts("", countNo("acme", 1)), acted(deadletter.Completed, "", 1, 0, "")},
			[]string{count + "tenant=acme", `POST /api/v1/waiting/release {"tenant":"acme"}`}, "1 released", 0},
		"a filter that takes nothing": {"drop --tenant acme", "nothing waits that matches", "", []answered{counts("")},
			[]string{count + "tenant=acme"}, "", 1},
		"items": {"drop item-1 item-2", "Drop 2 messages for good? [y/N]", "n\n", []answered{counts("")}, nil, "nothing was done", 1},
		"one": {"drop item-1", "item-1 dropped", "", []answered{oneItem(deadletter.Completed, "")},
			[]string{`POST /api/v1/waiting/drop {"item_id":"item-1"}`}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := scriptAPI(t, append(c.answers, problem(500, "the script is over"))...)
			x := onTerminal(t, 100, api.prepare(append([]string{"waiting"}, strings.Fields(c.args)...)...))
			x.await(c.asks)
			if c.types != "" {
				x.typed(c.types)
			}
			if code := x.end(); code != c.code || !strings.Contains(x.shown(), c.shows) {
				t.Errorf("exit code %d, and it shows %q", code, x.shown())
			}
			api.expect(t, c.requests...)
		})
	}
}
