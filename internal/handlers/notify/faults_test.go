package notify

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/channel"
)

// TestFallbackFaults walks through every step of email → Slack and every way
// for it to go wrong, and shows that the notification is sent, or parked with
// its reason, and that nothing is handed over that the ledger does not know of.
func TestFallbackFaults(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"audit", "send", "record", "hide", "history", "list"} {
		for call := 1; call <= 4; call++ {
			for f, name := range map[fault]string{fails: "fails", failsButKeeps: "fails but persisted", crash: "crash before",
				crashAfter: "crash after"} {
				t.Run(fmt.Sprintf("%s/%d/%s", op, call, name), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					w.answers["email"] = []channel.Outcome{{Class: channel.Transient, Reason: "450"}, {Class: channel.Permanent, Reason: "550"}}
					w.fault[op] = on(call, f)
					q := w.message("a", text("n_1", "email", ""))
					if end := w.run(q); end != "sent" || w.count("slack") == 0 {
						t.Errorf("%s after %d to Slack: %s", end, w.count("slack"), w.story("n_1", q))
					}
					attempts := 0
					for _, e := range w.entries {
						if e.Action == "notification.attempt" {
							attempts++
						}
					}
					if handed := w.count("email") + w.count("slack"); attempts < handed {
						t.Errorf("%d were handed over, and the ledger knows of %d", handed, attempts)
					}
				})
			}
		}
	}
}

// TestBatch: one bad message does not hold up the others.
func TestBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["email"] = []channel.Outcome{{}}
	var records []events.SQSMessage
	for i := range 10 {
		body := text(fmt.Sprint("n_", i), "email", "")
		if i == 3 {
			body = "{"
		}
		q := w.message(fmt.Sprint(i), body)
		q.msg.Attributes["ApproximateReceiveCount"] = "1"
		records = append(records, q.msg)
	}
	out, err := w.handler().Handle(t.Context(), events.SQSEvent{Records: records})
	if err != nil || len(out.BatchItemFailures) != 1 || out.BatchItemFailures[0].ItemIdentifier != "m-3" || w.count("email") != 9 {
		t.Errorf("%v, %v; %d emails", out, err, w.count("email"))
	}
	if w.ops["audit"] != 2 || w.ops["history"] != 0 {
		t.Errorf("%d audit messages and %d reads for a batch, want 2 and none", w.ops["audit"], w.ops["history"])
	}
}

// TestNoTimeLeft: an invocation that nears its end begins no other hand-over.
func TestNoTimeLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = time.Now() // contexts have no other clock
	w.answers["email"] = []channel.Outcome{{Class: channel.Permanent, Reason: "550"}}
	q := w.message("a", text("n_1", "email", ""))
	q.msg.Attributes["ApproximateReceiveCount"] = "1"
	ctx, stop := context.WithDeadline(t.Context(), time.Now().Add(batch.Margin+handoverTime+time.Minute))
	defer stop()
	w.during = func(channel.Name) { w.advance(2 * time.Minute) }
	out, err := w.handler().Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{q.msg}})
	if err != nil || len(out.BatchItemFailures) != 1 || w.count("email") != 1 || w.count("slack") != 0 || w.hidden["r-a"] != 0 {
		t.Errorf("%v, %v; %d emails, %d to Slack, hidden for %s", out, err, w.count("email"), w.count("slack"), w.hidden["r-a"])
	}
	q.receives = 1
	if w.receive(w.handler(), q); w.count("email") != 1 || w.count("slack") != 1 {
		t.Errorf("then %d emails, %d to Slack: %s", w.count("email"), w.count("slack"), w.story("n_1", q))
	}
}

// TestTimeForAHandover: one begins only where there are twelve seconds for it, beside
// the two that an invocation keeps to write things down. Otherwise the message is
// shown again at once, as long as it has receives for that; then it is held.
func TestTimeForAHandover(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		left     time.Duration
		receives int
		calls    int
		hidden   time.Duration
		held     string
	}{
		{13 * time.Second, 1, 0, 0, ""},
		{15 * time.Second, 1, 1, -1, ""},
		{13 * time.Second, 4, 0, 0, ""},
		{13 * time.Second, 5, 0, -1, "1"}, // in the waiting room
	} {
		w := newWorld(t)
		w.now = time.Now() // contexts have no other clock
		q := w.message("a", text("n_1", "email", ""))
		q.msg.Attributes["ApproximateReceiveCount"] = strconv.Itoa(c.receives)
		ctx, stop := context.WithDeadline(t.Context(), w.now.Add(c.left))
		_, err := w.handler().Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{q.msg}})
		if stop(); err != nil || w.count("email") != c.calls || w.held() != c.held {
			t.Errorf("%+v: %v, %d were handed over, held %q", c, err, w.count("email"), w.held())
		}
		if hidden, changed := w.hidden["r-a"]; changed != (c.hidden >= 0) || changed && hidden != c.hidden {
			t.Errorf("%+v: hidden for %s (%t)", c, hidden, changed)
		}
	}
}

// TestAnIDIsCarried: a replayed message without an id of its own keeps its first.
func TestAnIDIsCarried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := w.message("b", strings.Replace(text("X", "email", ""), `"id":"X",`, "", 1))
	id := "m-a"
	q.msg.MessageAttributes = map[string]events.SQSMessageAttribute{"efferent-id": {StringValue: &id}}
	if end := w.run(q); end != "sent" || w.calls["email"][0].ID != "m-a" {
		t.Errorf("%s as %+v", end, w.calls["email"])
	}
}

// TestSentIsRecordedOnce: the record of what was sent is written at once, and not
// again with the batch, unless that failed. Where the outcome is in no ledger the
// message comes back, and is not sent again.
func TestSentIsRecordedOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, op         string
		call             int
		records, entries int // all in all
	}{
		{name: "all works", records: 1, entries: 2},
		{name: "the record fails once", op: "record", call: 1, records: 2, entries: 2},
		{name: "the outcome fails once", op: "audit", call: 2, records: 1, entries: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.op != "" {
				w.fault[c.op] = on(c.call, fails)
			}
			q := w.message("a", text("n_1", "sms", ""))
			if end := w.run(q); end != "sent" || w.count("sms") != 1 || w.ops["record"] != c.records || len(w.entries) != c.entries {
				t.Errorf("%s after %d SMS, %d records and %+v", end, w.count("sms"), w.ops["record"], w.entries)
			}
		})
	}
}
