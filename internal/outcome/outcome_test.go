package outcome_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/outcome"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 123456789, time.UTC)

// heard is a Sink that remembers.
type heard struct {
	events []outcome.Event
	err    error
}

func (h *heard) Tell(_ context.Context, events []outcome.Event) error {
	h.events = append(h.events, events...)
	return h.err
}

func teller(t testing.TB, kinds string) (*outcome.Teller, *heard) {
	t.Helper()
	k, err := outcome.ParseKinds(kinds)
	if err != nil {
		t.Fatal(err)
	}
	h := &heard{}
	return &outcome.Teller{Sink: h, Kinds: k}, h
}

func failed() attempt.Record {
	return attempt.Record{
		WebhookID: "evt_1", Origin: "o", MessageID: "m", Attempt: 4, At: noon, DurationMS: 5, URL: "https://a.test/in?token=hidden#x",
		EventType: "invoice.paid", Tenant: "acme", Endpoint: "ep_1", Status: 500, Verdict: attempt.Exhausted, Reason: "no more \xff tries",
		Response: "hidden too", Held: "circuit=3",
	}
}

func TestDeliveryAsJSON(t *testing.T) {
	t.Parallel()
	r := failed()
	got, err := outcome.OfAttempt(&r).JSON()
	if err != nil {
		t.Fatal(err)
	}
	id := outcome.OfAttempt(&r).ID
	want := `{"specversion":"1.0","id":"` + id + `","source":"efferent","type":"delivery.failed","subject":"evt_1",` +
		`"time":"2026-11-26T12:00:00.128Z","tenant":"acme","datacontenttype":"application/json","data":{"kind":"webhook","webhook_id":"evt_1",` +
		`"origin":"o","message_id":"m","tenant":"acme","endpoint":"ep_1","url":"https://a.test/in","event_type":"invoice.paid","attempts":4,` +
		`"status":500,"verdict":"exhausted","reason":"no more ` + "\uFFFD" + ` tries"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !outcome.IsID(id) || message.CheckID(id) != "" {
		t.Errorf("%s can't be a webhook-id", id)
	}
}

// TestKinds: what ended says what it was, and what was reported since has an outcome of
// its own, with the report's time and words in place of the attempt's.
func TestKinds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2000)
	for want, change := range map[string]func(r *attempt.Record){
		"webhook":      func(*attempt.Record) {},
		"notification": func(r *attempt.Record) { r.Notification = true },
		"event":        func(r *attempt.Record) { r.Event = true },
	} {
		r := failed()
		r.Reason = long
		change(&r)
		if d, _ := outcome.OfAttempt(&r).Data.(outcome.Delivery); d.Kind != want || d.Reason != long[:1024] {
			t.Errorf("%s: kind %q, a reason of %d bytes", want, d.Kind, len(d.Reason))
		}
	}
	r := failed()
	r.Notification, r.Verdict, r.Reason, r.State = true, attempt.Delivered, "", attempt.Bounced
	r.Report = &attempt.Report{State: attempt.Bounced, At: noon.Add(time.Hour), Reason: long}
	e, first := outcome.OfReport(&r), outcome.OfAttempt(&r)
	d, _ := e.Data.(outcome.Delivery)
	if e.Kind != "notification.bounced" || !e.Time.Equal(noon.Add(time.Hour)) || d.State != attempt.Bounced || d.Reason != long[:1024] ||
		d.Kind != "notification" || d.WebhookID != "evt_1" {
		t.Errorf("%+v, a reason of %d bytes", e.Kind, len(d.Reason))
	}
	if e.ID == first.ID || !outcome.IsID(e.ID) || e.ID != outcome.OfReport(&r).ID {
		t.Errorf("the report's outcome is %s, the attempt's %s", e.ID, first.ID)
	}
}

// TestOfEndpoint: it tells no query string, which may hold a key, and two changes of the
// same version are two.
func TestOfEndpoint(t *testing.T) {
	t.Parallel()
	of := func(state, reason string) outcome.Event {
		return outcome.OfEndpoint(outcome.Disabled, noon, "ep_1", outcome.Endpoint{Tenant: "acme", URL: "https://a.test/in?token=hidden",
			State: state, Reason: reason, Version: 3})
	}
	e := of("disabled", strings.Repeat("x", 2000))
	if d, _ := e.Data.(outcome.Endpoint); d.URL != "https://a.test/in" || len(d.Reason) != 1024 || e.Subject != "ep_1" {
		t.Errorf("%+v", d)
	}
	if a, b, c := of("disabled", "x").ID, of("paused", "x").ID, of("disabled", "y").ID; a == b || a == c || a != of("disabled", "x").ID {
		t.Errorf("%s, %s, %s", a, b, c)
	}
	ids := map[string]string{}
	for _, c := range [][4]string{{"acme", "ep_1", "", "a"}, {"beta", "ep_1", "", "a"}, {"acme", "ep_2", "", "a"}, {"acme", "ep_1", "c", "a"},
		{"acme", "ep_1", "", "b"}} {
		for _, kind := range []outcome.Kind{outcome.Failing, outcome.Disabled} {
			id := outcome.OfChange(kind, noon, c[3], outcome.Endpoint{Tenant: c[0], Endpoint: c[1], Circuit: c[2]}).ID
			if ids[id] != "" {
				t.Errorf("%s of %v has the id of %s", kind, c, ids[id])
			}
			ids[id] = fmt.Sprint(kind, c)
		}
	}
	if d, _ := outcome.OfEndpoint("", noon, "ep_1", outcome.Endpoint{URL: "?token=hidden"}).Data.(outcome.Endpoint); d.URL != "" {
		t.Errorf("of a URL that is only a query %q is told", d.URL)
	}
}

// TestTheSameID: an outcome has the same id whenever it is told, and no other has it.
func TestTheSameID(t *testing.T) {
	t.Parallel()
	r := failed()
	seen := map[string]string{outcome.OfAttempt(&r).ID: "the first"}
	marked := r
	marked.OutcomeDue, marked.Untold = true, true
	if outcome.OfAttempt(&marked).ID != outcome.OfAttempt(&r).ID {
		t.Error("a mark makes another id")
	}
	for name, change := range map[string]func(*attempt.Record){
		"another message": func(r *attempt.Record) { r.MessageID = "n" },
		"another attempt": func(r *attempt.Record) { r.Attempt++ },
		"another end":     func(r *attempt.Record) { r.Verdict = attempt.Delivered },
	} {
		other := r
		change(&other)
		id := outcome.OfAttempt(&other).ID
		if seen[id] != "" {
			t.Errorf("%s has the id of %s", name, seen[id])
		}
		seen[id] = name
	}
}

func TestWantsAttempt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kinds  string
		change func(*attempt.Record)
		want   bool
	}{
		"a failure":                 {"", func(*attempt.Record) {}, true},
		"for good":                  {"", func(r *attempt.Record) { r.Verdict = attempt.Permanent }, true},
		"to be tried again":         {"*", func(r *attempt.Record) { r.Verdict = attempt.Retryable }, false},
		"held":                      {"*", func(r *attempt.Record) { r.Verdict = attempt.Held }, false},
		"delivered":                 {"", func(r *attempt.Record) { r.Verdict = attempt.Delivered }, false},
		"delivered, wanted":         {"delivery.*", func(r *attempt.Record) { r.Verdict = attempt.Delivered }, true},
		"a failure, not wanted":     {"endpoint.*", func(*attempt.Record) {}, false},
		"of an outcome":             {"*", func(r *attempt.Record) { r.WebhookID = outcome.OfAttempt(r).ID }, false},
		"of what looks nearly like": {"*", func(r *attempt.Record) { r.WebhookID = "out_1" }, true},
		"of who gets the outcomes":  {"*", func(r *attempt.Record) { r.Tenant = "operator" }, false},
	} {
		r := failed()
		c.change(&r)
		tell, _ := teller(t, c.kinds)
		tell.Quiet = "operator"
		if got := tell.WantsAttempt(&r); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	var off *outcome.Teller
	if r := failed(); off.WantsAttempt(&r) {
		t.Error("nobody is told, and yet wants to be")
	}
}

func TestParseKinds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "delivery.failed " +
			"endpoint.disabled endpoint.failing endpoint.recovered endpoint.updated endpoint.verified " +
			"notification.bounced notification.complained notification.undelivered",
		" delivery.failed , delivery.delivered": "delivery.delivered delivery.failed",
		"delivery.*,delivery.failed":            "delivery.delivered delivery.failed",
		"endpoint.failing":                      "endpoint.failing",
		"delivery":                              "!",
		"delivery.fail*":                        "!",
		"nothing.*":                             "!",
		"delivery.failed,":                      "!",
		".*":                                    "!",
	} {
		kinds, err := outcome.ParseKinds(text)
		var got []string
		for _, k := range outcome.All {
			if kinds.Has(k) {
				got = append(got, string(k))
			}
		}
		slices.Sort(got)
		if err != nil {
			got = []string{"!"}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if all, err := outcome.ParseKinds("*"); err != nil || len(all) != len(outcome.All) {
		t.Errorf("*: %v, %v", all, err)
	}
}

func TestOnlyWhatIsWanted(t *testing.T) {
	t.Parallel()
	tell, h := teller(t, "")
	tell.Quiet = "operator"
	events := []outcome.Event{{Kind: outcome.Delivered}, {Kind: outcome.Failed, ID: "a"}, {Kind: outcome.Failed, Tenant: "operator"},
		{Kind: outcome.Failing, ID: "b"}}
	if err := tell.Tell(t.Context(), events...); err != nil || len(h.events) != 2 || h.events[0].ID != "a" || h.events[1].ID != "b" {
		t.Errorf("heard %+v, %v", h.events, err)
	}
	if events[0].Kind != outcome.Delivered || events[3].ID != "b" {
		t.Error("what was given is changed")
	}
	h.events, h.err = nil, errors.New("out of reach")
	if err := tell.Tell(t.Context(), outcome.Event{Kind: outcome.Delivered}); err != nil || h.events != nil {
		t.Errorf("what nobody wants was told: %v", err)
	}
	if err := tell.Tell(t.Context(), outcome.Event{Kind: outcome.Failed}); err == nil {
		t.Error("it does not say that nobody was told")
	}
}

func TestPublished(t *testing.T) {
	t.Parallel()
	r := failed()
	e := outcome.OfAttempt(&r)
	own, err := e.JSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Published("operator")
	want := `{"id":"` + e.ID + `","tenant":"operator","event_type":"delivery.failed","body":` + string(own) + `}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

// counts is a metric.Recorder.
type counts struct{ of map[string]float64 }

func (c *counts) Record(events []metric.Event) {
	for _, e := range events {
		c.of[e.Name+" "+e.Action] += e.Value
	}
}

// TestToldToNobody: what can't be told, and comes back for nobody, is counted.
func TestToldToNobody(t *testing.T) {
	t.Parallel()
	tell, h := teller(t, "")
	h.err = errors.New("out of reach")
	c := &counts{map[string]float64{}}
	tell.Now(t.Context(), c, slog.New(slog.DiscardHandler), outcome.Event{Kind: outcome.Updated}, outcome.Event{Kind: outcome.Delivered})
	if c.of["OutcomesUntold endpoint.updated"] != 1 {
		t.Errorf("counted %v", c.of)
	}
	var off *outcome.Teller
	off.Now(t.Context(), c, slog.New(slog.DiscardHandler), outcome.Event{Kind: outcome.Updated})
	if len(c.of) != 1 || c.of["OutcomesUntold endpoint.updated"] != 1 {
		t.Errorf("counted %v", c.of)
	}
}
