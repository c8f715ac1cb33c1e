package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/suppression"
)

// suppress puts an address on a tenant's list, as another process would.
func (w *world) suppress(tenant string, on channel.Name, address string) suppression.Entry {
	w.t.Helper()
	e, err := suppression.New(tenant, on, address, suppression.Stop, w.now.Add(-time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.store.AddSuppression(w.t.Context(), e); err != nil {
		w.t.Fatal(err)
	}
	return e
}

// entered counts the ledger's entries of an action.
func (w *world) entered(action string) (n int) {
	for _, e := range w.entries {
		if e.Action == action {
			n++
		}
	}
	return n
}

func several(more string) string {
	return `{"id":"n_1","tenant":"acme","channel":"email","subject":"s","body":"b","retry":"seed",` + more + `}`
}

// TestSuppressedAddresses: nothing goes there, nothing is announced, and the record says
// why; another channel is used only where the message wants it.
func TestSuppressedAddresses(t *testing.T) {
	t.Parallel()
	down := []channel.Outcome{{Class: channel.Permanent, Reason: "550"}}
	for name, c := range map[string]struct {
		text    string
		on      channel.Name
		listed  []string
		tenant  string
		answers []channel.Outcome // of email
		story   string
		says    string
		intents int
	}{
		"the one there is": {text: text("n_1", "sms", ""), on: channel.SMS, listed: []string{"+46 70 123 45 67"},
			story: "1:sms:opted_out:permanent", says: "the empty tenant since 2026-11-24T07:00:00Z, for a STOP"},
		"written otherwise": {text: text("n_1", "email", ""), on: channel.Email, listed: []string{"ANN@Acme.TEST"},
			story: "1:email:opted_out:permanent", says: "the address is on the suppression list of the empty tenant"},
		"another channel, if asked for": {text: text("n_1", "sms", `,"fallback":["slack"],"fallback_on_opt_out":true`), on: channel.SMS,
			listed: []string{"+46701234567"}, story: "1:sms:opted_out:retryable 2:slack::delivered", intents: 1},
		"another tenant's list": {text: text("n_1", "email", `,"tenant":"acme"`), on: channel.Email, listed: []string{"ann@acme.test"},
			tenant: "beta", story: "1:email::delivered", intents: 1},
		"the list of no tenant": {text: text("n_1", "email", `,"tenant":"acme"`), on: channel.Email, listed: []string{"ann@acme.test"},
			story: "1:email::delivered", intents: 1},
		"another channel's": {text: text("n_1", "slack", ""), on: channel.Email, listed: []string{"ann@acme.test"},
			story: "1:slack::delivered", intents: 1},
		"the next channel's, when it is its turn": {text: text("n_1", "email", `,"fallback":["sms"]`), on: channel.SMS,
			listed: []string{"+46701234567"}, answers: down, story: "1:email:permanent:retryable 2:sms:opted_out:permanent",
			says: "for a STOP", intents: 1},
		"the only channel's, if others are asked for": {text: text("n_1", "email", `,"fallback":[],"fallback_on_opt_out":true`),
			on:     channel.Email,
			listed: []string{"ann@acme.test"}, story: "1:email:opted_out:permanent", says: "every channel has failed"},
		"all of several": {text: several(`"recipient":["ann@acme.test","bob@acme.test"],"cc":["eve@acme.test"]`), on: channel.Email,
			listed: []string{"bob@acme.test", "ann@acme.test"}, tenant: "acme", story: "1:email:opted_out:permanent",
			says: `all 2 addresses are on the suppression list of the tenant "acme"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.answers[channel.Email] = c.answers
			for _, address := range c.listed {
				w.suppress(c.tenant, c.on, address)
			}
			q := w.message("1", c.text)
			end := w.run(q)
			if got := w.story("n_1", q); got != c.story || (end == "sent") != strings.HasSuffix(c.story, "delivered") {
				t.Errorf("%s: %s", end, got)
			}
			records := w.recorded("n_1")
			if last := records[len(records)-1]; !strings.Contains(last.Reason, c.says) {
				t.Errorf("the reason is %q", last.Reason)
			}
			if w.count(c.on) > 0 && strings.Contains(c.story, string(c.on)+":opted_out") || w.entered("notification.attempt") != c.intents {
				t.Errorf("%d were sent on %s, %d announced", w.count(c.on), c.on, w.entered("notification.attempt"))
			}
		})
	}
}

// TestSomeOfSeveralAreSuppressed: they are left out of the email, and nobody else is;
// the record says how many.
func TestSomeOfSeveralAreSuppressed(t *testing.T) {
	t.Parallel()
	for more, c := range map[string]struct {
		want    string
		omitted int
	}{
		`"recipient":["ann@acme.test","bob@acme.test"]`:                                       {"bob@acme.test [] [] []", 1},
		`"recipient":["bob@acme.test","ann@acme.test","eve@acme.test"]`:                       {"bob@acme.test [eve@acme.test] [] []", 1},
		`"recipient":"bob@acme.test","cc":["Ann <Ann@acme.test>","Eve <eve@acme.test>"]`:      {"bob@acme.test [] [Eve <eve@acme.test>] []", 1},
		`"recipient":"bob@acme.test","cc":["dan@acme.test"],"bcc":["ann@acme.test"]`:          {"bob@acme.test [] [] []", 2},
		`"recipient":["dan@acme.test","bob@acme.test"],"bcc":["ann@acme.test","a@acme.test"]`: {"bob@acme.test [] [] [a@acme.test]", 2},
		`"recipient":"bob@acme.test"`:                                                         {"bob@acme.test [] [] []", 0},
	} {
		w := newWorld(t)
		w.suppress("acme", channel.Email, "ann@acme.test")
		w.suppress("acme", channel.Email, "dan@acme.test")
		if end := w.run(w.message("1", several(more))); end != "sent" || w.count(channel.Email) != 1 {
			t.Errorf("%s: %s", more, end)
			continue
		}
		h, r := w.calls[channel.Email][0], w.recorded("n_1")[0]
		if got := fmt.Sprint(h.Recipient, " ", h.More, " ", h.CC, " ", h.BCC); got != c.want || strings.Contains(r.Recipient, "ann@") {
			t.Errorf("%s: went to %s, recorded to %s", more, got, r.Recipient)
		}
		if want := fmt.Sprintf("without %d on the suppression list", c.omitted); (r.Reason == want) != (c.omitted > 0) {
			t.Errorf("%s: the reason is %q", more, r.Reason)
		}
	}
}

// TestStopBetweenTwoMessages: what another process has put on the list holds for the
// next message, and no longer once it is taken off.
func TestStopBetweenTwoMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.handler()
	sends := func(id string) bool {
		before := w.count(channel.SMS)
		w.receive(h, w.message(id, text("n_"+id, "sms", `,"fallback":[]`)))
		return w.count(channel.SMS) > before
	}
	if !sends("1") {
		t.Error("the first was not sent")
	}
	e := w.suppress("", channel.SMS, "+46701234567")
	if sends("2") {
		t.Error("one was sent after STOP")
	}
	if lifted, err := w.store.LiftSuppression(t.Context(), suppression.Lifting{Key: e.Key(), At: w.now, Only: suppression.Stop}); !lifted {
		t.Fatal(err)
	}
	if !sends("3") {
		t.Error("none was sent after START")
	}
}

// TestStopDuringAWait: what waits for its retry is not sent any more.
func TestStopDuringAWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers[channel.SMS] = []channel.Outcome{{Class: channel.Transient, Reason: "503"}, {}}
	q := w.message("1", text("n_1", "sms", `,"fallback":[]`))
	w.receive(w.handler(), q)
	w.suppress("", channel.SMS, "+46701234567")
	if end := w.run(q); end != "parked" || w.count(channel.SMS) != 1 {
		t.Errorf("%s after %d: %s", end, w.count(channel.SMS), w.story("n_1", q))
	}
}

// TestTheListCannotBeRead: that is our own trouble, which uses up no attempt, and
// nothing is sent or announced meanwhile.
func TestTheListCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]string{"at first": "email", "on the next channel": "slack"} {
		w := newWorld(t)
		w.answers[channel.Slack] = []channel.Outcome{{Class: channel.Permanent, Reason: "channel_not_found"}}
		call, more := 1, `,"fallback":[]`
		if first == "slack" {
			call, more = 2, `,"fallback":["email"]`
		}
		w.fault["list"] = on(call, fails)
		h, q := w.handler(), w.message("1", text("n_1", channel.Name(first), more))
		held := func(r attempt.Record) bool {
			return r.Verdict == attempt.Held && strings.Contains(r.Reason, "the suppression list can't be asked")
		}
		if w.receive(h, q) || w.count(channel.Email) != 0 || !slices.ContainsFunc(w.recorded("n_1"), held) {
			t.Errorf("%s: it was not held: %+v", name, w.recorded("n_1"))
		}
		if handed := w.count(channel.Slack); w.entered("notification.attempt") != handed {
			t.Errorf("%s: %d were announced, %d handed over", name, w.entered("notification.attempt"), handed)
		}
		if end := w.run(q); end != "sent" || w.count(channel.Email) != 1 {
			t.Errorf("%s: %s: %s", name, end, w.story("n_1", q))
		}
	}
}

// TestSuppressedInABatch: who is on the list holds up nobody else.
func TestSuppressedInABatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.suppress("", channel.SMS, "+46701234567")
	var records []events.SQSMessage
	for i := range 10 {
		q := w.message(fmt.Sprint(i), text(fmt.Sprint("n_", i), []channel.Name{channel.Email, channel.SMS}[i%2], `,"fallback":[]`))
		q.msg.Attributes["ApproximateReceiveCount"] = "1"
		records = append(records, q.msg)
	}
	out, err := w.handler().Handle(t.Context(), events.SQSEvent{Records: records})
	if err != nil || len(out.BatchItemFailures) != 5 || w.count(channel.Email) != 5 || w.count(channel.SMS) != 0 {
		t.Errorf("%v, %v; %d emails, %d SMS", out, err, w.count(channel.Email), w.count(channel.SMS))
	}
}

// TestKillsAroundAStop: a process dies at any step, STOP comes after it, and whoever goes
// on sends no second SMS, whether the message may go elsewhere or not, and whether STOP
// is taken back or not.
func TestKillsAroundAStop(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"list", "audit", "claim", "send", "settle", "record"} {
		for f, name := range map[fault]string{fails: "fails", failsButKeeps: "fails but persisted", crash: "crash before",
			crashAfter: "crash after"} {
			for _, more := range []string{`,"fallback":[]`, `,"fallback":["email"],"fallback_on_opt_out":true`} {
				for _, back := range []bool{false, true} {
					w := newWorld(t)
					w.fault[op] = on(1, f)
					q := w.message("a", text("n_1", "sms", more))
					h := w.handler()
					done := w.receive(h, q)
					e := w.suppress("", channel.SMS, "+46701234567")
					if !done {
						done = w.receive(h, q)
					}
					if back {
						if _, err := w.store.LiftSuppression(t.Context(), suppression.Lifting{Key: e.Key(), At: w.now}); err != nil {
							t.Fatal(err)
						}
					}
					for !done && q.receives < maxReceives {
						done = w.receive(h, q)
					}
					if w.reached[channel.SMS] > 1 {
						t.Errorf("%s %s, %s, back %v: %d SMS: %s", op, name, more, back, w.reached[channel.SMS], w.story("n_1", q))
					}
					if !done && w.reached[channel.SMS] == 0 && len(w.recorded("n_1")) == 0 {
						t.Errorf("%s %s, %s, back %v: lost", op, name, more, back)
					}
				}
			}
		}
	}
}
