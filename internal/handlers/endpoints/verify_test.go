package endpoints

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/waiting"
	"github.com/efferent/efferent/internal/webhook"
)

// outside is what the handler reaches beyond its stores: a receiver, the queue, and who
// listens.
type outside struct {
	answer  func(webhook.Request) webhook.Exchange
	asked   []webhook.Request
	sent    []waiting.Outgoing
	sending error
	heard   []outcome.Event
}

func (o *outside) Post(_ context.Context, r webhook.Request) webhook.Exchange {
	o.asked = append(o.asked, r)
	return o.answer(r)
}

func (o *outside) Send(_ context.Context, queue string, messages []waiting.Outgoing) (sent []int, err error) {
	o.sent = append(o.sent, messages...)
	if queue != "webhooks" || len(messages) != 1 {
		err = fmt.Errorf("%d messages for %s", len(messages), queue)
	}
	return []int{0}, errors.Join(err, o.sending)
}

func (o *outside) Tell(_ context.Context, events []outcome.Event) error {
	o.heard = append(o.heard, events...)
	return nil
}

// kinds are what was heard.
func (o *outside) kinds() string {
	var all []string
	for _, e := range o.heard {
		all = append(all, strings.TrimPrefix(string(e.Kind), "endpoint."))
	}
	o.heard = nil
	return strings.Join(all, " ")
}

// reaching is a world whose handler has an outside.
func reaching(t *testing.T, more func(*Needs)) (*world, *outside) {
	t.Helper()
	w, o := newWorld(t), &outside{}
	kinds, err := outcome.ParseKinds("*")
	if err != nil {
		t.Fatal(err)
	}
	w.rewire(func(n *Needs) {
		n.Prober, n.Webhooks, n.Origin, n.Outcomes = o, o, "events.efferent.test", &outcome.Teller{Sink: o, Kinds: kinds}
		if more != nil {
			more(n)
		}
	})
	return w, o
}

func answers(status int, body string, headers ...string) webhook.Exchange {
	h := http.Header{}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		h.Add(name, value)
	}
	return webhook.Exchange{Status: status, Answer: &webhook.Answer{Header: h, Body: body}}
}

// TestHandshake: consent is what the headers say, whatever the status; the rate that is
// allowed becomes the endpoint's, where that has none or a higher one.
func TestHandshake(t *testing.T) {
	t.Parallel()
	const origin = "WebHook-Allowed-Origin: "
	for name, c := range map[string]struct {
		rate   string
		answer webhook.Exchange
		given  bool
		is     float64
		asks   string
	}{
		"agrees":                {"", answers(200, "", origin+"events.efferent.test", "WebHook-Allowed-Rate: 120"), true, 2, ""},
		"agrees, in capitals":   {"", answers(200, "", origin+"Events.Efferent.Test", "WebHook-Allowed-Rate: 120"), true, 2, ""},
		"agrees with all":       {"", answers(200, "", origin+"*", "WebHook-Allowed-Rate: *"), true, 0, ""},
		"agrees by a 404":       {"", answers(404, "", origin+"*", "WebHook-Allowed-Rate: 60"), true, 1, ""},
		"allows less":           {"10", answers(200, "", origin+"*", "WebHook-Allowed-Rate: 120"), true, 2, "600"},
		"allows more":           {"1", answers(200, "", origin+"*", "WebHook-Allowed-Rate: 120"), true, 1, "60"},
		"allows all":            {"1.5", answers(200, "", origin+"*", "WebHook-Allowed-Rate: *"), true, 1.5, "90"},
		"says nothing of rates": {"0.01", answers(200, "", origin+"*"), true, 0.01, "1"},
		"a plain 200":           {"", answers(200, "ok", "Allow: POST"), false, 0, ""},
		"another's origin":      {"", answers(200, "", origin+"other.test", "WebHook-Allowed-Rate: *"), false, 0, ""},
		"an empty origin":       {"", answers(200, "", origin, "WebHook-Allowed-Rate: *"), false, 0, ""},
		"two origins":           {"", answers(200, "", origin+"other.test", origin+"*", "WebHook-Allowed-Rate: *"), false, 0, ""},
		"no rate at all":        {"", answers(200, "", origin+"*", "WebHook-Allowed-Rate: 0"), false, 0, ""},
		"a rate that is none":   {"", answers(200, "", origin+"*", "WebHook-Allowed-Rate: lots"), false, 0, ""},
		"nobody there":          {"", webhook.Exchange{Err: errors.New("no connection")}, false, 0, ""},
	} {
		w, o := reaching(t, nil)
		more := ""
		if c.rate != "" {
			more = `,"rate_per_second":` + c.rate
		}
		e := w.create("acme", more)
		o.kinds()
		o.answer = func(webhook.Request) webhook.Exchange { return c.answer }
		v := get[Verification](w, "POST "+pathOf(e.Endpoint)+"/verify", `{"method":"options"}`)
		want := c.is
		if !c.given {
			want = e.RatePerSecond
		}
		if v.Verified != c.given || (v.Reason == "") != c.given || v.Status != c.answer.Status || v.Endpoint.RatePerSecond != want {
			t.Errorf("%s: %+v", name, v)
		}
		if kept := get[Endpoint](w, "GET "+pathOf(e.Endpoint), ""); kept.Verified.IsZero() == c.given || (kept.VerifiedOrigin != "") != c.given {
			t.Errorf("%s: kept %+v", name, kept)
		}
		if heard := o.kinds(); strings.Contains(heard, "verified") != c.given {
			t.Errorf("%s: heard %q", name, heard)
		}
		r := o.asked[0]
		if !r.Options || r.Headers.Get("WebHook-Request-Origin") != "events.efferent.test" || r.Headers.Get("WebHook-Request-Rate") != c.asks {
			t.Errorf("%s: asked by %v", name, r.Headers)
		}
	}
}

// TestVerifyByEvent: the receiver answers with the challenge of a signed event.
func TestVerifyByEvent(t *testing.T) {
	t.Parallel()
	challenge := func(r webhook.Request) string {
		var q question
		if err := json.Unmarshal(r.Body, &q); err != nil || q.Type != VerifyType {
			t.Errorf("%v: %s", err, r.Body)
		}
		return q.Challenge
	}
	for name, c := range map[string]struct {
		answer func(webhook.Request) webhook.Exchange
		given  bool
	}{
		"as it is":          {func(r webhook.Request) webhook.Exchange { return answers(200, challenge(r)+"\n") }, true},
		"in an object":      {func(r webhook.Request) webhook.Exchange { return answers(202, `{"challenge":"`+challenge(r)+`"}`) }, true},
		"the whole event":   {func(r webhook.Request) webhook.Exchange { return answers(200, string(r.Body)) }, true},
		"a plain 200":       {func(webhook.Request) webhook.Exchange { return answers(200, "ok") }, false},
		"an empty 204":      {func(webhook.Request) webhook.Exchange { return answers(204, "") }, false},
		"with an error":     {func(r webhook.Request) webhook.Exchange { return answers(500, challenge(r)) }, false},
		"another challenge": {func(webhook.Request) webhook.Exchange { return answers(200, `{"challenge":""}`) }, false},
		"nobody there":      {func(webhook.Request) webhook.Exchange { return webhook.Exchange{Err: errors.New("no connection")} }, false},
	} {
		w, o := reaching(t, nil)
		e := w.create("acme", `,"headers":{"X-A":"b"}`)
		o.answer = c.answer
		for _, body := range []string{"", `{"method":"event"}`} {
			v := get[Verification](w, "POST "+pathOf(e.Endpoint)+"/verify", body)
			if v.Verified != c.given || v.Method != byEvent {
				t.Errorf("%s: %+v", name, v)
			}
		}
		r := o.asked[0]
		if len(r.Secrets) != 1 || r.EventType != VerifyType || r.Headers.Get("X-A") != "b" || message.CheckID(r.ID) != "" || !r.Question {
			t.Errorf("%s: asked by %+v", name, r)
		}
		kept := get[Endpoint](w, "GET "+pathOf(e.Endpoint), "")
		if kept.Verified.IsZero() == c.given || kept.VerifiedOrigin != "" {
			t.Errorf("%s: kept %+v", name, kept)
		}
	}
}

// TestVerifiedWhere: what was said at one URL holds for no other.
func TestVerifiedWhere(t *testing.T) {
	t.Parallel()
	w, o := reaching(t, nil)
	e := w.create("acme", "")
	o.answer = func(webhook.Request) webhook.Exchange {
		return answers(200, "", "WebHook-Allowed-Origin: *", "WebHook-Allowed-Rate: *")
	}
	get[Verification](w, "POST "+pathOf(e.Endpoint)+"/verify", `{"method":"options"}`)
	kept := get[Endpoint](w, "PATCH "+pathOf(e.Endpoint), `{"description":"as before"}`, "Content-Type: application/merge-patch+json")
	if kept.Verified.IsZero() {
		t.Error("a description undoes it")
	}
	if w.ask("PATCH "+pathOf(e.Endpoint), `{"verified":"2026-01-01T00:00:00Z"}`, "Content-Type: application/merge-patch+json").Code != 400 {
		t.Error("anybody may say that it is verified")
	}
	ready, err := kept.Check()
	if err != nil || ready.Target.Headers.Get(webhook.RequestOrigin) != "events.efferent.test" {
		t.Errorf("its webhooks don't say who sends them: %v, %v", ready.Target.Headers, err)
	}
	kept = get[Endpoint](w, "PATCH "+pathOf(e.Endpoint), `{"url":"https://acme.test/other"}`, "Content-Type: application/merge-patch+json")
	if !kept.Verified.IsZero() || kept.VerifiedOrigin != "" {
		t.Errorf("it is said to be verified at another URL: %+v", kept)
	}
	// While the receiver was asked, the URL was changed.
	o.answer = func(webhook.Request) webhook.Exchange {
		get[Endpoint](w, "PATCH "+pathOf(e.Endpoint), `{"url":"https://acme.test/third"}`, "Content-Type: application/merge-patch+json")
		return answers(200, "", "WebHook-Allowed-Origin: *", "WebHook-Allowed-Rate: *")
	}
	if out := w.ask("POST "+pathOf(e.Endpoint)+"/verify", `{"method":"options"}`); out.Code != http.StatusConflict {
		t.Errorf("%d %s", out.Code, out.Body)
	}
}

// TestMustVerify: where that is asked for, nothing is enabled before its receiver wants
// events, and then it is at once.
func TestMustVerify(t *testing.T) {
	t.Parallel()
	w, o := reaching(t, func(n *Needs) { n.MustVerify = true })
	e := w.create("acme", "")
	if e.State != endpoint.Disabled || e.Why != notVerified {
		t.Fatalf("made %+v", e)
	}
	for _, path := range []string{"/enable", "/resume"} {
		if out := w.ask("POST "+pathOf(e.Endpoint)+path, ""); out.Code != http.StatusConflict {
			t.Errorf("%s: %d %s", path, out.Code, out.Body)
		}
	}
	out := w.ask("PATCH "+pathOf(e.Endpoint), `{"state":"enabled"}`, "Content-Type: application/merge-patch+json")
	if out.Code != http.StatusConflict {
		t.Errorf("%d %s", out.Code, out.Body)
	}
	o.answer = func(r webhook.Request) webhook.Exchange { return answers(200, string(r.Body)) }
	if v := get[Verification](w, "POST "+pathOf(e.Endpoint)+"/verify", ""); v.Endpoint.State != endpoint.Enabled {
		t.Errorf("verified: %+v", v)
	}
	moved := get[Endpoint](w, "PATCH "+pathOf(e.Endpoint), `{"url":"https://acme.test/other"}`, "Content-Type: application/merge-patch+json")
	if moved.State != endpoint.Disabled || moved.Why != notVerified {
		t.Errorf("at another URL: %+v", moved)
	}
}

// TestTry: an example goes the way of every webhook, under an id that says what it is.
func TestTry(t *testing.T) {
	t.Parallel()
	w, o := reaching(t, nil)
	e := w.create("acme", "")
	e = get[Endpoint](w, "PATCH "+pathOf(e.Endpoint), `{"event_types":["invoice.*"],"filter":{"n":[1,{"exists":false}]}}`,
		"Content-Type: application/merge-patch+json")
	filtered := get[Endpoint](w, "PATCH "+pathOf(w.create("acme", "").Endpoint), `{"filter":{"n":[1]}}`)
	if got := get[Tried](w, "POST "+pathOf(filtered.Endpoint)+"/test", `{"event_type":"a"}`); !got.Matches {
		t.Errorf("the filter was asked about an example that nobody publishes: %+v", got)
	}
	o.sent = nil
	for n, c := range []struct {
		body, sends string
		matches     bool
	}{
		{`{"event_type":"invoice.paid"}`, `{"example":true,"event_type":"invoice.paid","endpoint":"` + e.ID + `",`, true},
		{`{"event_type":"user.made","body":[1, 2]}`, `[1, 2]}`, false},
		{`{"event_type":"invoice.paid","body":null}`, `null}`, true},
		{`{"event_type":"invoice.paid","body":{"n":2}}`, `{"n":2}}`, false},
	} {
		got := get[Tried](w, "POST "+pathOf(e.Endpoint)+"/test", c.body)
		if got.Matches != c.matches || !strings.HasPrefix(got.WebhookID, "test_") || got.State != endpoint.Enabled {
			t.Errorf("%s: %+v", c.body, got)
		}
		m, err := webhook.Decode([]byte(o.sent[n].Body))
		if err != nil || m.ID != got.WebhookID || m.EndpointID != e.ID || m.Tenant != "acme" || m.EventType != got.EventType {
			t.Errorf("%s: %v, sent %+v", c.body, err, m)
		}
		if !strings.Contains(o.sent[n].Body, `"body":`+c.sends) || o.sent[n].Group != "acme/test" {
			t.Errorf("%s: sent %+v", c.body, o.sent[n])
		}
	}
	for _, body := range []string{"", "{}", `{"event_type":""}`, `{"event_type":"a..b"}`, `{"event_type":"a","to":"b"}`, `[]`} {
		if out := w.ask("POST "+pathOf(e.Endpoint)+"/test", body); out.Code != http.StatusBadRequest {
			t.Errorf("%.40s: %d %s", body, out.Code, out.Body)
		}
	}
	if len(o.sent) != 4 {
		t.Errorf("sent %d", len(o.sent))
	}
	o.sending = errors.New("out of reach")
	if out := w.ask("POST "+pathOf(e.Endpoint)+"/test", `{"event_type":"a"}`); out.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", out.Code, out.Body)
	}
}

// TestWithoutAnOutside: a deployment that can't says so.
func TestWithoutAnOutside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.create("acme", "")
	for path, body := range map[string]string{"/test": `{"event_type":"a"}`, "/verify": ""} {
		if out := w.ask("POST "+pathOf(e.Endpoint)+path, body); out.Code != http.StatusNotImplemented {
			t.Errorf("%s: %d %s", path, out.Code, out.Body)
		}
	}
}

// TestProducersHearOfChanges: each change that was kept is told of once, with what was
// changed; one that was not is not.
func TestProducersHearOfChanges(t *testing.T) {
	t.Parallel()
	w, o := reaching(t, nil)
	e := w.create("acme", `,"headers":{"X-A":"hidden"}`)
	path := pathOf(e.Endpoint)
	for n, c := range []struct{ request, body, want string }{
		{"", "", "updated"},
		{"PATCH " + path, `{"description":"x"}`, "updated"},
		{"PATCH " + path, `{"description":"x"}`, ""},
		{"PATCH " + path, `{"url":"nonsense"}`, ""},
		{"POST " + path + "/pause", "", "updated"},
		{"POST " + path + "/disable", "", "updated disabled"},
		{"POST " + path + "/enable", "", "updated"},
		{"DELETE " + path, "", "updated"},
	} {
		if c.request != "" {
			w.ask(c.request, c.body, "Content-Type: "+map[bool]string{true: "application/merge-patch+json", false: "application/json"}[c.body != ""])
		}
		for _, h := range o.heard {
			b, err := h.JSON()
			if err != nil || strings.Contains(string(b), "hidden") || h.Tenant != "acme" || h.Subject != e.ID {
				t.Errorf("%d: %s, %v", n, b, err)
			}
		}
		if n == 1 && fmt.Sprint(o.heard[0].Data.(outcome.Endpoint).Changed) != "[description]" {
			t.Errorf("changed %+v", o.heard[0].Data)
		}
		if got := o.kinds(); got != c.want {
			t.Errorf("%d %s %s: heard %q, want %q", n, c.request, c.body, got, c.want)
		}
	}
}
