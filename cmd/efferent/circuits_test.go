package main

import (
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/terminal"
)

var (
	theEndpoint = circuit.Name{Scope: circuit.Endpoint, Tenant: "acme", URL: "https://a.test/in"}
	theHost     = circuit.Name{Scope: circuit.Host, URL: "https://a.test"}
)

// circuitOf is an open circuit that n messages wait for.
func circuitOf(name circuit.Name, n int) replay.Circuit {
	return replay.Circuit{ID: name.Key(), Scope: string(name.Scope), Tenant: name.Tenant, URL: name.URL, Phase: replay.PhaseOpen,
		Why: "5 failures in\x1b[2J a row", Opened: noon, Until: noon.Add(time.Minute), Waiting: n}
}

func circuitPage(cursor string, all ...replay.Circuit) answered {
	return ok(replay.Circuits{Items: all, Cursor: cursor})
}

func TestCircuitsList(t *testing.T) {
	t.Parallel()
	const path = "GET /api/v1/circuits?"
	closed, host := circuitOf(theEndpoint, 12), circuitOf(theHost, 3)
	closed.Phase, closed.Why, closed.Failures = replay.PhaseClosed, "", 4
	host.WaitingMore, host.Waiting = true, 1000
	runCases(t, "circuits", []dlqCase{
		{"a table, the worst first", "list", []answered{circuitPage("", closed, circuitOf(theEndpoint, 2), host)}, []string{path + "limit=50"},
			[]string{"PHASE   SINCE", "1,000+   -       https://a.test (host)  5 failures in [2J a row\nopen    ",
				"now    2        acme    https://a.test/in      5 failures in [2J a row\nclosed  -      -      12 ", "4 failed in a row\n"},
			[]string{"3 circuits, 2 open\n"}, 0},
		{"one", "list", []answered{circuitPage("", closed)}, []string{path + "limit=50"}, []string{"closed"}, []string{"1 circuit, 0 open\n"}, 0},
		{"none", "list", []answered{circuitPage("")}, []string{path + "limit=50"}, nil,
			[]string{"All circuits are closed, and nothing waits for one.\n"}, 0},
		{"filtered", "list --phase open --scope host --tenant a --url-prefix https://a.test", []answered{circuitPage("")},
			[]string{path + "limit=50&phase=open&scope=host&tenant=a&url_prefix=https%3A%2F%2Fa.test"}, nil,
			[]string{"no circuit matches\n"}, 0},
		{"in pages that may be short", "list --limit all --json", []answered{circuitPage("a", closed), circuitPage("b"), circuitPage("", host)},
			[]string{path + "limit=200", path + "cursor=a&limit=200", path + "cursor=b&limit=200"},
			[]string{`{"items":[{"id":"host-`, `"waiting_more":true}`, `"failures":4`}, nil, 0},
		{"and more", "list --limit 2", []answered{circuitPage("a", host), circuitPage("b", closed)},
			[]string{path + "limit=2", path + "cursor=a&limit=1"}, []string{"closed"}, []string{"2 listed; more with --limit\n"}, 0},
		{"an empty filter", "list --tenant ''", nil, nil, nil, []string{"--tenant is empty"}, 2},
		{"a limit that is none", "list --limit=-1", nil, nil, nil, []string{`--limit: "-1" must be a number from 1 on, or all`}, 2},
	})
}

// TestHiddenInTheQueue: what waits there for a probe is not counted, and that is said.
func TestHiddenInTheQueue(t *testing.T) {
	t.Parallel()
	const note = "; not counted is what waits in its queue for a probe soon"
	one := replay.Circuits{Items: []replay.Circuit{circuitOf(theEndpoint, 0)}}
	two := replay.Circuits{Items: []replay.Circuit{circuitOf(theEndpoint, 0), circuitOf(theHost, 0)}}
	for before, said := range map[time.Duration]string{0: "", time.Nanosecond: note, 2 * time.Minute: note, 2*time.Minute + 1: ""} {
		now := noon.Add(time.Minute - before) // they are probed a minute after noon
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
	own, host := "/api/v1/circuits/"+theEndpoint.Key(), "/api/v1/circuits/"+theHost.Key()
	const opens = "POST /api/v1/circuits/open "
	forever, closed, closedOne := circuitOf(theEndpoint, 0), circuitOf(theHost, 3), circuitOf(theEndpoint, 1)
	forever.Forever, forever.Why, forever.Opens = true, "opened by ann: moving", 3
	gone := forever
	gone.Gone = true
	closed.Phase, closedOne.Phase = replay.PhaseClosed, replay.PhaseClosed
	closed.ClosedAt = noon
	probed := circuitOf(theEndpoint, 1000)
	probed.Opens, probed.WaitingMore, probed.Until = 3, true, time.Now().Add(23*time.Hour)
	url := theEndpoint.URL + "?token=1 --tenant acme"
	runCases(t, "circuits", []dlqCase{
		{"show", "show " + url, []answered{ok(forever)}, []string{"GET " + own},
			[]string{"Circuit   endpoint-", "Endpoint  https://a.test/in\nTenant    acme\nPhase     open\nWhy       opened by ann: moving\n",
				"Probe     never: it stays open until it is closed by hand\nWaiting   0 in the waiting room\n"}, nil, 0},
		{"show of one whose probes fail", "show " + url, []answered{ok(probed)}, []string{"GET " + own},
			[]string{"Probe     in 22h; failed so far: 2\nWaiting   1,000+ in the waiting room\n"}, nil, 0},
		{"show of one that is closed", "show --host https://a.test", []answered{ok(closed)}, []string{"GET " + host},
			[]string{"Closed    2026", "\nWaiting   3 in the waiting room\n"}, nil, 0},
		{"show of one that is gone", "show " + url, []answered{ok(gone)}, []string{"GET " + own},
			[]string{"Probe     never: it stays open until it is closed by hand, and nothing waits for it\n"}, nil, 0},
		{"show by id", "show --json " + theHost.Key(), []answered{ok(closed)}, []string{"GET " + host}, []string{`"phase":"closed"`}, nil, 0},
		{"show of what is not known", "show " + url, []answered{problem(404, "it is not known")}, []string{"GET " + own}, nil,
			[]string{"no circuit of https://a.test/in of the tenant acme is known: it is closed, and nothing has failed there for a day; " +
				"the host's is another one (--host)\n"}, 1},
		{"close of what is nobody's", "close https://a.test/in", []answered{problem(404, "it is not known")},
			[]string{"POST /api/v1/circuits/" + circuit.Name{Scope: circuit.Endpoint, URL: theEndpoint.URL}.Key() + "/close"}, nil,
			[]string{"no circuit of https://a.test/in is known: ", "a tenant's is another one (--tenant), and so is the host's (--host)\n"}, 1},
		{"close of a host that is not known", "close --host https://a.test/in", []answered{problem(404, "it is not known")},
			[]string{"POST " + host + "/close"}, nil, []string{"no circuit of https://a.test (host) is known: "}, 1},
		{"open", "open --why moving " + url, []answered{ok(forever)},
			[]string{opens + `{"url":"https://a.test/in","tenant":"acme","scope":"endpoint","why":"moving"}`},
			[]string{"https://a.test/in is open until it is closed by hand, and what is for it waits: opened by ann: moving\n"}, nil, 0},
		{"open a host", "open --json --why moving --host https://A.test/in", []answered{ok(circuitOf(theHost, 0))},
			[]string{opens + `{"url":"https://a.test","scope":"host","why":"moving"}`}, []string{`"scope":"host"`}, nil, 0},
		{"open by id", "open --why moving " + theHost.Key(), []answered{ok(circuitOf(theHost, 0))},
			[]string{"POST " + host + `/open {"why":"moving"}`}, []string{"https://a.test (host) is open"}, nil, 0},
		{"open without a reason", "open --why= " + url, nil, nil, nil, []string{"--why is empty"}, 2},
		{"close", "close --host https://a.test", []answered{ok(closed)}, []string{"POST " + host + "/close"},
			[]string{"https://a.test (host) is closed; 3 messages are waiting for it, and go out, a few at first\n"}, nil, 0},
		{"close, for one message", "close " + url, []answered{ok(closedOne)}, []string{"POST " + own + "/close"},
			[]string{"https://a.test/in is closed; 1 message is waiting for it, and go out, a few at first\n"}, nil, 0},
		{"close, refused", "close " + theHost.Key(), []answered{problem(503, "try again")}, []string{"POST " + host + "/close"}, nil,
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
	c := circuitOf(circuit.Name{Scope: circuit.Endpoint, Tenant: "acme-eu", URL: "https://hooks.acme.test/in"}, 1000)
	c.Phase, c.WaitingMore = replay.PhaseHalfOpen, true
	var out strings.Builder
	screen := terminal.Screen{Out: &out, Width: 80}
	if err := terminal.Table(screen, circuitColumns(noon.Add(119*time.Minute)), []replay.Circuit{c}); err != nil {
		t.Fatal(err)
	}
	const want = "half-open  119m   under way  1,000+   acme-eu  5 failures in [2J a row\n  ENDPOINT https://hooks.acme.test/in\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// TestWaitingForACircuit: no time is told at which it ends.
func TestWaitingForACircuit(t *testing.T) {
	t.Parallel()
	held := replay.WaitingItem{ItemID: "item-0", Queue: "webhooks", WebhookID: "evt_0", URL: theEndpoint.URL, Reason: "circuit", Since: noon,
		Circuit: theEndpoint.Key(), Why: "down"}
	older := held
	older.ItemID, older.Since = "item-9", noon.Add(-time.Hour)
	due := held
	due.ItemID, due.Circuit, due.Reason, due.Due = "item-1", "", "delay", noon
	count := countNo("acme", 2)
	count.Reason, count.Next, count.Until = "circuit", time.Time{}, time.Time{}
	runCases(t, "waiting", []dlqCase{
		{"each, last, by age", "list --each", []answered{ok(replay.WaitingItems{Items: []replay.WaitingItem{held, older, due}})},
			[]string{"GET /api/v1/waiting?limit=50"}, []string{"WEBHOOK  TO                 CIRCUIT", "-        ",
				"down\nitem-9  -                    circuit", "down\nitem-0  -", theEndpoint.Key() + "  down\n"}, nil, 0},
		{"counted", "list", []answered{counts("", count, count)}, []string{"GET /api/v1/waiting/counts?"},
			[]string{"  -     -     circuit  acme"}, nil, 0},
		{"counted, as JSON", "list --json", []answered{counts("", count)}, []string{"GET /api/v1/waiting/counts?"},
			[]string{`"since":"2026-11-24T12:00:00Z"}],"complete":true`}, nil, 0},
	})
	r := attempt.Record{Verdict: attempt.Held, Waiting: true, Circuit: theEndpoint.Key(), NextAt: noon.Add(time.Hour), At: noon,
		Reason: "never sent: the circuit of https://a.test/in is open: 5 failures in a row"}
	if got := outlook(r, noon); got != "held: the circuit of https://a.test/in is open: 5 failures in a row" || nextText(r) != "-" {
		t.Errorf("deliveries show says %q, and next %q", got, nextText(r))
	}
}
