package notify

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

var (
	busy     = channel.Outcome{Class: channel.Transient, Reason: "450"}
	busyHour = channel.Outcome{Class: channel.Transient, Reason: "450", RetryAfter: time.Hour}
	badKey   = channel.Outcome{Class: channel.Configuration, Reason: "535"}
	noSuch   = channel.Outcome{Class: channel.Permanent, Reason: "550"}
)

// TestAfterTheRoom: what was tried before a message came out of the waiting room
// decides what comes next: channels that have failed are not tried again, and each
// has the tries of its policy, in the room's lives together.
func TestAfterTheRoom(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		email, slack []channel.Outcome
		more         string
		unannounced  int // so often, at first: it is held
		end, want    string
		lives        int
	}{
		"its tries are counted": {[]channel.Outcome{busyHour}, nil, `,"fallback":[]`, 0, "parked",
			"1:email:transient:retryable 2:email:transient:retryable 3:email:transient:retryable 4:email:transient:exhausted", 4},
		"a failed channel is not tried again": {[]channel.Outcome{noSuch}, []channel.Outcome{busyHour, busyHour, {}}, "", 0, "sent",
			"1:email:permanent:retryable 2:slack:transient:retryable 3:slack:transient:retryable 4:slack::delivered", 3},
		"one that failed by its retries neither": {[]channel.Outcome{busy}, []channel.Outcome{busyHour, {}}, "", 0, "sent",
			"1:email:transient:retryable 2:email:transient:retryable 3:email:transient:retryable 4:email:transient:retryable " +
				"5:slack:transient:retryable 6:slack::delivered", 2},
		"a try that does not count is none of them": {[]channel.Outcome{busyHour, badKey, busyHour}, nil, `,"fallback":[]`, 0, "parked",
			"1:email:transient:retryable 2:email:configuration:retryable 3:email:transient:retryable 4:email:transient:retryable " +
				"5:email:transient:exhausted", 4},
		"a hold is none of them": {[]channel.Outcome{busyHour}, nil, `,"fallback":[]`, 1, "parked",
			"1:email:transient:retryable 2:email:transient:retryable 3:email:transient:retryable 4:email:transient:exhausted", 4},
		"a hold in the room is none of them": {[]channel.Outcome{busyHour}, nil, `,"fallback":[]`, 3, "parked",
			"1:email:transient:retryable 2:email:transient:retryable 3:email:transient:retryable 4:email:transient:exhausted", 5},
		"the last life says what has failed": {[]channel.Outcome{busy, busy, busy, noSuch}, []channel.Outcome{busyHour, busyHour, {}}, "", 2,
			"sent", "1:email:transient:retryable 2:email:transient:retryable 3:email:transient:retryable 4:email:permanent:retryable " +
				"5:slack:transient:retryable 6:slack:transient:retryable 7:slack::delivered", 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.answers["email"], w.answers["slack"] = c.email, c.slack
			w.secrets["email"] = &secret{current: 2, cached: 1, readAt: w.now.Add(-time.Minute)}
			w.during = func(channel.Name) { w.advance(time.Second); w.secrets["email"].current++ }
			w.fault["audit"] = func(n int) fault { return map[bool]fault{true: fails}[n <= c.unannounced] }
			q := w.message("a", text("n_1", "email", c.more))
			if end := w.run(q); end != c.end || w.story("n_1", q) != c.want {
				t.Errorf("%s: %s", end, w.story("n_1", q))
			}
			if lives := 1 + strings.Count(q.msg.MessageId, "+"); lives != c.lives {
				t.Errorf("%d lives", lives)
			}
		})
	}
}

// TestWhatIsRecalled: only the tries of this very message, and of those only the ones
// since it was replayed.
func TestWhatIsRecalled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["email"] = []channel.Outcome{busy}
	var records []attempt.Record
	for _, r := range []attempt.Record{
		{MessageID: "m-0", Attempt: 1, Verdict: attempt.Retryable},
		{MessageID: "m-0", Attempt: 2, Verdict: attempt.Exhausted, FailedChannels: []string{"email"}},
		{MessageID: "m-1", Attempt: 3, Verdict: attempt.Retryable}, // replayed
		{MessageID: "m-another", Origin: "m-another", Attempt: 3, Verdict: attempt.Retryable},
		{MessageID: "m-another", Origin: "m-another", Attempt: 4, Verdict: attempt.Exhausted, FailedChannels: []string{"email"}},
	} {
		r.WebhookID, r.Origin, r.Channel, r.Notification = "n_1", cmp.Or(r.Origin, "m-0"), "email", true
		records = append(records, r)
	}
	if err := w.store.Put(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	q := w.message("2", text("n_1", "email", `,"fallback":[]`))
	q.carries(message.Carried{Origin: "m-0", Attempts: 3, Base: 2, Released: w.now})
	const want = "4:email:transient:retryable 5:email:transient:retryable 6:email:transient:exhausted"
	if end := w.run(q); end != "parked" || w.story("n_1", q) != want {
		t.Errorf("%s: %s", end, w.story("n_1", q))
	}
}

// TestAWaitForATurnIsListed: what waits in the room for a provider's limit says so, and
// for which channel.
func TestAWaitForATurnIsListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["slack"] = []channel.Outcome{{Class: channel.Limited, Reason: "429", RetryAfter: 5 * time.Second}}
	q := w.message("a", text("n_1", "slack", ""))
	q.msg.Attributes["ApproximateReceiveCount"] = "5"
	if out, err := w.handler().Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{q.msg}}); err != nil ||
		len(out.BatchItemFailures) > 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	items, _, err := w.store.Page(t.Context(), "", 9)
	if err != nil || len(items) != 1 || items[0].Reason != waiting.Limit || items[0].Channel != "slack" ||
		!items[0].Due.Equal(w.now.Add(5*time.Second)) {
		t.Errorf("in the room: %+v, %v", items, err)
	}
}

// TestOwnTroubleIsHeld: whatever of our own is away for a while costs the message
// no attempt, and the recipient no second SMS.
func TestOwnTroubleIsHeld(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(w *world, is bool){
		"the secret can't be read": func(w *world, is bool) {
			if delete(w.absent, "sms"); is {
				w.absent["sms"] = errors.New("throttled")
			}
		},
		"no descriptor is left": func(w *world, is bool) {
			if w.answers["sms"] = []channel.Outcome{{}}; is {
				w.answers["sms"] = []channel.Outcome{{Class: channel.Transient, Reason: "too many open files", Ours: true}}
			}
		},
		"claims can't be taken":                func(w *world, is bool) { w.breaks("claim", is, fails) },
		"claims are taken, though it says not": func(w *world, is bool) { w.breaks("claim", is, failsButKeeps) },
		"the audit queue can't be written":     func(w *world, is bool) { w.breaks("audit", is, fails) },
		"it can be, though it says not":        func(w *world, is bool) { w.breaks("audit", is, failsButKeeps) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			q, h := w.message("a", sms("n_1", "", "+46701234567")), w.handler()
			ends := w.now.Add(time.Hour)
			for done := false; !done; {
				if q.receives == maxReceives {
					t.Fatalf("it is in the dead-letter queue: %+v", w.recorded("n_1"))
				}
				is := w.now.Before(ends)
				away(w, is)
				if done = w.receive(h, q); done == is {
					t.Fatalf("at %v it is done with: %t", w.now, done)
				}
				if is && (w.story("n_1", q) != "" || w.held() != "1") {
					t.Errorf("recorded are %+v", w.recorded("n_1"))
				}
			}
			if w.reached["sms"] != 1 || w.story("n_1", q) != "1:sms::delivered" || w.now.Sub(ends) > 15*time.Minute {
				t.Errorf("%d SMS, the last at %v: %s", w.reached["sms"], w.now, w.story("n_1", q))
			}
		})
	}
}

// breaks has an operation fail from now on, or work.
func (w *world) breaks(op string, does bool, f fault) {
	w.fault[op] = func(int) fault {
		if does {
			return f
		}
		return works
	}
}

// held are the numbers of the attempts that n_1 is held before, under its
// present SQS id or one before.
func (w *world) held() string {
	numbers := map[string]bool{}
	for _, r := range w.recorded("n_1") {
		if r.Verdict == attempt.Held {
			numbers[strings.TrimLeft(r.SortKey()[strings.Index(r.SortKey(), "#")+1:], "0")] = true
		}
	}
	var all []string
	for n := range numbers {
		all = append(all, n)
	}
	return strings.Join(all, " ")
}

// TestInterruptedAgainAndAgain: a hand-over that each invocation's end cuts before it
// was made is held, and made later.
func TestInterruptedAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["sms"] = []channel.Outcome{busy, busy, busy, busy, busy, busy, {}}
	q, h := w.message("a", sms("n_1", "", "+46701234567")), w.handler()
	for n := range 6 {
		ctx, cut := context.WithCancel(t.Context())
		w.during, w.hangs = func(channel.Name) { cut() }, true
		if w.receiveIn(ctx, h, q) || w.held() != "1" || w.story("n_1", q) != "" {
			t.Fatalf("cut %d times: %+v", n+1, w.recorded("n_1"))
		}
	}
	w.during, w.hangs = nil, false
	if end := w.run(q); end != "sent" || w.reached["sms"] != 1 || w.story("n_1", q) != "1:sms::delivered" {
		t.Errorf("%s after %d SMS: %s", end, w.reached["sms"], w.story("n_1", q))
	}
}

// TestTheRoomIsNoConsent: that a message comes back out of the waiting room is
// nobody's consent to a second SMS, though SQS has it as sent anew, and though it
// was replayed before.
func TestTheRoomIsNoConsent(t *testing.T) {
	t.Parallel()
	replay := "replay"
	for name, c := range map[string]struct {
		replayed bool
		dies     bool // with the SMS handed over, by itself; otherwise another's outcome is unknown
	}{
		"its holder died":               {false, true},
		"its holder died, replayed":     {true, true},
		"another was parked meanwhile":  {false, false},
		"another was parked, replayed ": {true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			h, q := w.handler(), w.message("a", sms("n_1", "", "+46701234567"))
			if c.replayed {
				q.msg.MessageAttributes = map[string]events.SQSMessageAttribute{"efferent-retry": {StringValue: &replay}}
			}
			if c.dies {
				w.fault["send"] = on(1, crashAfter)
				w.receive(h, q)
			} else {
				w.answers["sms"] = []channel.Outcome{{Class: channel.Unknown, Reason: "503"}, {}}
			}
			w.breaks("audit", true, fails)
			for !strings.HasPrefix(q.msg.MessageId, "+") { // until it has been in the room
				w.receive(h, q)
				if !c.dies && q.receives == 2 {
					w.breaks("audit", false, works)
					w.run(w.message("b", sms("n_1", "", "+46701234567")))
					w.breaks("audit", true, fails)
				}
			}
			w.breaks("audit", false, works)
			if end := w.run(q); end != "parked" || w.count("sms") != 1 {
				t.Errorf("%s after %d SMS: %+v", end, w.count("sms"), w.recorded("n_1"))
			}
		})
	}
}
