package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/waiting"
)

// limited is what a provider answers that takes no more, for a time.
func limited(after time.Duration) channel.Outcome {
	return channel.Outcome{Class: channel.Limited, Status: 429, Reason: "too many", RetryAfter: after}
}

// TestALimitIsNoAttempt: however often a provider takes no more.
func TestALimitIsNoAttempt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		more    string
		answers []channel.Outcome
		end     string
		want    string
		took    time.Duration
	}{
		{"once", "", []channel.Outcome{limited(2 * time.Second), {}}, "sent", "1:slack::delivered", 2 * time.Second},
		{"again and again", "", []channel.Outcome{limited(10 * time.Second), limited(0), limited(3 * time.Second), limited(0), {}}, "sent",
			"1:slack::delivered", 18 * time.Second},
		{"between attempts", "", []channel.Outcome{limited(5 * time.Second), {Class: channel.Transient, Reason: "busy"},
			limited(5 * time.Second), {}}, "sent", "1:slack:transient:retryable 2:slack::delivered", 11 * time.Second},
		{"in the room", "", []channel.Outcome{limited(10 * time.Minute), {}}, "sent", "1:slack::delivered", 10 * time.Minute},
		{"for longer than the deadline", "", []channel.Outcome{limited(16 * time.Minute)}, "sent",
			"1:slack:limit:retryable 2:email::delivered", 0},
		{"for longer than its own", `,"deadline":"10s"`, []channel.Outcome{limited(11 * time.Second)}, "sent",
			"1:slack:limit:retryable 2:email::delivered", 0},
		{"until the deadline", `,"deadline":"1m"`, []channel.Outcome{limited(30 * time.Second), limited(31 * time.Second)}, "sent",
			"1:slack:limit:retryable 2:email::delivered", 30 * time.Second},
		{"the last channel has no deadline", `,"deadline":"10s","fallback":[]`, []channel.Outcome{limited(time.Hour), {}}, "sent",
			"1:slack::delivered", time.Hour},
		{"but a day", `,"fallback":[]`, []channel.Outcome{limited(23 * time.Hour), limited(2 * time.Hour)}, "parked",
			"1:slack:limit:exhausted", 23 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.answers["slack"], w.limits["slack"] = c.answers, pace.PerSecond(1)
			began := w.now
			q := w.message("a", text("n_1", "slack", c.more))
			if end := w.run(q); end != c.end || w.story("n_1", q) != c.want || w.now.Sub(began).Truncate(time.Second) != c.took {
				t.Errorf("%s after %s: %s", end, w.now.Sub(began), w.story("n_1", q))
			}
			if attempts, outcomes := w.told("notification.attempt"); attempts > outcomes {
				t.Errorf("the ledger has %d attempts and %d outcomes", attempts, outcomes)
			}
		})
	}
}

// TestWhoWaitsIsRecorded: until when, and for which channel, in its queue or in the
// room; and nothing was announced.
func TestWhoWaitsIsRecorded(t *testing.T) {
	t.Parallel()
	for _, wait := range []time.Duration{time.Minute, 5 * time.Minute} {
		w := newWorld(t)
		w.limits["slack"] = pace.PerSecond(1)
		until := w.now.Add(wait)
		w.paces["slack"] = pace.State{Go: until, Line: until}
		q := w.message("a", text("n_1", "slack", ""))
		q.msg.Attributes["ApproximateReceiveCount"] = "1"
		out, err := w.handler().Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{q.msg}})
		records := w.recorded("n_1")
		if err != nil || len(records) != 1 || records[0].Verdict != "held" || !records[0].NextAt.Equal(until) || records[0].Channel != "slack" ||
			records[0].Class != "limit" || len(w.entries) > 0 || w.count("slack") > 0 {
			t.Errorf("%v: %v; recorded are %+v; the ledger has %+v", wait, err, records, w.entries)
		}
		items, _, _ := w.store.Page(t.Context(), "", 9)
		switch {
		case wait <= 2*time.Minute && (len(out.BatchItemFailures) != 1 || w.hidden["r-a"] != wait || len(items) > 0):
			t.Errorf("hidden for %v; in the room are %+v", w.hidden["r-a"], items)
		case wait > 2*time.Minute && (len(out.BatchItemFailures) > 0 || len(items) != 1 || items[0].Reason != waiting.Limit ||
			items[0].Channel != "slack" || !items[0].Due.Equal(until)):
			t.Errorf("in the room are %+v", items)
		}
	}
}

// TestWhoHasWaitedGoesFirst: and the deadline of what was sent anew begins anew.
func TestWhoHasWaitedGoesFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		carried message.Carried
		end     time.Duration
	}{
		"from the room": {message.Carried{Origin: "o", Held: message.Held{"limit": time.Minute}}, time.Second},
		"a replay":      {message.Carried{Origin: "o", Attempts: 3, Base: 3}, 6 * time.Second},
	} {
		w := newWorld(t)
		began := w.now
		w.limits["slack"] = pace.PerSecond(1)
		w.paces["slack"] = pace.State{Go: w.now.Add(time.Second), Line: w.now.Add(6 * time.Second)}
		q := w.message("a", text("n_1", "slack", `,"deadline":"10s"`))
		c.carried.First, c.carried.Released = w.now.Add(-8*time.Second), w.now
		q.carries(c.carried)
		if end := w.run(q); end != "sent" || w.count("slack") != 1 || w.now.Sub(began) != c.end {
			t.Errorf("%s: %s after %v, %d by Slack", name, end, w.now.Sub(began), w.count("slack"))
		}
	}
}

// TestFaultsOfAPace: whatever goes wrong at whatever step of a wait for a turn, and of
// a refusal, the SMS is sent once, or parked where nobody knows.
func TestFaultsOfAPace(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"turn", "slow", "claim", "drop", "settle", "send", "record", "hide", "history", "audit", "enter"} {
		for call := 1; call <= 4; call++ {
			for f, name := range map[fault]string{fails: "fails", failsButKeeps: "fails but persisted", crash: "crash before",
				crashAfter: "crash after"} {
				t.Run(fmt.Sprintf("%s/%d/%s", op, call, name), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					w.limits["sms"] = pace.PerSecond(0.1)
					w.paces["sms"] = pace.State{Go: w.now.Add(5 * time.Second)}
					w.answers["sms"] = []channel.Outcome{limited(10 * time.Second), limited(5 * time.Minute), {}}
					w.fault[op] = on(call, f)
					q := w.message("a", sms("n_1", "", "+46701234567"))
					end := w.run(q)
					if w.reached["sms"] > 1 || end == "sent" && w.reached["sms"] != 1 {
						t.Errorf("%s, and %d SMS: %s", end, w.reached["sms"], w.story("n_1", q))
					}
					unknown := op == "send" || op == "claim" || op == "drop" || op == "settle" || op == "record" || op == "audit"
					if end == "parked" && !unknown {
						t.Errorf("parked: %+v", w.recorded("n_1"))
					}
				})
			}
		}
	}
}

// TestRetryOfAMessage: by its own policy; by default patiently where no channel is left.
func TestRetryOfAMessage(t *testing.T) {
	t.Parallel()
	busy := channel.Outcome{Class: channel.Transient, Reason: "450"}
	for name, c := range map[string]struct {
		body string
		took time.Duration
		want int // emails
	}{
		"another channel is left": {`{"id":"n_1","channel":"email","recipient":"a@b.test","recipients":{"slack":"C1"},"body":"b"}`,
			7 * time.Second, 4},
		"another is left, and this one asks for minutes": {`{"id":"n_1","channel":"email","recipient":"a@b.test",` +
			`"recipients":{"slack":"C1"},"body":"minutes"}`, 0, 1},
		"the last": {`{"id":"n_1","channel":"email","recipient":"a@b.test","body":"b","fallback":[]}`, 755 * time.Second, 5},
		"the last, by its own": {`{"id":"n_1","channel":"email","recipient":"a@b.test","body":"b","fallback":[],"retry":"seed"}`,
			7 * time.Second, 4},
		"patient, although another is left": {`{"id":"n_1","channel":"email","recipient":"a@b.test","recipients":{"slack":"C1"},"body":"b",` +
			`"retry":"patient"}`, 755 * time.Second, 5},
		"up to the deadline": {`{"id":"n_1","channel":"email","recipient":"a@b.test","recipients":{"slack":"C1"},"body":"b",` +
			`"retry":"patient","deadline":"3m"}`, 155 * time.Second, 4},
		"unknown": {`{"id":"n_1","channel":"email","recipient":"a@b.test","body":"b","retry":"sometimes"}`, 0, 0},
	} {
		w := newWorld(t)
		if w.answers["email"] = []channel.Outcome{busy}; strings.Contains(c.body, "minutes") {
			w.answers["email"][0].RetryAfter = 5 * time.Minute
		}
		began := w.now
		q := w.message("a", c.body)
		w.run(q)
		if took := w.now.Sub(began); w.count("email") != c.want || took.Truncate(time.Second) != c.took {
			t.Errorf("%s: %d emails in %v: %s", name, w.count("email"), took, w.story("n_1", q))
		}
	}
}
