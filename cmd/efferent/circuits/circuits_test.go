package circuits

import (
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

var (
	theHost = circuit.Name{Scope: circuit.Host, URL: "https://a.test"}
)

func circuitPage(cursor string, all ...replay.Circuit) commandtest.Answered {
	return commandtest.Ok(replay.Circuits{Items: all, Cursor: cursor})
}

func TestCircuitsList(t *testing.T) {
	t.Parallel()
	const path = "GET /api/v1/circuits?"
	closed, host := commandtest.CircuitOf(commandtest.TheEndpoint, 12), commandtest.CircuitOf(theHost, 3)
	closed.Phase, closed.Why, closed.Failures = replay.PhaseClosed, "", 4
	host.WaitingMore, host.Waiting = true, 1000
	commandtest.RunCases(t, "circuits", []commandtest.Case{
		{"a table, the worst first", "list", []commandtest.Answered{circuitPage("", closed, commandtest.CircuitOf(commandtest.TheEndpoint, 2),
			host)}, []string{path + "limit=50"},
			[]string{"PHASE   SINCE", "1,000+   -       https://a.test (host)  5 failures in [2J a row\nopen    ",
				"now    2        acme    https://a.test/in      5 failures in [2J a row\nclosed  -      -      12 ", "4 failed in a row\n"},
			[]string{"3 circuits, 2 open\n"}, 0},
		{"one", "list", []commandtest.Answered{circuitPage("", closed)}, []string{path + "limit=50"}, []string{"closed"},
			[]string{"1 circuit, 0 open\n"}, 0},
		{"none", "list", []commandtest.Answered{circuitPage("")}, []string{path + "limit=50"}, nil,
			[]string{"All circuits are closed, and nothing waits for one.\n"}, 0},
		{"filtered", "list --phase open --scope host --tenant a --url-prefix https://a.test", []commandtest.Answered{circuitPage("")},
			[]string{path + "limit=50&phase=open&scope=host&tenant=a&url_prefix=https%3A%2F%2Fa.test"}, nil,
			[]string{"no circuit matches\n"}, 0},
		{"in pages that may be short", "list --limit all --json", []commandtest.Answered{circuitPage("a", closed), circuitPage("b"),
			circuitPage("", host)},
			[]string{path + "limit=200", path + "cursor=a&limit=200", path + "cursor=b&limit=200"},
			[]string{`{"items":[{"id":"host-`, `"waiting_more":true}`, `"failures":4`}, nil, 0},
		{"and more", "list --limit 2", []commandtest.Answered{circuitPage("a", host), circuitPage("b", closed)},
			[]string{path + "limit=2", path + "cursor=a&limit=1"}, []string{"closed"}, []string{"2 listed; more with --limit\n"}, 0},
		{"an empty filter", "list --tenant ''", nil, nil, nil, []string{"--tenant is empty"}, 2},
		{"a limit that is none", "list --limit=-1", nil, nil, nil, []string{`--limit: "-1" must be a number from 1 on, or all`}, 2},
	})
}

// TestHiddenInTheQueue: what waits there for a probe is not counted, and that is said.
func TestHiddenInTheQueue(t *testing.T) {
	t.Parallel()
	const note = "; not counted is what waits in its queue for a probe soon"
	one := replay.Circuits{Items: []replay.Circuit{commandtest.CircuitOf(commandtest.TheEndpoint, 0)}}
	two := replay.Circuits{Items: []replay.Circuit{commandtest.CircuitOf(commandtest.TheEndpoint, 0), commandtest.CircuitOf(theHost, 0)}}
	for before, said := range map[time.Duration]string{0: "", time.Nanosecond: note, 2 * time.Minute: note, 2*time.Minute + 1: ""} {
		now := commandtest.Noon.Add(time.Minute - before) // they are probed a minute after noon
		if got, want := circuitsSummary(one, false, now), "1 circuit, 1 open"+said; got != want {
			t.Errorf("%v before: %s", before, got)
		}
		if got, want := circuitsSummary(two, false, now), "2 circuits, 2 open"+said; got != want {
			t.Errorf("%v before: %s", before, got)
		}
	}
}

func TestCircuitActs(t *testing.T) {
	t.Parallel()
	own, host := "/api/v1/circuits/"+commandtest.TheEndpoint.Key(), "/api/v1/circuits/"+theHost.Key()
	const opens = "POST /api/v1/circuits/open "
	forever, closed, closedOne := commandtest.CircuitOf(commandtest.TheEndpoint, 0), commandtest.CircuitOf(theHost, 3),
		commandtest.CircuitOf(commandtest.TheEndpoint, 1)
	forever.Forever, forever.Why, forever.Opens = true, "opened by ann: moving", 3
	gone := forever
	gone.Gone = true
	closed.Phase, closedOne.Phase = replay.PhaseClosed, replay.PhaseClosed
	closed.ClosedAt = commandtest.Noon
	probed := commandtest.CircuitOf(commandtest.TheEndpoint, 1000)
	probed.Opens, probed.WaitingMore, probed.Until = 3, true, time.Now().Add(23*time.Hour)
	url := commandtest.TheEndpoint.URL + "?token=1 --tenant acme"
	commandtest.RunCases(t, "circuits", []commandtest.Case{
		{"show", "show " + url, []commandtest.Answered{commandtest.Ok(forever)}, []string{"GET " + own},
			[]string{"Circuit   endpoint-", "Endpoint  https://a.test/in\nTenant    acme\nPhase     open\nWhy       opened by ann: moving\n",
				"Probe     never: it stays open until it is closed by hand\nWaiting   0 in the waiting room\n"}, nil, 0},
		{"show of one whose probes fail", "show " + url, []commandtest.Answered{commandtest.Ok(probed)}, []string{"GET " + own},
			[]string{"Probe     in 22h; failed so far: 2\nWaiting   1,000+ in the waiting room\n"}, nil, 0},
		{"show of one that is closed", "show --host https://a.test", []commandtest.Answered{commandtest.Ok(closed)}, []string{"GET " + host},
			[]string{"Closed    2026", "\nWaiting   3 in the waiting room\n"}, nil, 0},
		{"show of one that is gone", "show " + url, []commandtest.Answered{commandtest.Ok(gone)}, []string{"GET " + own},
			[]string{"Probe     never: it stays open until it is closed by hand, and nothing waits for it\n"}, nil, 0},
		{"show by id", "show --json " + theHost.Key(), []commandtest.Answered{commandtest.Ok(closed)}, []string{"GET " + host},
			[]string{`"phase":"closed"`}, nil, 0},
		{"show of what is not known", "show " + url, []commandtest.Answered{commandtest.Problem(404, "it is not known")},
			[]string{"GET " + own}, nil,
			[]string{"no circuit of https://a.test/in of the tenant acme is known: it is closed, and nothing has failed there for a day; " +
				"the host's is another one (--host)\n"}, 1},
		{"close of what is nobody's", "close https://a.test/in", []commandtest.Answered{commandtest.Problem(404, "it is not known")},
			[]string{"POST /api/v1/circuits/" + circuit.Name{Scope: circuit.Endpoint, URL: commandtest.TheEndpoint.URL}.Key() + "/close"}, nil,
			[]string{"no circuit of https://a.test/in is known: ", "a tenant's is another one (--tenant), and so is the host's (--host)\n"}, 1},
		{"close of a host that is not known", "close --host https://a.test/in",
			[]commandtest.Answered{commandtest.Problem(404, "it is not known")},
			[]string{"POST " + host + "/close"}, nil, []string{"no circuit of https://a.test (host) is known: "}, 1},
		{"open", "open --why moving " + url, []commandtest.Answered{commandtest.Ok(forever)},
			[]string{opens + `{"url":"https://a.test/in","tenant":"acme","scope":"endpoint","why":"moving"}`},
			[]string{"https://a.test/in is open until it is closed by hand, and what is for it waits: opened by ann: moving\n"}, nil, 0},
		{"open a host", "open --json --why moving --host https://A.test/in",
			[]commandtest.Answered{commandtest.Ok(commandtest.CircuitOf(theHost, 0))},
			[]string{opens + `{"url":"https://a.test","scope":"host","why":"moving"}`}, []string{`"scope":"host"`}, nil, 0},
		{"open by id", "open --why moving " + theHost.Key(), []commandtest.Answered{commandtest.Ok(commandtest.CircuitOf(theHost, 0))},
			[]string{"POST " + host + `/open {"why":"moving"}`}, []string{"https://a.test (host) is open"}, nil, 0},
		{"open without a reason", "open --why= " + url, nil, nil, nil, []string{"--why is empty"}, 2},
		{"close", "close --host https://a.test", []commandtest.Answered{commandtest.Ok(closed)}, []string{"POST " + host + "/close"},
			[]string{"https://a.test (host) is closed; 3 messages are waiting for it, and go out, a few at first\n"}, nil, 0},
		{"close, for one message", "close " + url, []commandtest.Answered{commandtest.Ok(closedOne)}, []string{"POST " + own + "/close"},
			[]string{"https://a.test/in is closed; 1 message is waiting for it, and go out, a few at first\n"}, nil, 0},
		{"close, refused", "close " + theHost.Key(), []commandtest.Answered{commandtest.Problem(503, "try again")},
			[]string{"POST " + host + "/close"}, nil,
			[]string{"try again"}, 1},
		{"neither id nor URL", "close acme", nil, nil, nil, []string{"no circuit's id, and no endpoint's URL: it must begin with https://"}, 2},
		{"an id and a tenant", "close --tenant acme " + theHost.Key(), nil, nil, nil, []string{"--host and --tenant are for URLs"}, 2},
		{"a host and a tenant", "show --host " + url, nil, nil, nil, []string{"do not go together"}, 2},
	})
}

// TestCircuitsTableIsNarrow: all but the URL fits a terminal of 80 columns beside
// a short reason.
func TestCircuitsTableIsNarrow(t *testing.T) {
	t.Parallel()
	c := commandtest.CircuitOf(circuit.Name{Scope: circuit.Endpoint, Tenant: "acme-eu", URL: "https://hooks.acme.test/in"}, 1000)
	c.Phase, c.WaitingMore = replay.PhaseHalfOpen, true
	var out strings.Builder
	screen := terminal.Screen{Out: &out, Width: 80}
	if err := terminal.Table(screen, circuitColumns(commandtest.Noon.Add(119*time.Minute)), []replay.Circuit{c}); err != nil {
		t.Fatal(err)
	}
	const want = "half-open  119m   under way  1,000+   acme-eu  5 failures in [2J a row\n  ENDPOINT https://hooks.acme.test/in\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
