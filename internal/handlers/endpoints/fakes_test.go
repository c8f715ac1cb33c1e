package endpoints

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/access"
	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/api/apitest"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/storetest"
)

var errFault = errors.New("injected fault: secret detail")

// world is a handler among stores in memory.
type world struct {
	*storetest.Memory
	t       *testing.T
	mu      sync.Mutex
	now     time.Time
	entries []ledger.Entry
	// auditFails has no entry kept; createFails and updateFails fail once, after they
	// have done their work where keeps says so.
	auditFails, createFails, updateFails, keeps bool
	// faster is done before an update.
	faster func()
	most   int
	out    http.Handler
	needs  Needs
	// published are the events that were sent; send is asked before.
	published []event.Event
	send      func() error
}

func newWorld(t *testing.T) *world {
	w := &world{Memory: &storetest.Memory{}, t: t, now: time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC), most: 20}
	tokens := &access.Tokens{Keys: w, Now: w.time}
	caller := tokens.Caller(func(r *http.Request) (api.Caller, error) {
		return api.Caller{Name: "arn:ann", Tenant: r.Header.Get("Of")}, nil
	})
	w.needs = Needs{Endpoints: w, Secrets: w, Attempts: w, Audit: w, Redactors: w, MaxEndpoints: w.most, Tokens: tokens, Caller: caller,
		Publishing: &Publishing{Book: &endpoint.Book{Store: w}, Keys: w, Sender: w, Wait: w.wait},
		Now:        w.time, Log: slog.New(slog.DiscardHandler)}
	w.rewire(func(*Needs) {})
	return w
}

// rewire makes the handler anew, with other needs.
func (w *world) rewire(change func(*Needs)) {
	change(&w.needs)
	h, err := New(w.needs)
	if err != nil {
		w.t.Fatal(err)
	}
	w.out = access.Doors(h.Routes())
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Millisecond)
	return w.now
}

func (w *world) TokenKeys(context.Context) ([][]byte, error) {
	return [][]byte{[]byte("0123456789abcdef0123456789abcdef")}, nil
}

func (w *world) Redactor(context.Context, time.Time) *ledger.Redactor {
	return ledger.NewRedactor([]byte("key"), false)
}

func (w *world) Append(_ context.Context, _ string, entries []ledger.Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.auditFails {
		return errFault
	}
	w.entries = append(w.entries, entries...)
	return nil
}

func (w *world) CreateEndpoint(ctx context.Context, e endpoint.Endpoint, most int) error {
	if !w.createFails {
		return w.Memory.CreateEndpoint(ctx, e, most)
	}
	w.createFails = false
	if w.keeps {
		_ = w.Memory.CreateEndpoint(ctx, e, most)
	}
	return errFault
}

func (w *world) UpdateEndpoint(ctx context.Context, e endpoint.Endpoint) error {
	if faster := w.faster; faster != nil {
		w.faster = nil
		faster()
	}
	if w.updateFails {
		w.updateFails = false
		return errFault
	}
	return w.Memory.UpdateEndpoint(ctx, e)
}

// actions are what the ledger was told.
func (w *world) actions() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, e := range w.entries {
		all = append(all, e.Action)
	}
	return strings.Join(all, " ")
}

// ask makes a request "METHOD path" with headers "Name: value". Each answer is held to
// the document.
func (w *world) ask(request, body string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body == "" {
		r.Body = io.NopCloser(strings.NewReader(""))
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	out := httptest.NewRecorder()
	w.out.ServeHTTP(out, r)
	if plain := !strings.Contains(path, "//") && !strings.Contains(path, "/.."); plain && !strings.HasPrefix(path, access.Door) {
		apitest.Conforms(w.t, r, out)
	}
	return out
}

// get makes a request that must succeed.
func get[T any](w *world, request, body string, headers ...string) (value T) {
	w.t.Helper()
	out := w.ask(request, body, headers...)
	if out.Code >= 300 {
		w.t.Fatalf("%s: %d %s", request, out.Code, out.Body)
	}
	if out.Code != http.StatusNoContent {
		if err := json.Unmarshal(out.Body.Bytes(), &value); err != nil {
			w.t.Fatalf("%s: %v: %s", request, err, out.Body)
		}
	}
	return value
}

const tenants = "/api/v1/tenants/"

func (w *world) create(tenant, more string) Endpoint {
	w.t.Helper()
	return get[Endpoint](w, "POST "+tenants+tenant+"/endpoints",
		`{"url":"https://`+strings.ToLower(strings.ReplaceAll(tenant, "@", "."))+`.test/in","event_types":["*"]`+more+`}`)
}

func pathOf(e endpoint.Endpoint) string { return tenants + e.Tenant + "/endpoints/" + e.ID }

// tried keeps an attempt at an endpoint.
func (w *world) tried(e endpoint.Endpoint, id string, verdict attempt.Verdict, url string) {
	w.t.Helper()
	r := attempt.Record{WebhookID: id, Origin: id, MessageID: id, Attempt: 1, At: w.time(), URL: url, Tenant: e.Tenant, Endpoint: e.ID,
		EventType: "e", Verdict: verdict}
	if err := w.Put(w.t.Context(), []attempt.Record{r}); err != nil {
		w.t.Fatal(err)
	}
}

// keyHeld is what a tenant's secret holds under an endpoint's id.
func (w *world) secretText(tenant string) string {
	v, err := w.ReadVersion(w.t.Context(), "efferent/webhooks/"+tenant, "AWSCURRENT")
	if err != nil {
		return ""
	}
	return v.Text
}
