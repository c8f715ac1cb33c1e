package fanout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
	"github.com/efferent/efferent/internal/webhook"
)

var errFault = errors.New("injected fault")

// fault is how a call goes wrong.
type fault int

const (
	works         fault = iota
	fails               // nothing is done
	failsButDoes        // it is done, but the caller is told that it failed
	doesOnlyAPart       // of a batch, the first half is done
)

// world is a handler among fakes. Its faults are by the name of the call and how many
// of that name there were.
type world struct {
	storetest.Memory
	t      *testing.T
	mu     sync.Mutex
	now    time.Time
	calls  map[string]int
	fault  func(call string, nth int) fault
	sent   []webhook.Message
	groups []string
	sizes  []int // of the requests, in messages
	// attributes are those of each message.
	attributes []map[string]message.Attribute
	hidden     map[string]time.Duration
}

func newWorld(t *testing.T) *world {
	return &world{t: t, now: time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC), calls: map[string]int{},
		fault: func(string, int) fault { return works }, hidden: map[string]time.Duration{}}
}

func (w *world) handler() *Handler {
	policies, err := retry.ParsePolicies("")
	if err != nil {
		w.t.Fatal(err)
	}
	h, err := New(Needs{
		Needs: batch.Needs{
			Attempts: w, Room: w, Queue: w, Audit: w, Redactors: w, Policies: policies, MaxReceives: 6,
			Go:  func(f func()) { go f() },
			Now: w.time, Jitter: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler),
		},
		Endpoints: &endpoint.Book{Store: w}, Events: w, Sender: w,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// call counts a call, and says how it goes wrong.
func (w *world) call(name string) fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[name]++
	return w.fault(name, w.calls[name])
}

// do makes a call with its fault.
func (w *world) do(name string, call func() error) error {
	f := w.call(name)
	if f == fails {
		return errFault
	}
	if err := call(); err != nil || f == works {
		return err
	}
	return errFault
}

func (w *world) Roster(ctx context.Context, tenant string) (r endpoint.Roster, err error) {
	err = w.do("roster", func() (err error) { r, err = w.Memory.Roster(ctx, tenant); return err })
	return r, err
}

func (w *world) Endpoints(ctx context.Context, ids []string) (found []endpoint.Endpoint, err error) {
	err = w.do("endpoints", func() (err error) { found, err = w.Memory.Endpoints(ctx, ids); return err })
	return found, err
}

func (w *world) KeepEvent(ctx context.Context, r event.Record) (recipients []string, err error) {
	err = w.do("keep", func() (err error) { recipients, err = w.Memory.KeepEvent(ctx, r); return err })
	return recipients, err
}

func (w *world) Put(ctx context.Context, records []attempt.Record) error {
	return w.do("put", func() error { return w.Memory.Put(ctx, records) })
}

func (w *world) OfMessage(ctx context.Context, webhookID, messageID string) (of []attempt.Record, err error) {
	err = w.do("read", func() (err error) { of, err = w.Memory.OfMessage(ctx, webhookID, messageID); return err })
	return of, err
}

func (w *world) Enter(ctx context.Context, item waiting.Item) (state waiting.State, err error) {
	err = w.do("enter", func() (err error) { state, err = w.Memory.Enter(ctx, item); return err })
	return state, err
}

// Append would be the ledger's: fanout tells it nothing.
func (w *world) Append(context.Context, string, []ledger.Entry) error {
	w.call("audit")
	return nil
}

func (w *world) Redactor(context.Context, time.Time) *ledger.Redactor {
	return ledger.NewRedactor([]byte("key"), false)
}

func (w *world) ChangeVisibility(_ context.Context, hides []message.Hide) error {
	return w.do("hide", func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, h := range hides {
			w.hidden[h.ReceiptHandle] = h.For
		}
		return nil
	})
}

// Send is the queue webhooks.
func (w *world) Send(_ context.Context, queue string, messages []waiting.Outgoing) (sent []int, err error) {
	f := w.call("send")
	if f == fails {
		return nil, errFault
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sizes = append(w.sizes, len(messages))
	for i, m := range messages {
		if f == doesOnlyAPart && i >= (len(messages)+1)/2 {
			break
		}
		got, err := webhook.Decode([]byte(m.Body))
		size := len(m.Body)
		for name, a := range m.Attributes {
			size += a.Size(name)
		}
		if err != nil || queue != "webhooks" || size > message.MaxSize {
			w.t.Errorf("%.200s: sent to %s, %d bytes: %v", m.Body, queue, size, err)
		}
		got.Body = []byte(strings.Clone(string(got.Body)))
		w.attributes = append(w.attributes, m.Attributes)
		w.sent, w.groups, sent = append(w.sent, got), append(w.groups, m.Group), append(sent, i)
	}
	if f == failsButDoes {
		return nil, errFault
	}
	return sent, nil
}

// register keeps an endpoint.
func (w *world) register(tenant string, types ...string) endpoint.Endpoint {
	w.t.Helper()
	e := endpoint.Endpoint{ID: endpoint.NewID(), Tenant: tenant, URL: "https://a.test/in", EventTypes: types,
		Secret: "efferent/webhooks/" + tenant, State: endpoint.Enabled, Created: w.time(), Version: 1}
	if err := w.CreateEndpoint(w.t.Context(), e, 100); err != nil {
		w.t.Fatal(err)
	}
	return e
}

// of are the endpoints that a tenant has.
func (w *world) of(tenant string) []endpoint.Endpoint {
	w.t.Helper()
	r, err := w.Memory.Roster(w.t.Context(), tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	found, err := w.Memory.Endpoints(w.t.Context(), r.IDs)
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// received is a message as it is received for the nth time.
func (w *world) received(id, body string, nth int) events.SQSMessage {
	return events.SQSMessage{MessageId: id, ReceiptHandle: id, Body: body, Attributes: map[string]string{
		"ApproximateReceiveCount": fmt.Sprint(nth), "SentTimestamp": fmt.Sprint(w.now.UnixMilli()),
		"ApproximateFirstReceiveTimestamp": fmt.Sprint(w.now.UnixMilli())}}
}

// released are the messages that wait in the room, as they come out of it.
func (w *world) released() (all []events.SQSMessage) {
	w.t.Helper()
	items, _, err := w.Page(w.t.Context(), "", 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for n, i := range items {
		i.Carried.Released = w.now
		m := w.received(fmt.Sprint("released-", n), i.Body, 1)
		m.MessageAttributes = map[string]events.SQSMessageAttribute{}
		for name, a := range i.Sendable() {
			m.MessageAttributes[name] = events.SQSMessageAttribute{DataType: a.Type, StringValue: &a.Text}
		}
		all = append(all, m)
	}
	return all
}

// handle has a batch handled, and gives the ids of what is not done with.
func (w *world) handle(h *Handler, messages ...events.SQSMessage) (failed []string) {
	w.t.Helper()
	out, err := h.Handle(w.t.Context(), events.SQSEvent{Records: messages})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range out.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

// text is an event's message.
func text(id, tenant, eventType, body string) string {
	b, err := json.Marshal(map[string]any{"tenant": tenant, "event_type": eventType})
	if err != nil {
		panic(err)
	}
	if id != "" {
		id = `,"id":"` + id + `"`
	}
	return strings.TrimSuffix(string(b), "}") + id + `,"body":` + body + "}"
}
