package replay

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/waiting"
)

// TestOpenAndClose: both change the circuit at once, say who it was, and may be
// asked for again.
func TestOpenAndClose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.keep(opened("acme", "in", 5))
	path := "/api/v1/circuits/" + s.Key()
	want := Circuit{ID: s.Key(), Scope: "endpoint", Tenant: "acme", URL: "https://a.test/in", Phase: "open",
		Why: "opened by ann: they move", Opened: start, Forever: true, Opens: 1}
	for range 2 {
		if diff := cmp.Diff(want, get[Circuit](w, "POST", path+"/open", `{"why":" they move "}`)); diff != "" {
			t.Errorf("opened (-want +got):\n%s", diff)
		}
	}
	w.advance(time.Hour)
	closed := Circuit{ID: s.Key(), Scope: "endpoint", Tenant: "acme", URL: "https://a.test/in", Phase: "closed", Opened: start,
		ClosedAt: start.Add(time.Hour)}
	for range 2 {
		if diff := cmp.Diff(closed, get[Circuit](w, "POST", path+"/close", "")); diff != "" {
			t.Errorf("closed (-want +got):\n%s", diff)
		}
	}
	resource := ledger.NewRedactor([]byte("2026-11"), false).URL(s.URL)
	entries := []ledger.Entry{
		{Action: "circuit.opened", Actor: "ann", ID: s.Key() + "#2", Tenant: "acme", Resource: resource, Timestamp: start},
		{Action: "circuit.closed", Actor: "ann", ID: s.Key() + "#3", Tenant: "acme", Resource: resource, Timestamp: start.Add(time.Hour)},
	}
	if diff := cmp.Diff(entries, w.entries); diff != "" {
		t.Errorf("the ledger (-want +got):\n%s", diff)
	}
	if !slices.Equal(w.changes, []string{"open", "closed"}) {
		t.Errorf("counted are %v", w.changes)
	}
}

// TestOpenUnknown: the circuit that is opened is the one that messages to the URL
// ask for.
func TestOpenUnknown(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]circuit.Name{
		`"url":"https://A.test/in%20?t=1","tenant":"acme"`: {Scope: circuit.Endpoint, Tenant: "acme", URL: "https://a.test/in%20"},
		`"url":"http://a.test:8080/","scope":"endpoint"`:   {Scope: circuit.Endpoint, URL: "http://a.test:8080/"},
		`"url":"https://a.test/in","scope":"host"`:         {Scope: circuit.Host, URL: "https://a.test"},
		`"url":"https://é.test"`:                           {Scope: circuit.Endpoint, URL: "https://xn--9ca.test"},
	} {
		w := newWorld(t)
		got := get[Circuit](w, "POST", "/api/v1/circuits/open", `{"why":"moving",`+body+`}`)
		if got.ID != want.Key() || got.URL != want.URL || got.Phase != "open" || !got.Forever || len(w.entries) != 1 {
			t.Errorf("%s: %+v", body, got)
		}
		shown := get[Circuit](w, "GET", "/api/v1/circuits/"+want.Key(), "")
		if diff := cmp.Diff(got, shown); diff != "" {
			t.Errorf("%s: shown (-want +got):\n%s", body, diff)
		}
	}
}

func TestCircuitsAreRefused(t *testing.T) {
	t.Parallel()
	known := opened("acme", "in", 1).Key()
	unknown := "endpoint-" + strings.Repeat("0", 32)
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "?phases=open", "", 400, `parameter "phases": unknown; did you mean "phase"?`},
		{"GET", "?phase=shut", "", 400, `parameter phase: "shut" is none; there are closed, open, half-open, all`},
		{"GET", "?scope=tenant", "", 400, "there are endpoint, host"},
		{"GET", "?limit=0", "", 400, "from 1 to 200"},
		{"GET", "?cursor=x", "", 400, "cursor: is not one that this API gave"},
		{"GET", "/" + unknown, "", 404, "is not known"},
		{"GET", "/acme", "", 404, "no circuit's id"},
		{"POST", "/" + unknown + "/close", "", 404, "is not known"},
		{"POST", "/" + unknown + "/open", `{"why":"moving"}`, 404, "is not known"},
		{"POST", "/" + known + "/open", "", 400, "the body is empty"},
		{"POST", "/" + known + "/open", "{}", 400, "say why"},
		{"POST", "/" + known + "/open", `{"why":" "}`, 400, "say why"},
		{"POST", "/" + known + "/open", `{"why":"a\nb"}`, 400, "one line"},
		{"POST", "/" + known + "/open", `{"why":"` + strings.Repeat("x", 501) + `"}`, 400, "500 characters"},
		{"POST", "/" + known + "/open", `{"why":"moving","tenant":"acme"}`, 400, "only \"why\""},
		{"POST", "/open", `{"why":"moving"}`, 400, `field "url": say where`},
		{"POST", "/open", `{"why":"moving","url":"a.test"}`, 400, `field "url": must begin with https://`},
		{"POST", "/open", `{"why":"moving","url":"https://a.test","scope":"all"}`, 400, `field "scope"`},
		{"POST", "/open", `{"why":"moving","url":"https://a.test","scope":"host","tenant":"acme"}`, 400, "nobody's"},
		{"POST", "/open", `{"url":"https://a.test"}`, 400, "say why"},
		{"DELETE", "/" + known, "", 405, "DELETE is not for"},
	} {
		t.Run(c.method+" "+c.path+c.body, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := w.keep(opened("acme", "in", 1))
			if out := w.ask(c.method, "/api/v1/circuits"+c.path, c.body); out.Code != c.status ||
				!strings.Contains(strings.ReplaceAll(out.Body.String(), `\"`, `"`), c.says) {
				t.Errorf("got %d %s, want %d and %q", out.Code, out.Body, c.status, c.says)
			}
			kept, err := w.store.KeptCircuits(t.Context(), []string{known})
			if err != nil || !cmp.Equal(kept, []circuit.State{s}) || len(w.entries) > 0 {
				t.Errorf("kept is %+v, the ledger has %v", kept, w.entries)
			}
		})
	}
}

// TestCircuitActFaults: an act that fails says so, or was done and is told; to ask
// again makes it good.
func TestCircuitActFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op     string
		n      int
		fault  fault
		status int
		told   int // after it was asked for again
	}{
		{"circuits", 1, fails, 503, 1}, {"circuits", 2, fails, 503, 1},
		{"put circuit", 1, fails, 200, 1}, {"put circuit", 1, failsButKeeps, 200, 1}, {"put circuit", 1, crash, 503, 1},
		// Who dies here has changed a circuit and told nobody.
		{"put circuit", 1, crashAfter, 503, 0},
		{"audit", 1, fails, 200, 0}, {"audit", 1, failsButKeeps, 200, 1},
		{"count", 1, fails, 503, 1},
	} {
		for _, act := range []string{"open", "close"} {
			w := newWorld(t)
			s := opened("acme", "in", 5)
			s.Awaited = start
			w.keep(s)
			w.fault[c.op] = on(c.n, c.fault)
			path := "/api/v1/circuits/" + s.Key() + "/" + act
			out := w.ask("POST", path, `{"why":"moving"}`)
			w.dead = false
			again := get[Circuit](w, "POST", path, `{"why":"moving"}`)
			done := again.Forever == (act == "open") && (again.Phase == "closed") == (act == "close")
			if out.Code != c.status || len(w.entries) != c.told || !done {
				t.Errorf("%s, of %s %d %v: %d %s, then %+v; the ledger has %v", act, c.op, c.n, c.fault, out.Code, out.Body, again, w.entries)
			}
		}
	}
	for _, op := range []string{"page of circuits", "count"} {
		w := newWorld(t)
		circuitsOfAllKinds(w)
		w.fault[op] = on(1, fails)
		if out := w.ask("GET", "/api/v1/circuits", ""); out.Code != http.StatusServiceUnavailable {
			t.Errorf("%s fails: %d %s", op, out.Code, out.Body)
		}
	}
}

// TestWaitingForCircuits: what waits for a circuit has no time when it goes on, is
// counted by itself, and can be let go by hand.
func TestWaitingForCircuits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.keep(opened("acme", "in", 4))
	w.hold(2, s)
	w.hold(6, s)
	w.wait(3, "acme", "a.test/in", waiting.Delay)
	ids, page := waiters(w, "?reason=circuit")
	if ids != "h0002 h0006" || page.Items[0].Circuit != s.Key() || !page.Items[0].Due.IsZero() ||
		page.Items[0].Why != "never sent: the circuit of https://a.test/in is open: down" {
		t.Errorf("listed are %s: %+v", ids, page)
	}
	if out := w.ask("GET", "/api/v1/waiting?reason=circuit", ""); strings.Contains(out.Body.String(), `"due"`) {
		t.Errorf("it says when they are due: %s", out.Body)
	}
	counts := get[WaitingCounts](w, "GET", "/api/v1/waiting/counts", "")
	want := WaitingCounts{Complete: true, Items: []WaitingCount{
		{Queue: "webhooks", Tenant: "acme", URL: "https://a.test/in", Reason: "circuit", Count: 2, Since: start.Add(-6 * time.Minute)},
		{Queue: "webhooks", Tenant: "acme", URL: "https://a.test/in", Reason: "delay", Count: 1, Since: start.Add(-3 * time.Minute),
			Next: start.Add(3 * time.Hour), Until: start.Add(3 * time.Hour)},
	}}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}

	// The circuit has been open for four minutes.
	if task := w.act("release", `{"item_id":"h0006-3"}`); task.Moved != 1 || w.sent[0].attributes["efferent-held"] != "circuit=240" {
		t.Errorf("released: %+v, sent is %v", task, w.sent)
	}
	if task := w.act("drop", `{"reason":"circuit"}`); task.Moved != 1 || w.inRoom() != "w002:kept w003 w006:kept h0002:dropped h0006:sent" {
		t.Errorf("dropped: %+v, the room has %s", task, w.inRoom())
	}
	records, _ := w.store.OfWebhook(t.Context(), "evt_2")
	if len(records) != 1 || !records[0].Dropped || records[0].Held != "circuit=120" || records[0].Verdict != attempt.Permanent {
		t.Errorf("recorded is %+v", records)
	}
}

// TestWaitingForUnreadableCircuits: what can't be counted is not done.
func TestWaitingForUnreadableCircuits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hold(2, w.keep(opened("acme", "in", 4)))
	w.fault["circuits"] = on(1, fails)
	out := w.ask("POST", "/api/v1/waiting/release", `{"all":true}`)
	if out.Code != http.StatusServiceUnavailable || len(w.sent)+len(w.entries) > 0 {
		t.Errorf("%d %s; sent is %v, the ledger has %v", out.Code, out.Body, w.sent, w.entries)
	}
}
