package scenario

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
)

// customer is one tenant, and its endpoints: one that gets every event, one that gets
// what is about invoices, and one that gets large amounts.
type customer struct {
	*Stack
	name                   string
	every, invoices, large *registered
	all                    []*registered
	sent                   int
}

// registered is an endpoint as the API makes it, and what gets there.
type registered struct {
	*Endpoint
	ID string `json:"id"`
	// Key is the one that it was made with, and keys are all that it has had.
	Key  string `json:"receiver_key"`
	keys []string
	// wants are the ids of the events that it should have.
	wants []string
	// refuses says that its receiver refuses them.
	refuses bool
	// takes is the only key whose signatures its receiver takes, once there is one.
	takes atomic.Pointer[string]
	// told is how often something of the endpoint itself is told, by its type.
	told map[string]int
}

func newCustomer(t *testing.T, s *Stack, like string) *customer {
	t.Helper()
	c := &customer{Stack: s, name: like + "-" + uuid.NewString()[:8]}
	c.every = c.register(t, OK, `["*"]`)
	c.invoices = c.register(t, OK, `["invoice.*"]`)
	c.large = c.register(t, OK, `["invoice.paid","user.made"]`, `"filter":{"amount":[{"numeric":[">",100]}]}`)
	return c
}

// register registers an endpoint whose receiver answers so; more are further fields of
// it.
func (c *customer) register(t *testing.T, answer func(http.ResponseWriter, *http.Request, int), types string, more ...string) *registered {
	t.Helper()
	e := &registered{told: map[string]int{"endpoint.updated": 1}}
	e.Endpoint = NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, nth int) {
		if key := e.takes.Load(); key != nil && e.Arrivals(r.Header.Get("webhook-id"))[nth-1].Accepts(t, *key) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer(w, r, nth)
	})
	body := strings.Join(append([]string{fmt.Sprintf(`"url":%q,"event_types":%s,"retry":"seed"`, e.URL, types)}, more...), ",")
	status := c.Call(t, "POST", "/tenants/"+c.name+"/endpoints", "{"+body+"}", e)
	if status != http.StatusCreated || e.ID == "" || e.Key == "" {
		t.Fatalf("it was registered with %d: %+v", status, e)
	}
	e.keys = []string{e.Key}
	c.all = append(c.all, e)
	return e
}

func (c *customer) path(e *registered) string { return "/tenants/" + c.name + "/endpoints/" + e.ID }

func (c *customer) act(t *testing.T, e *registered, what string) {
	t.Helper()
	if status := c.Call(t, "POST", c.path(e)+"/"+what, "", nil); status != http.StatusOK {
		t.Fatalf("%s: %d", what, status)
	}
	e.told["endpoint.updated"]++
	if what == "disable" {
		e.told["endpoint.disabled"]++
	}
}

// publishEach publishes an event by every way that there is, and notes who should get
// them: on the queue, in its own shape and as a CloudEvent; by HTTP; and by
// EventBridge.
func (c *customer) publishEach(t *testing.T, when string) {
	t.Helper()
	id := func(what string) string { return c.name + "_" + when + "_" + what }
	c.SendTo(t, "events",
		fmt.Sprintf(`{"id":%q,"tenant":%q,"event_type":"invoice.paid","body":{"amount":4200}}`, id("paid"), c.name),
		fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"shop","type":"user.made","tenant":%q,"data":{"amount":7}}`, id("small"), c.name))
	c.overHTTP(t, id("sent"), "invoice.sent", `{"amount":4200}`, c.every, c.invoices)
	large := c.overBus(t, id("large"), "user.made", fmt.Sprintf(`{"tenant":%q,"amount":101}`, c.name))
	c.every.wants = append(c.every.wants, id("paid"), id("small"), id("sent"), large)
	c.invoices.wants = append(c.invoices.wants, id("paid"), id("sent"))
	c.large.wants = append(c.large.wants, id("paid"), large)
}

// overHTTP publishes an event by the API, which answers who gets it.
func (c *customer) overHTTP(t *testing.T, id, eventType, body string, to ...*registered) {
	t.Helper()
	var answer struct {
		Endpoints []string `json:"endpoints"`
	}
	text := fmt.Sprintf(`{"id":%q,"tenant":%q,"event_type":%q,"body":%s}`, id, c.name, eventType, body)
	if status := c.Call(t, "POST", "/events", text, &answer); status != http.StatusAccepted {
		t.Fatalf("it was published with %d", status)
	}
	var want []string
	for _, e := range to {
		want = append(want, e.ID)
	}
	slices.Sort(want)
	if slices.Sort(answer.Endpoints); !slices.Equal(answer.Endpoints, want) {
		t.Errorf("%s goes to %v, want %v", id, answer.Endpoints, want)
	}
}

// overBus has EventBridge bring an event, or does as it does where there is none. It
// returns the event's id, which is EventBridge's own.
func (c *customer) overBus(t *testing.T, id, detailType, detail string) string {
	t.Helper()
	if c.PutEvent == nil {
		c.SendTo(t, "events", fmt.Sprintf(`{"version":"0","id":%q,"detail-type":%q,"source":%q,"detail":%s}`, id, detailType, BusSource, detail))
		return id
	}
	id, err := c.PutEvent(t.Context(), detailType, detail)
	if err != nil {
		t.Fatalf("the bus: %v", err)
	}
	return id
}

// publishMany publishes n events of a type on the queue, which e gets, and who gets
// everything.
func (c *customer) publishMany(t *testing.T, n int, eventType string, e *registered) {
	t.Helper()
	var texts []string
	for range n {
		c.sent++
		id := fmt.Sprintf("%s_%s_%d", c.name, strings.ReplaceAll(eventType, ".", "-"), c.sent)
		texts = append(texts, fmt.Sprintf(`{"id":%q,"tenant":%q,"event_type":%q,"body":{"amount":1000}}`, id, c.name, eventType))
		e.wants, c.every.wants = append(e.wants, id), append(c.every.wants, id)
	}
	for part := range slices.Chunk(texts, 10) {
		c.SendTo(t, "events", part...)
	}
}

// await waits for all that it should get, and checks that each was signed by a key of
// its own.
func (e *registered) await(t *testing.T) {
	t.Helper()
	over := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, id := range e.wants {
		for len(e.Arrivals(id)) == 0 {
			select {
			case <-tick.C:
			case <-over:
				t.Fatalf("%s has not got %s", e.ID, id)
			}
		}
		for _, a := range e.Arrivals(id) {
			if !slices.ContainsFunc(e.keys, func(key string) bool { return a.Accepts(t, key) == nil }) {
				t.Errorf("%s, %s: it is not signed by any of its keys", e.ID, id)
			}
		}
	}
}

// gotNoneOf: none of what has one of these in its id has come.
func (e *registered) gotNoneOf(t *testing.T, like ...string) {
	t.Helper()
	for _, id := range e.wants {
		if slices.ContainsFunc(like, func(l string) bool { return strings.Contains(id, strings.ReplaceAll(l, ".", "-")) }) &&
			len(e.Arrivals(id)) > 0 {
			t.Errorf("%s takes nothing, and got %s", e.ID, id)
		}
	}
}

// nothingElse came.
func (e *registered) nothingElse(t *testing.T) {
	t.Helper()
	for len(e.Seen) > 0 {
		if id := <-e.Seen; !slices.Contains(e.wants, id) {
			t.Errorf("%s got %s, which is not for it", e.ID, id)
		}
	}
}
