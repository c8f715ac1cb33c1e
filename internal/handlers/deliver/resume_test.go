package deliver

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/webhook"
)

// TestSecondReceive shows what a message's history makes of a later receive.
func TestSecondReceive(t *testing.T) {
	t.Parallel()
	const leftAlone = -1
	start := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	tried := func(n int, v attempt.Verdict, due time.Time) attempt.Record {
		return attempt.Record{WebhookID: "a", MessageID: "m-a", Attempt: n, Verdict: v, At: start.Add(-time.Minute), NextAt: due}
	}
	retryable := func(n int, due time.Time) attempt.Record { return tried(n, attempt.Retryable, due) }
	uncounted := func(n, status int) attempt.Record {
		r := retryable(n, start)
		r.Uncounted, r.Status = true, status
		return r
	}
	for _, c := range []struct {
		name     string
		history  []attempt.Record
		text     string
		receives int
		setup    func(*world)
		want     want
	}{
		{name: "nothing was recorded", want: want{verdicts: []attempt.Verdict{attempt.Delivered}, hidden: leftAlone, posts: 1,
			actions: "webhook.attempt webhook.delivered"}},
		{name: "a retry is due", history: []attempt.Record{retryable(1, start)},
			want: want{verdicts: []attempt.Verdict{attempt.Retryable, attempt.Delivered}, hidden: leftAlone, posts: 1,
				actions: "webhook.attempt webhook.delivered"}},
		{name: "a retry is not due yet", history: []attempt.Record{retryable(1, start.Add(1500*time.Millisecond))},
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable}, hidden: 2 * time.Second}},
		{name: "a kept connection was lost before: once per message", history: []attempt.Record{uncounted(1, 0)},
			setup: func(w *world) { w.answers = []webhook.Exchange{lost} },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable, attempt.Retryable}, hidden: time.Second, posts: 1,
				actions: "webhook.attempt webhook.failed"}},
		{name: "a newer secret was tried before: once per message", history: []attempt.Record{uncounted(1, 404)},
			setup: func(w *world) { w.answers, w.cached = []webhook.Exchange{gone404}, "v0" },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable, attempt.Permanent}, posts: 1,
				actions: "webhook.attempt webhook.failed"}},
		{name: "what does not count uses up no attempt",
			history: []attempt.Record{uncounted(1, 0), retryable(2, start), retryable(3, start), retryable(4, start)},
			setup:   func(w *world) { w.answers = []webhook.Exchange{busy503} },
			want: want{failed: true, verdicts: []attempt.Verdict{"retryable", "retryable", "retryable", "retryable", "exhausted"}, posts: 1,
				actions: "webhook.attempt webhook.failed", reason: "4 of 4"}},
		{name: "delivered: not sent again, but told again", history: []attempt.Record{tried(1, attempt.Delivered, time.Time{})},
			want: want{verdicts: []attempt.Verdict{attempt.Delivered}, hidden: leftAlone, actions: "webhook.delivered"}},
		{name: "delivered, and telling fails", history: []attempt.Record{tried(1, attempt.Delivered, time.Time{})},
			setup: func(w *world) { w.auditFault = on(1, fails) },
			want:  want{failed: true, verdicts: []attempt.Verdict{attempt.Delivered}, hidden: leftAlone}},
		{name: "permanent: drained, in silence", history: []attempt.Record{tried(1, attempt.Permanent, time.Time{})},
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Permanent}, hidden: 0}},
		{name: "exhausted: drained, in silence", history: []attempt.Record{retryable(1, start), tried(2, attempt.Exhausted, time.Time{})},
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable, attempt.Exhausted}, hidden: 0}},
		{name: "malformed, refused before: drained, in silence", text: `{"id":"a"}`,
			history: []attempt.Record{tried(1, attempt.Permanent, time.Time{})},
			want:    want{failed: true, verdicts: []attempt.Verdict{attempt.Permanent}, hidden: 0}},
		{name: "the history can't be read", setup: func(w *world) { w.readFault = on(1, fails) },
			want: want{failed: true, hidden: 15 * time.Minute}},
		{name: "the last receive: it goes on in the waiting room", receives: 6, history: []attempt.Record{retryable(1, start)},
			setup: func(w *world) { w.answers = []webhook.Exchange{busy503} },
			want: want{verdicts: []attempt.Verdict{attempt.Retryable, attempt.Retryable}, hidden: leftAlone, posts: 1,
				actions: "webhook.attempt webhook.failed"}},
		{name: "receive count unknown", receives: -1, history: []attempt.Record{tried(1, attempt.Delivered, time.Time{})},
			want: want{verdicts: []attempt.Verdict{attempt.Delivered}, hidden: leftAlone, actions: "webhook.delivered"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ok200)
			if c.setup != nil {
				c.setup(w)
			}
			if c.history != nil {
				w.record("a", c.history...)
			}
			if c.text == "" {
				c.text = body("a")
			}
			m := aMessage("a", c.text, max(2, c.receives))
			if c.receives < 0 {
				m.Attributes = nil
			}
			failed := w.handle(m)
			w.check(t, c.want, len(failed) == 1)
		})
	}
}

// TestRedrivenUnderItsOldID shows a message as LocalStack gives it back from a
// dead-letter queue: it is tried afresh, by its policy from the start.
func TestRedrivenUnderItsOldID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, busy503)
	for n := 1; n <= 4; n++ {
		v := attempt.Retryable
		if n == 4 {
			v = attempt.Exhausted
		}
		w.record("a", attempt.Record{Attempt: n, Verdict: v, At: w.now.Add(-time.Minute)})
	}
	first := w.now
	var hidden []time.Duration
	for receives := 22; ; receives++ {
		m := aMessage("a", body("a"), receives)
		m.Attributes["DeadLetterQueueSourceArn"] = "arn:aws:sqs:us-east-1:000000000000:webhooks"
		m.Attributes["ApproximateFirstReceiveTimestamp"] = strconv.FormatInt(first.UnixMilli(), 10)
		w.handle(m)
		wait := w.hidden["r-a"]
		hidden = append(hidden, wait)
		if w.now = w.now.Add(wait); wait == 0 {
			break
		}
	}
	if diff := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 0}, hidden); diff != "" {
		t.Errorf("hidden for (-want +got):\n%s", diff)
	}
	records := w.recorded("a")
	if last := records[len(records)-1]; len(records) != 8 || last.Attempt != 8 || last.Verdict != attempt.Exhausted ||
		!strings.Contains(last.Reason, "4 of 4") {
		t.Errorf("%d records, the last %+v", len(records), last)
	}
	if len(w.posts) != 4 {
		t.Errorf("%d posts, want 4", len(w.posts))
	}
}

// TestEveryFaultEndsWell walks one message through receive after receive, with
// each write failing in each way at each point, and shows that it is delivered
// or drained, and never sent once it is known to be delivered.
func TestEveryFaultEndsWell(t *testing.T) {
	t.Parallel()
	for _, answers := range [][]webhook.Exchange{{busy503, ok200}, {busy503}, {gone404}} {
		for call := 1; call <= 8; call++ {
			for _, f := range []fault{fails, failsButKeeps} {
				for name, inject := range map[string]func(*world){
					"put":   func(w *world) { w.putFault = on(call, f) },
					"audit": func(w *world) { w.auditFault = on(call, f) },
					"hide":  func(w *world) { w.hideFault = on(call, f) },
					"read":  func(w *world) { w.readFault = on(call, f) },
				} {
					w := newWorld(t, answers...)
					inject(w)
					walk(t, w, name, call, f)
				}
			}
		}
	}
}

func walk(t *testing.T, w *world, name string, call int, f fault) {
	t.Helper()
	var last attempt.Record
	for receives := 1; receives <= 6; receives++ {
		delete(w.hidden, "r-a")
		failed := w.handle(aMessage("a", body("a"), receives))
		if records := w.recorded("a"); len(records) > 0 {
			last = records[len(records)-1]
		}
		if len(failed) == 0 {
			return
		}
		wait, hidden := w.hidden["r-a"]
		if !hidden {
			wait = 180 * time.Second
		}
		w.now = w.now.Add(wait)
	}
	if !last.Verdict.Final() {
		t.Errorf("%s fault %d at call %d: after 6 receives the last record says %q; log %v", name, f, call, last.Verdict, w.log)
	}
	if n := len(w.posts); n > 5 {
		t.Errorf("%s fault %d at call %d: sent %d times", name, f, call, n)
	}
	if diff := cmp.Diff(last.Verdict == attempt.Delivered, false); diff != "" {
		t.Errorf("%s fault %d at call %d: delivered, and yet it is in the dead-letter queue", name, f, call)
	}
}

// TestSecretsAreReadAfterAFailure: an attempt signs with keys that were read
// after the failure before it, the first one with what is cached.
func TestSecretsAreReadAfterAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, busy503)
	start := w.now
	w.handle(aMessage("a", body("a"), 1))
	w.now = w.now.Add(time.Second)
	w.handle(aMessage("a", body("a"), 2))
	if diff := cmp.Diff([]time.Time{{}, start.Add(5 * time.Millisecond)}, w.since); diff != "" {
		t.Errorf("keys were wanted since (-want +got):\n%s", diff)
	}
}

// TestSecretsAreReadAfterTheRoom: of a failure before it nothing is known but that it
// was before.
func TestSecretsAreReadAfterTheRoom(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		carried message.Carried
		wanted  bool
	}{
		"tried before":    {message.Carried{Attempts: 1}, true},
		"asked to wait":   {message.Carried{Attempts: 1, Base: 1, Held: message.Held{"retry-after": time.Hour}}, true},
		"replayed":        {message.Carried{Attempts: 4, Base: 4, Retry: "replay"}, false},
		"by its producer": {message.Carried{}, false},
	} {
		w := newWorld(t, ok200)
		c.carried.Released = w.now
		m := aMessage("a", body("a"), 1)
		m.Attributes["SentTimestamp"] = strconv.FormatInt(w.now.UnixMilli(), 10)
		m.MessageAttributes = map[string]events.SQSMessageAttribute{}
		for name, value := range c.carried.Attributes() {
			m.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
		}
		if w.handle(m); len(w.since) != 1 || w.since[0].Equal(c.carried.Released) != c.wanted || w.since[0].IsZero() == c.wanted {
			t.Errorf("%s: keys were wanted since %v", name, w.since)
		}
	}
}

// TestAskedForLonger: an endpoint that asks to be left alone for longer than the
// policy waits uses up none of it, nor does it use up the tries at once.
func TestAskedForLonger(t *testing.T) {
	t.Parallel()
	asks := webhook.Exchange{Status: 503, RetryAfter: time.Minute}
	w := newWorld(t, asks, lost, webhook.Exchange{Status: 404, Duration: time.Millisecond}, ok200)
	w.cached = "v0"
	if w.handle(aMessage("a", body("a"), 1)); w.hidden["r-a"] != time.Minute {
		t.Errorf("hidden for %v", w.hidden["r-a"])
	}
	w.now = w.now.Add(time.Minute)
	w.cached, w.cachedAt = "v0", w.now // the secret is replaced just now
	if failed := w.handle(aMessage("a", body("a"), 2)); len(failed) > 0 {
		t.Error("it is not done with")
	}
	var got []string
	for _, r := range w.recorded("a") {
		got = append(got, fmt.Sprint(r.Status, " ", r.Verdict, " ", r.Uncounted))
	}
	want := []string{"503 retryable true", "0 retryable true", "404 retryable true", "200 delivered false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}

	// Asked for a minute twice, and then busy: the policy's four attempts are left.
	w = newWorld(t, asks, asks, busy503)
	for receives := 1; receives <= 6; receives++ {
		if w.hidden = map[string]time.Duration{}; len(w.handle(aMessage("a", body("a"), receives))) == 0 {
			break // the last ones are in the waiting room
		}
		w.now = w.now.Add(w.hidden["r-a"])
	}
	items, _, err := w.store.Page(t.Context(), "", 9)
	if err != nil || len(items) != 1 || items[0].Queue != "webhooks" || items[0].Carried.Attempts != 4 || items[0].Carried.Base != 2 ||
		items[0].Carried.Held.String() != "circuit=29,retry-after=120" {
		t.Errorf("in the room: %+v, %v", items, err)
	}
}
