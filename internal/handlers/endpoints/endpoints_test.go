package endpoints

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/webhook"
)

func TestFakesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	storetest.TestOfEndpoints(t, w.Memory)
}

func (w *world) keepSecret(name, text string) {
	w.t.Helper()
	if _, err := rotation.Change(w.t.Context(), w, name, func(rotation.Version) (string, error) { return text, nil }); err != nil {
		w.t.Fatal(err)
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	if _, err := New(Needs{}); err == nil || !strings.Contains(err.Error(), "Endpoints") {
		t.Errorf("got %v", err)
	}
}

// TestLife of an endpoint: what each act answers, and what the ledger is told of it.
func TestLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.create("acme", `,"headers":{},"labels":{},"auth":{}`)
	if e.Version != 1 || e.State != endpoint.Enabled || e.Headers != nil || !strings.HasPrefix(e.ReceiverKey, "whsec_") ||
		e.Secret != "efferent/webhooks/acme#"+e.ID {
		t.Errorf("made is %+v", e)
	}
	at := pathOf(e.Endpoint)
	paused := get[Endpoint](w, "POST "+at+"/pause", `{"why":"they asked"}`)
	if paused.State != endpoint.Paused || paused.Why != "paused by the operator: they asked" || paused.Since.IsZero() ||
		paused.Version != 2 {
		t.Errorf("paused is %+v", paused)
	}
	if again := get[Endpoint](w, "POST "+at+"/pause", ""); again.Version != 2 {
		t.Errorf("paused again is %+v", again)
	}
	if resumed := get[Endpoint](w, "POST "+at+"/resume", ""); resumed.State != endpoint.Enabled || resumed.Why != "" ||
		!resumed.Since.After(paused.Since) {
		t.Errorf("resumed is %+v", resumed)
	}
	disabled := get[Endpoint](w, "PATCH "+at, `{"state":"disabled","url":"https://b.test/","event_types":["a.*"]}`, "Of: acme")
	if disabled.State != endpoint.Disabled || disabled.Why != "disabled by acme" || disabled.URL != "https://b.test/" ||
		disabled.Version != 4 {
		t.Errorf("disabled is %+v", disabled)
	}
	if shown := get[Endpoint](w, "GET "+at, ""); shown.Version != 4 || shown.ReceiverKey != "" {
		t.Errorf("shown is %+v", shown)
	}
	get[Endpoint](w, "POST "+at+"/enable", "")
	get[struct{}](w, "DELETE "+at, "")
	if out := w.ask("GET "+at, ""); out.Code != 404 || strings.Contains(w.secretText("acme"), e.ID) {
		t.Errorf("deleted: %d %s", out.Code, out.Body)
	}
	want := "endpoint.created endpoint.paused endpoint.resumed endpoint.updated endpoint.disabled endpoint.resumed endpoint.deleted"
	if got := w.actions(); got != want {
		t.Errorf("the ledger was told %s", got)
	}
	if l := w.entries[0]; l.Actor != "arn:ann" || l.Tenant != "acme" || l.ID != e.ID || !strings.HasPrefix(l.Resource,
		"endpoint="+e.ID+", url=https://") ||
		strings.Contains(l.Resource, "/in") {
		t.Errorf("the first entry is %+v", l)
	}
}

// TestNothingWithoutTheLedger: what can't be recorded is not done.
func TestNothingWithoutTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e, text := w.create("acme", ""), w.secretText("acme")
	w.auditFails = true
	at := pathOf(e.Endpoint)
	for _, request := range []string{"POST " + at + "/pause", "DELETE " + at, "POST " + at + "/rotate", "GET " + at + "/secret",
		"POST " + tenants + "acme/tokens", "POST " + tenants + "acme/endpoints", "PATCH " + at} {
		body := ""
		if strings.HasSuffix(request, "endpoints") || strings.HasPrefix(request, "PATCH") {
			body = `{"url":"https://b.test/","event_types":["*"]}`
		}
		if out := w.ask(request, body); out.Code != 503 || strings.Contains(out.Body.String(), "whsec_") {
			t.Errorf("%s: %d %s", request, out.Code, out.Body)
		}
	}
	w.auditFails = false
	if all := get[Endpoints](w, "GET "+tenants+"acme/endpoints", ""); len(all.Items) != 1 || all.Items[0].Version != 1 ||
		w.secretText("acme") != text {
		t.Errorf("there are %+v", all)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e, private := w.create("acme", ""), w.create("acme", `,"key":"whsk"`)
	if !strings.HasPrefix(private.ReceiverKey, "whpk_") {
		t.Errorf("got %+v", private)
	}
	secret := func(request, body string) Secret { t.Helper(); return get[Secret](w, request, body) }
	at := pathOf(e.Endpoint)
	if s := secret("GET "+at+"/secret", ""); s.ReceiverKey != e.ReceiverKey || s.PreviousReceiverKey != "" {
		t.Errorf("got %+v", s)
	}
	turned := secret("POST "+at+"/rotate", `{"grace":"2h"}`)
	if turned.ReceiverKey == e.ReceiverKey || turned.PreviousReceiverKey != e.ReceiverKey ||
		turned.PreviousUntil.Sub(w.now).Round(time.Hour) != 2*time.Hour {
		t.Errorf("got %+v", turned)
	}
	if now := secret("GET "+at+"/secret", ""); now.ReceiverKey != turned.ReceiverKey {
		t.Errorf("got %+v", now)
	}
	if kept := get[Endpoint](w, "GET "+at, ""); kept.Rotated.IsZero() || !kept.Rotated.Equal(kept.Updated) || kept.Version != 2 {
		t.Errorf("it does not say that its key was replaced: %+v", kept)
	}
	if s := secret("POST "+at+"/rotate", `{"grace":"0s","key":"whsk"}`); s.PreviousReceiverKey != "" ||
		!strings.HasPrefix(s.ReceiverKey, "whpk_") {
		t.Errorf("got %+v", s)
	}
	for _, body := range []string{`{"grace":"8d"}`, `{"grace":"169h"}`, `{"grace":"-1s"}`, `{"key":"rsa"}`, `{"grace":3}`,
		`{"why":"x"}`, `[]`} {
		if out := w.ask("POST "+at+"/rotate", body); out.Code != 400 {
			t.Errorf("%s: %d %s", body, out.Code, out.Body)
		}
	}
	w.keepSecret("efferent/webhooks/plain", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	if out := w.ask("POST "+tenants+"plain/endpoints", `{"url":"https://a.test/","event_types":["*"]}`); out.Code != 409 {
		t.Errorf("a secret that is one key: %d %s", out.Code, out.Body)
	}
	named := w.create("acme", `,"secret":"efferent/webhooks/plain"`)
	if s := secret("POST "+pathOf(named.Endpoint)+"/rotate", ""); s.ReceiverKey == "" || s.ReceiverKey != w.secretText("plain") ||
		named.ReceiverKey != "" {
		t.Errorf("got %+v", s)
	}
}

// TestMadeAtTheSameMoment: both endpoints' keys are there, and no tenant gets more than
// it may have.
func TestMadeAtTheSameMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all sync.WaitGroup
	codes := make([]int, 24)
	for n := range codes {
		all.Go(func() {
			codes[n] = w.ask("POST "+tenants+"acme/endpoints", fmt.Sprintf(`{"url":"https://a.test/%d","event_types":["*"]}`, n)).Code
		})
	}
	all.Wait()
	made := map[int]int{}
	for _, c := range codes {
		made[c]++
	}
	if made[201] != 20 || made[201]+made[409] != len(codes) {
		t.Errorf("answered was %v", made)
	}
	list := get[Endpoints](w, "GET "+tenants+"acme/endpoints", "")
	keys, err := signingkey.Parse(w.secretText("acme"))
	if err != nil || len(list.Items) != 20 || len(keys.Names()) != 20 {
		t.Fatalf("%d endpoints, %v, %v", len(list.Items), keys.Names(), err)
	}
	for _, e := range list.Items {
		if _, err := keys.Key(e.ID); err != nil {
			t.Errorf("%s: %v", e.ID, err)
		}
	}
}

func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.create("acme", "")
	at := pathOf(e.Endpoint)
	faster := func() { get[Endpoint](w, "PATCH "+at, `{"description":"theirs"}`) }
	w.faster = faster
	if got := get[Endpoint](w, "PATCH "+at, `{"url":"https://mine.test/"}`); got.Description != "theirs" ||
		got.URL != "https://mine.test/" || got.Version != 3 {
		t.Errorf("got %+v", got)
	}
	w.faster = func() { get[Endpoint](w, "PATCH "+at, `{"description":"again"}`) }
	if out := w.ask("PATCH "+at, `{"url":"https://b.test/"}`, `If-Match: "3"`); out.Code != 412 {
		t.Errorf("got %d %s", out.Code, out.Body)
	}
	for _, c := range []struct{ request, body, header string }{
		{"PATCH " + at, `{"version":1}`, "X: y"}, {"DELETE " + at, "", `If-Match: "1"`}, {"POST " + at + "/rotate", "",
			`If-Match: W/"4"`},
	} {
		if out := w.ask(c.request, c.body, c.header); out.Code != 412 {
			t.Errorf("%s: %d %s", c.request, out.Code, out.Body)
		}
	}
	w.updateFails = true
	if out := w.ask("PATCH "+at, `{"url":"https://b.test/"}`); out.Code != 503 || strings.Contains(out.Body.String(), "secret detail") {
		t.Errorf("got %d %s", out.Code, out.Body)
	}
}

// TestKeptAlthoughItFailed: a call whose answer was lost has made the endpoint.
func TestKeptAlthoughItFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.createFails, w.keeps = true, true
	if e := w.create("acme", ""); e.Version != 1 {
		t.Errorf("got %+v", e)
	}
	w.createFails, w.keeps = true, false
	if out := w.ask("POST "+tenants+"acme/endpoints", `{"url":"https://a.test/","event_types":["*"]}`); out.Code != 503 {
		t.Errorf("got %d %s", out.Code, out.Body)
	}
}

func TestWhatIsNoEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.create("acme", "")
	for body, says := range map[string]string{
		``: "empty", `null`: "object", `[]`: "object", `{"url":"https://a.test/"}`: "event_types", `{"event_types":["*"]}`: `url`,
		`{"url":"ftp://a","event_types":["*"]}`: `url`, `{"url":"https://a.test/","event_types":["a.*.b",""]}`: "event_types",
		`{"url":"https://a.test/","event_types":["*"],"id":"ep_1"}`:                   "id",
		`{"url":"https://a.test/","event_types":["*"],"retry":"never"}`:               "retry",
		`{"url":"https://a.test/","event_types":["*"],"state":"broken"}`:              "state",
		`{"url":"https://a.test/","event_types":["*"],"headers":{"Host":"b"}}`:        "headers",
		`{"url":"https://a.test/","event_types":["*"],"color":"red"}`:                 "color",
		`{"url":"https://a.test/","event_types":["*"],"key":"rsa"}`:                   "key",
		`{"url":"https://a.test/","event_types":["*"],"url":"https://b.test/"}`:       "once",
		`{"url":"https://a.test/","event_types":["*"],"rate_per_second":-1}`:          "rate_per_second",
		`{"url":"https://a.test/","event_types":["*"],"secret":"whsec_MfKQ9r8GKYqr"}`: "secret",
	} {
		out := w.ask("POST "+tenants+"acme/endpoints", body)
		if out.Code != 400 || !strings.Contains(out.Body.String(), says) || strings.Contains(out.Body.String(), "MfKQ9r8GKYqr") {
			t.Errorf("%s: %d %s", body, out.Code, out.Body)
		}
	}
	for body, status := range map[string]int{`{"event_types":[]}`: 400, `{"id":"ep_2"}`: 400, `{"state":null}`: 400,
		`{"secret":null}`: 400, `{}`: 200} {
		if out := w.ask("PATCH "+pathOf(e.Endpoint), body); out.Code != status {
			t.Errorf("%s: %d %s", body, out.Code, out.Body)
		}
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want, got []string
	for n := range 7 {
		more := ""
		if n == 3 {
			more = `,"state":"paused"`
		}
		want = append(want, w.create("acme", more).ID)
	}
	for cursor, pages := "", 0; pages < 5; pages++ {
		page := get[Endpoints](w, "GET "+tenants+"acme/endpoints?limit=3&cursor="+cursor, "")
		for _, e := range page.Items {
			got = append(got, e.ID)
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
		if pages == 0 { // where a page ends may be gone before the next is asked for
			get[struct{}](w, "DELETE "+tenants+"acme/endpoints/"+want[2], "")
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if paused := get[Endpoints](w, "GET "+tenants+"acme/endpoints?state=paused", ""); len(paused.Items) != 1 ||
		paused.Items[0].ID != want[3] {
		t.Errorf("paused are %+v", paused)
	}
	for _, query := range []string{"state=x", "limit=0", "cursor=x", "cursor=" + api.Opaque(place{ID: "x"}), "tenant=beta"} {
		if out := w.ask("GET "+tenants+"acme/endpoints?"+query, ""); out.Code != 400 {
			t.Errorf("%s: %d %s", query, out.Code, out.Body)
		}
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e, other := w.create("acme", ""), w.create("acme", "")
	for n := range 450 {
		verdict := attempt.Delivered
		if n%10 == 0 {
			verdict = attempt.Exhausted
		}
		w.tried(e.Endpoint, fmt.Sprint("evt_", n), verdict, fmt.Sprint("https://then.test/", n))
	}
	w.tried(other.Endpoint, "evt_other", attempt.Retryable, "https://other.test/")
	at := "GET " + pathOf(e.Endpoint) + "/deliveries"
	seen := 0
	for cursor, pages := "", 0; pages < 10; pages++ {
		page := get[Deliveries](w, at+"?state=failed&limit=20&cursor="+cursor, "")
		for _, r := range page.Items {
			if want := fmt.Sprint("evt_", 440-10*seen); r.WebhookID != want || r.URL != "https://then.test/"+want[4:] {
				t.Fatalf("got %+v, want %s", r, want)
			}
			seen++
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	if seen != 45 {
		t.Errorf("seen were %d", seen)
	}
	first := get[Deliveries](w, at+"?limit=1", "").Items[0]
	since := first.At.Add(-5 * time.Millisecond).Format(time.RFC3339Nano)
	if got := get[Deliveries](w, at+"?since="+since+"&until="+first.At.Format(time.RFC3339Nano), ""); len(got.Items) != 5 {
		t.Errorf("got %d", len(got.Items))
	}
	if got := get[Deliveries](w, at+"?state=retrying", ""); len(got.Items) != 0 || got.Cursor != "" {
		t.Errorf("got %+v", got)
	}
	for _, query := range []string{"?state=x", "?limit=1000", "?since=x", "?cursor=x", "?cursor=" + api.Opaque("x"), "?verdict=x"} {
		if out := w.ask(at+query, ""); out.Code != 400 {
			t.Errorf("%s: %d %s", query, out.Code, out.Body)
		}
	}
}

// TestTokens: one lets in for its tenant and its time, and makes no other.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.create("acme", "")
	w.create("beta", "")
	token := get[Token](w, "POST "+tenants+"acme/tokens", `{"expires_in":"10m"}`)
	looks := get[Token](w, "POST "+tenants+"acme/tokens", `{"read_only":true}`)
	if last := w.entries[len(w.entries)-1]; last.Tenant != "acme" || last.Resource != "tenant=acme" || looks.Tenant != "acme" {
		t.Errorf("the ledger has %+v of %+v", last, looks)
	}
	bearer, looking := "Authorization: Bearer "+token.Token, "Authorization: bearer "+looks.Token
	at := pathOf(e.Endpoint)
	for _, c := range []struct {
		request, header string
		status          int
	}{
		{"GET " + at, bearer, 200}, {"GET /token" + at, bearer, 200}, {"POST " + at + "/pause", bearer, 200}, {"GET " + at + "/secret",
			bearer, 200},
		{"GET " + tenants + "beta/endpoints", bearer, 403}, {"POST " + tenants + "acme/tokens", bearer, 403},
		{"GET /token" + at, looking, 200}, {"GET " + at + "/secret", looking, 403}, {"POST " + at + "/rotate", looking, 403},
		{"DELETE " + at, looking, 403}, {"GET /token" + at, "X: y", 401}, {"GET /token" + at, "Authorization: Bearer x", 401},
		{"GET /token" + at, "Of: acme", 401}, {"GET " + at, bearer + "x", 401}, {"GET /token/token" + at, bearer, 404},
	} {
		if out := w.ask(c.request, "", c.header); out.Code != c.status {
			t.Errorf("%s, %.30s: %d %s, want %d", c.request, c.header, out.Code, out.Body, c.status)
		}
	}
	w.now = w.now.Add(11 * time.Minute)
	if out := w.ask("GET "+at, "", bearer); out.Code != 401 {
		t.Errorf("after its time: %d %s", out.Code, out.Body)
	}
	for _, body := range []string{`{"expires_in":"25h"}`, `{"expires_in":"1s"}`, `{"expires_in":"x"}`, `{"tenant":"beta"}`} {
		if out := w.ask("POST "+tenants+"acme/tokens", body); out.Code != 400 {
			t.Errorf("%s: %d %s", body, out.Code, out.Body)
		}
	}
}

// TestWhatGetsNothing: a URL that nothing would be sent to is refused when it is written,
// and not again when settings have changed under an endpoint that has it.
func TestWhatGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.create("acme", "")
	w.rewire(func(n *Needs) { n.Refuses = webhook.Options{}.Refuses })
	for _, url := range []string{"http://a.test/", "https://127.0.0.1/", "https://169.254.169.254/latest"} {
		for request, body := range map[string]string{
			"POST " + tenants + "acme/endpoints": `{"url":"` + url + `","event_types":["*"]}`,
			"PATCH " + pathOf(e.Endpoint):        `{"url":"` + url + `"}`,
		} {
			if out := w.ask(request, body); out.Code != 400 || !strings.Contains(out.Body.String(), `field \"url\": would get nothing: `) {
				t.Errorf("%s %s: %d %s", request, url, out.Code, out.Body)
			}
		}
	}
	w.rewire(func(n *Needs) { n.Refuses = func(string) string { return "closed" } })
	if got := get[Endpoint](w, "PATCH "+pathOf(e.Endpoint), `{"state":"paused","url":"`+e.URL+`"}`); got.State != endpoint.Paused {
		t.Errorf("it can't be paused any more: %+v", got)
	}
}
