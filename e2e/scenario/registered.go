package scenario

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// tenantOf is one tenant of the scenario and its endpoints.
type tenantOf struct {
	*Stack
	name string
	// like begins the ids of its events.
	like string
}

// registered is an endpoint as the API makes it, and what gets there.
type registered struct {
	*Endpoint
	ID  string `json:"id"`
	Key string `json:"receiver_key"`
	// wants are the ids of the events that it should have, with how often at least.
	wants []string
}

// Registered sends events to registered endpoints of three tenants, by three shapes,
// while one is paused, one is disabled and one has its key replaced: each gets exactly
// its events, by its own key.
func Registered(t *testing.T, s *Stack) {
	run := uuid.NewString()[:8]
	var all []*registered
	var paused, disabled, rotated *registered
	for _, name := range []string{"acme", "bolt", "cone"} {
		o := tenantOf{s, name + "-" + run, name + run}
		every := o.register(t, `["*"]`, "")
		invoices := o.register(t, `["invoice.*"]`, "")
		large := o.register(t, `["invoice.paid","user.made"]`, `{"amount":[{"numeric":[">",100]}]}`)
		o.publishAll(t, "before", every, invoices, large)
		switch all = append(all, every, invoices, large); name {
		case "acme":
			paused = every
			o.act(t, paused, "pause")
		case "bolt":
			disabled = invoices
			o.act(t, disabled, "disable")
		case "cone":
			rotated = large
			o.act(t, rotated, "rotate")
		}
		o.publishAll(t, "during", every, invoices, large)
	}
	for _, e := range all {
		if e != paused && e != disabled {
			e.await(t)
		}
	}
	for _, e := range []*registered{paused, disabled} {
		for _, id := range e.wants {
			if strings.Contains(id, "during") && len(e.Arrivals(id)) > 0 {
				t.Errorf("%s takes nothing, and got %s", e.ID, id)
			}
		}
	}
	tenantOf{s, "acme-" + run, ""}.act(t, paused, "resume")
	tenantOf{s, "bolt-" + run, ""}.act(t, disabled, "enable")
	for _, e := range all {
		e.await(t)
		e.nothingElse(t)
	}
}

func (o tenantOf) register(t *testing.T, types, filter string) *registered {
	t.Helper()
	e := &registered{Endpoint: NewEndpoint(t, OK)}
	body := fmt.Sprintf(`{"url":%q,"event_types":%s,"retry":"seed"`, e.URL, types)
	if filter != "" {
		body += `,"filter":` + filter
	}
	if status := o.Call(t, "POST", "/tenants/"+o.name+"/endpoints", body+"}", e); status != http.StatusCreated || e.ID == "" || e.Key == "" {
		t.Fatalf("it was registered with %d: %+v", status, e)
	}
	return e
}

func (o tenantOf) act(t *testing.T, e *registered, what string) {
	t.Helper()
	if status := o.Call(t, "POST", "/tenants/"+o.name+"/endpoints/"+e.ID+"/"+what, "", nil); status != http.StatusOK {
		t.Fatalf("%s: %d", what, status)
	}
	time.Sleep(1500 * time.Millisecond) // it is seen by everybody within a second
}

// publishAll publishes four events, as their own shape, a CloudEvent and an event of
// EventBridge are, and notes who should get them.
func (o tenantOf) publishAll(t *testing.T, when string, every, invoices, large *registered) {
	t.Helper()
	id := func(n int) string { return fmt.Sprintf("%s%s%d", o.like, when, n) }
	o.SendTo(t, "events",
		fmt.Sprintf(`{"id":%q,"tenant":%q,"event_type":"invoice.paid","body":{"amount":4200}}`, id(1), o.name),
		fmt.Sprintf(`{"id":%q,"tenant":%q,"event_type":"invoice.sent","body":{"amount":4200}}`, id(2), o.name),
		fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"shop","type":"user.made","tenant":%q,"data":{"amount":7}}`, id(3), o.name),
		fmt.Sprintf(`{"version":"0","id":%q,"detail-type":"user.made","source":"shop","detail":{"tenant":%q,"amount":101}}`, id(4), o.name))
	every.wants = append(every.wants, id(1), id(2), id(3), id(4))
	invoices.wants = append(invoices.wants, id(1), id(2))
	large.wants = append(large.wants, id(1), id(4))
}

// await waits for all that it should get, and checks it by the key that it was made
// with.
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
			if err := a.Accepts(t, e.Key); err != nil {
				t.Errorf("%s, %s: %v", e.ID, id, err)
			}
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
