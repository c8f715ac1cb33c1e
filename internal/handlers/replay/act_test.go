package replay

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/ledger"
)

func path(more string) string { return "/api/v1/dlq/" + queueName + more }

func TestReplayOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, id, carries string
	}{
		{"the producer gave an id", "evt_1", "evt_1"},
		{"the producer gave none", "", "m00025"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for n := range 40 {
				id := ""
				if n == 25 {
					id = c.id
				}
				w.park(n, id, "acme")
			}
			body := w.letters["m00025"].msg.Body
			w.letters["m00025"].msg.Attributes["AWSTraceHeader"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
			w.record(attempt.Record{WebhookID: c.carries, MessageID: "m00025", Attempt: 1, At: start.Add(-time.Hour),
				Verdict: attempt.Retryable})
			got := get[Started](w, "POST", path("/replay/m00025"), "").Task
			got.Examined = 0
			want := Task{Kind: KindItem, Queue: queueName, Status: deadletter.Completed, Moved: 1, ItemID: "m00025", WebhookID: c.carries,
				MessageID: "new1"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			wantSent := []sent{{body, map[string]string{"efferent-id": c.carries, "efferent-origin": "m00025", "efferent-retry": "replay",
				"efferent-attempts": "4", "efferent-base": "4", "efferent-released": "2026-11-24T08:00:00Z",
				"efferent-trace": "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"}}}
			if diff := cmp.Diff(wantSent, w.sent, cmp.AllowUnexported(sent{})); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			if n := len(strings.Fields(w.visible())); n != 39 || strings.Contains(w.visible(), "m00025") {
				t.Errorf("%d are visible after it, want all 39 others", n)
			}
			if e := w.entries; len(e) != 1 || e[0].Action != "dlq.replay" || e[0].Actor != "ann" || e[0].WebhookID != c.carries ||
				e[0].Resource != ledger.NewRedactor([]byte("2026-11"), false).DeadLetter(queueName, "https://a.test/m00025") ||
				e[0].Tenant != "acme" || !e[0].Timestamp.Equal(start) {
				t.Errorf("the ledger has %+v", e)
			}
			if order := acts(w.log); order != "take audit send settle delete forget" {
				t.Errorf("the order was %s", order)
			}
		})
	}
}

// acts are the operations of a log that change something, but for giving back.
func acts(log []string) string {
	var order []string
	for _, op := range log {
		if strings.Contains("take audit send settle delete forget drop", op) {
			order = append(order, op)
		}
	}
	return strings.Join(order, " ")
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.park(1, "evt_1", "acme")
	w.park(2, "evt_2", "acme")
	if out := w.ask("DELETE", path("/"+id), ""); out.Code != http.StatusNoContent || out.Body.Len() != 0 {
		t.Errorf("got %d %s", out.Code, out.Body)
	}
	if w.visible() != "m00002" || len(w.sent) != 0 {
		t.Errorf("left are %s, sent %v", w.visible(), w.sent)
	}
	if order := acts(w.log); order != "take audit settle delete forget" || w.entries[0].Action != "dlq.discard" {
		t.Errorf("the order was %s, the ledger has %+v", order, w.entries)
	}
}

// TestFaults goes through every step of an act and every way for it to go
// wrong, and shows after each that nothing is lost, that nobody sends twice but
// where a crash cut the sending itself, and that asking again makes it good.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, act := range []string{deadletter.Replay, deadletter.Discard} {
		for _, op := range []string{"receive", "history", "take", "audit", "send", "settle", "delete", "forget", "drop", "show", "turn",
			"leave"} {
			for f, name := range map[fault]string{fails: "fails", failsButKeeps: "fails but persisted", crash: "crash before",
				crashAfter: "crash after"} {
				if act == deadletter.Discard && op == "send" {
					continue
				}
				t.Run(act+"/"+op+"/"+name, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					id := w.park(1, "evt_1", "acme")
					w.park(2, "evt_2", "acme")
					w.advance(time.Second)
					w.fault[op] = on(1, f)
					request := func() int { return w.ask("POST", path("/replay/"+id), "").Code }
					if act == deadletter.Discard {
						request = func() int { return w.ask("DELETE", path("/"+id), "").Code }
					}
					first := request()
					w.dead = false
					safe := func(when string) {
						t.Helper()
						if w.letters[id] == nil && len(w.sent) == 0 && act == deadletter.Replay {
							t.Fatalf("%s it is lost", when)
						}
						if len(w.sent) > 0 && act == deadletter.Discard {
							t.Fatalf("%s a discarded item was sent", when)
						}
					}
					safe("after the fault")
					w.advance(claimTime + time.Second) // what was hidden shows, and claims lapse
					second := request()
					safe("after the second request")
					most := 1
					if op == "send" && (f == failsButKeeps || f == crashAfter) || op == "settle" && (f == crash) {
						most = 2
					}
					if len(w.sent) > most {
						t.Errorf("sent %d times, want %d at most", len(w.sent), most)
					}
					if w.letters[id] != nil {
						t.Errorf("answered %d, then %d, and it is still in the queue", first, second)
					}
					if most > 1 {
						return
					}
					if first < 300 && second != http.StatusNotFound || first >= 300 && second >= 300 && second != http.StatusNotFound {
						t.Errorf("answered %d, then %d", first, second)
					}
					if w.advance(hideTime); w.visible() != "m00002" {
						t.Errorf("left are %q, want the other item", w.visible())
					}
				})
			}
		}
	}
}

// TestAtOnce has many ask for the same item: one acts, and the others are told
// so or that it is gone.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 30 {
		w.park(n, "", "acme")
	}
	w.pause = time.Millisecond // many wait at once, on one clock
	routes := w.handler().Routes()
	codes := make([]int, 16)
	var all sync.WaitGroup
	for i := range codes {
		all.Go(func() {
			out := httptest.NewRecorder()
			method, p := "POST", path("/replay/m00011")
			if i%4 == 3 {
				method, p = "DELETE", path("/m00011")
			}
			routes.ServeHTTP(out, httptest.NewRequest(method, p, nil))
			codes[i] = out.Code
		})
	}
	all.Wait()
	acted := 0
	for _, code := range codes {
		switch code {
		case http.StatusAccepted, http.StatusNoContent:
			acted++
		case http.StatusConflict, http.StatusNotFound:
		default:
			t.Errorf("one was answered %d", code)
		}
	}
	if acted != 1 || len(w.sent) > 1 || len(w.entries) != 1 {
		t.Errorf("%d acted, sent %d, recorded %d: %v", acted, len(w.sent), len(w.entries), codes)
	}
	if n := len(strings.Fields(w.visible())); n != 29 {
		t.Errorf("%d are visible, want the 29 others", n)
	}
}

func TestWhatCanNotBeDone(t *testing.T) {
	t.Parallel()
	claim := func(settled bool, act string) func(*world) {
		return func(w *world) {
			w.claim(claim.Claim{ItemID: "m00001", Act: act, Actor: "bob", At: start.Add(time.Second), Until: start.Add(time.Hour),
				Settled: settled})
		}
	}
	gone := func(w *world) { delete(w.letters, "m00001") }
	for _, c := range []struct {
		name   string
		setup  func(*world)
		status int
		says   string
	}{
		{"unknown item", gone, 404, "there is no item m00001 in webhook-failures"},
		{"replayed already", func(w *world) { gone(w); claim(true, "replay")(w) }, 404, "was replayed at 2026-11-24T08:00:01Z by bob"},
		{"discarded already", func(w *world) { gone(w); claim(true, "discard")(w) }, 404, "was discarded at"},
		{"replayed, and not deleted", claim(true, "replay"), 404, "was replayed at"},
		{"held by another", claim(false, "replay"), 409, "held by bob"},
		{"held by another, and hidden", func(w *world) { claim(false, "discard")(w); w.letters["m00001"].visibleAt = start.Add(time.Hour) }, 409,
			"held by bob"},
		{"hidden by another's search", func(w *world) { w.letters["m00001"].visibleAt = start.Add(time.Hour) }, 409, "somebody else holds"},
		{"another's search ends", func(w *world) { w.letters["m00001"].visibleAt = start.Add(5 * time.Second) }, 202, ""},
		{"too large", func(w *world) { w.letters["m00001"].msg.Body = `{"id":"too-large"}` }, 422, "too large to carry"},
		{"the audit queue is down", func(w *world) { w.fault["audit"] = on(1, fails) }, 503,
			"nothing was done: the audit queue can't be written; try again"},
		{"the queue is down", func(w *world) { w.fault["receive"] = on(1, fails) }, 503, "the queue can't be read"},
		{"the claims are down", func(w *world) { w.fault["take"] = on(1, fails) }, 503, "can't be claimed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.park(1, "evt_1", "acme")
			w.park(2, "evt_2", "acme")
			w.advance(500 * time.Millisecond)
			c.setup(w)
			out := w.ask("POST", path("/replay/m00001"), "")
			if out.Code != c.status || !strings.Contains(out.Body.String(), c.says) {
				t.Errorf("got %d %s, want %d and %q", out.Code, out.Body, c.status, c.says)
			}
			if !strings.Contains(w.visible(), "m00002") {
				t.Error("the other item was not given back")
			}
		})
	}
}

// TestStaleClaim: a move task on LocalStack keeps the message's id, so that
// what was replayed once can come here again.
func TestStaleClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.park(1, "evt_1", "acme")
	w.claim(claim.Claim{ItemID: id, Act: deadletter.Replay, At: start.Add(-time.Hour), Settled: true})
	get[Started](w, "POST", path("/replay/"+id), "")
	if len(w.sent) != 1 || w.visible() != "" {
		t.Errorf("sent %v, left %s", w.sent, w.visible())
	}
}

// TestUnfinished: a search that does not come to an end in the time of one
// request goes on with the next, and gives everything back at last.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, method, path, wanted string }{
		{"replay", "POST", path("/replay/m00099"), "202"},
		{"discard", "DELETE", path("/m00099"), "204"},
		{"unknown", "POST", path("/replay/nobody"), "404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for n := range 100 {
				w.park(n, "", "acme")
			}
			w.fault["receive"] = func(int) fault { w.now = w.now.Add(2 * time.Second); return works }
			cursor, answers := "", ""
			for range 4 {
				out := w.ask(c.method, c.path+"?cursor="+cursor, "")
				if answers = fmt.Sprint(out.Code); out.Code != http.StatusAccepted {
					break
				}
				if cursor = cursorOf(t, out); cursor == "" {
					break
				}
			}
			if answers != c.wanted {
				t.Errorf("at last it was answered %s, want %s", answers, c.wanted)
			}
			w.advance(hideTime)
			if n := len(strings.Fields(w.visible())) + len(w.entries); n != 100 {
				t.Errorf("%d are left", n)
			}
		})
	}
}

// TestNewRefuses: a handler is not made without each of its needs, those of its
// queues too.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(*Needs){
		"Claims": func(n *Needs) { n.Claims = nil }, "Caller": func(n *Needs) { n.Caller = nil }, "Queues": func(n *Needs) { n.Queues = nil },
		"Moves": func(n *Needs) { n.Queues[1].Moves = nil },
	} {
		n := newWorld(t).handler().Needs
		forget(&n)
		if h, err := New(n); err == nil || h != nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
