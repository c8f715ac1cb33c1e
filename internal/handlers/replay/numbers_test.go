package replay

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
)

// TestNumbersGoOn: a letter came out of the waiting room, or was redriven since,
// under other SQS ids than it was first tried under. What it was is told by all
// of its attempts, and what a replay sends is numbered on from them.
func TestNumbersGoOn(t *testing.T) {
	t.Parallel()
	const origin, letter = "m1", "m9"
	for _, c := range []struct {
		name, attempts string // each "message#number verdict", a second apart
		carries        int    // attempts
		made, number   string // how many it has made, and the last number that a replay carries
	}{
		{"never sent anew", "m9#1 retryable, m9#2 exhausted", 0, "2", "2"},
		{"out of the room", "m1#1 retryable, m1#2 retryable, m1#3 retryable, m9#4 retryable, m9#5 exhausted", 3, "5", "5"},
		{"twice out of the room", "m1#1 retryable, m2#2 retryable, m9#3 permanent", 2, "3", "3"},
		{"redriven since", "m1#1 retryable, m2#2 permanent, m9#2 permanent", 1, "3", "3"},
		{"redriven, and died with a lower number", "m1#1 retryable, m2#2 retryable, m2#3 retryable, m2#4 permanent, m9#2 permanent", 1, "5", "5"},
		{"held in between", "m1#1 retryable, m1#2 held, m9#2 permanent", 1, "2", "2"},
		{"held on its last receive", "m1#1 retryable, m9#2 held", 1, "1", "1"},
		{"its first attempts have expired", "m9#9 exhausted", 8, "1", "9"},
		{"no attempts", "", 8, "0", "8"},
		{"dropped, and its twin died", "m1#1 retryable, m1#2 dropped, m9#2 permanent", 1, "2", "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for i, text := range strings.Split(c.attempts, ", ") {
				if text != "" {
					w.recordText(text, origin, start.Add(time.Duration(i)*time.Second))
				}
			}
			carried := message.Carried{ID: "evt", Origin: origin, Attempts: c.carries, Released: start}
			w.letters[letter] = &parkedLetter{msg: events.SQSMessage{MessageId: letter, Body: `{"id":"evt","tenant":"acme"}`,
				Attributes: map[string]string{"SentTimestamp": "1"}, MessageAttributes: map[string]events.SQSMessageAttribute{}}}
			for name, text := range carried.Attributes() {
				if c.carries > 0 {
					w.letters[letter].msg.MessageAttributes[name] = events.SQSMessageAttribute{StringValue: &text}
				}
			}
			w.advance(time.Hour)
			shown := get[Letter](w, "GET", path("/"+letter), "").Item
			if listed, page := listed(w, ""); listed != "" && page.Items[0] != shown {
				t.Errorf("listed is %+v, shown %+v", page.Items[0], shown)
			}
			get[Started](w, "POST", path("/replay/"+letter), "")
			sent := w.sent[0].attributes
			if got := numberText(shown.Attempts); got != c.made || sent["efferent-attempts"] != c.number || sent["efferent-base"] != c.number {
				t.Errorf("it has made %s, and carries %v; want %s and %s", got, sent, c.made, c.number)
			}
			if sent["efferent-released"] != "2026-11-24T09:00:00Z" || sent["efferent-held"] != "" || sent["efferent-retry"] != "replay" {
				t.Errorf("it carries %v", sent)
			}
		})
	}
}

func numberText(n int) string { return string(rune('0' + n)) }

// recordText records "message#number verdict".
func (w *world) recordText(text, origin string, at time.Time) {
	name, verdict, _ := strings.Cut(text, " ")
	id, number, _ := strings.Cut(name, "#")
	r := attempt.Record{WebhookID: "evt", Origin: origin, MessageID: id, Attempt: int(number[0] - '0'), At: at, Tenant: "acme",
		Verdict: attempt.Verdict(verdict), Reason: verdict}
	if verdict == "dropped" {
		r.Verdict, r.Dropped = attempt.Permanent, true
	}
	w.record(r)
}

// TestWhatIsInNoQueue: a message that waits, is held, or was dropped is none of
// the dead letters.
func TestWhatIsInNoQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.recordText("m1#1 retryable", "m1", start)
	w.recordText("m2#1 held", "m2", start)
	w.recordText("m3#1 dropped", "m3", start)
	if got, _ := listed(w, ""); got != "" {
		t.Errorf("listed are %s", got)
	}
}
