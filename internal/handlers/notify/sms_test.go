package notify

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/message"
)

// TestSMSFaults goes through every step around an SMS and every way for it to
// go wrong or for the process to die, the deaths with SQLite's stores too, and shows
// that no second SMS is sent, and that the notification is sent or parked with its reason.
func TestSMSFaults(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"audit", "turn", "claim", "send", "settle", "record", "hide", "enter", "drop", "slow", "history", "list"} {
		for _, call := range []int{1, 2, 3} {
			for f, name := range map[fault]string{fails: "fails", failsButKeeps: "fails but persisted", crash: "crash before",
				crashAfter: "crash after"} {
				for about, answers := range map[string][]channel.Outcome{
					"taken":           nil,
					"transient first": {{Class: channel.Transient, Reason: "429"}, {}},
					"refused":         {{Class: channel.Permanent, Reason: "21211"}},
					"unknown":         {{Class: channel.Unknown, Reason: "503"}},
					"limit first":     {{Class: channel.Limited, Reason: "20429", RetryAfter: 10 * time.Minute}, {}},
				} {
					for kind, open := range kinds {
						if kind == "SQLite" && (call == 3 || f != crash && f != crashAfter || about == "taken" || about == "refused") {
							continue // it is slow: kills only
						}
						t.Run(strings.Join([]string{about, op, strconv.Itoa(call), name, kind}, "/"), func(t *testing.T) {
							t.Parallel()
							w := newWorld(t)
							w.store, w.answers["sms"] = open(t), answers
							w.fault[op] = on(call, f)
							w.neverTwice(w.message("a", text("n_1", "sms", `,"fallback":[]`)))
						})
					}
				}
			}
		}
	}
}

// neverTwice runs an SMS to its end: it is sent or parked with its reason, and nobody
// gets it twice.
func (w *world) neverTwice(q *queued) {
	w.t.Helper()
	end := w.run(q)
	if w.reached["sms"] > 1 {
		w.t.Fatalf("%d SMS may have arrived: %s", w.reached["sms"], w.story("n_1", q))
	}
	records := w.recorded("n_1")
	switch {
	case end == "sent" && w.count("sms") == 0:
		w.t.Error("done with, and never handed over")
	case end == "parked" && (len(records) == 0 || records[len(records)-1].Reason == ""):
		w.t.Errorf("parked without a reason: %s", w.story("n_1", q))
	}
}

// TestTwoHandlersOneSMS gives the same message to two handlers at once, the
// second while the first one's SMS is with the provider.
func TestTwoHandlersOneSMS(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(*queued) *queued{
		"the same message":             func(q *queued) *queued { c := *q; return &c },
		"another with the same id":     func(q *queued) *queued { c := *q; c.msg.MessageId, c.msg.ReceiptHandle = "m-b", "r-b"; return &c },
		"the same, received once more": func(q *queued) *queued { c := *q; c.receives = 1; return &c },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			q := w.message("a", text("n_1", "sms", ""))
			twin := other(q)
			twin.msg.Attributes = map[string]string{"SentTimestamp": q.msg.Attributes["SentTimestamp"]}
			var met atomic.Bool // the second may come to the provider itself, where nothing keeps it from that
			w.during = func(channel.Name) {
				if met.CompareAndSwap(false, true) && w.receive(w.handler(), twin) {
					t.Error("the second handler says that it is done with it")
				}
			}
			w.receive(w.handler(), q)
			if end := w.run(twin); w.count("sms") != 1 || end != "sent" {
				t.Errorf("%d SMS; the second was %s: %s", w.count("sms"), end, w.story("n_1", twin))
			}
			if w.count("email") > 0 {
				t.Error("and an email")
			}
		})
	}
}

// TestReplayIsConsent: a message that was parked since nobody knew whether its
// SMS arrived is sent again when somebody has it replayed, and only then.
func TestReplayIsConsent(t *testing.T) {
	t.Parallel()
	unknown := []channel.Outcome{{Class: channel.Unknown, Reason: "503"}, {}}
	replayed := func(w *world) *queued {
		q := w.message("b", text("n_1", "sms", ""))
		policy := "replay"
		q.msg.MessageAttributes = map[string]events.SQSMessageAttribute{"efferent-retry": {StringValue: &policy}}
		return q
	}
	for _, c := range []struct {
		name string
		then func(w *world, first *queued) *queued
		sms  int
		end  string
	}{
		{name: "replayed by Efferent", then: func(w *world, _ *queued) *queued { return replayed(w) }, sms: 2, end: "sent"},
		{name: "redriven by the console", then: func(w *world, _ *queued) *queued { return w.message("b", text("n_1", "sms", "")) }, sms: 2,
			end: "sent"},
		{name: "redriven under its old id", then: func(w *world, first *queued) *queued {
			first.msg.Attributes["DeadLetterQueueSourceArn"] = "arn"
			first.msg.Attributes["ApproximateFirstReceiveTimestamp"] = strconv.FormatInt(w.now.UnixMilli(), 10)
			first.receives = 1
			return first
		}, sms: 2, end: "sent"},
		{name: "a twin that was there before", then: func(w *world, first *queued) *queued {
			q := w.message("b", text("n_1", "sms", ""))
			q.msg.Attributes["SentTimestamp"] = first.msg.Attributes["SentTimestamp"]
			return q
		}, sms: 1, end: "parked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.answers["sms"] = unknown
			first := w.message("a", text("n_1", "sms", ""))
			if end := w.run(first); end != "parked" || w.count("sms") != 1 {
				t.Fatalf("at first: %s, %d SMS", end, w.count("sms"))
			}
			w.advance(time.Minute)
			second := c.then(w, first)
			if end := w.run(second); end != c.end || w.count("sms") != c.sms {
				t.Errorf("then: %s, %d SMS in all: %s", end, w.count("sms"), w.story("n_1", second))
			}
		})
	}
}

// TestReplayOfWhatWasSent: nobody's replay sends an SMS again that was taken, however
// long ago.
func TestReplayOfWhatWasSent(t *testing.T) {
	t.Parallel()
	for _, later := range []time.Duration{time.Second, time.Hour} {
		w := newWorld(t)
		if end := w.run(w.message("a", text("n_1", "sms", ""))); end != "sent" {
			t.Fatal(end)
		}
		w.advance(later)
		q, policy := w.message("b", text("n_1", "sms", "")), "replay"
		q.msg.MessageAttributes = map[string]events.SQSMessageAttribute{"efferent-retry": {StringValue: &policy}}
		if end := w.run(q); end != "sent" || w.count("sms") != 1 {
			t.Errorf("replayed %v later: %s, %d SMS in all: %s", later, end, w.count("sms"), w.story("n_1", q))
		}
	}
}

// TestReplayWhileItIsSent: a replay is no consent to a second SMS while who has the
// first in hand may be at work.
func TestReplayWhileItIsSent(t *testing.T) {
	t.Parallel()
	for ago, want := range map[time.Duration]int{holderTime - time.Second: 0, holderTime: 1} {
		w := newWorld(t)
		_ = w.store.PutClaim(t.Context(), claim.Claim{Queue: smsClaims, ItemID: hashOf("", "n_1", "+46701234567"), Act: sending,
			Actor: "another", Token: "t", At: w.now.Add(-ago), Until: w.now.Add(claim.Retention)})
		q, policy := w.message("b", sms("n_1", "", "+46701234567")), "replay"
		q.msg.MessageAttributes = map[string]events.SQSMessageAttribute{"efferent-retry": {StringValue: &policy}}
		if w.receive(w.handler(), q); w.count("sms") != want {
			t.Errorf("%v after it was claimed: %d SMS: %s", ago, w.count("sms"), w.story("n_1", q))
		}
	}
}

// TestDiedWithoutAHandler: the holder of the claim died and its message reached
// the dead-letter queue before anybody could park it. A replay by Efferent is
// consent; what can't be told from an automatic redelivery is not.
func TestDiedWithoutAHandler(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"replay": 2, "": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fault["send"] = on(1, crashAfter)
			w.receive(w.handler(), w.message("a", text("n_1", "sms", "")))
			w.advance(time.Hour)
			q := w.message("b", text("n_1", "sms", ""))
			if name != "" {
				q.msg.MessageAttributes = map[string]events.SQSMessageAttribute{"efferent-retry": {StringValue: &name}}
			}
			end := w.run(q)
			if w.count("sms") != want || (end == "sent") != (want == 2) {
				t.Errorf("%s, %d SMS: %s", end, w.count("sms"), w.story("n_1", q))
			}
		})
	}
}

// TestManyReplaysOneSMS: of several handlers that have consent one sends.
func TestManyReplaysOneSMS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["sms"] = []channel.Outcome{{Class: channel.Unknown, Reason: "503"}, {}}
	w.run(w.message("a", text("n_1", "sms", "")))
	w.advance(time.Minute)
	h := w.handler()
	var all sync.WaitGroup
	for range 16 {
		q := w.message("b", text("n_1", "sms", ""))
		q.msg.Attributes["ApproximateReceiveCount"] = "1"
		all.Go(func() {
			_, _ = h.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{q.msg}})
		})
	}
	all.Wait()
	if n := w.count("sms"); n != 2 {
		t.Errorf("%d SMS in all, want the first and one more", n)
	}
}

// TestAClaimThatWasKeptAllTheSame: what the store kept although it said otherwise
// does not keep its own message from being sent.
func TestAClaimThatWasKeptAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fault["claim"] = on(1, failsButKeeps)
	q := w.message("a", text("n_1", "sms", ""))
	if end := w.run(q); end != "sent" || w.count("sms") != 1 {
		t.Errorf("%s after %d SMS: %s", end, w.count("sms"), w.story("n_1", q))
	}
}

// TestASentSMSIsSettled: nobody may take, drop or abandon its claim any more.
func TestASentSMSIsSettled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.message("a", sms("n_1", "", "+46701234567")))
	claims, err := w.store.ClaimsOn(t.Context(), smsClaims, []string{hashOf("", "n_1", "+46701234567")})
	if err != nil || len(claims) != 1 || !claims[0].Settled || claims[0].Act != wasSent {
		t.Errorf("got %+v, %v", claims, err)
	}
}

// TestParkedByItself: a message that is received again is no consent to a second
// SMS, also where its records are gone.
func TestParkedByItself(t *testing.T) {
	t.Parallel()
	for _, carried := range []message.Carried{{}, {Attempts: 2, Base: 2, Retry: "replay", Released: newWorld(t).now}} {
		w := newWorld(t)
		q := w.message("a", sms("n_1", "", "+46701234567"))
		q.carries(carried)
		_ = w.store.PutClaim(t.Context(), claim.Claim{Queue: smsClaims, ItemID: hashOf("", "n_1", "+46701234567"), Act: parked,
			Actor: q.msg.MessageId, Token: "t", At: w.now.Add(-time.Hour), Until: w.now.Add(claim.Retention)})
		q.receives = 1
		if end := w.run(q); end != "parked" || w.count("sms") != 0 {
			t.Errorf("with %+v: %s after %d SMS: %s", carried, end, w.count("sms"), w.story("n_1", q))
		}
	}
}
