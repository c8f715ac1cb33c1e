package notify

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/pace"
)

// returned has a notification taken on its first channel and come back, and gives the
// messages by which as many reports, or one report as often, send it to the next.
func (w *world) returned(first, next channel.Name, several int) (twins []*queued) {
	w.t.Helper()
	w.reports = true
	if w.run(w.message("1", text("n_1", first, `,"fallback":["`+string(next)+`"]`))) != "sent" {
		w.t.Fatal("the first channel was not used")
	}
	r := w.recorded("n_1")[0]
	w.reported(r, attempt.Undelivered, 1)
	kept, _ := w.onwards("n_1", r)
	kept.Item.Carried.Released = w.now
	for n := range several {
		q := w.message(fmt.Sprint("twin", n), kept.Item.Body)
		q.carries(kept.Item.Carried)
		twins = append(twins, q)
	}
	return twins
}

func (w *world) reported(r attempt.Record, state attempt.State, version int) {
	w.t.Helper()
	if err := w.store.PutReport(w.t.Context(), r, attempt.Report{State: state, At: w.now, By: "r", Version: version}); err != nil {
		w.t.Fatal(err)
	}
}

// takeTurns has messages received in turn until each is done with, or dead.
func (w *world) takeTurns(all []*queued) {
	w.t.Helper()
	h, done := w.handler(), map[int]bool{}
	for len(done) < len(all) {
		for n, q := range all {
			if !done[n] && (w.receive(h, q) || q.receives >= maxReceives) {
				done[n] = true
			}
		}
	}
}

// senders are the messages that something was handed over for on a channel, each once.
func (w *world) senders(on channel.Name) string {
	var all []string
	for _, h := range w.calls[on] {
		if id := strings.TrimLeft(h.MessageID, "+"); len(all) == 0 || all[len(all)-1] != id {
			all = append(all, id)
		}
	}
	return strings.Join(all, ", ")
}

var ways = []struct{ first, next channel.Name }{{channel.SMS, channel.Email}, {channel.Email, channel.Slack}, {channel.Email, channel.SMS}}

// TestTwinsAtOnce: of messages to the next channel that several handlers have at the
// same time one is sent.
func TestTwinsAtOnce(t *testing.T) {
	t.Parallel()
	for kind, open := range kinds {
		for _, way := range ways {
			t.Run(fmt.Sprint(kind, " ", way.next), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.store = open(t)
				var all sync.WaitGroup
				for _, q := range w.returned(way.first, way.next, 8) {
					q.msg.Attributes["ApproximateReceiveCount"] = "1"
					all.Go(func() {
						out, err := w.handler().Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{q.msg}})
						if err != nil || len(out.BatchItemFailures) > 0 {
							t.Errorf("%+v, %v", out, err)
						}
					})
				}
				all.Wait()
				if w.count(way.next) != 1 || len(w.recorded("n_1")) != 2 {
					t.Errorf("%d were sent, %d recorded", w.count(way.next), len(w.recorded("n_1")))
				}
			})
		}
	}
}

// TestTwinsAndFaults: whatever fails, and wherever the process dies, one of several goes
// on, and none is lost with it. It may be handed over twice itself, where it could not be
// recorded that it was sent; an SMS never is.
func TestTwinsAndFaults(t *testing.T) {
	t.Parallel()
	for _, way := range ways {
		for _, op := range []string{"claim", "audit", "send", "record", "hide", "history", "list", "turn", "enter", "settle", "drop", "onward"} {
			for call := 1; call <= 4; call++ {
				for f, name := range map[fault]string{fails: "fails", failsButKeeps: "fails but persisted", crash: "crash before",
					crashAfter: "crash after"} {
					t.Run(fmt.Sprintf("%s/%s/%d/%s", way.next, op, call, name), func(t *testing.T) {
						t.Parallel()
						w := newWorld(t)
						twins := w.returned(way.first, way.next, 3)
						w.answers[way.next] = []channel.Outcome{{Class: channel.Transient, Reason: "450"}, {}}
						w.ops, w.fault[op] = map[string]int{}, on(call, f)
						w.takeTurns(twins)
						sent, ends := w.reached[way.next], w.recorded("n_1")
						parked := way.next == channel.SMS && ends[len(ends)-1].Class == string(channel.Unknown)
						if sent < 1 && !parked || way.next == channel.SMS && sent > 1 || strings.Contains(w.senders(way.next), ",") {
							t.Errorf("sent %d times, for %s: %+v", sent, w.senders(way.next), ends)
						}
					})
				}
			}
		}
	}
}

// TestTwinsOfWhatWaits: the one that goes on keeps its right to while it waits for
// another try, or in the waiting room; and where it has come to its end nobody begins
// anew.
func TestTwinsOfWhatWaits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(*world)
		retry   string
		want    int // hand-overs to Slack
	}{
		"for another try":       {func(w *world) { w.answers["slack"] = []channel.Outcome{{Class: channel.Transient}, {}} }, "seed", 2},
		"for a try in the room": {func(w *world) { w.answers["slack"] = []channel.Outcome{{Class: channel.Transient}, {}} }, "patient", 2},
		"for its turn":          {func(w *world) { w.paced("slack", 10*time.Minute) }, "seed", 1},
		"for our own trouble":   {func(w *world) { w.fault["list"] = func(n int) fault { return fault(max(0, min(1, 4-n))) } }, "seed", 1},
		"dead":                  {func(w *world) { w.answers["slack"] = []channel.Outcome{{Class: channel.Permanent}, {}} }, "seed", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			twins := w.returned(channel.Email, channel.Slack, 3)
			for _, q := range twins {
				q.msg.Body = strings.Replace(q.msg.Body, `"retry":"seed"`, `"retry":"`+c.retry+`"`, 1)
			}
			c.prepare(w)
			w.takeTurns(twins)
			if w.count("slack") != c.want || strings.Contains(w.senders("slack"), ",") {
				t.Errorf("handed over %d times, for %s: %+v", w.count("slack"), w.senders("slack"), w.recorded("n_1"))
			}
		})
	}
}

// paced has a channel's turn just taken by others.
func (w *world) paced(on channel.Name, every time.Duration) {
	w.limits[on] = pace.Rate{Interval: every, Burst: 1}
	_, _ = w.Turn(w.t.Context(), string(on), w.limits[on], pace.Wish{Until: w.now.Add(time.Hour)})
}

// TestEachReturnIsClaimedAnew: what comes back from its second channel too goes on to
// the third, by a claim of its own.
func TestEachReturnIsClaimedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.reports = true
	q := w.message("1", text("n_1", channel.Email, `,"fallback":["sms","slack"]`))
	for n, on := range []channel.Name{channel.Email, channel.SMS, channel.Slack} {
		if end := w.run(q); end != "sent" || w.count(on) != 1 {
			t.Fatalf("%s: %s, sent %d", on, end, w.count(on))
		}
		r := w.recorded("n_1")[n]
		w.reported(r, attempt.Bounced, 1)
		if kept, ok := w.onwards("n_1", r); ok {
			if kept.Item.Carried.Claim != "" {
				t.Errorf("after %s it carries the claim %s", on, kept.Item.Carried.Claim)
			}
			kept.Item.Carried.Released = w.now
			q = w.message(fmt.Sprint("after", on), kept.Item.Body)
			q.carries(kept.Item.Carried)
		}
	}
}

// TestCalledSpamMeanwhile: a message that is on its way to the next channel when its
// recipient calls the first one spam goes nowhere, least of all there again.
func TestCalledSpamMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twins := w.returned(channel.Email, channel.Slack, 1)
	w.reported(w.recorded("n_1")[0], attempt.Complained, 2)
	w.takeTurns(twins)
	if w.count("email") != 1 || w.count("slack") != 0 || len(w.recorded("n_1")) != 1 {
		t.Errorf("%d emails, %d to Slack: %+v", w.count("email"), w.count("slack"), w.recorded("n_1"))
	}
}
