package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/api/apitest"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
)

// TestFakesKeepTheirPromises: with no fault the world is a store like any other.
func TestFakesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	storetest.TestClaims(t, newWorld(t))

}

var errFault = errors.New("injected fault: secret detail")

// fault is how a call goes wrong.
type fault int

const (
	works         fault = iota
	fails               // it does nothing
	failsButKeeps       // it does its work, but the caller is told that it failed
	crash               // it does nothing, nor does anything after it
	crashAfter          // it does its work, and nothing does after it
)

const queueName = "webhook-failures"

// world is a handler among fakes: one dead-letter queue, the queue that it
// belongs to, the records, the claims, and the ledger.
type world struct {
	t  *testing.T
	mu sync.Mutex
	// store has the records and the claims; the world's methods put faults
	// before it.
	store *storetest.Memory
	// finder knows endpoints, where there are any.
	finder *finder

	now       time.Time
	letters   map[string]*parkedLetter
	sent      []sent
	entries   []ledger.Entry
	moves     []deadletter.Move
	started   []int // rates
	cancelled []string
	othersOwn int // messages that somebody else holds, in the count only
	noMoves   bool
	exact     bool          // counts are
	pause     time.Duration // the most that the clock moves when somebody waits

	// fault decides about the nth call of an operation.
	fault map[string]func(n int) fault
	calls map[string]int
	dead  bool
	log   []string
	exit  *waiting.Exit
	// changes are the phases of circuits that were counted.
	changes []string
}

type parkedLetter struct {
	msg       events.SQSMessage
	visibleAt time.Time
}

type sent struct {
	body       string
	attributes map[string]string
}

var start = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, now: start, letters: map[string]*parkedLetter{}, store: &storetest.Memory{},
		fault: map[string]func(int) fault{}, calls: map[string]int{},
	}
	w.exit = newExit(w)
	return w
}

// Redactor is the month's, so that entries tell which key they were made by.
func (w *world) Redactor(_ context.Context, at time.Time) *ledger.Redactor {
	return ledger.NewRedactor([]byte(ledger.Month(at)), false)
}

func (w *world) handler() *Handler {
	n := Needs{
		Queues: []Queue{{Name: queueName, From: "webhooks", Read: ReadWebhook, Letters: w, Source: w, Moves: w.tasks()},
			{Name: "notification-failures", From: "notifications", Read: ReadNotification, Letters: w, Source: w, Moves: w.tasks()},
			{Name: "report-failures", From: "reports", Read: ReadReport, Unrecorded: true, Letters: w, Source: w, Moves: w.tasks()}},
		History: w, Failures: w, Claims: w, Audit: w, Redactors: w, Records: w, Room: (*room)(w), Exit: w.exit,
		Circuits: (*circuits)(w), Metrics: (*changes)(w),
		Caller: func(r *http.Request) (api.Caller, error) {
			return api.Caller{Name: cmp.Or(r.Header.Get("Caller"), "ann")}, nil
		}, ExactCounts: w.exact,
		Now: w.time, Wait: func(_ context.Context, d time.Duration) {
			runtime.Gosched()
			w.advance(min(d, cmp.Or(w.pause, d)))
		}, Log: slog.New(slog.DiscardHandler),
	}
	if w.finder != nil {
		n.Endpoints = w.finder
	}
	h, err := New(n)
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// ask makes one request.
func (w *world) ask(method, path, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	out := httptest.NewRecorder()
	w.handler().Routes().ServeHTTP(out, r)
	apitest.Conforms(w.t, r, out)
	if out.Code >= 400 {
		var p api.Problem
		if err := json.Unmarshal(out.Body.Bytes(), &p); err != nil || p.Status != out.Code || p.Detail == "" ||
			out.Header().Get("Content-Type") != "application/problem+json" {
			w.t.Errorf("%s %s: %d is no problem: %s", method, path, out.Code, out.Body)
		}
		if strings.Contains(p.Detail, "secret detail") {
			w.t.Errorf("%s %s: the answer shows an inner error: %s", method, path, p.Detail)
		}
	}
	return out
}

// get makes a request that must succeed and reads its answer.
func get[T any](w *world, method, path, body string) (v T) {
	w.t.Helper()
	out := w.ask(method, path, body)
	if out.Code >= 300 {
		w.t.Fatalf("%s %s: %d %s", method, path, out.Code, out.Body)
	}
	if err := json.Unmarshal(out.Body.Bytes(), &v); err != nil {
		w.t.Fatalf("%s %s: %v in %s", method, path, err, out.Body)
	}
	return v
}

// park puts a message in the dead-letter queue, with the record of its last
// attempt. Without an id its webhook-id is its message id.
func (w *world) park(n int, id, tenant string) (itemID string) {
	itemID = fmt.Sprintf("m%05d", n)
	text := `{"url":"https://a.test/` + itemID + `?t=1","secret":"efferent/webhooks/a","event_type":"e.` + tenant + `","tenant":"` + tenant +
		`","body":{"n": 1}`
	if id != "" {
		text += `,"id":"` + id + `"`
	}
	at := w.now.Add(time.Duration(n) * time.Millisecond)
	w.letters[itemID] = &parkedLetter{msg: events.SQSMessage{
		MessageId: itemID, ReceiptHandle: "r-" + itemID, Body: text + "}",
		Attributes: map[string]string{"SentTimestamp": strconv.FormatInt(at.Add(-time.Minute).UnixMilli(), 10), "MessageGroupId": tenant},
	}}
	w.record(attempt.Record{
		WebhookID: cmp.Or(id, itemID), Origin: itemID, MessageID: itemID, Attempt: 4, At: at,
		URL: "https://a.test/" + itemID + "?t=1", EventType: "e." + tenant,
		Tenant: tenant,
		Status: 503, Verdict: attempt.Exhausted, Reason: "503 Service Unavailable",
	})
	return itemID
}

// record keeps attempts.
func (w *world) record(records ...attempt.Record) {
	w.t.Helper()
	if err := w.store.Put(w.t.Context(), records); err != nil {
		w.t.Fatal(err)
	}
}

// claim has somebody hold an item, or be done with it.
func (w *world) claim(c claim.Claim) {
	w.t.Helper()
	c.Queue = queueName
	if err := w.store.PutClaim(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// visible are the ids of the messages that can be received.
func (w *world) visible() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for id, l := range w.letters {
		if !l.visibleAt.After(w.now) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// call counts an operation, lets it do its work or not, and says whether it
// failed.
func (w *world) call(op string, do func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return errFault
	}
	w.calls[op]++
	f := works
	if decide := w.fault[op]; decide != nil {
		f = decide(w.calls[op])
	}
	w.dead = f == crash || f == crashAfter
	if f == fails || f == crash {
		return errFault
	}
	w.log = append(w.log, op)
	err := do()
	if f != works {
		return errFault
	}
	return err
}

func on(call int, f fault) func(int) fault {
	return func(n int) fault {
		if n == call {
			return f
		}
		return works
	}
}

func (w *world) OfWebhook(ctx context.Context, id string) (of []attempt.Record, err error) {
	err = w.call("history", func() (err error) { of, err = w.store.OfWebhook(ctx, id); return err })
	return of, err
}

func (w *world) OfMessage(ctx context.Context, id, messageID string) (of []attempt.Record, err error) {
	err = w.call("history", func() (err error) { of, err = w.store.OfMessage(ctx, id, messageID); return err })
	return of, err
}

func (w *world) NewestFailures(ctx context.Context, queue string, from, before attempt.Position, limit int) (newest []attempt.Record,
	err error) {
	err = w.call("failures", func() (err error) {
		newest, err = w.store.NewestFailures(ctx, queue, from, before, limit)
		return err
	})
	return newest, err
}

func (w *world) ForgetFailures(ctx context.Context, records []attempt.Record) error {
	return w.call("forget", func() error { return w.store.ForgetFailures(ctx, records) })
}

func (w *world) TakeClaim(ctx context.Context, c claim.Claim) (other claim.Claim, err error) {
	op := "take"
	if c.ItemID == deadletter.Whole {
		op = "turn"
	}
	err = w.call(op, func() (err error) { other, err = w.store.TakeClaim(ctx, c); return err })
	return other, err
}

func (w *world) PutClaim(ctx context.Context, c claim.Claim) error {
	return w.call("settle", func() error { return w.store.PutClaim(ctx, c) })
}

func (w *world) DropClaim(ctx context.Context, c claim.Claim) error {
	op := "drop"
	if c.ItemID == deadletter.Whole {
		op = "leave"
	}
	return w.call(op, func() error { return w.store.DropClaim(ctx, c) })
}

func (w *world) ClaimsOn(ctx context.Context, queue string, ids []string) (on []claim.Claim, err error) {
	err = w.call("claims", func() (err error) { on, err = w.store.ClaimsOn(ctx, queue, ids); return err })
	return on, err
}

// Receive waits by moving the clock.
func (w *world) Receive(_ context.Context, hide, wait time.Duration) (got []events.SQSMessage, err error) {
	err = w.call("receive", func() error {
		for _, id := range slices.Sorted(maps.Keys(w.letters)) {
			if l := w.letters[id]; !l.visibleAt.After(w.now) && len(got) < 10 {
				l.visibleAt = w.now.Add(hide)
				got = append(got, l.msg)
			}
		}
		if len(got) == 0 {
			w.now = w.now.Add(min(wait, cmp.Or(w.pause, wait)))
		}
		return nil
	})
	return got, err
}

func (w *world) Show(_ context.Context, messages []events.SQSMessage) error {
	return w.call("show", func() error {
		for _, m := range messages {
			if l := w.letters[m.MessageId]; l != nil {
				l.visibleAt = w.now
			}
		}
		return nil
	})
}

func (w *world) Delete(_ context.Context, messages []events.SQSMessage) error {
	return w.call("delete", func() error {
		for _, m := range messages {
			delete(w.letters, m.MessageId)
		}
		return nil
	})
}

func (w *world) Count(context.Context) (c deadletter.Count, err error) {
	err = w.call("count", func() error {
		c = deadletter.Count{Hidden: w.othersOwn, Retention: 14 * 24 * time.Hour}
		for _, l := range w.letters {
			if l.visibleAt.After(w.now) {
				c.Hidden++
			} else {
				c.Visible++
			}
		}
		return nil
	})
	return c, err
}

func (w *world) Send(_ context.Context, m events.SQSMessage, attributes map[string]string) (id string, err error) {
	err = w.call("send", func() error {
		if strings.Contains(m.Body, "too-large") {
			return fmt.Errorf("send: %w", deadletter.ErrTooLarge)
		}
		w.sent = append(w.sent, sent{m.Body, attributes})
		id = fmt.Sprintf("new%d", len(w.sent))
		return nil
	})
	return id, err
}

func (w *world) Append(_ context.Context, _ string, entries []ledger.Entry) error {
	return w.call("audit", func() error { w.entries = append(w.entries, entries...); return nil })
}

// tasks are the world's move tasks.
func (w *world) tasks() Moves { return (*moveTasks)(w) }

type moveTasks world

func (m *moveTasks) Start(_ context.Context, rate int) error {
	w := (*world)(m)
	return w.call("start", func() error {
		switch {
		case w.noMoves:
			return fmt.Errorf("start: %w", deadletter.ErrMovesUnsupported)
		case len(w.moves) > 0 && w.moves[0].Status == deadletter.Running:
			return fmt.Errorf("start: %w", deadletter.ErrMoving)
		}
		w.started = append(w.started, rate)
		w.moves = slices.Insert(w.moves, 0, deadletter.Move{Handle: "handle", Status: deadletter.Running, Started: w.now,
			ToMove: int64(len(w.letters)), Rate: rate})
		return nil
	})
}

func (m *moveTasks) List(context.Context) (list []deadletter.Move, err error) {
	w := (*world)(m)
	err = w.call("moves", func() error { list = slices.Clone(w.moves); return nil })
	return list, err
}

func (m *moveTasks) Cancel(_ context.Context, handle string) error {
	w := (*world)(m)
	return w.call("cancel", func() error { w.cancelled = append(w.cancelled, handle); return nil })
}

// changes is the world, told of its circuits' changes.
type changes world

func (t *changes) Record(events []metric.Event) {
	for _, e := range events {
		t.changes = append(t.changes, e.Phase)
	}
}
