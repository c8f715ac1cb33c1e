package callback

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/report"
	"github.com/efferent/efferent/internal/waiting"
)

const (
	told    = "https://callbacks.acme.test/api" // what Twilio is told: a proxy takes /api off
	auth    = "0123456789abcdef0123456789abcdef"
	renewed = "fedcba9876543210fedcba9876543210"
)

var (
	now  = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	sent = report.Key{WebhookID: "n_1", MessageID: "m", Attempt: 1}
)

// world is the handler's surroundings. Order says what was asked for, in order.
type world struct {
	cached, fresh string // the secret's text
	secretErr     error
	queueErr      error
	lost          bool // the queue takes nothing, and says nothing
	order         []string
	queued        []report.Report
	logs          bytes.Buffer
}

func newWorld() *world {
	text := fmt.Sprintf(`{"account_sid":"AC0","auth_token":%q,"from_number":"+15005550006","callback_url":%q}`, auth, told)
	return &world{cached: text, fresh: text}
}

func (w *world) Text(_ context.Context, name string, since time.Time) (string, error) {
	w.order = append(w.order, "secret")
	if name != "efferent/twilio" {
		return "", fmt.Errorf("%w: %s", channel.ErrNotConfigured, name)
	}
	if since.IsZero() {
		return w.cached, w.secretErr
	}
	return w.fresh, w.secretErr
}

func (w *world) Send(_ context.Context, queue string, all []waiting.Outgoing) ([]int, error) {
	w.order = append(w.order, "queue "+queue)
	if w.queueErr != nil || w.lost {
		return nil, w.queueErr
	}
	for _, m := range all {
		r, err := report.Decode([]byte(m.Body))
		if err != nil {
			return nil, err
		}
		w.queued = append(w.queued, r)
	}
	return []int{0}, nil
}

// ask serves a request.
func (w *world) ask(t *testing.T, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	h, err := New(Needs{Secrets: w, Secret: "efferent/twilio", Sender: w, Now: func() time.Time { return now },
		Log: slog.New(slog.NewJSONHandler(&w.logs, nil))})
	if err != nil {
		t.Fatal(err)
	}
	got := httptest.NewRecorder()
	h.Routes().ServeHTTP(got, r)
	return got
}

// sign is Twilio's signature, written down anew from its documentation.
func sign(key, target string, form url.Values) string {
	h := hmac.New(sha1.New, []byte(key))
	io.WriteString(h, target)
	var names []string
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		io.WriteString(h, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// request is one as it reaches the handler, signed for what Twilio was told.
func request(path string, form url.Values, key string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://10.0.0.7:8080/callbacks/twilio/"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("X-Twilio-Signature", sign(key, told+"/callbacks/twilio/"+path, form))
	return r
}

func pairs(all ...string) url.Values {
	form := url.Values{}
	for n := 0; n < len(all); n += 2 {
		form.Set(all[n], all[n+1])
	}
	return form
}

var (
	token     = sent.Token(auth)
	delivered = pairs("MessageStatus", "delivered", "To", "+46701234567", "MessageSid", "SM1")
	stop      = pairs("From", "+46701234567", "Body", "STOP", "MessageSid", "SM2")
)

// TestTaken: what is signed for the URL that Twilio was told goes to the queue, whatever
// host and port the request names.
func TestTaken(t *testing.T) {
	t.Parallel()
	status := report.Report{Provider: report.Twilio, Of: sent, State: attempt.Arrived, At: now}
	for name, c := range map[string]struct {
		path string
		form url.Values
		want string
	}{
		"a status":                {token, delivered, fmt.Sprint([]report.Report{status})},
		"a step on the way":       {token, pairs("MessageStatus", "sent"), "[]"},
		"a status not known yet":  {token, pairs("MessageStatus", "teleported"), "[]"},
		"no status":               {token, pairs("A", "b"), "[]"},
		"an SMS that says hello":  {"incoming", pairs("From", "+46701234567", "Body", "hello"), "[]"},
		"an SMS of a short code":  {"incoming", pairs("From", "72345", "Body", "STOP"), "[]"},
		"WhatsApp":                {"incoming", pairs("From", "whatsapp:+46701234567", "Body", "STOP"), "[]"},
		"STOP":                    {"incoming", stop, "stop  +46701234567"},
		"STOP to a tenant":        {"incoming?tenant=acme", stop, "stop acme +46701234567"},
		"STOP to a tenant named-": {"incoming?tenant=caf%C3%A9", stop, "stop café +46701234567"},
		"START": {"incoming", pairs("From", "+46701234567", "Body", "ja", "OptOutType", "START"),
			"start  +46701234567"},
	} {
		w := newWorld()
		got := w.ask(t, request(c.path, c.form, auth))
		text := fmt.Sprint(w.queued)
		if len(w.queued) == 1 && w.queued[0].Word != "" {
			text = w.queued[0].Word + " " + w.queued[0].Tenant + " " + strings.Join(w.queued[0].Recipients, ",")
		}
		if got.Code != http.StatusOK || text != c.want || got.Header().Get("Content-Type") != "text/xml" || got.Body.String() != nothing {
			t.Errorf("%s: %d %s, queued %s\n%s", name, got.Code, got.Body, text, &w.logs)
		}
	}
}

// TestRefused: whatever is not Twilio's is answered by 403, reaches no queue, and says
// nothing of whom it names in the log.
func TestRefused(t *testing.T) {
	t.Parallel()
	change := func(do func(*http.Request)) *http.Request {
		r := request(token, delivered, auth)
		do(r)
		return r
	}
	signature := func(s string) *http.Request {
		return change(func(r *http.Request) { r.Header.Set("X-Twilio-Signature", s) })
	}
	for name, r := range map[string]*http.Request{
		"not signed":              change(func(r *http.Request) { r.Header.Del("X-Twilio-Signature") }),
		"an empty signature":      signature(""),
		"no base64":               signature("!"),
		"another's key":           request(token, delivered, renewed),
		"no key":                  request(token, delivered, ""),
		"for the host it names":   signature(sign(auth, "http://10.0.0.7:8080/callbacks/twilio/"+token, delivered)),
		"for another form":        signature(sign(auth, told+"/callbacks/twilio/"+token, stop)),
		"for another token":       signature(sign(auth, told+"/callbacks/twilio/"+token+"x", delivered)),
		"with a query added":      change(func(r *http.Request) { r.URL.RawQuery = "tenant=acme" }),
		"a token of another key":  request(sent.Token(renewed), delivered, auth),
		"no token":                request("x", delivered, auth),
		"a token without its MAC": request(sent.String(), delivered, auth),
		"no tenant's name":        request("incoming?tenant="+strings.Repeat("a", 300), stop, auth),
		"JSON":                    change(func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }),
		"no content type":         change(func(r *http.Request) { r.Header.Del("Content-Type") }),
		"no form": change(func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader("To=%zz&From=+46701234567"))
		}),
	} {
		r.Header.Set("X-Forwarded-Host", "callbacks.acme.test")
		w := newWorld()
		if got := w.ask(t, r); got.Code != http.StatusForbidden || len(w.queued) > 0 || strings.Contains(fmt.Sprint(w.order), "queue") {
			t.Errorf("%s: %d, %v", name, got.Code, w.order)
		}
		if logs := w.logs.String(); strings.Contains(logs, "4670") || strings.Contains(logs, auth) || !strings.Contains(logs, "refused") {
			t.Errorf("%s: the log says %s", name, logs)
		}
	}
}

// TestTrouble: what is trouble of our own has Twilio try again; who is no guest is never
// told more than that.
func TestTrouble(t *testing.T) {
	t.Parallel()
	fault := errors.New("injected fault")
	for name, c := range map[string]struct {
		change func(*world, *http.Request)
		status int
	}{
		"the secret can't be read": {func(w *world, _ *http.Request) { w.secretErr = fault }, 503},
		"there is no secret": {func(w *world, _ *http.Request) {
			w.secretErr = fmt.Errorf("%w: none", channel.ErrNotConfigured)
		}, 403},
		"nobody asked for reports": {func(w *world, _ *http.Request) {
			w.cached = `{"account_sid":"AC0","auth_token":"` + auth + `","from_number":"+15005550006"}`
			w.fresh = w.cached
		}, 403},
		"a secret that is none": {func(w *world, _ *http.Request) { w.cached, w.fresh = "{}", "{}" }, 403},
		"since then they were asked for": {func(w *world, _ *http.Request) {
			w.cached = `{"account_sid":"AC0","auth_token":"` + auth + `","from_number":"+15005550006"}`
		}, 200},
		"the token was changed":      {func(w *world, _ *http.Request) { w.cached = strings.Replace(w.cached, auth, renewed, 1) }, 200},
		"the queue can't be written": {func(w *world, _ *http.Request) { w.queueErr = fault }, 503},
		"the queue took nothing":     {func(w *world, _ *http.Request) { w.lost = true }, 503},
		"the form breaks off": {func(_ *world, r *http.Request) {
			r.Body = io.NopCloser(iotest.ErrReader(fault))
		}, 503},
		"the form is too large": {func(_ *world, r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader("a=" + strings.Repeat("b", maxForm)))
		}, 413},
	} {
		w, r := newWorld(), request(token, delivered, auth)
		c.change(w, r)
		got := w.ask(t, r)
		if got.Code != c.status || (len(w.queued) == 1) != (c.status == 200) {
			t.Errorf("%s: %d %s, queued %v", name, got.Code, got.Body, w.queued)
		}
		if body, logs := got.Body.String(), w.logs.String(); strings.Contains(body, "fault") || strings.Contains(logs, "4670") ||
			strings.Contains(logs, auth) {
			t.Errorf("%s: says %s, and logs %s", name, body, logs)
		}
	}
}

// TestOtherRoutes: there is one, and one method.
func TestOtherRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for _, r := range []*http.Request{
		httptest.NewRequest(http.MethodGet, "/callbacks/twilio/"+token, nil),
		httptest.NewRequest(http.MethodPost, "/callbacks/twilio/", nil),
		httptest.NewRequest(http.MethodPost, "/callbacks/twilio/a/b", nil),
		httptest.NewRequest(http.MethodPost, "/api/v1/tokens", nil),
	} {
		if got := w.ask(t, r); got.Code != 404 && got.Code != 405 || len(w.order) > 0 {
			t.Errorf("%s %s: %d", r.Method, r.URL, got.Code)
		}
	}
}

// FuzzCallback: whatever comes without a signature, nothing is queued, and nothing breaks.
func FuzzCallback(f *testing.F) {
	f.Add(token, "MessageStatus=delivered", "application/x-www-form-urlencoded", "a")
	f.Add("incoming?tenant=acme", "Body=STOP&From=%2B4670", "application/x-www-form-urlencoded", "")
	f.Fuzz(func(t *testing.T, path, body, kind, signature string) {
		target, err := url.Parse("/callbacks/twilio/" + path)
		if err != nil {
			return
		}
		r := &http.Request{Method: http.MethodPost, URL: target, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{
			"Content-Type": {kind}, "X-Twilio-Signature": {signature}}}
		w := newWorld()
		if got := w.ask(t, r.WithContext(t.Context())); got.Code < 300 || got.Code == 503 || len(w.queued) > 0 {
			t.Errorf("%s: %d, %v", path, got.Code, w.queued)
		}
	})
}

// TestPathsOfCallbacks: everybody reaches the handler, by no other path and method than
// Twilio was told.
func TestPathsOfCallbacks(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]int{
		"POST /callbacks/twilio/x": 403, "POST /callbacks/twilio/": 404, "POST /callbacks/twilio": 404, "POST /": 404,
		"POST /callbacks/twilio/x/": 404, "POST /callbacks/twilio/x/y": 404, "POST /callbacks/twilio/..": 404, "POST /callbacks/twilio/%2e": 404,
		"POST /callbacks/../callbacks/twilio/x": 404, "POST /callbacks//twilio/x": 404, "POST /%63allbacks/twilio/x": 404,
		"GET /callbacks/twilio/x": 405, "OPTIONS /callbacks/twilio/x": 405,
	} {
		method, path, _ := strings.Cut(request, " ")
		out := newWorld().ask(t, httptest.NewRequest(method, path, nil))
		if kind := out.Header().Get("Content-Type"); out.Code != want || kind != "application/problem+json" {
			t.Errorf("%s: got %d, %s: %s", request, out.Code, kind, out.Body)
		}
		if allow := out.Header().Get("Allow"); (allow == "POST") != (want == 405) {
			t.Errorf("%s: Allow is %q", request, allow)
		}
	}
}
