package notify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/template"
	"github.com/efferent/efferent/internal/waiting"
)

var errFault = errors.New("injected fault")

// fault is how a write goes wrong.
type fault int

const (
	works         fault = iota
	fails               // nothing is kept
	failsButKeeps       // it is kept, but the caller is told that it failed
	crash               // nothing is kept, nor anything after it
	crashAfter          // it is kept, and nothing after it
)

// world is a handler among fakes: the providers, the stores, the queue that the
// messages came from, and the ledger.
type world struct {
	t  *testing.T
	mu sync.Mutex

	now     time.Time
	answers map[channel.Name][]channel.Outcome // in turn; the last one for ever
	absent  map[channel.Name]error
	appears channel.Name             // the absent one that is configured just now
	secrets map[channel.Name]*secret // where they matter
	calls   map[channel.Name][]channel.Handover
	reached map[channel.Name]int // how many the recipient may have got
	store   stores
	entries []ledger.Entry
	hidden  map[string]time.Duration
	logs    bytes.Buffer
	log     *slog.Logger // one, as its lines are written one at a time
	tenants *metric.Tenants
	alarms  []string
	events  []metric.Event
	refuses map[channel.Name]*refusal
	during  func(channel.Name) // while a provider has it
	reports bool               // providers report what becomes of it
	hangs   bool               // providers answer when the invocation's sending is cut
	at      channel.Name       // the one that knows its recipient by itself
	limits  map[channel.Name]pace.Rate
	paces   map[string]pace.State
	sentAt  map[channel.Name][]time.Time

	templates templates

	parts []waiting.Outgoing // what messages were divided into
	files files

	fault map[string]func(n int) fault
	ops   map[string]int
	asked int // also when dead
	dead  bool
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), answers: map[channel.Name][]channel.Outcome{},
		absent: map[channel.Name]error{}, secrets: map[channel.Name]*secret{}, refuses: map[channel.Name]*refusal{},
		calls: map[channel.Name][]channel.Handover{}, reached: map[channel.Name]int{},
		limits: map[channel.Name]pace.Rate{}, paces: map[string]pace.State{}, sentAt: map[channel.Name][]time.Time{},
		hidden: map[string]time.Duration{}, fault: map[string]func(int) fault{}, ops: map[string]int{}, store: &storetest.Memory{},
	}
	w.log = slog.New(slog.NewJSONHandler(&w.logs, nil))
	return w
}

func (w *world) handler() *Handler {
	h, err := New(Needs{
		Needs: batch.Needs{
			Attempts: w, Room: w, Queue: w, Audit: w, Redactors: w, Policies: retry.Policies{}, MaxReceives: maxReceives, Now: w.time,
			Metrics: w, Jitter: func() float64 { return 0 }, Log: w.log,
		},
		Senders: w, Suppressions: w, Onward: w,
		Claims: w, Pace: w, Recipients: w, Parts: parts{w}, Files: w.files, Tenants: w.tenants, Templates: w.templates,
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

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// enough are more operations than any test has use for.
const enough = 10_000

// call counts an operation, lets it do its work or not, and says whether it
// failed.
func (w *world) call(op string, do func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked++; w.asked > enough { // what tries again for ever is ended
		panic(fmt.Sprintf("%s: more than %d operations, the last is %s", w.t.Name(), enough, op))
	}
	if w.dead {
		return errFault
	}
	w.ops[op]++
	f := works
	if decide := w.fault[op]; decide != nil {
		f = decide(w.ops[op])
	}
	w.dead = f == crash || f == crashAfter
	if f == fails || f == crash {
		return errFault
	}
	err := do()
	if f != works {
		return errFault
	}
	return err
}

func (w *world) KeepOnward(ctx context.Context, webhookID, sortKey string, message []byte, until time.Time) error {
	return w.call("onward", func() error { return w.store.KeepOnward(ctx, webhookID, sortKey, message, until) })
}

func (w *world) Onward(ctx context.Context, webhookID, sortKey string) ([]byte, error) {
	return w.store.Onward(ctx, webhookID, sortKey)
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

// refusal is what a provider answers to those with a version of the secret.
type refusal struct {
	version int
	as      channel.Outcome
}

// secret is a channel's, and the version of it that was read last.
type secret struct {
	current, cached int
	readAt          time.Time
}

// provider is one of the world's.
type provider struct {
	w       *world
	on      channel.Name
	version int // of the secret that it was made of
}

func (w *world) Secret(on channel.Name) string { return channel.SecretName(on) }

func (w *world) Sender(_ context.Context, on channel.Name, since time.Time) (channel.Sender, error) {
	if w.appears == on && !since.IsZero() {
		delete(w.absent, on) // it is there for who asks anew
	}
	if err := w.absent[on]; err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.secrets[on]; s != nil && s.readAt.Before(since) {
		s.cached, s.readAt = s.current, w.now
	}
	if s := w.secrets[on]; s != nil {
		return provider{w, on, s.cached}, nil
	}
	return provider{w, on, 0}, nil
}

func (p provider) Limit(string) channel.Limit {
	return channel.Limit{Key: string(p.on), Rate: p.w.limits[p.on]}
}

// Turn is as pace.Keeper has it, but that nobody waits for others.
func (w *world) Turn(_ context.Context, key string, rate pace.Rate, wish pace.Wish) (turn pace.Turn, err error) {
	err = w.call("turn", func() error {
		next, turns := pace.Take(w.paces[key], pace.Ask{Key: key, Rate: rate, Wishes: []pace.Wish{wish}, Now: w.now, Patience: Patience})
		w.paces[key], turn = next, turns[0]
		return nil
	})
	return turn, err
}

func (w *world) Slow(key string, rate pace.Rate, until time.Time) {
	_ = w.call("slow", func() error {
		w.paces[key] = pace.Slower(w.paces[key], pace.Slow{Key: key, Rate: rate, Now: w.now, Until: until})
		return nil
	})
}

func (w *world) Await(ctx context.Context, at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at.After(w.now) {
		w.now = at
	}
	return ctx.Err()
}

func (p provider) Reports() bool { return p.w.reports }

func (p provider) Addressless() bool { return p.on == p.w.at }

// Send answers as told. A provider that the process died around answers, but
// nobody hears it.
func (p provider) Send(ctx context.Context, h channel.Handover) (out channel.Outcome) {
	out = channel.Outcome{Class: channel.Unknown, Reason: "the process died"}
	_ = p.w.call("send", func() error {
		p.w.calls[p.on], p.w.sentAt[p.on] = append(p.w.calls[p.on], h), append(p.w.sentAt[p.on], p.w.now)
		out = channel.Outcome{ProviderID: fmt.Sprint(p.on, len(p.w.calls[p.on]))}
		if refused := p.w.refuses[p.on]; refused != nil && refused.version == p.version {
			out = refused.as
		} else if told := p.w.answers[p.on]; len(told) > 0 {
			out = told[0]
			p.w.answers[p.on] = told[min(1, len(told)-1):]
		}
		if out.Sent() || out.Class == channel.Unknown {
			p.w.reached[p.on]++
		}
		return nil
	})
	if p.w.during != nil {
		p.w.during(p.on)
	}
	if p.w.hangs {
		<-ctx.Done()
	}
	return out
}

func (w *world) OfMessage(ctx context.Context, id, messageID string) (of []attempt.Record, err error) {
	err = w.call("history", func() (err error) { of, err = w.store.OfMessage(ctx, id, messageID); return err })
	return of, err
}

func (w *world) OfWebhook(ctx context.Context, id string) (of []attempt.Record, err error) {
	err = w.call("history", func() (err error) { of, err = w.store.OfWebhook(ctx, id); return err })
	return of, err
}

func (w *world) Enter(ctx context.Context, item waiting.Item) (state waiting.State, err error) {
	err = w.call("enter", func() (err error) { state, err = w.store.Enter(ctx, item); return err })
	return state, err
}

func (w *world) Put(ctx context.Context, records []attempt.Record) error {
	return w.call("record", func() error { return w.store.Put(ctx, records) })
}

// recorded are the attempts under an id.
func (w *world) recorded(id string) []attempt.Record {
	records, _ := w.store.OfWebhook(w.t.Context(), id)
	return records
}

func (w *world) TakeClaim(ctx context.Context, c claim.Claim) (other claim.Claim, err error) {
	err = w.call("claim", func() (err error) { other, err = w.store.TakeClaim(ctx, c); return err })
	return other, err
}

// Suppressed is the suppression list's.
func (w *world) Suppressed(ctx context.Context, keys []suppression.Key) (found map[suppression.Key]suppression.Entry, err error) {
	err = w.call("list", func() (err error) { found, err = w.store.Suppressed(ctx, keys); return err })
	return found, err
}

func (w *world) Recipients(ctx context.Context, keys []recipient.Key) (found []recipient.Recipient, err error) {
	err = w.call("people", func() (err error) { found, err = w.store.Recipients(ctx, keys); return err })
	return found, err
}

func (w *world) PutClaim(ctx context.Context, c claim.Claim) error {
	return w.call("settle", func() error { return w.store.PutClaim(ctx, c) })
}

func (w *world) DropClaim(ctx context.Context, c claim.Claim) error {
	return w.call("drop", func() error { return w.store.DropClaim(ctx, c) })
}

func (w *world) ChangeVisibility(_ context.Context, hides []message.Hide) error {
	return w.call("hide", func() error {
		for _, h := range hides {
			w.hidden[h.ReceiptHandle] = h.For
		}
		return nil
	})
}

func (w *world) Append(_ context.Context, _ string, entries []ledger.Entry) error {
	return w.call("audit", func() error { w.entries = append(w.entries, entries...); return nil })
}

const maxReceives = 6

// queued is a message and how SQS treats it: it is received until the handler
// is done with it, or until it has reached the dead-letter queue.
type queued struct {
	msg      events.SQSMessage
	receives int
}

func (w *world) message(id, text string) *queued {
	return &queued{msg: events.SQSMessage{MessageId: "m-" + id, ReceiptHandle: "r-" + id, Body: text,
		Attributes: map[string]string{"SentTimestamp": strconv.FormatInt(w.now.UnixMilli(), 10)}}}
}

// carries has the message carry something.
func (q *queued) carries(c message.Carried) {
	q.msg.MessageAttributes = map[string]events.SQSMessageAttribute{}
	for name, value := range c.Attributes() {
		q.msg.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
	}
}

// receive gives the message to the handler once, and reports whether it is
// done with it. The clock moves to when SQS shows it again.
func (w *world) receive(h *Handler, q *queued) bool {
	w.t.Helper()
	return w.receiveIn(w.t.Context(), h, q)
}

// receiveIn is receive in an invocation that ends with ctx.
func (w *world) receiveIn(ctx context.Context, h *Handler, q *queued) bool {
	w.t.Helper()
	q.receives++
	q.msg.Attributes["ApproximateReceiveCount"] = strconv.Itoa(q.receives)
	delete(w.hidden, q.msg.ReceiptHandle)
	out, err := h.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{q.msg}})
	if err != nil || out.BatchItemFailures == nil {
		w.t.Fatalf("the handler returned %+v, %v", out, err)
	}
	if w.dead { // the process is gone, and its answer with it
		w.dead = false
		w.advance(3 * time.Minute)
		return false
	}
	if len(out.BatchItemFailures) == 0 {
		return !w.release(q)
	}
	wait, changed := w.hidden[q.msg.ReceiptHandle]
	if !changed {
		wait = 3 * time.Minute // its visibility timeout
	}
	w.advance(wait)
	return false
}

// release plays the function of that name for a message that went into the
// waiting room, once it is due. It reports whether it was there.
func (w *world) release(q *queued) bool {
	items, _, err := w.store.Page(w.t.Context(), "", 10)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(items) == 0 {
		return false
	}
	if items[0].Queue != "notifications" {
		w.t.Errorf("it goes back to %s", items[0].Queue)
	}
	if err := w.store.Settle(w.t.Context(), items, waiting.Sent); err != nil {
		w.t.Fatal(err)
	}
	w.advance(max(0, items[0].Due.Sub(w.now)))
	items[0].Carried.Released = w.now
	*q = queued{msg: events.SQSMessage{MessageId: "+" + q.msg.MessageId, ReceiptHandle: q.msg.ReceiptHandle, Body: items[0].Body,
		Attributes:        map[string]string{"SentTimestamp": strconv.FormatInt(w.now.UnixMilli(), 10)},
		MessageAttributes: map[string]events.SQSMessageAttribute{}}}
	for name, a := range items[0].Sendable() {
		q.msg.MessageAttributes[name] = events.SQSMessageAttribute{DataType: a.Type, StringValue: &a.Text}
	}
	return true
}

// run receives the message until its end: "sent", or "parked" in the
// dead-letter queue.
func (w *world) run(q *queued) string {
	w.t.Helper()
	h := w.handler()
	for q.receives < maxReceives {
		if w.receive(h, q) {
			return "sent"
		}
	}
	return "parked"
}

// story tells a message's attempts, but for those that were held:
// "1:email:transient:retryable …".
func (w *world) story(id string, q *queued) string {
	var all []string
	records := w.recorded(id)
	slices.SortStableFunc(records, func(a, b attempt.Record) int { return cmp.Compare(a.Attempt, b.Attempt) })
	for _, r := range records {
		if strings.TrimLeft(r.MessageID, "+") != strings.TrimLeft(q.msg.MessageId, "+") || r.Verdict == attempt.Held {
			continue
		}
		all = append(all, fmt.Sprintf("%d:%s:%s:%s", r.Attempt, r.Channel, r.Class, r.Verdict))
	}
	return strings.Join(all, " ")
}

func (w *world) count(on channel.Name) int { return len(w.calls[on]) }

func text(id string, first channel.Name, more string) string {
	if !strings.Contains(more, `"retry"`) {
		more += `,"retry":"seed"`
	}
	to := map[channel.Name]string{channel.Email: "ann@acme.test", channel.Slack: "C123", channel.SMS: "+46701234567"}
	return fmt.Sprintf(`{"id":%q,"channel":%q,"recipient":%q,"subject":"s","body":"b","recipients":{"email":"ann@acme.test","slack":"C123",`+
		`"sms":"+46701234567"}%s}`, id, first, to[first], more)
}

// Record notes what was counted, and the channels that an operator must look at.
func (w *world) Record(events []metric.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, events...)
	for _, e := range events {
		if e.Name == metric.Misconfigured {
			w.alarms = append(w.alarms, e.Channel)
		}
	}
}

// parts are what messages are divided into.
type parts struct{ w *world }

func (p parts) Send(_ context.Context, queue string, messages []waiting.Outgoing) (sent []int, err error) {
	if queue != "notifications" {
		p.w.t.Errorf("parts go to %s", queue)
	}
	err = p.w.call("divide", func() error { p.w.parts = append(p.w.parts, messages...); return nil })
	return sent, err
}

// files are what attachments are kept elsewhere.
// templates are those of all tenants; one whose subject is "trouble" can't be read.
type templates map[string]template.Template

func (all templates) Of(_ context.Context, _, name string, _ int64) (template.Template, error) {
	t, ok := all[name]
	switch {
	case !ok:
		return t, fmt.Errorf("%w: %q", template.ErrNotFound, name)
	case t.Parts[template.Subject] == "trouble":
		return t, errFault
	}
	return t, nil
}

type files map[string]string

func (f files) File(_ context.Context, place string, most int) ([]byte, error) {
	content, ok := f[place]
	switch {
	case content == "trouble":
		return nil, errFault
	case !ok || len(content) > most:
		return nil, fmt.Errorf("not there: %w", channel.ErrNoFile)
	}
	return []byte(content), nil
}
