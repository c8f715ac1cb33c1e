package scenario

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// Circuits runs the scenarios of circuits. These must open for a short time at
// first (EFFERENT_CIRCUIT_LIMITS), and nothing else may be sent to port 1 of
// 127.0.0.1.
func Circuits(t *testing.T, s *Stack) {
	t.Run("down, and well again", s.downAndWell)
	t.Run("every second fails", s.everySecondFails)
	t.Run("gone, until somebody closes it", s.goneForGood)
	t.Run("two tenants, one host", s.neighbours)
	t.Run("a host that is down", s.hostDown)
}

// CircuitOf waits until the circuit of an endpoint is as wanted.
func (s *Stack) CircuitOf(t *testing.T, endpoint string, wanted func(replay.Circuit) bool) replay.Circuit {
	t.Helper()
	return s.circuitWhere(t, "scope=endpoint&url_prefix="+url.QueryEscape(endpoint), wanted)
}

func (s *Stack) circuitWhere(t *testing.T, filter string, wanted func(replay.Circuit) bool) replay.Circuit {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		all := s.circuits(t, filter)
		for _, c := range all {
			if wanted(c) {
				return c
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the circuits of %s are %+v", filter, all)
		}
	}
}

// circuits lists all circuits that a filter lets pass.
func (s *Stack) circuits(t *testing.T, filter string) (all []replay.Circuit) {
	t.Helper()
	for cursor := ""; ; {
		var page replay.Circuits
		if status := s.Call(t, "GET", "/circuits?phase=all&"+filter+"&cursor="+url.QueryEscape(cursor), "", &page); status != http.StatusOK {
			t.Fatalf("the circuits were answered %d", status)
		}
		all = append(all, page.Items...)
		if cursor = page.Cursor; cursor == "" {
			return all
		}
	}
}

func isOpen(c replay.Circuit) bool { return c.Phase == replay.PhaseOpen }

// paths is an endpoint whose paths may each say something else to each tenant.
type paths struct {
	*Endpoint
	mu  sync.Mutex
	say map[string]func(http.ResponseWriter, *http.Request)
}

func newPaths(t *testing.T) *paths {
	p := &paths{say: map[string]func(http.ResponseWriter, *http.Request){}}
	p.Endpoint = NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		p.mu.Lock()
		say := p.say[r.Header.Get("X-Tenant")+r.URL.Path]
		p.mu.Unlock()
		if say != nil {
			say(w, r)
		}
	})
	return p
}

// set has a tenant's path say something; nil is 200.
func (p *paths) set(tenantPath string, say func(http.ResponseWriter, *http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.say[tenantPath] = say
}

// sendAs sends n webhooks of a tenant to an endpoint, with more members if given.
func (s *Stack) sendAs(t *testing.T, tenant, url string, n int, more ...string) (ids []string) {
	t.Helper()
	var texts []string
	for range n {
		id := newID(tenant)
		ids = append(ids, id)
		texts = append(texts, Text(id, url, append([]string{`"headers":{"X-Tenant":"` + tenant + `"},"tenant":"` + tenant + `"`}, more...)...))
	}
	s.Send(t, texts...)
	return ids
}

// held waits until a webhook waits for a circuit, and gives its record.
func (s *Stack) held(t *testing.T, id string) attempt.Record {
	t.Helper()
	records := s.AttemptsUntil(t, id, func(v attempt.Verdict) bool { return v == attempt.Held })
	last := records[len(records)-1]
	if last.Status != http.StatusServiceUnavailable || !strings.HasPrefix(last.Reason, "never sent: the circuit of ") {
		t.Errorf("%s waits as %+v", id, last)
	}
	return last
}

// downAndWell walks an endpoint through failing, failing its probes, and being well
// again.
func (s *Stack) downAndWell(t *testing.T) {
	t.Parallel()
	p := newPaths(t)
	p.set("down/in", says(http.StatusBadGateway))
	first := s.sendAs(t, "down", p.URL+"/in?key=hidden", 5)
	c := s.CircuitOf(t, p.URL+"/in", isOpen)
	if c.URL != p.URL+"/in" || c.Tenant != "down" || c.Why != "5 failures in a row" || c.Forever || !c.Until.After(c.Opened) {
		t.Errorf("it is open as %+v", c)
	}
	late := s.sendAs(t, "down", p.URL+"/in", 1)[0]
	s.held(t, late)
	again := s.CircuitOf(t, p.URL+"/in", func(c replay.Circuit) bool { return c.Opens > 1 })
	if !again.Opened.Equal(c.Opened) || again.Why != "502 Bad Gateway" {
		t.Errorf("after a probe that failed it is open as %+v, before as %+v", again, c)
	}
	p.set("down/in", nil)
	closed := s.CircuitOf(t, p.URL+"/in", func(c replay.Circuit) bool { return c.Phase == replay.PhaseClosed })
	if closed.ClosedAt.IsZero() {
		t.Errorf("it is closed as %+v", closed)
	}
	s.allArrive(t, append(first, late))
}

// allArrive waits until webhooks have come to their end, which must be a delivery.
func (s *Stack) allArrive(t *testing.T, ids []string) {
	t.Helper()
	for _, id := range ids {
		records := s.Attempts(t, id)
		if last := records[len(records)-1]; last.Verdict != attempt.Delivered {
			t.Errorf("%s: %s", id, Verdicts(records))
		}
	}
}

// everySecondFails: never twice in a row, and yet too often.
func (s *Stack) everySecondFails(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	var mended atomic.Bool
	e := NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		if n.Add(1)%2 == 1 && !mended.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	var open []replay.Circuit
	var ids []string
	for len(open) == 0 { // one after the other: what is counted together has no order
		ids = append(ids, s.sendAs(t, "second", e.URL, 1, `"retry":"replay"`)...) // which outlasts a slow machine
		s.AttemptsUntil(t, ids[len(ids)-1], func(attempt.Verdict) bool { return true })
		open = slices.DeleteFunc(s.circuits(t, "scope=endpoint&url_prefix="+url.QueryEscape(e.URL)),
			func(c replay.Circuit) bool { return !isOpen(c) })
		if len(e.Seen) > 100 {
			t.Fatal("its circuit does not open")
		}
	}
	if c := open[0]; !strings.HasSuffix(c.Why, " exchanges within a minute failed or were slow") {
		t.Errorf("it is open as %+v", c)
	}
	mended.Store(true)
	s.allArrive(t, ids)
}

// goneForGood: nothing is sent, and nothing waits, until somebody closes it.
func (s *Stack) goneForGood(t *testing.T) {
	t.Parallel()
	p := newPaths(t)
	p.set("gone/in", says(http.StatusGone))
	if got := Verdicts(s.Attempts(t, s.sendAs(t, "gone", p.URL+"/in", 1)[0])); got != "1:410:permanent" {
		t.Errorf("got %s", got)
	}
	c := s.CircuitOf(t, p.URL+"/in", func(c replay.Circuit) bool { return c.Forever })
	if c.Why != "410 Gone" || !c.Gone || !c.Until.IsZero() {
		t.Errorf("it is open as %+v", c)
	}
	p.set("gone/in", nil)
	id := s.sendAs(t, "gone", p.URL+"/in", 1)[0]
	records := s.Attempts(t, id)
	if got := Verdicts(records); got != "1:503:exhausted" || len(p.Arrivals(id)) > 0 {
		t.Errorf("got %s, %q, and %d arrived", got, records[0].Reason, len(p.Arrivals(id)))
	}
	s.Failures(t, "webhook-failures", "webhooks", id)
	if status := s.Call(t, http.MethodPost, "/circuits/"+c.ID+"/close", "", nil); status != http.StatusOK {
		t.Fatalf("closing it was answered %d", status)
	}
	s.deliveredAtLast(t, "gone", p.URL+"/in")
}

// deliveredAtLast sends until something is delivered: for a second a circuit that
// was closed may still be open for those who send.
func (s *Stack) deliveredAtLast(t *testing.T, tenant, url string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		records := s.Attempts(t, s.sendAs(t, tenant, url, 1)[0])
		if records[len(records)-1].Verdict == attempt.Delivered {
			return
		}
	}
	t.Errorf("nothing is delivered to %s", url)
}

// neighbours: what one path answers one tenant changes nothing for another path,
// nor for another tenant on the same path.
func (s *Stack) neighbours(t *testing.T) {
	t.Parallel()
	p := newPaths(t)
	p.set("one/gone", says(http.StatusGone))
	p.set("one/later", says(http.StatusServiceUnavailable, "Retry-After", "86400"))
	p.set("one/broken", says(http.StatusInternalServerError))
	s.sendAs(t, "one", p.URL+"/gone", 1)
	waiting := append(s.sendAs(t, "one", p.URL+"/later", 1), s.sendAs(t, "one", p.URL+"/broken", 5)...)
	for path, wanted := range map[string]func(replay.Circuit) bool{
		"/gone":   func(c replay.Circuit) bool { return c.Forever },
		"/later":  func(c replay.Circuit) bool { return c.Until.Sub(c.Opened) > 23*time.Hour },
		"/broken": func(c replay.Circuit) bool { return c.Why == "5 failures in a row" },
	} {
		s.CircuitOf(t, p.URL+path, func(c replay.Circuit) bool { return c.Tenant == "one" && isOpen(c) && wanted(c) })
	}
	ids := s.sendAs(t, "one", p.URL+"/fine", 1)
	for _, path := range []string{"/gone", "/later", "/broken", "/fine"} {
		ids = append(ids, s.sendAs(t, "two", p.URL+path, 1)...)
	}
	for _, id := range ids {
		if got := Verdicts(s.Attempts(t, id)); got != delivers {
			t.Errorf("%s came to %s", id, got)
		}
	}
	for _, c := range s.circuits(t, "url_prefix="+url.QueryEscape(p.URL)) {
		if c.Phase != replay.PhaseClosed && (c.Scope == "host" || c.Tenant == "two") {
			t.Errorf("this is open too: %+v", c)
		}
	}
	// Nobody is to wait for a day.
	later := s.CircuitOf(t, p.URL+"/later", isOpen)
	p.set("one/later", nil)
	p.set("one/broken", nil)
	s.Call(t, http.MethodPost, "/circuits/"+later.ID+"/close", "", nil)
	s.decide(t, "release", waiting[0])
	s.allArrive(t, waiting)
}

// decide has a webhook that waits in the room sent (release), or not (drop).
func (s *Stack) decide(t *testing.T, act, id string) {
	t.Helper()
	var list replay.WaitingItems
	for end := time.Now().Add(patience); len(list.Items) == 0 && time.Now().Before(end); {
		s.Call(t, "GET", "/waiting?webhook_id="+id, "", &list)
	}
	if len(list.Items) == 0 {
		t.Fatalf("%s does not wait", id)
	}
	if status := s.Call(t, http.MethodPost, "/waiting/"+act, `{"item_id":"`+list.Items[0].ItemID+`"}`, nil); status != http.StatusAccepted {
		t.Errorf("%s of %s was answered %d", act, id, status)
	}
}

// hostDown: a host that can't be connected to is left alone for everybody.
func (s *Stack) hostDown(t *testing.T) {
	t.Parallel()
	const host = "http://127.0.0.1:1" // where nobody listens
	ids := s.sendAs(t, "one", host+"/a", 5)
	filter := "scope=host&url_prefix=" + url.QueryEscape(host)
	c := s.circuitWhere(t, filter, func(c replay.Circuit) bool { return isOpen(c) && c.URL == host })
	if c.Why != "5 failures in a row" || c.Tenant != "" {
		t.Errorf("it is open as %+v", c)
	}
	other := s.sendAs(t, "two", host+"/b", 1)[0]
	if r := s.held(t, other); !strings.HasPrefix(r.Reason, fmt.Sprintf("never sent: the circuit of %s is open: ", host)) {
		t.Errorf("of another tenant, on another path: %+v", r)
	}
	// Opened by hand it has them all wait, until somebody decides.
	if status := s.Call(t, http.MethodPost, "/circuits/"+c.ID+"/open", `{"why":"nobody is there"}`, nil); status != http.StatusOK {
		t.Errorf("opening it by hand was answered %d", status)
	}
	for _, id := range append(ids, other) {
		s.decide(t, "drop", id)
		records := s.Attempts(t, id)
		if last := records[len(records)-1]; !last.Dropped {
			t.Errorf("%s came to %s", id, Verdicts(records))
		}
	}
}
