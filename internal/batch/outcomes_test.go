package batch

import (
	"context"
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
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
)

// fault is how a call goes wrong.
type fault string

const (
	works       fault = ""
	fails       fault = "it fails"
	failsButHas fault = "it fails, and has its effect all the same"
	crash       fault = "the process dies before it"
	crashAfter  fault = "the process dies after it"
)

// life is one message from its first receive to its last, and what goes wrong
// on the way. Its script has a letter for each attempt: r fails and is tried
// again, + is tried again in the same invocation, p fails for good, d is
// delivered.
type life struct {
	mu     sync.Mutex // the ledger and producers are told at once
	script string
	faults map[int]fault // by call, from 1 on
	calls  []string
	store  storetest.Memory
	dead   bool // the process, in this invocation
	// tries counts what was really sent, by attempt; ledger holds the entries.
	tries   map[string]int
	ledger  []ledger.Entry
	missing []string
	// listens says that somebody wants to hear how the message ends, and heard is what
	// they heard.
	listens bool
	heard   []outcome.Event
	// receives is of the receive at hand; most is the queue's maxReceiveCount.
	receives, most int
	now            time.Time
	deleted        bool
}

func newLife(script string, most int, faults map[int]fault) *life {
	return &life{script: script, most: most, faults: faults, tries: map[string]int{}, now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
}

func (l *life) call(what string, do func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errDesk
	}
	l.calls = append(l.calls, what)
	f := l.faults[len(l.calls)]
	l.dead = f == crash || f == crashAfter
	if f == fails || f == crash {
		return errDesk
	}
	err := do()
	if f != works {
		return errDesk
	}
	return err
}

func (l *life) OfMessage(ctx context.Context, webhookID, messageID string) (records []attempt.Record, err error) {
	err = l.call("read", func() error { records, err = l.store.OfMessage(ctx, webhookID, messageID); return err })
	return records, err
}

func (l *life) OfWebhook(ctx context.Context, webhookID string) (records []attempt.Record, err error) {
	err = l.call("read all", func() error { records, err = l.store.OfWebhook(ctx, webhookID); return err })
	return records, err
}

func (l *life) Enter(ctx context.Context, item waiting.Item) (state waiting.State, err error) {
	err = l.call("enter", func() error { state, err = l.store.Enter(ctx, item); return err })
	return state, err
}

func (l *life) Put(ctx context.Context, records []attempt.Record) error {
	what := "put"
	for _, r := range records {
		what += fmt.Sprintf(" %d%s%s", r.Attempt, map[bool]string{true: "!"}[r.Untold], map[bool]string{true: "?"}[r.OutcomeDue])
	}
	return l.call(what, func() error { return l.store.Put(ctx, records) })
}

func (l *life) ChangeVisibility(context.Context, []message.Hide) error {
	return l.call("hide", func() error { return nil })
}

func (l *life) Append(_ context.Context, _ string, entries []ledger.Entry) error {
	what := "tell"
	for _, e := range entries {
		what += " " + e.Action + strings.TrimPrefix(e.ID, "m")
	}
	return l.call(what, func() error { l.ledger = append(l.ledger, entries...); return nil })
}

// Tell is outcome.Sink's.
func (l *life) Tell(_ context.Context, events []outcome.Event) error {
	what := "inform"
	for _, e := range events {
		what += " " + string(e.Kind)
	}
	return l.call(what, func() error { l.heard = append(l.heard, events...); return nil })
}

// performance is the Job of a life.
type performance struct {
	*Item
	l *life
}

func (p *performance) Prepare(ctx context.Context) {
	p.Identify("w", "acme")
	if p.Resume(ctx) {
		p.State = Ready
	}
}

func (p *performance) Record() attempt.Record {
	r := p.Begin()
	r.At = p.l.now
	return r
}

func (p *performance) Intent() ledger.Entry { return p.Entry("try", p.Number, "", p.l.now) }

func (p *performance) Outcome(r attempt.Record) ledger.Entry {
	return p.Entry("end", r.Attempt, string(r.Verdict), r.Ended())
}

func (p *performance) Run(context.Context) {
	for again := true; again; {
		again = p.act()
	}
}

func (p *performance) act() (again bool) {
	if p.l.dead {
		return false
	}
	r := p.Begin()
	r.At, r.Tenant = p.l.now, p.Tenant
	p.l.tries["m#"+strconv.Itoa(r.Attempt)]++
	switch p.l.script[r.Attempt-1] {
	case 'd':
		r.Verdict = attempt.Delivered
		p.Sent(r)
	case 'p':
		r.Verdict = attempt.Permanent
		if p.Keep(r) {
			p.Bury()
		}
	case 'r':
		r.Verdict = attempt.Retryable
		p.Wait(r, time.Second, waiting.Delay)
	case '+':
		r.Verdict, r.NextAt = attempt.Retryable, p.l.now
		return p.Keep(r) && p.Announce()
	}
	return false
}

// receive hands the message to an invocation.
func (l *life) receive() {
	l.receives++
	l.dead, l.now = false, l.now.Add(time.Minute)
	n := Needs{Attempts: l, Room: l, Queue: l, Audit: l, Redactors: noRedactors{}, Policies: retry.Policies{}, MaxReceives: l.most,
		Metrics: l,
		Now:     func() time.Time { return l.now }, Jitter: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler)}
	if l.listens {
		kinds, _ := outcome.ParseKinds("*")
		n.Outcomes = &outcome.Teller{Sink: l, Kinds: kinds}
	}
	response := n.Handle(context.Background(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", ReceiptHandle: "r",
		Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(l.receives)}}}},
		Kind{Actor: "test", IDName: "id", Job: func(i *Item) Job { return &performance{i, l} }})
	l.deleted = !l.dead && len(response.BatchItemFailures) == 0
}

// Record notes what will be missing.
func (l *life) Record(events []metric.Event) {
	for _, e := range events {
		if (e.Name == metric.OutcomesMissing || e.Name == metric.OutcomesUntold) && !l.dead {
			l.missing = append(l.missing, e.Action)
		}
	}
}

// live receives the message until it is deleted, or SQS would move it.
func (l *life) live() {
	for l.receives < l.most && !l.deleted {
		l.receive()
	}
}

// told counts the outcomes of an attempt in the ledger.
func (l *life) told(id string) (n int) {
	for _, e := range l.ledger {
		if e.Action == "end" && e.ID == id {
			n++
		}
	}
	return n
}

var scripts = []string{"d", "p", "rd", "rp", "rrd", "+d", "r+d", "+rp", "rr+p"}

// TestNothingMoreWithoutAFault: what a life without trouble reads and writes.
func TestNothingMoreWithoutAFault(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"d":  "tell try#1, put 1, tell end#1",
		"rd": "tell try#1, put 1, hide, tell end#1, read, tell try#2, put 2, tell end#2",
		"+p": "tell try#1, put 1, tell try#2, put 2, hide, tell end#1 end#2, read, hide, read, hide, read, hide",
	} {
		l := newLife(script, 4, nil)
		l.live()
		if got := strings.Join(l.calls, ", "); got != want {
			t.Errorf("%s: got %s", script, got)
		}
		for _, e := range l.ledger {
			if e.Tenant != "acme" {
				t.Errorf("the tenant is not in %+v", e)
			}
		}
	}
}

// TestOutcomesInTheEnd has each call of a life go wrong in each way. Every try
// is told of: once, if no call failed that had its effect. What a crash between
// a failure's record and its outcome leaves is an attempt without an outcome,
// which is reported apart.
func TestOutcomesInTheEnd(t *testing.T) {
	t.Parallel()
	for _, script := range scripts {
		for _, f := range []fault{fails, failsButHas, crash, crashAfter} {
			quiet := newLife(script, 12, nil)
			quiet.live()
			for n := range quiet.calls {
				t.Run(fmt.Sprintf("%s, call %d (%s): %s", script, n+1, quiet.calls[n], f), func(t *testing.T) {
					t.Parallel()
					l := newLife(script, 12, map[int]fault{n + 1: f})
					l.live()
					l.check(t, f, mayLose(script, quiet.calls[n], f))
				})
			}
		}
	}
}

// mayLose reports whether a process that dies around a call leaves a failure
// recorded and its outcome untold.
func mayLose(script, what string, f fault) bool {
	switch verb, _, _ := strings.Cut(what, " "); verb {
	case "hide":
		return f == crash || f == crashAfter
	case "put": // its own, or that of the next try of the same invocation
		return f == crashAfter || f == crash && strings.Contains(script, "+")
	case "tell": // outcomes; or the next try of the same invocation
		return f == crash && strings.HasPrefix(what, "tell end") || (f == crash || f == crashAfter) && strings.HasPrefix(what, "tell try")
	}
	return false
}

func (l *life) check(t *testing.T, f fault, mayLose bool) {
	t.Helper()
	lost := 0
	for number := 1; number <= len(l.script); number++ {
		id := "m#" + strconv.Itoa(number)
		told, tries := l.told(id), l.tries[id]
		switch {
		case tries == 0:
			t.Errorf("%s was never tried", id)
		case f == fails && told != tries:
			t.Errorf("%s: %d tries, told %d times", id, tries, told)
		case f == failsButHas && told < tries:
			t.Errorf("%s: %d tries, told only %d times", id, tries, told)
		case told == 0:
			lost++
		}
	}
	if lost > 1+strings.Count(l.script, "+") || lost > 0 && !mayLose {
		t.Errorf("%d attempts have no outcome", lost)
	}
	if len(l.missing) > 0 {
		t.Errorf("these are said to be missing: %v", l.missing)
	}
	if strings.HasSuffix(l.script, "d") != l.deleted {
		t.Errorf("deleted: %v", l.deleted)
	}
	for _, r := range l.left(t) {
		if r.Untold {
			t.Errorf("attempt %d is still marked", r.Attempt)
		}
	}
	if t.Failed() {
		t.Logf("calls:\n%s", strings.Join(l.calls, "\n"))
	}
}

func (l *life) left(t *testing.T) []attempt.Record {
	records, err := l.store.OfMessage(t.Context(), "w", "m")
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// TestTroubleAfterTrouble: after an outcome that could not be written, any other
// call goes wrong too. Each attempt is told of at least once, or said to be
// missing.
func TestTroubleAfterTrouble(t *testing.T) {
	t.Parallel()
	for _, script := range scripts {
		quiet := newLife(script, 12, nil)
		quiet.live()
		for n, what := range quiet.calls {
			if !strings.HasPrefix(what, "tell end") {
				continue
			}
			for second := n + 2; second < n+8; second++ {
				for _, f := range []fault{fails, failsButHas} {
					l := newLife(script, 12, map[int]fault{n + 1: fails, second: f})
					l.live()
					for number := 1; number <= len(script); number++ {
						id := "m#" + strconv.Itoa(number)
						if l.told(id) == 0 && len(l.missing) == 0 {
							t.Errorf("%s: %s has no outcome; calls:\n%s", script, id, strings.Join(l.calls, "\n"))
						}
					}
				}
			}
		}
	}
}

// TestUntold shows what becomes of an outcome that can't be written, by what
// else goes wrong and by how many receives are left.
func TestUntold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script   string
		receives int // before the one at hand
		faults   map[int]fault
		calls    string
		deleted  bool
		missing  string
	}{
		"sent": {"d", 0, map[int]fault{3: fails}, "tell try#1, put 1, tell end#1", false, ""},
		"sent, and told later": {"d", 0, map[int]fault{3: fails, 99: works},
			"tell try#1, put 1, tell end#1, read, tell end#1", true, ""},
		"sent, on its last receive": {"d", 3, map[int]fault{4: fails}, "read, tell try#1, put 1, tell end#1", true, "end"},
		"sent, and not recorded":    {"d", 0, map[int]fault{2: fails, 3: fails}, "tell try#1, put 1, tell end#1", true, "end"},
		"failed":                    {"r", 0, map[int]fault{4: fails}, "tell try#1, put 1, hide, tell end#1, put 1!", false, ""},
		"failed, and told later": {"rd", 0, map[int]fault{4: fails, 99: works}, "tell try#1, put 1, hide, tell end#1, put 1!, " +
			"read, tell try#2, put 2, tell end#1 end#2, put 1", true, ""},
		"failed for good, and told later": {"p", 0, map[int]fault{4: fails, 99: works}, "tell try#1, put 1, hide, tell end#1, put 1!, " +
			"read, hide, tell end#1, put 1", false, ""},
		"failed, told neither now nor later": {"p", 0, map[int]fault{4: fails, 8: fails, 99: works},
			"tell try#1, put 1, hide, tell end#1, put 1!, read, hide, tell end#1", false, ""},
		"failed, on its last receive": {"p", 3, map[int]fault{5: fails}, "read, tell try#1, put 1, hide, tell end#1, put 1!", false, "end"},
		"failed, and not marked":      {"r", 0, map[int]fault{4: fails, 5: fails}, "tell try#1, put 1, hide, tell end#1, put 1!", false, "end"},
		"failed, then sent": {"+d", 0, map[int]fault{5: fails, 99: works}, "tell try#1, put 1, tell try#2, put 2, tell end#1 end#2, put 1!, " +
			"read, tell end#1 end#2, put 1", true, ""},
		"failed, then sent, on its last receive": {"+d", 3, map[int]fault{6: fails},
			"read, tell try#1, put 1, tell try#2, put 2, tell end#1 end#2, put 1!", true, "end end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLife(c.script, 4, c.faults)
			l.receives = c.receives
			l.receive()
			if _, twice := c.faults[99]; twice {
				l.receive()
			}
			if got := strings.Join(l.calls, ", "); got != c.calls {
				t.Errorf("got  %s\nwant %s", got, c.calls)
			}
			if l.deleted != c.deleted || strings.Join(l.missing, " ") != c.missing {
				t.Errorf("deleted %v, missing %v", l.deleted, l.missing)
			}
		})
	}
}

// TestTheSameEntryLater: an outcome that is told later is the entry that it
// would have been, so that one told twice can be seen to be one.
func TestTheSameEntryLater(t *testing.T) {
	t.Parallel()
	for _, script := range scripts {
		now := newLife(script, 12, nil)
		now.live()
		for n, what := range now.calls {
			if !strings.HasPrefix(what, "tell end") {
				continue
			}
			later := newLife(script, 12, map[int]fault{n + 1: failsButHas})
			later.live()
			var distinct []string
			for _, e := range later.ledger {
				if b, err := e.AppendJSON(nil); err != nil {
					t.Error(err)
				} else if e.Action == "end" && !slices.Contains(distinct, string(b)) {
					distinct = append(distinct, string(b))
				}
			}
			if len(distinct) != len(script) {
				t.Errorf("%s, %s: %d outcomes: %v", script, what, len(distinct), distinct)
			}
		}
	}
}
