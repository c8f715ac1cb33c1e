package batch

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// wait is a Job whose try fails, and is made again after a while.
type wait struct {
	*Item
	d    *desk
	long time.Duration
	why  waiting.Reason
	// hold: the try is not made, by a trouble of our own.
	hold bool
	made []int
}

func (w *wait) Prepare(ctx context.Context) {
	w.Identify("w", "acme")
	if !w.Resume(ctx) {
		return
	}
	w.State = Ready
	if w.hold {
		w.Trouble("no key")
	}
}

func (w *wait) Run(context.Context) {
	r := w.Begin()
	r.Verdict, r.URL, r.Reason, r.Uncounted = attempt.Retryable, "https://a.test/in?token=t", "503", w.why == waiting.Asked
	w.made = append(w.made, w.Made())
	w.Wait(r, w.long, w.why)
}

func (w *wait) Record() attempt.Record { return w.Begin() }
func (w *wait) Intent() ledger.Entry   { return w.Entry("try", w.Number, "", time.Time{}) }
func (w *wait) Outcome(r attempt.Record) ledger.Entry {
	return w.Entry("end", r.Attempt, "", time.Time{})
}

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// one is a message in its n-th receive.
func one(receives int, carried message.Carried) events.SQSMessage {
	m := events.SQSMessage{MessageId: "m", Body: `{"a":1}`, ReceiptHandle: "r", MessageAttributes: map[string]events.SQSMessageAttribute{},
		Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(receives), "MessageGroupId": "acme/3",
			"SentTimestamp": strconv.FormatInt(noon.UnixMilli(), 10), "ApproximateFirstReceiveTimestamp": strconv.FormatInt(noon.UnixMilli(), 10)}}
	own := "v"
	m.MessageAttributes["own"] = events.SQSMessageAttribute{DataType: "String.x", StringValue: &own}
	for name, text := range carried.Attributes() {
		m.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &text}
	}
	return m
}

// receive hands the message to an invocation at a time, and reports whether it is
// done with.
func (w *wait) receive(m events.SQSMessage, now time.Time) bool {
	return w.receiveIn(context.Background(), m, now)
}

func (w *wait) receiveIn(ctx context.Context, m events.SQSMessage, now time.Time) bool {
	n := w.d.needs()
	n.MaxReceives, n.Now = 6, func() time.Time { return now }
	response := n.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{m}},
		Kind{Actor: "test", IDName: "id", Queue: "webhooks", Job: func(i *Item) Job { w.Item = i; return w }})
	return len(response.BatchItemFailures) == 0
}

// TestWhereItWaits: short waits are spent in the queue, as long as there is a
// receive for the next try and one for a crash; all others are in the room,
// where the message fits there.
func TestWhereItWaits(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", message.MaxSize-100)
	for name, c := range map[string]struct {
		receives int
		long     time.Duration
		body     string
		log      []string
		done     bool
		verdict  attempt.Verdict
	}{
		"short": {1, 2 * time.Minute, "", []string{"audit try:m#1", "put m#0001", "hide r 2m0s", "audit end:m#1"}, false, attempt.Retryable},
		"short, with just enough receives": {4, time.Second, "",
			[]string{"read m", "audit try:m#1", "put m#0001", "hide r 1s", "audit end:m#1"}, false, attempt.Retryable},
		"short, and a receive is kept for a crash": {5, time.Second, "",
			[]string{"read m", "audit try:m#1", "put m#0001", "enter m-1", "audit end:m#1"}, true, attempt.Retryable},
		"short, in the last receive": {6, time.Second, "",
			[]string{"read m", "audit try:m#1", "put m#0001", "enter m-1", "audit end:m#1"}, true, attempt.Retryable},
		"long": {1, 121 * time.Second, "", []string{"audit try:m#1", "put m#0001", "enter m-1", "audit end:m#1"}, true, attempt.Retryable},
		"long, and too large": {1, time.Hour, large,
			[]string{"audit try:m#1", "put m#0001", "hide r 1h0m0s", "audit end:m#1"}, false, attempt.Retryable},
		"a day, and too large": {1, 24 * time.Hour, large,
			[]string{"audit try:m#1", "put m#0001", "hide r 11h0m0s", "audit end:m#1"}, false, attempt.Retryable},
		"too large, in the last receive": {6, time.Second, large,
			[]string{"read m", "audit try:m#1", "put m#0001", "hide r 0s", "audit end:m#1"}, false, attempt.Exhausted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wait{d: newDesk(), long: c.long, why: waiting.Delay}
			m := one(c.receives, message.Carried{})
			if c.body != "" {
				m.Body = c.body
			}
			done := w.receive(m, noon)
			if diff := cmp.Diff(c.log, w.d.log); diff != "" || done != c.done {
				t.Errorf("done: %v; what was asked (-want +got):\n%s", done, diff)
			}
			if r := w.d.kept["m#0001"]; r.Verdict != c.verdict || r.Waiting != c.done || c.verdict == attempt.Retryable &&
				!r.NextAt.Equal(noon.Add(c.long)) {
				t.Errorf("recorded is %+v", r)
			}
		})
	}
}

// TestWhatGoesIntoTheRoom: the message as it came, what it carries from now on, and
// what a listing shows.
func TestWhatGoesIntoTheRoom(t *testing.T) {
	t.Parallel()
	own := map[string]message.Attribute{"own": {Type: "String.x", Text: "v"}}
	first := noon.Add(-time.Hour)
	carried := message.Carried{ID: "w", Origin: "m-0", Attempts: 5, Base: 2, First: first, Released: noon, Retry: "standard",
		Held: message.Held{"trouble": time.Minute}, Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
	for name, c := range map[string]struct {
		carried message.Carried
		why     waiting.Reason
		hold    bool
		held    time.Duration // by trouble, so far
		attempt int
		want    message.Carried
		due     time.Duration
		reason  string
	}{
		"from the beginning": {message.Carried{}, waiting.Delay, false, 0, 1,
			message.Carried{ID: "w", Origin: "m", Attempts: 1, First: noon}, time.Hour, "503"},
		"asked for": {message.Carried{}, waiting.Asked, false, 0, 1,
			message.Carried{ID: "w", Origin: "m", Attempts: 1, Base: 1, First: noon, Held: message.Held{"retry-after": time.Hour}}, time.Hour,
			"503"},
		"after a release": {carried, waiting.Delay, false, 0, 6,
			message.Carried{ID: "w", Origin: "m-0", Attempts: 6, Base: 2, First: first, Retry: "standard", Held: carried.Held,
				Trace: carried.Trace}, time.Hour, "503"},
		"held after a release": {carried, waiting.Trouble, true, 0, 6,
			message.Carried{ID: "w", Origin: "m-0", Attempts: 5, Base: 2, First: first, Retry: "standard",
				Held: message.Held{"trouble": 3 * time.Minute}, Trace: carried.Trace},
			2 * time.Minute, "no key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wait{d: newDesk(), long: time.Hour, why: c.why, hold: c.hold}
			m := one(5, c.carried)
			if !w.receive(m, noon) {
				t.Fatal("it is still in the queue")
			}
			items, _, err := w.d.room.Page(t.Context(), "", 9)
			if err != nil || len(items) != 1 {
				t.Fatalf("%v: %+v", err, items)
			}
			attributes := items[0].Attributes
			for name := range c.carried.Attributes() { // they are what it carried before
				delete(attributes, name)
			}
			want := waiting.Item{
				Queue: "webhooks", MessageID: "m", Attempt: c.attempt, Due: noon.Add(c.due), State: waiting.Waiting, Body: m.Body, Group: "acme/3",
				Attributes: own, Carried: c.want, WebhookID: "w", Tenant: "acme", URL: "https://a.test/in", Reason: c.why, Why: c.reason, Since: noon,
			}
			if c.hold {
				want.URL = "" // a Job of this test has none before it runs
			}
			if diff := cmp.Diff(want, items[0]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatComesInFits: with all that it carries from now on; also what the attempt at
// hand adds to that.
func TestWhatComesInFits(t *testing.T) {
	t.Parallel()
	in := 0
	for less := 150; less < 400; less += 5 {
		w := &wait{d: newDesk(), long: time.Hour, why: waiting.Asked}
		m := one(1, message.Carried{})
		m.Body = strings.Repeat("x", message.MaxSize-less)
		moved := w.receive(m, noon)
		items, _, err := w.d.room.Page(t.Context(), "", 9)
		if err != nil || len(items) > 0 != moved || moved && !items[0].Fits() {
			t.Errorf("%d bytes less than SQS takes: moved: %t, %v", less, moved, err)
		}
		in += len(items)
	}
	if in == 0 || in == 50 {
		t.Errorf("%d of 50 came in", in)
	}
}

// TestTheMoveAgain: who receives a message whose record says that it is in the room
// only sees to it that it is there; where it was due before it ever came in, it is
// tried here and now, and never again put there for that.
func TestTheMoveAgain(t *testing.T) {
	t.Parallel()
	due := noon.Add(time.Hour)
	record := attempt.Record{WebhookID: "w", Origin: "m", MessageID: "m", Attempt: 1, Verdict: attempt.Retryable, NextAt: due, Waiting: true}
	item := waiting.Item{Queue: "webhooks", MessageID: "m", Attempt: 1, Due: due, State: waiting.Waiting}
	for name, c := range map[string]struct {
		there waiting.State
		fails string
		now   time.Time
		log   []string
		done  bool
		state waiting.State
	}{
		"it never came in":          {"", "", noon, []string{"read m", "enter m-1"}, true, waiting.Waiting},
		"it waits":                  {waiting.Waiting, "", noon, []string{"read m", "enter m-1"}, true, waiting.Waiting},
		"it was released":           {waiting.Sent, "", due.Add(time.Hour), []string{"read m", "enter m-1"}, true, waiting.Sent},
		"it was dropped":            {waiting.Dropped, "", due.Add(time.Hour), []string{"read m", "enter m-1"}, true, waiting.Dropped},
		"it is overdue there":       {waiting.Waiting, "", due.Add(time.Hour), []string{"read m", "enter m-1"}, true, waiting.Waiting},
		"the room can't be entered": {"", "enter", noon, []string{"read m", "enter m-1", "hide r 15m0s"}, false, ""},
		"it can't, and it is due":   {"", "enter", due, []string{"read m", "enter m-1", "hide r 15m0s"}, false, ""},
		"it is due, and never came in": {"", "", due,
			[]string{"read m", "enter m-1", "audit try:m#2", "put m#0002", "hide r 1s", "audit end:m#2"}, false, waiting.Kept},
		"and once more": {waiting.Kept, "", due, []string{"read m", "enter m-1", "audit try:m#2", "put m#0002", "hide r 1s", "audit end:m#2"},
			false, waiting.Kept},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &wait{d: newDesk(), long: time.Second, why: waiting.Delay}
			w.d.history["m"] = []attempt.Record{record}
			if c.there != "" {
				there := item
				there.State = c.there
				if _, err := w.d.room.Enter(t.Context(), there); err != nil {
					t.Fatal(err)
				}
			}
			w.d.fails[c.fails] = true
			if done := w.receive(one(2, message.Carried{}), c.now); done != c.done {
				t.Errorf("done: %v", done)
			}
			if diff := cmp.Diff(c.log, w.d.log); diff != "" {
				t.Errorf("what was asked (-want +got):\n%s", diff)
			}
			if c.state != "" {
				if state, err := w.d.room.Enter(t.Context(), item); err != nil || state != c.state {
					t.Errorf("in the room it is %s, %v", state, err)
				}
			}
		})
	}
}

// TestTheMoveFails: the message stays in its queue, and its record says where it
// belongs.
func TestTheMoveFails(t *testing.T) {
	t.Parallel()
	w := &wait{d: newDesk(), long: time.Hour, why: waiting.Delay}
	w.d.fails["enter"] = true
	if w.receive(one(1, message.Carried{}), noon) {
		t.Error("it is gone")
	}
	if diff := cmp.Diff([]string{"audit try:m#1", "put m#0001", "enter m-1", "hide r 1m0s", "audit end:m#1"}, w.d.log); diff != "" {
		t.Errorf("what was asked (-want +got):\n%s", diff)
	}
	if !w.d.kept["m#0001"].Waiting {
		t.Error("its record does not say so")
	}
}

// TestMovedAndUntold: an outcome that can't be written is written with the next
// receive, though the message is in the room; on its last receive the message goes
// all the same.
func TestMovedAndUntold(t *testing.T) {
	t.Parallel()
	for receives, done := range map[int]bool{5: false, 6: true} {
		w := &wait{d: newDesk(), long: time.Hour, why: waiting.Delay}
		w.d.fails["audit end:m#1"] = true
		if got := w.receive(one(receives, message.Carried{}), noon); got != done {
			t.Errorf("receive %d: done: %v", receives, got)
		}
		if !w.d.kept["m#0001"].Untold {
			t.Errorf("receive %d: its record does not say that it is untold", receives)
		}
	}
}

// TestHolds: a minute in the queue, then in the room, twice as long each time, and
// for a day in all.
func TestHolds(t *testing.T) {
	t.Parallel()
	w := &wait{d: newDesk(), hold: true}
	now, released, receives := noon, message.Carried{}, 1
	var waits []time.Duration
	for tries := 0; ; tries++ {
		if tries > 200 {
			t.Fatal("it is held for ever")
		}
		w.d.log = nil
		moved := w.receive(one(receives, released), now)
		var last attempt.Record
		for _, r := range w.d.kept {
			last = r
		}
		if last.Verdict != attempt.Held {
			if last.Verdict != attempt.Exhausted || !strings.Contains(last.Reason, "no key") || !strings.Contains(last.Reason, "24h") {
				t.Errorf("in the end: %+v", last)
			}
			break
		}
		if len(w.d.kept) != 1 || last.Attempt != 1 {
			t.Fatalf("held is recorded as %+v", w.d.kept)
		}
		waits = append(waits, last.NextAt.Sub(now))
		now = last.NextAt
		w.d.history["m"] = []attempt.Record{last}
		receives++
		if moved {
			released = message.Carried{Released: now, Attempts: 0, Held: message.ParseHeld(last.Held), First: noon}
			w.d.history["m"], receives = nil, 1
		}
	}
	if diff := cmp.Diff([]time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute},
		waits[:5]); diff != "" {
		t.Errorf("held for (-want +got):\n%s", diff)
	}
	if took := now.Sub(noon); took < 24*time.Hour-15*time.Minute || took > 24*time.Hour {
		t.Errorf("held for %v in all", took)
	}
}

// TestFourteenDays: whatever it waits for, a message ends.
func TestFourteenDays(t *testing.T) {
	t.Parallel()
	const days = 14 * 24 * time.Hour
	for age, verdict := range map[time.Duration]attempt.Verdict{days - time.Second: attempt.Held, days: attempt.Exhausted} {
		w := &wait{d: newDesk(), hold: true}
		w.receive(one(1, message.Carried{}), noon.Add(age))
		if r := w.d.kept["m#0001"]; r.Verdict != verdict {
			t.Errorf("after %v: %+v", age, r)
		}
	}
}

// TestTheDeadAreRemembered: what drains is looked up once, if at all. It is
// looked up where the ledger has not been told, and after a redrive that keeps
// the id.
func TestTheDeadAreRemembered(t *testing.T) {
	t.Parallel()
	redriven := map[string]string{"DeadLetterQueueSourceArn": "arn:aws:sqs:us-east-1:000000000000:webhooks",
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(time.Now().Add(time.Hour).UnixMilli(), 10)}
	for name, c := range map[string]struct {
		first      string // what fails in the first receive
		attributes map[string]string
		reads      int // in two more receives
	}{
		"it is":                     {"", nil, 0},
		"its record was not kept":   {"put", nil, 1},
		"its outcome was not told":  {"audit permanent:a#1", nil, 1},
		"it came back under its id": {"", redriven, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk()
			d.remembers = true
			kind := Kind{Dead: NewDead(3), Job: func(i *Item) Job { return &errand{Item: i, d: d, during: nothing} }}
			for receive := 1; receive <= 3; receive++ {
				m := events.SQSMessage{MessageId: "a", Body: "fail", ReceiptHandle: "r",
					Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(receive)}}
				d.fails = map[string]bool{c.first: receive == 1}
				if receive > 1 {
					for name, value := range c.attributes {
						m.Attributes[name] = value
					}
				}
				n := d.needs()
				n.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{m}}, kind)
			}
			if reads := strings.Count(strings.Join(d.log, "\n"), "read a"); reads != c.reads {
				t.Errorf("%d reads, want %d: %v", reads, c.reads, d.log)
			}
		})
	}
}

// TestDead holds the newest.
func TestDead(t *testing.T) {
	t.Parallel()
	d := NewDead(2)
	for _, id := range []string{"a", "b", "b", "c"} {
		d.add(id)
	}
	if d.has("a") || !d.has("b") || !d.has("c") {
		t.Errorf("%v", d.ids)
	}
	var none *Dead
	if none.add("a"); none.has("a") {
		t.Error("nobody remembers a")
	}
}
