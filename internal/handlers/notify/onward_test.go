package notify

import (
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/report/onward"
)

// onwards is what was kept of an attempt, as it is sent to its next channel.
func (w *world) onwards(id string, r attempt.Record) (kept onward.Message, ok bool) {
	w.t.Helper()
	packed, err := w.store.Onward(w.t.Context(), id, r.SortKey())
	if err != nil || packed == nil {
		return kept, false
	}
	if kept, err = onward.Unpack(packed); err != nil {
		w.t.Fatal(err)
	}
	return kept, true
}

// TestKeptOnward: before the hand-over what may come back is kept, and only that.
func TestKeptOnward(t *testing.T) {
	t.Parallel()
	huge := &strings.Builder{} // that can't be made smaller
	for n := uint64(1); huge.Len() < 700<<10; n = n*6364136223846793005 + 1442695040888963407 {
		huge.WriteByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"[n>>58])
	}
	for name, c := range map[string]struct {
		text    string
		silent  bool
		deadend bool // nothing is kept
	}{
		"another channel":     {text: text("n_1", "email", `,"fallback":["sms"]`)},
		"who does not report": {text: text("n_1", "email", `,"fallback":["sms"]`), silent: true, deadend: true},
		"the last channel":    {text: text("n_1", "email", `,"fallback":[]`), deadend: true},
		"several": {text: several(`"recipient":["a@acme.test","b@acme.test"],"fallback":["sms"],"recipients":{"sms":"+4670"}`),
			deadend: true},
		"what is much too large": {text: strings.Replace(text("n_1", "email", `,"fallback":["sms"]`), `"body":"b"`,
			`"body":"`+huge.String()+`"`, 1), deadend: true},
	} {
		w := newWorld(t)
		w.reports = !c.silent
		if end := w.run(w.message("1", c.text)); end != "sent" {
			t.Fatalf("%s: %s, %s", name, end, &w.logs)
		}
		r := w.recorded("n_1")[0]
		kept, ok := w.onwards("n_1", r)
		if ok == c.deadend || (r.State == attempt.Accepted) == c.silent {
			t.Errorf("%s: kept %v, state %q", name, ok, r.State)
		}
		if ok && (kept.Item.Carried.Origin != r.OriginID() || kept.Item.Carried.Attempts != 1 || kept.Item.Body != c.text) {
			t.Errorf("%s: kept %+v", name, kept)
		}
	}
}

// TestNotKeptNotSent: nothing is handed over that could not go on after a bounce.
func TestNotKeptNotSent(t *testing.T) {
	t.Parallel()
	for _, f := range []fault{fails, failsButKeeps} {
		w := newWorld(t)
		w.reports, w.fault["onward"] = true, on(1, f)
		q := w.message("1", text("n_1", "sms", `,"fallback":["email"]`))
		if w.receive(w.handler(), q) || w.count("sms") > 0 || w.recorded("n_1")[0].Verdict != attempt.Held {
			t.Errorf("%v: sent %d, %+v", f, w.count("sms"), w.recorded("n_1"))
		}
		if end := w.run(q); end != "sent" || w.count("sms") != 1 {
			t.Errorf("%v: then %s, %d", f, end, w.count("sms"))
		}
	}
}

// TestSentOnTwice: of two messages to the next channel, by which a crash of the report's
// handler is made good, one is sent; and of an SMS also where both are under way.
func TestSentOnTwice(t *testing.T) {
	t.Parallel()
	for next, first := range map[channel.Name]channel.Name{channel.Email: channel.SMS, channel.SMS: channel.Email} {
		w := newWorld(t)
		w.reports = true
		if w.run(w.message("1", text("n_1", first, `,"fallback":["`+string(next)+`"]`))) != "sent" {
			t.Fatal("the first channel was not used")
		}
		r := w.recorded("n_1")[0]
		back := attempt.Report{State: attempt.Undelivered, At: w.now, By: "r1", Version: 1}
		if err := w.store.PutReport(t.Context(), r, back); err != nil {
			t.Fatal(err)
		}
		kept, _ := w.onwards("n_1", r)
		kept.Item.Carried.Released = w.now
		for _, id := range []string{"2", "3", "4"} {
			q := w.message(id, kept.Item.Body)
			q.carries(kept.Item.Carried)
			if end := w.run(q); end != "sent" {
				t.Errorf("message %s is %s", id, end)
			}
			w.advance(time.Second)
		}
		if w.count(first) != 1 || w.count(next) != 1 || len(w.recorded("n_1")) != 2 {
			t.Errorf("%s, then %s: %d and %d, %d records", first, next, w.count(first), w.count(next), len(w.recorded("n_1")))
		}
	}
}
