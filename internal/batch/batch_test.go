package batch

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
)

// desk is the stores, the queue and the ledger of a batch, and a log of what
// they were asked.
type desk struct {
	mu      sync.Mutex
	log     []string
	history map[string][]attempt.Record
	room    storetest.Memory
	// kept are the records by their sort keys; remembers has history give those too.
	kept      map[string]attempt.Record
	remembers bool
	fails     map[string]bool
	// until is when what was asked had to be done.
	until map[string]time.Time
	// alive is how many writes after the sending had a context that had not
	// ended.
	alive int
}

var errDesk = errors.New("injected fault")

func (d *desk) note(ctx context.Context, what string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, what)
	verb, _, _ := strings.Cut(what, " ")
	if d.fails[what] {
		return errDesk
	}
	if verb != "run" && len(d.log) > 2 && ctx.Err() == nil {
		d.alive++
	}
	if deadline, ok := ctx.Deadline(); ok {
		d.until[verb] = deadline
	}
	if d.fails[verb] {
		return errDesk
	}
	return nil
}

func (d *desk) OfMessage(ctx context.Context, _, messageID string) ([]attempt.Record, error) {
	err := d.note(ctx, "read "+messageID)
	d.mu.Lock()
	defer d.mu.Unlock()
	history := d.history[messageID]
	for _, key := range slices.Sorted(maps.Keys(d.kept)) {
		if d.remembers && strings.HasPrefix(key, messageID+"#") {
			history = append(history, d.kept[key])
		}
	}
	return history, err
}

func (d *desk) OfWebhook(ctx context.Context, webhookID string) (all []attempt.Record, err error) {
	for _, records := range d.history {
		all = append(all, records...)
	}
	return all, d.note(ctx, "read all of "+webhookID)
}

func (d *desk) Enter(ctx context.Context, item waiting.Item) (waiting.State, error) {
	if err := d.note(ctx, "enter "+item.ID()); err != nil {
		return "", err
	}
	return d.room.Enter(ctx, item)
}

func (d *desk) Put(ctx context.Context, records []attempt.Record) error {
	var ids []string
	for _, r := range records {
		ids = append(ids, r.SortKey())
	}
	slices.Sort(ids)
	err := d.note(ctx, "put "+strings.Join(ids, " "))
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range records {
		if err == nil {
			d.kept[r.SortKey()] = r
		}
	}
	return err
}

func (d *desk) ChangeVisibility(ctx context.Context, hides []message.Hide) (err error) {
	for _, h := range hides {
		err = errors.Join(err, d.note(ctx, "hide "+h.ReceiptHandle+" "+h.For.String()))
	}
	return err
}

func (d *desk) Append(ctx context.Context, _ string, entries []ledger.Entry) error {
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.Action+":"+e.ID)
	}
	slices.Sort(ids)
	return d.note(ctx, "audit "+strings.Join(ids, " "))
}

// errand is a Job whose body says what it does: send, fail or refuse.
type errand struct {
	*Item
	d *desk
	// during is called while the message is being sent.
	during func(ctx context.Context)
}

func (e *errand) Prepare(ctx context.Context) {
	e.Identify("", "acme")
	if !e.Resume(ctx) {
		return
	}
	e.State = map[string]State{"send": Ready, "fail": Ready, "refuse": Refused}[e.Msg.Body]
}

func (e *errand) record(v attempt.Verdict) attempt.Record {
	return attempt.Record{WebhookID: e.ID, MessageID: e.Msg.MessageId, Attempt: e.Number, Verdict: v}
}

func (e *errand) Run(ctx context.Context) {
	_ = e.d.note(ctx, "run "+e.Msg.MessageId)
	e.during(ctx)
	switch {
	case e.Msg.Body == "send":
		e.Sent(e.record(attempt.Delivered))
	case e.Keep(e.record(attempt.Permanent)):
		e.Bury()
	}
}

func (e *errand) Record() attempt.Record { return e.record("") }

func (e *errand) Intent() ledger.Entry { return e.Entry("try", e.Number, "", time.Time{}) }

func (e *errand) Outcome(r attempt.Record) ledger.Entry {
	return e.Entry(string(r.Verdict), r.Attempt, "", time.Time{})
}

// noRedactors has no keys.
type noRedactors struct{}

func (noRedactors) Redactor(context.Context, time.Time) *ledger.Redactor {
	return ledger.NewRedactor(nil, false)
}

func newDesk() *desk {
	return &desk{history: map[string][]attempt.Record{}, kept: map[string]attempt.Record{}, fails: map[string]bool{},
		until: map[string]time.Time{}}
}

func (d *desk) needs() *Needs {
	return &Needs{Attempts: d, Room: d, Queue: d, Audit: d, Redactors: noRedactors{}, Policies: retry.Policies{}, MaxReceives: 20,
		Now:    time.Now,
		Jitter: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler)}
}

// handle runs messages, "id body receives", and returns the ids of those that
// are not done with.
func (d *desk) handle(ctx context.Context, during func(context.Context), messages ...string) (failed []string) {
	response := d.needs().Handle(ctx, eventOf(messages), Kind{Actor: "test", IDName: "id",
		Job: func(i *Item) Job { return &errand{Item: i, d: d, during: during} }})
	for _, f := range response.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

// eventOf is a batch of messages, "id body receives".
func eventOf(messages []string) (event events.SQSEvent) {
	for n, m := range messages {
		part := strings.Fields(m)
		event.Records = append(event.Records, events.SQSMessage{MessageId: part[0], Body: part[1], ReceiptHandle: "r" + strconv.Itoa(n),
			Attributes: map[string]string{"ApproximateReceiveCount": part[2]}})
	}
	return event
}

func nothing(context.Context) {}

// TestTheWayOfABatch shows what is asked of whom, in which order, and what is
// not done with, for each fault.
func TestTheWayOfABatch(t *testing.T) {
	t.Parallel()
	sent := attempt.Record{MessageID: "a", Attempt: 1, Verdict: attempt.Delivered}
	dead := attempt.Record{MessageID: "a", Attempt: 1, Verdict: attempt.Permanent}
	again := attempt.Record{MessageID: "a", Attempt: 2, Verdict: attempt.Retryable}
	dropped := attempt.Record{MessageID: "a", Attempt: 2, Verdict: attempt.Permanent, Dropped: true}
	for name, c := range map[string]struct {
		messages []string
		history  []attempt.Record
		fails    string
		log      []string
		failed   []string
	}{
		"sent": {[]string{"a send 1"}, nil, "", []string{"audit try:a#1", "run a", "put a#0001", "audit delivered:a#1"}, nil},
		"failed": {[]string{"a fail 1"}, nil, "", []string{"audit try:a#1", "run a", "put a#0001", "hide r0 0s", "audit permanent:a#1"},
			[]string{"a"}},
		"refused":       {[]string{"a refuse 1"}, nil, "", []string{"run a", "put a#0001", "hide r0 0s", "audit permanent:a#1"}, []string{"a"}},
		"not announced": {[]string{"a send 1"}, nil, "audit", []string{"audit try:a#1", "put a#0001", "hide r0 1m0s"}, []string{"a"}},
		"not announced, and that is not recorded": {[]string{"a send 2"}, nil, "audit put",
			[]string{"read a", "audit try:a#1", "put a#0001", "hide r0 15m0s"}, []string{"a"}},
		"sent, and not recorded": {[]string{"a send 1"}, nil, "put",
			[]string{"audit try:a#1", "run a", "put a#0001", "audit delivered:a#1"}, nil},
		"failed, and not recorded": {[]string{"a fail 1"}, nil, "put",
			[]string{"audit try:a#1", "run a", "put a#0001", "hide r0 1m0s", "audit permanent:a#1"}, []string{"a"}},
		"no history can be read": {[]string{"a send 2"}, nil, "read", []string{"read a", "hide r0 15m0s"}, []string{"a"}},
		"sent before":            {[]string{"a send 2"}, []attempt.Record{sent}, "", []string{"read a", "audit delivered:a#1"}, nil},
		"sent before, and untold": {[]string{"a send 2"}, []attempt.Record{sent}, "audit", []string{"read a", "audit delivered:a#1"},
			[]string{"a"}},
		"dead": {[]string{"a send 2"}, []attempt.Record{dead}, "", []string{"read a", "hide r0 0s"}, []string{"a"}},
		// SQS had handed it out twice at once, and the other went on.
		"sent, and tried on": {[]string{"a send 3"}, []attempt.Record{sent, again}, "", []string{"read a", "audit delivered:a#1"}, nil},
		"dead, and tried on": {[]string{"a send 3"}, []attempt.Record{dead, again}, "", []string{"read a", "hide r0 0s"}, []string{"a"}},
		// It was in the waiting room, and its delete had failed.
		"dropped": {[]string{"a send 2"}, []attempt.Record{dropped}, "", []string{"read a"}, nil},
		// SQS hands out a message twice at times.
		"twice in one batch, sent": {[]string{"a send 1", "a send 1"}, nil, "",
			[]string{"audit try:a#1", "run a", "put a#0001", "audit delivered:a#1"}, nil},
		"twice in one batch, failed": {[]string{"a fail 1", "a fail 2"}, nil, "",
			[]string{"audit try:a#1", "run a", "put a#0001", "hide r0 0s", "hide r1 0s", "audit permanent:a#1"}, []string{"a"}},
		"none": {nil, nil, "", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk()
			d.history["a"] = c.history
			for verb := range strings.FieldsSeq(c.fails) {
				d.fails[verb] = true
			}
			failed := d.handle(t.Context(), nothing, c.messages...)
			if diff := cmp.Diff(c.log, d.log); diff != "" {
				t.Errorf("what was asked (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.failed, failed); diff != "" {
				t.Errorf("not done with (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDeadlines: what is being sent is cut two seconds before the invocation ends,
// and what happened may be written down until half a second before its end, the
// ledger be told of it until a second before.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	d := newDesk()
	end := time.Now().Add(5 * time.Second) // so that nothing is bounded by the time of one write
	ctx, stop := context.WithDeadline(t.Context(), end)
	defer stop()
	d.handle(ctx, func(context.Context) { stop() }, "a fail 2")
	sending, telling, marking := end.Add(-2*time.Second), end.Add(-time.Second), end.Add(-500*time.Millisecond)
	want := map[string]time.Time{"read": sending, "run": sending, "put": telling, "hide": marking, "audit": telling}
	if d.until["read"].Before(want["read"]) { // preparing has less time than the rest, unless this machine is slow
		want["read"] = d.until["read"]
	}
	if diff := cmp.Diff(want, d.until); diff != "" {
		t.Errorf("until when each was asked (-want +got):\n%s", diff)
	}
}

// TestTheMoveHasItsTime: the waiting room is one of the writes that outlive the sending,
// and none that takes all of the invocation.
func TestTheMoveHasItsTime(t *testing.T) {
	t.Parallel()
	for left, until := range map[time.Duration]time.Duration{5 * time.Second: 4 * time.Second, time.Hour: 5 * time.Second} {
		w := &wait{d: newDesk(), long: time.Hour, why: waiting.Delay}
		begun := time.Now()
		ctx, stop := context.WithDeadline(t.Context(), begun.Add(left))
		w.receiveIn(ctx, one(1, message.Carried{}), noon)
		if stop(); w.d.until["enter"].Before(begun.Add(until)) || w.d.until["enter"].After(time.Now().Add(until)) {
			t.Errorf("of %v it may take until %v", left, w.d.until["enter"].Sub(begun))
		}
	}
}

// TestTimeToMark: when the ledger could not be told in its time, there is some left
// to mark that.
func TestTimeToMark(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.fails["audit permanent:a#1"] = true
	end := time.Now().Add(5 * time.Second)
	ctx, stop := context.WithDeadline(t.Context(), end)
	defer stop()
	d.handle(ctx, nothing, "a fail 1")
	if want := end.Add(-500 * time.Millisecond); !d.until["put"].Equal(want) {
		t.Errorf("it may be marked until %v before the end, want 500ms", end.Sub(d.until["put"]))
	}
}

// TestNoCallTakesItAll: where the invocation has time, histories and keys have a
// little of it, and so has each write.
func TestNoCallTakesItAll(t *testing.T) {
	t.Parallel()
	d := newDesk()
	begun := time.Now()
	ctx, stop := context.WithDeadline(t.Context(), begun.Add(time.Hour))
	defer stop()
	d.handle(ctx, nothing, "a fail 2")
	ended := time.Now()
	for verb, most := range map[string]time.Duration{"read": 3 * time.Second, "put": 5 * time.Second, "hide": 5 * time.Second} {
		if until := d.until[verb]; until.Before(begun.Add(most)) || until.After(ended.Add(most)) {
			t.Errorf("%s may take until %v after the beginning, want %v", verb, until.Sub(begun), most)
		}
	}
}

// TestWritesOutliveTheSending: what happened is written down though the
// invocation was cancelled.
func TestWritesOutliveTheSending(t *testing.T) {
	t.Parallel()
	d := newDesk()
	ctx, stop := context.WithCancel(t.Context())
	d.handle(ctx, func(ctx context.Context) { stop(); <-ctx.Done() }, "a fail 1")
	if last := d.log[len(d.log)-1]; last != "audit permanent:a#1" {
		t.Errorf("the last write is %q", last)
	}
	if d.alive != 3 {
		t.Errorf("%d of 3 writes had a context that was alive", d.alive)
	}
}

// TestConcurrency: as many as the bound are sent at a time, and no more.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	d := newDesk()
	n := d.needs()
	n.Concurrency = 3
	var event events.SQSEvent
	for i := range 9 {
		event.Records = append(event.Records, events.SQSMessage{MessageId: strconv.Itoa(i), Body: "send",
			Attributes: map[string]string{"ApproximateReceiveCount": "1"}})
	}
	var mu sync.Mutex
	came := sync.NewCond(&mu)
	arrived, open, most := 0, 0, 0
	response := n.Handle(t.Context(), event, Kind{Job: func(i *Item) Job {
		return &errand{Item: i, d: d, during: func(context.Context) {
			mu.Lock()
			defer mu.Unlock()
			arrived, open = arrived+1, open+1
			most = max(most, open)
			for group := (arrived + 2) / 3 * 3; arrived < group; { // each waits for the others of its group
				came.Wait()
			}
			came.Broadcast()
			open--
		}}
	}})
	if most != 3 || len(response.BatchItemFailures) != 0 {
		t.Errorf("%d at a time; failed %v", most, response.BatchItemFailures)
	}
}

// TestNeeds: the skeleton's own needs are refused by name too.
func TestNeeds(t *testing.T) {
	t.Parallel()
	n := newDesk().needs()
	n.Jitter = nil
	if err := need.All(*n); !errors.Is(err, need.ErrMissing) || !strings.Contains(err.Error(), "Jitter") {
		t.Errorf("got %v", err)
	}
}
