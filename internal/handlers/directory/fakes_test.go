package directory

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

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/api/apitest"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/suppression"
)

var errFault = errors.New("injected fault: secret detail")

// world is a handler among stores in memory.
type world struct {
	*storetest.Memory
	t       *testing.T
	mu      sync.Mutex
	now     time.Time
	entries []ledger.Entry
	// auditFails has no entry kept; fault is asked before a write, and after it.
	auditFails bool
	fault      func(call string) (before, after error)
	out        http.Handler
	handler    *Handler
}

func newWorld(t *testing.T) *world {
	w := &world{Memory: &storetest.Memory{}, t: t, now: time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)}
	h, err := New(Needs{Suppressions: w, Recipients: w, Templates: w, Audit: w, Redactors: w, Now: w.time, Log: slog.New(slog.DiscardHandler),
		Caller: func(r *http.Request) (api.Caller, error) {
			return api.Caller{Name: "arn:ann", Tenant: r.Header.Get("Of"), ReadOnly: r.Header.Get("Looks") != ""}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	h.firstVersion = func() int64 { return 1 } // what tests can name
	w.handler, w.out = h, h.Routes()
	return w
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Millisecond)
	return w.now
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

// faulty does an act, unless it fails before; after it has been done it may fail too.
func faulty[T any](w *world, call string, act func() (T, error)) (T, error) {
	var before, after error
	if w.fault != nil {
		before, after = w.fault(call)
	}
	if before != nil {
		var none T
		return none, before
	}
	value, err := act()
	return value, errors.Join(err, after)
}

func (w *world) AddSuppression(ctx context.Context, e suppression.Entry) (bool, error) {
	return faulty(w, "add", func() (bool, error) { return w.Memory.AddSuppression(ctx, e) })
}

func (w *world) Recipients(ctx context.Context, keys []recipient.Key) ([]recipient.Recipient, error) {
	return faulty(w, "look", func() ([]recipient.Recipient, error) { return w.Memory.Recipients(ctx, keys) })
}

func (w *world) PutRecipient(ctx context.Context, r recipient.Recipient, was int64) error {
	_, err := faulty(w, "put", func() (struct{}, error) { return struct{}{}, w.Memory.PutRecipient(ctx, r, was) })
	return err
}

func (w *world) DeleteRecipient(ctx context.Context, key recipient.Key, version int64) error {
	_, err := faulty(w, "delete", func() (struct{}, error) { return struct{}{}, w.Memory.DeleteRecipient(ctx, key, version) })
	return err
}

func (w *world) LiftSuppression(ctx context.Context, l suppression.Lifting) (bool, error) {
	return faulty(w, "lift", func() (bool, error) { return w.Memory.LiftSuppression(ctx, l) })
}

func (w *world) Suppressed(ctx context.Context, keys []suppression.Key) (map[suppression.Key]suppression.Entry, error) {
	return faulty(w, "look", func() (map[suppression.Key]suppression.Entry, error) { return w.Memory.Suppressed(ctx, keys) })
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
	if !strings.Contains(path, "//") && !strings.Contains(path, "/..") {
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

func TestFakesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	storetest.TestSuppressions(t, newWorld(t))
	storetest.TestRecipients(t, newWorld(t))
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	if _, err := New(Needs{}); err == nil || !strings.Contains(err.Error(), "Suppressions") {
		t.Errorf("got %v", err)
	}
}
