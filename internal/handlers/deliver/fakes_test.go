package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
	"github.com/efferent/efferent/internal/webhook"
)

var errFault = errors.New("injected fault")

// fault is how a write goes wrong.
type fault int

const (
	works         fault = iota
	fails               // nothing is kept
	failsButKeeps       // it is kept, but the caller is told that it failed
)

// world is a handler among fakes, and a log of what they were asked, in order.
type world struct {
	mu      sync.Mutex
	t       *testing.T
	now     time.Time
	log     []string
	store   storetest.Memory
	entries []ledger.Entry
	answers []webhook.Exchange // of the sender, in turn; the last one for ever
	posts   []webhook.Request
	hidden  map[string]time.Duration
	version string                  // of the secret
	keys    map[string]webhook.Keys // by version; where there are none, each has one of its own
	// cached is the version that was read last, at cachedAt.
	cached   string
	cachedAt time.Time
	since    []time.Time // what was asked of the secrets

	putFault, auditFault, hideFault, readFault, enterFault func(call int) fault
	puts, audits, hides, reads, enters                     int
	circuitReads                                           int
	keeper                                                 *circuit.Keeper
	changes                                                []string
	// clock is the time where there is a real one, and paces are shared where there are
	// any.
	clock func() time.Time
	// auth are the values of headers by the references to them, and authCached those
	// that are known.
	auth, authCached map[string]string
	// posted is told of each exchange instead, where it is set.
	posted func(webhook.Request)
	paces  pace.Store
	// disableErr is why no endpoint can be disabled.
	disableErr                        error
	secretErr, readyErr, endpointsErr error

	lines  strings.Builder // logged, above Debug
	logger *slog.Logger
}

func newWorld(t *testing.T, answers ...webhook.Exchange) *world {
	w := &world{
		t: t, now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), answers: answers,
		hidden: map[string]time.Duration{}, version: "v1",
	}
	w.logger = slog.New(slog.NewTextHandler(&w.lines, nil))
	return w
}

func (w *world) handler() *Handler {
	policies, err := retry.ParsePolicies("once=")
	if err != nil {
		w.t.Fatal(err)
	}
	n := Needs{
		Needs: batch.Needs{
			Attempts: w, Room: w, Queue: w, Audit: w, Redactors: w, Policies: policies, MaxReceives: 6,
			Now: w.time, Jitter: func() float64 { return 0 }, Log: w.logger,
		},
		Sender: w, Secrets: w, Endpoints: &endpoint.Known{Store: w, Now: w.time},
		MostHeld: 6 * time.Hour, Ready: func(context.Context) error { return w.readyErr },
		Circuits: w.circuits(), Disabler: w, Auth: w,
	}
	if w.clock != nil { // the crew's goroutines are of no bubble
		n.Go = func(f func()) { go f() }
	}
	var paces pace.Store = &w.store
	if w.paces != nil {
		paces = w.paces
	}
	n.Pace = &pace.Keeper{Store: paces, Patience: Patience, Now: w.time, Log: w.logger}
	h, err := New(n)
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// circuits are the world's, kept in its store.
func (w *world) circuits() *circuit.Keeper {
	if w.keeper == nil {
		w.keeper = &circuit.Keeper{
			Store: w, Now: w.time, Jitter: func() float64 { return 0 }, Log: w.logger,
			Changed: func(_ context.Context, _, after circuit.State) {
				w.changes = append(w.changes, string(after.Scope)+" "+string(after.Phase))
			},
		}
	}
	return w.keeper
}

func (w *world) Circuits(ctx context.Context, names []circuit.Name) ([]circuit.State, error) {
	w.mu.Lock()
	w.circuitReads++
	w.mu.Unlock()
	return w.store.Circuits(ctx, names)
}

func (w *world) PutCircuit(ctx context.Context, s circuit.State) (circuit.State, error) {
	w.mu.Lock()
	w.note("circuit %s %s", s.Scope, s.Phase)
	w.mu.Unlock()
	return w.store.PutCircuit(ctx, s)
}

func (w *world) KeptCircuits(ctx context.Context, keys []string) ([]circuit.State, error) {
	return w.store.KeptCircuits(ctx, keys)
}

func (w *world) PageCircuits(ctx context.Context, from string, limit int) ([]circuit.State, string, error) {
	return w.store.PageCircuits(ctx, from, limit)
}

// Text is what was read of a secret last, unless it is to be newer.
func (w *world) Text(_ context.Context, ref string, since time.Time) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	value, ok := w.auth[ref]
	if !ok {
		return "", webhook.ErrSecretNotFound
	}
	if w.authCached == nil {
		w.authCached = map[string]string{}
	}
	if w.authCached[ref] == "" || !since.IsZero() {
		w.authCached[ref] = value
	}
	return w.authCached[ref], nil
}

// Disable notes that the endpoint is disabled.
func (w *world) Disable(ctx context.Context, id, why string, seen time.Time) error {
	if w.disableErr != nil {
		return w.disableErr
	}
	found, err := w.store.Endpoints(ctx, []string{id})
	if err != nil || len(found) == 0 {
		return err
	}
	e := found[0]
	e.State, e.Why, e.Since, e.Version = endpoint.Disabled, why, seen, e.Version+1
	return w.store.UpdateEndpoint(ctx, e)
}

func (w *world) Endpoints(ctx context.Context, ids []string) ([]endpoint.Endpoint, error) {
	if w.endpointsErr != nil {
		return nil, w.endpointsErr
	}
	return w.store.Endpoints(ctx, ids)
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.clock != nil {
		return w.clock()
	}
	return w.now
}

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

// enough are more posts than any test has use for.
const enough = 100

func (w *world) Post(ctx context.Context, r webhook.Request) webhook.Exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note("post %s", r.ID)
	if w.posted != nil {
		w.posted(r)
		return w.answers[0]
	}
	w.posts = append(w.posts, r)
	if len(w.posts) > enough { // what tries again for ever is told so, and ended
		w.t.Errorf("more than %d posts", enough)
		return webhook.Exchange{Status: 204}
	}
	x := w.answers[0]
	if len(w.answers) > 1 {
		w.answers = w.answers[1:]
	}
	w.now = w.now.Add(x.Duration)
	return x
}

func (w *world) Keys(_ context.Context, ref string, since time.Time) (webhook.Keys, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = append(w.since, since)
	if w.secretErr != nil {
		return webhook.Keys{}, w.secretErr
	}
	if w.cached == "" || w.cachedAt.Before(since) {
		w.cached, w.cachedAt = w.version, w.now
	}
	keys, ok := w.keys[w.cached]
	if !ok {
		keys = signingKeys(w.t, "the text of "+w.cached)
	}
	return keys, nil
}

func (w *world) Changed(_ string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cachedAt.Before(at) {
		w.cached = ""
	}
}

// signingKeys are keys of those texts, the current one first.
func signingKeys(t *testing.T, texts ...string) (keys webhook.Keys) {
	t.Helper()
	for _, text := range texts {
		secret, err := webhook.ParseSecret(text)
		if err != nil {
			t.Fatal(err)
		}
		keys.Secrets = append(keys.Secrets, secret)
	}
	return keys
}

func (w *world) OfMessage(ctx context.Context, webhookID, messageID string) ([]attempt.Record, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	w.note("read %s", messageID)
	if w.readFault != nil && w.readFault(w.reads) != works {
		return nil, errFault
	}
	return w.store.OfMessage(ctx, webhookID, messageID)
}

func (w *world) OfWebhook(ctx context.Context, webhookID string) ([]attempt.Record, error) {
	w.t.Errorf("all attempts under %s were read", webhookID)
	return w.store.OfWebhook(ctx, webhookID)
}

func (w *world) Enter(ctx context.Context, item waiting.Item) (waiting.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.enters++
	w.note("enter %s", item.ID())
	f := works
	if w.enterFault != nil {
		f = w.enterFault(w.enters)
	}
	if f == fails {
		return "", errFault
	}
	state, err := w.store.Enter(ctx, item)
	if f != works {
		return "", errFault
	}
	return state, err
}

func (w *world) Put(ctx context.Context, records []attempt.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.puts++
	f := works
	if w.putFault != nil {
		f = w.putFault(w.puts)
	}
	for _, r := range records {
		w.note("record %s %d %s", r.WebhookID, r.Attempt, r.Verdict)
	}
	if f == fails {
		return errFault
	}
	if err := w.store.Put(ctx, records); err != nil || f == works {
		return err
	}
	return errFault
}

// recorded are the attempts under an id.
func (w *world) recorded(id string) []attempt.Record {
	records, _ := w.store.OfWebhook(w.t.Context(), id)
	return records
}

// record keeps attempts of a message, whatever they say of it.
func (w *world) record(id string, records ...attempt.Record) {
	for i := range records {
		records[i].WebhookID, records[i].MessageID = id, "m-"+id
	}
	_ = w.store.Put(w.t.Context(), records)
}

func (w *world) ChangeVisibility(_ context.Context, hides []message.Hide) (err error) {
	for _, h := range hides {
		err = errors.Join(err, w.hide(h.ReceiptHandle, h.For))
	}
	return err
}

func (w *world) hide(receipt string, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hides++
	w.note("hide %s %s", receipt, d)
	f := works
	if w.hideFault != nil {
		f = w.hideFault(w.hides)
	}
	if f != fails {
		w.hidden[receipt] = d
	}
	if f != works {
		return errFault
	}
	return nil
}

func (w *world) Append(_ context.Context, key string, entries []ledger.Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.audits++
	f := works
	if w.auditFault != nil {
		f = w.auditFault(w.audits)
	}
	for _, e := range entries {
		w.note("audit %s %s", e.Action, e.WebhookID)
		if f != fails {
			w.entries = append(w.entries, e)
		}
	}
	if f != works {
		return errFault
	}
	return nil
}

// Redactor is the month's, so that entries tell which key they were made by.
func (w *world) Redactor(_ context.Context, at time.Time) *ledger.Redactor {
	return ledger.NewRedactor([]byte(ledger.Month(at)), false)
}

func on(call int, f fault) func(int) fault {
	return func(n int) fault {
		if n == call {
			return f
		}
		return works
	}
}

func body(id string) string {
	return `{"id":"` + id + `","url":"https://a.test/in?token=t","secret":"efferent/webhooks/a","event_type":"e","body":{"n": 1}}`
}

func aMessage(id, text string, receives int) events.SQSMessage {
	return events.SQSMessage{
		MessageId: "m-" + id, ReceiptHandle: "r-" + id, Body: text,
		Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(receives)},
	}
}

// handle gives the messages to the handler and returns the ids reported failed.
func (w *world) handle(messages ...events.SQSMessage) []string {
	w.t.Helper()
	return w.handleWith(w.handler(), messages...)
}

func (w *world) handleWith(h *Handler, messages ...events.SQSMessage) []string {
	w.t.Helper()
	out, err := h.Handle(w.t.Context(), events.SQSEvent{Records: messages})
	if err != nil {
		w.t.Fatalf("the handler returned an error: %v", err)
	}
	if out.BatchItemFailures == nil {
		w.t.Error("batchItemFailures is null")
	}
	var failed []string
	for _, f := range out.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}
