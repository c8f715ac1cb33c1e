package notify

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
)

// town is two handlers, each with a Keeper of its own and many invocations at once, on
// one queue, one table and the same providers. It lives in a bubble of synctest.
type town struct {
	t     *testing.T
	store stores

	mu      sync.Mutex
	queue   map[string]*letter // by receipt
	dead    []string
	entries []ledger.Entry

	slack, email, sms script
}

// letter is a message in the queue.
type letter struct {
	msg      events.SQSMessage
	visible  time.Time
	receives int
}

// script is a provider: it takes one per interval, or so many at a time.
type script struct {
	t                   *town
	limit               channel.Limit
	interval            time.Duration
	connections         int
	takes               time.Duration // a hand-over
	after               time.Duration // what it asks for when it refuses
	mu                  sync.Mutex
	last                time.Time
	stopped             time.Time // before which it takes nothing
	open, refused, most int
	sent                []time.Time
	ids                 map[string]int
}

func (s *script) Limit(string) channel.Limit { return s.limit }

func (s *script) Send(_ context.Context, h channel.Handover) channel.Outcome {
	if !s.begin(h.ID) {
		return channel.Outcome{Class: channel.Limited, Status: 429, Reason: "too many", RetryAfter: max(s.after, time.Until(s.stopped))}
	}
	time.Sleep(s.takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	return channel.Taken(h.ID, 200)
}

func (s *script) begin(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.stopped) || now.Sub(s.last) < s.interval || s.connections > 0 && s.open == s.connections {
		s.refused++
		return false
	}
	s.last, s.open = now, s.open+1
	s.most = max(s.most, s.open)
	s.sent = append(s.sent, now)
	if s.ids == nil {
		s.ids = map[string]int{}
	}
	s.ids[id]++
	return true
}

// providers are what a handler of the town has its senders of.
type townSenders struct{ *town }

func (s townSenders) Sender(_ context.Context, on channel.Name, _ time.Time) (channel.Sender, error) {
	return map[channel.Name]*script{channel.Slack: &s.slack, channel.Email: &s.email, channel.SMS: &s.sms}[on], nil
}
func (s townSenders) Secret(on channel.Name) string { return channel.SecretName(on) }

func (w *town) Append(_ context.Context, _ string, entries []ledger.Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entries = append(w.entries, entries...)
	return nil
}

func (w *town) Redactor(context.Context, time.Time) *ledger.Redactor {
	return ledger.NewRedactor([]byte("k"), false)
}

func (w *town) ChangeVisibility(_ context.Context, hides []message.Hide) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range hides {
		if l := w.queue[h.ReceiptHandle]; l != nil {
			l.visible = time.Now().Add(h.For)
		}
	}
	return nil
}

func (w *town) Send(context.Context, string, []waiting.Outgoing) ([]int, error) { return nil, nil }

func (w *town) handler() *Handler {
	log := slog.New(slog.DiscardHandler)
	h, err := New(Needs{
		Needs: batch.Needs{
			Attempts: w.store, Room: w.store, Queue: w, Audit: w, Redactors: w, Policies: retry.Policies{}, MaxReceives: maxReceives,
			Now: time.Now, Jitter: func() float64 { return 0.5 }, Log: log, Go: func(f func()) { go f() },
		},
		Senders: townSenders{w}, Claims: w.store, Parts: w, Recipients: w.store, Suppressions: w.store,
		Pace: &pace.Keeper{Store: w.store, Patience: Patience, Now: time.Now, Log: log},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func (w *town) put(id string, msg events.SQSMessage) {
	msg.MessageId, msg.ReceiptHandle = id, id
	if msg.Attributes == nil {
		msg.Attributes = map[string]string{}
	}
	msg.Attributes["SentTimestamp"] = strconv.FormatInt(time.Now().UnixMilli(), 10)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue == nil {
		w.queue = map[string]*letter{}
	}
	w.queue[id] = &letter{msg: msg, visible: time.Now()}
}

// receive takes up to ten that are visible, oldest first, as SQS does.
func (w *town) receive() (batch []events.SQSMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	var all []*letter
	for _, l := range w.queue {
		if !l.visible.After(now) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *letter) int { return strings.Compare(a.msg.MessageId, b.msg.MessageId) })
	for _, l := range all[:min(10, len(all))] {
		if l.receives++; l.receives > maxReceives {
			w.dead = append(w.dead, l.msg.MessageId)
			delete(w.queue, l.msg.ReceiptHandle)
			continue
		}
		l.visible = now.Add(3 * time.Minute)
		msg := l.msg
		msg.Attributes = map[string]string{"SentTimestamp": msg.Attributes["SentTimestamp"],
			"ApproximateReceiveCount": strconv.Itoa(l.receives), "ApproximateFirstReceiveTimestamp": msg.Attributes["SentTimestamp"]}
		batch = append(batch, msg)
	}
	return batch
}

// poll feeds a handler, until ctx ends.
func (w *town) poll(ctx context.Context, h *Handler) {
	for ctx.Err() == nil {
		batch := w.receive()
		if len(batch) == 0 {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		in, stop := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		out, _ := h.Handle(in, events.SQSEvent{Records: batch})
		stop()
		w.delete(batch, out)
	}
}

func (w *town) delete(batch []events.SQSMessage, out events.SQSEventResponse) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range batch {
		if !slices.ContainsFunc(out.BatchItemFailures, func(f events.SQSBatchItemFailure) bool { return f.ItemIdentifier == m.MessageId }) {
			delete(w.queue, m.ReceiptHandle)
		}
	}
}

// release sends what is due in the room back, every second.
func (w *town) release(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		time.Sleep(time.Second)
		items, _, _ := w.store.Page(ctx, "", 10_000)
		for _, i := range items {
			if i.Due.After(time.Now()) {
				continue
			}
			_ = w.store.Settle(ctx, []waiting.Item{i}, waiting.Sent)
			i.Carried.Released = time.Now()
			msg := events.SQSMessage{Body: i.Body, MessageAttributes: map[string]events.SQSMessageAttribute{}}
			for name, a := range i.Sendable() {
				msg.MessageAttributes[name] = events.SQSMessageAttribute{DataType: a.Type, StringValue: &a.Text}
			}
			w.put(fmt.Sprintf("%s+%d", i.MessageID, n), msg)
		}
	}
}

// live lets the town work for a time: two handlers, with ten invocations each.
func (w *town) live(d time.Duration) {
	ctx, stop := context.WithTimeout(w.t.Context(), d)
	defer stop()
	var all sync.WaitGroup
	for range 2 {
		h := w.handler()
		for range 10 {
			all.Go(func() { w.poll(ctx, h) })
		}
	}
	all.Go(func() { w.release(ctx) })
	all.Wait()
}

// burst sends n at once.
func (w *town) burst(n int, on channel.Name, more string) {
	for i := range n {
		w.put(fmt.Sprintf("m-%04d", i), events.SQSMessage{Body: text(fmt.Sprint("n_", i), on, more)})
	}
}

func newTown(t *testing.T) *town {
	w := &town{t: t, store: &storetest.Memory{}}
	for _, s := range []*script{&w.slack, &w.email, &w.sms} {
		s.t, s.takes = w, 50*time.Millisecond
	}
	w.slack.limit = channel.Limit{Key: "slack", Rate: pace.PerSecond(1)}
	w.email.limit, w.sms.limit = channel.Limit{Key: "email"}, channel.Limit{Key: "sms"}
	return w
}

// all wants that every one of n went by a channel, once each, and that none died.
func (w *town) all(n int, s *script) {
	w.t.Helper()
	if len(s.ids) != n || len(s.sent) != n || len(w.dead) > 0 || len(w.queue) > 0 {
		w.t.Errorf("%d of %d went, %d different ones; %d are dead, %d are left", len(s.sent), n, len(s.ids), len(w.dead), len(w.queue))
	}
}

func (w *town) took(s *script) time.Duration { return s.sent[len(s.sent)-1].Sub(s.sent[0]) }

// TestABurstKeepsThePace: of two handlers with ten invocations each, to a Slack
// channel that takes one a second and refuses any more. All go there, at that pace,
// and nothing is refused; what waits for over two minutes does so in the room.
func TestABurstKeepsThePace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n    int
		kind string
	}{{60, "memory"}, {60, "SQLite"}, {400, "memory"}} {
		n := c.n
		synctest.Test(t, func(t *testing.T) {
			w := newTown(t)
			w.store = kinds[c.kind](t)
			w.slack.interval = time.Second
			w.burst(n, "slack", "")
			w.live(time.Duration(n+60) * time.Second)
			w.all(n, &w.slack)
			if took := w.took(&w.slack); w.slack.refused > 0 || took > time.Duration(n+n/20)*time.Second {
				t.Errorf("%d were refused; it took %v", w.slack.refused, took)
			}
			for _, r := range w.records("n_50") {
				if r.Class != "" || r.Attempt != 1 {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

func (w *town) records(id string) []recordOf {
	var all []recordOf
	records, _ := w.store.OfWebhook(w.t.Context(), id)
	for _, r := range records {
		if r.Verdict != "held" {
			all = append(all, recordOf{r.Class, r.Attempt})
		}
	}
	return all
}

type recordOf struct {
	Class   string
	Attempt int
}

// TestThreeConnections: of 60 emails to a server that takes three at a time none dies,
// though nobody was told of that.
func TestThreeConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		w.email.connections, w.email.takes = 3, 150*time.Millisecond
		w.burst(60, "email", `,"fallback":[]`)
		w.live(2 * time.Minute)
		w.all(60, &w.email)
		if took := w.took(&w.email); w.email.most > 3 || took > time.Minute {
			t.Errorf("%d at a time; it took %v", w.email.most, took)
		}
	})
}

// TestTwilioRefuses: 20429 is no attempt, and none gets two SMS.
func TestTwilioRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		w.sms.interval = 200 * time.Millisecond
		w.burst(60, "sms", `,"fallback":[]`)
		w.live(5 * time.Minute)
		w.all(60, &w.sms)
	})
}

// TestTheDeadlineFallsBack: what can't go in ten seconds goes by email, in time.
func TestTheDeadlineFallsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		w.slack.interval = time.Second
		began := time.Now()
		w.burst(60, "slack", `,"deadline":"10s"`)
		w.live(time.Minute)
		if slack, email := len(w.slack.sent), len(w.email.sent); slack < 10 || slack > 11 || slack+email != 60 || len(w.dead) > 0 {
			t.Errorf("%d by Slack, %d by email, %d dead", slack, email, len(w.dead))
		}
		for _, s := range []*script{&w.slack, &w.email} {
			if last := s.sent[len(s.sent)-1].Sub(began); last > 11*time.Second {
				t.Errorf("the last went after %v", last)
			}
		}
	})
}

// TestARetryAfterOfTenMinutes: what is behind it waits, says so, and goes after it;
// what can't wait for so long falls back within its minute.
func TestARetryAfterOfTenMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		began := time.Now()
		w.slack.interval, w.slack.stopped = time.Second, began.Add(10*time.Minute)
		w.burst(30, "slack", "")
		for i := range 10 {
			w.put(fmt.Sprintf("q-%d", i), events.SQSMessage{Body: text(fmt.Sprint("q_", i), "slack", `,"deadline":"1m"`)})
		}
		w.live(time.Minute)
		if len(w.slack.sent) > 0 || len(w.email.sent) != 10 || w.slack.refused > 10 {
			t.Errorf("%d by Slack, %d by email, %d were refused", len(w.slack.sent), len(w.email.sent), w.slack.refused)
		}
		records, _ := w.store.OfWebhook(t.Context(), "n_29")
		if len(records) != 1 || records[0].Verdict != "held" || records[0].NextAt.Sub(began) < 10*time.Minute {
			t.Errorf("recorded is %+v", records)
		}
		w.live(12 * time.Minute)
		if len(w.slack.sent) != 30 || len(w.email.sent) != 10 || len(w.dead) > 0 {
			t.Errorf("%d by Slack, %d by email, %d dead", len(w.slack.sent), len(w.email.sent), len(w.dead))
		}
	})
}
