package replay

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/waiting"
)

// circuits are the world's circuits.
type circuits world

func (c *circuits) call(op string, do func() error) error { return (*world)(c).call(op, do) }

func (c *circuits) Circuits(context.Context, []circuit.Name) ([]circuit.State, error) {
	panic("what may be a second old is of no use here")
}

func (c *circuits) KeptCircuits(ctx context.Context, keys []string) (states []circuit.State, err error) {
	err = c.call("circuits", func() (err error) { states, err = c.store.KeptCircuits(ctx, keys); return err })
	return states, err
}

func (c *circuits) PutCircuit(ctx context.Context, s circuit.State) (now circuit.State, err error) {
	err = c.call("put circuit", func() (err error) { now, err = c.store.PutCircuit(ctx, s); return err })
	return now, err
}

func (c *circuits) PageCircuits(ctx context.Context, from string, limit int) (states []circuit.State, next string, err error) {
	err = c.call("page of circuits", func() (err error) { states, next, err = c.store.PageCircuits(ctx, from, limit); return err })
	return states, next, err
}

// keep has a circuit be kept.
func (w *world) keep(s circuit.State) circuit.State {
	w.t.Helper()
	s.Version = 1
	if _, err := w.store.PutCircuit(w.t.Context(), s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// hold has a message wait for a circuit, since n minutes.
func (w *world) hold(n int, s circuit.State) waiting.Item {
	w.t.Helper()
	i := w.wait(n, s.Tenant, strings.TrimPrefix(s.URL, "https://"), waiting.Circuit)
	if err := w.store.Settle(w.t.Context(), []waiting.Item{i}, waiting.Kept); err != nil {
		w.t.Fatal(err)
	}
	i.MessageID, i.Circuit, i.Due = fmt.Sprintf("h%04d", n), s.Key(), w.now.Add(-time.Hour)
	i.Why = "never sent: the circuit of " + s.URL + " is open: " + s.Why
	if _, err := w.store.Enter(w.t.Context(), i); err != nil {
		w.t.Fatal(err)
	}
	return i
}

func named(tenant, path string) circuit.State {
	if tenant == "" {
		return circuit.State{Name: circuit.Name{Scope: circuit.Host, URL: "https://" + path}}
	}
	return circuit.State{Name: circuit.Name{Scope: circuit.Endpoint, Tenant: tenant, URL: "https://" + path}}
}

// opened is a circuit of a.test that was opened n minutes ago, and whose probe is
// due n minutes from now.
func opened(tenant, path string, n int) circuit.State {
	s := named(tenant, "a.test/"+path)
	s.Phase, s.Why, s.Opened, s.Opens = circuit.Open, "down", start.Add(-time.Duration(n)*time.Minute), 1
	s.Until = start.Add(time.Duration(n) * time.Minute)
	return s
}

// circuitsOfAllKinds keeps one of each, named by its path.
func circuitsOfAllKinds(w *world) {
	w.keep(opened("acme", "open", 1))
	probed := opened("acme", "probed", -1)
	probed.Probe = start.Add(10 * time.Second)
	w.keep(probed)
	w.keep(opened("beta", "due", -1))
	gone := opened("beta", "gone", 5).GiveUp("410 Gone", start)
	w.keep(gone)
	host := named("", "down.test")
	host.Phase, host.Opened, host.Until = circuit.Open, start, start.Add(time.Minute)
	w.keep(host)
	failing := named("acme", "a.test/failing")
	failing.Phase, failing.Run, failing.Total, failing.Bad = circuit.Closed, 3, 9, 4
	w.keep(failing)
	rest := named("acme", "a.test/rest")
	rest.Phase, rest.Total = circuit.Closed, 9
	w.keep(rest)
	for _, path := range []string{"ramps", "ramped"} {
		closed := named("acme", "a.test/"+path)
		closed.Phase, closed.ClosedAt, closed.Awaited = circuit.Closed, start.Add(-time.Minute), start.Add(-time.Hour)
		if w.keep(closed); path == "ramps" {
			w.hold(1, closed)
			w.hold(2, closed)
		}
	}
}

// urls are those of a list of circuits, in order, without what they begin with.
func urls(items []Circuit) string {
	var all []string
	for _, c := range items {
		all = append(all, strings.TrimPrefix(strings.TrimPrefix(c.URL, "https://"), "a.test/"))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestCircuitsList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	circuitsOfAllKinds(w)
	for query, want := range map[string]string{
		"":                                    "down.test due failing gone open probed ramps",
		"phase=all":                           "down.test due failing gone open probed ramped ramps rest",
		"phase=open":                          "down.test due gone open probed",
		"phase=half-open":                     "probed",
		"phase=closed":                        "failing ramped ramps rest",
		"tenant=beta":                         "due gone",
		"scope=host":                          "down.test",
		"scope=endpoint&tenant=beta":          "due gone",
		"url_prefix=https://a.test/r":         "ramps",
		"url_prefix=https://a.test/r&cursor=": "ramps",
		"tenant=nobody":                       "",
	} {
		if got := get[Circuits](w, "GET", "/api/v1/circuits?"+query, ""); urls(got.Items) != want || got.Cursor != "" {
			t.Errorf("%s: %s, want %s; and the cursor %q", query, urls(got.Items), want, got.Cursor)
		}
	}
}

// TestCircuitFields: what is told of a circuit, one by one and in the list.
func TestCircuitFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	circuitsOfAllKinds(w)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	for _, want := range []Circuit{
		{Scope: "endpoint", Tenant: "acme", URL: "https://a.test/open", Phase: "open", Why: "down", Opened: at(-time.Minute),
			Until: at(time.Minute), Opens: 1},
		{Scope: "endpoint", Tenant: "acme", URL: "https://a.test/probed", Phase: "half-open", Why: "down", Opened: at(time.Minute),
			Until: at(10 * time.Second), Opens: 1},
		{Scope: "endpoint", Tenant: "beta", URL: "https://a.test/gone", Phase: "open", Why: "410 Gone", Opened: start,
			Forever: true, Gone: true, Opens: 1},
		{Scope: "host", URL: "https://down.test", Phase: "open", Opened: start, Until: at(time.Minute)},
		{Scope: "endpoint", Tenant: "acme", URL: "https://a.test/failing", Phase: "closed", Failures: 3},
		{Scope: "endpoint", Tenant: "acme", URL: "https://a.test/ramps", Phase: "closed", ClosedAt: at(-time.Minute), Waiting: 2},
	} {
		want.ID = circuit.Name{Scope: circuit.Scope(want.Scope), Tenant: want.Tenant, URL: want.URL}.Key()
		list := get[Circuits](w, "GET", "/api/v1/circuits?url_prefix="+url.QueryEscape(want.URL), "").Items
		if diff := cmp.Diff([]Circuit{want}, list); diff != "" {
			t.Errorf("listed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, get[Circuit](w, "GET", "/api/v1/circuits/"+want.ID, "")); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
	}
}

// TestCircuitsWaitingMany: what waits is counted up to a thousand.
func TestCircuitsWaitingMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := opened("acme", "in", 1)
	s.Awaited = start
	w.keep(s)
	for n := range 1001 {
		if n == 1000 {
			if got := get[Circuit](w, "GET", "/api/v1/circuits/"+s.Key(), ""); got.Waiting != 1000 || got.WaitingMore {
				t.Errorf("of a thousand: %+v", got)
			}
		}
		w.hold(n, s)
	}
	if got := get[Circuit](w, "GET", "/api/v1/circuits/"+s.Key(), ""); got.Waiting != 1000 || !got.WaitingMore {
		t.Errorf("of more: %+v", got)
	}
}

// TestCircuitsPages: pages of any length have everything once, whatever the store's
// own pages hold, and a list that takes too long goes on with the next request.
func TestCircuitsPages(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 7, 200} {
		for _, slow := range []string{"", "page of circuits", "count"} {
			t.Run(fmt.Sprint(limit, slow), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				want := map[string]bool{}
				for n := range 1100 {
					s := opened("acme", fmt.Sprint(n), 1)
					s.Awaited = start
					if n%3 == 0 {
						s = named("acme", fmt.Sprint("a.test/", n)).Close(start)
					} else {
						want[s.URL] = true
					}
					w.keep(s)
				}
				if slow != "" {
					w.fault[slow] = func(int) fault { w.now = w.now.Add(listTime); return works }
				}
				for cursor, requests := "", 0; ; requests++ {
					list := get[Circuits](w, "GET", fmt.Sprintf("/api/v1/circuits?limit=%d&cursor=%s", limit, cursor), "")
					if len(list.Items) > limit || requests > 1000 {
						t.Fatalf("%d items in request %d", len(list.Items), requests)
					}
					for _, c := range list.Items {
						if !want[c.URL] {
							t.Fatalf("%s is not expected, or not again", c.URL)
						}
						delete(want, c.URL)
					}
					if cursor = list.Cursor; cursor == "" {
						break
					}
				}
				if len(want) > 0 {
					t.Errorf("%d are not listed", len(want))
				}
			})
		}
	}
}

// TestCircuitsTakeTheirTime: a request ends when its time is over, whether it has
// found anything or not.
func TestCircuitsTakeTheirTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 2*circuitsPage + 1 {
		w.keep(named("acme", fmt.Sprint("a.test/", n)).Close(start))
	}
	w.fault["page of circuits"] = func(int) fault { w.now = w.now.Add(listTime); return works }
	requests := 1
	for cursor := ""; ; requests++ {
		list := get[Circuits](w, "GET", "/api/v1/circuits?cursor="+cursor, "")
		if cursor = list.Cursor; cursor == "" {
			break
		}
	}
	if requests != 3 {
		t.Errorf("there were %d requests", requests)
	}
}
