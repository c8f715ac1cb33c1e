package scenario

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

// seen is how long it may take until every function knows a change of an endpoint: it
// reads them a second old at most.
const seen = 1500 * time.Millisecond

const (
	bulk     = 100 // events that come while an endpoint is disabled
	underway = 30  // events that are on their way while a key is replaced
	pace     = 4   // requests a second that one endpoint takes
	paced    = 16  // events for that one
	asked    = 2   // requests a second that a receiver allows when it is asked
)

// Registered sends events to registered endpoints of three tenants, by the queue, by HTTP
// and as EventBridge does, while one is paused, one is disabled and one has its key
// replaced, and one may only be sent so much a second: each gets exactly its events,
// by its own key, and what is told of it adds up.
func Registered(t *testing.T, s *Stack) {
	acme, bolt, cone := newCustomer(t, s, "acme"), newCustomer(t, s, "bolt"), newCustomer(t, s, "cone")
	paused, disabled, rotated := acme.every, bolt.invoices, cone.large
	all := []*customer{acme, bolt, cone}
	slow, willing, refusing := acme.addSlow(t), bolt.addWilling(t), cone.addRefusing(t)
	for _, c := range all {
		c.publishEach(t, "before")
	}
	acme.act(t, paused, "pause")
	bolt.act(t, disabled, "disable")
	time.Sleep(seen)
	for _, c := range all {
		c.publishEach(t, "during")
	}
	bolt.publishMany(t, bulk, "invoice.counted", disabled)
	cone.rotateUnderLoad(t, rotated)
	started := time.Now()
	acme.publishMany(t, paced, "meter.read", slow)
	bolt.publishMany(t, 1, "greeting.sent", willing)
	cone.publishMany(t, 1, "order.refused", refusing)
	for _, e := range []*registered{bolt.every, acme.invoices, acme.large, bolt.large, cone.every, cone.invoices, rotated, willing, refusing} {
		e.await(t)
	}
	for _, e := range []*registered{paused, disabled} {
		e.gotNoneOf(t, "during", "invoice.counted")
	}
	acme.act(t, paused, "resume")
	bolt.act(t, disabled, "enable")
	for _, c := range all {
		for _, e := range c.all {
			e.await(t)
			e.nothingElse(t)
		}
	}
	slow.tookItsTime(t, started)
	s.addUp(t, acme, bolt, cone)
}

// addSlow registers an endpoint that takes so much a second.
func (c *customer) addSlow(t *testing.T) *registered {
	return c.register(t, OK, `["meter.*"]`, fmt.Sprintf(`"rate_per_second":%d`, pace))
}

// addRefusing registers one whose receiver refuses everything for good.
func (c *customer) addRefusing(t *testing.T) *registered {
	e := c.register(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusBadRequest) }, `["order.refused"]`)
	e.refuses = true
	return e
}

// addWilling registers one whose receiver is asked, by the handshake of CloudEvents,
// and says how much it wants.
func (c *customer) addWilling(t *testing.T) *registered {
	t.Helper()
	e := c.register(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.Method == http.MethodOptions {
			w.Header().Set("WebHook-Allowed-Origin", r.Header.Get("WebHook-Request-Origin"))
			w.Header().Set("WebHook-Allowed-Rate", fmt.Sprint(asked*60))
		}
	}, `["greeting.*"]`)
	var answer struct {
		Verified bool `json:"verified"`
		Endpoint struct {
			Rate float64 `json:"rate_per_second"`
		} `json:"endpoint"`
	}
	status := c.Call(t, "POST", c.path(e)+"/verify", `{"method":"options"}`, &answer)
	if status != http.StatusOK || !answer.Verified || answer.Endpoint.Rate != asked {
		t.Errorf("its receiver was asked with %d: %+v", status, answer)
	}
	e.told["endpoint.verified"]++
	e.told["endpoint.updated"]++
	return e
}

// rotateUnderLoad replaces a key while events are on their way. As soon as that is seen
// the receiver takes what the new one has signed, and nothing else.
func (c *customer) rotateUnderLoad(t *testing.T, e *registered) {
	t.Helper()
	c.publishMany(t, underway/3, "user.made", e)
	var fresh struct {
		Key string `json:"receiver_key"`
	}
	if status := c.Call(t, "POST", c.path(e)+"/rotate", "", &fresh); status != http.StatusOK || fresh.Key == e.keys[0] {
		t.Fatalf("its key was replaced with %d", status)
	}
	e.keys = append(e.keys, fresh.Key)
	e.told["endpoint.updated"]++
	c.publishMany(t, underway/3, "user.made", e)
	time.Sleep(seen)
	e.takes.Store(&fresh.Key)
	c.publishMany(t, underway/3, "user.made", e)
}

// tookItsTime: what came to an endpoint came no faster than it says. A second's worth may
// come at once.
func (e *registered) tookItsTime(t *testing.T, started time.Time) {
	t.Helper()
	var last time.Time
	for _, id := range e.wants {
		for _, a := range e.Arrivals(id) {
			last = slices.MaxFunc([]time.Time{last, a.At}, time.Time.Compare)
		}
	}
	if took, least := last.Sub(started), time.Second*(paced-pace)/pace; took < least {
		t.Errorf("%d a second took %s for %d, want %s at least", pace, took, paced, least)
	}
}
