package replay

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/waiting"
)

// act makes a request that lets go of what waits.
func (w *world) act(verb, body string) Task {
	w.t.Helper()
	return get[Started](w, "POST", "/api/v1/waiting/"+verb, body).Task
}

// steps are the operations of a log, but for asking.
func steps(log []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(log), func(op string) bool { return op == "page" }), ", ")
}

func TestReleaseOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	four(w)
	got := w.act("release", `{"item_id":"w003-3"}`)
	want := Task{Kind: KindItem, Status: deadletter.Completed, StartedAt: start, Moved: 1, Examined: 4, ItemID: "w003-3", WebhookID: "evt_3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantSent := []sent{{`{"url":"https://a.test/other?t=1","secret":"s","event_type":"e","tenant":"beta","body":1}`, map[string]string{
		"queue": "webhooks", "group": "beta", "own": "o", "efferent-id": "evt_3", "efferent-origin": "origin", "efferent-attempts": "3",
		"efferent-first": "2026-11-24T07:00:00Z", "efferent-released": "2026-11-24T08:00:00Z"}}}
	if diff := cmp.Diff(wantSent, w.sent, cmp.AllowUnexported(sent{})); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	resource := ledger.NewRedactor([]byte("2026-11"), false).DeadLetter("webhooks", "https://a.test/other")
	wantEntries := []ledger.Entry{{Action: "waiting.release", Actor: "ann", ID: "w003-3", MessageID: "w003", WebhookID: "evt_3",
		Resource: resource, Tenant: "beta", Timestamp: start}}
	if diff := cmp.Diff(wantEntries, w.entries); diff != "" {
		t.Errorf("the ledger (-want +got):\n%s", diff)
	}
	if w.inRoom() != "w001 w002 w003:sent w004" || steps(w.log) != "audit, lease, enter, send, settle as sent, unlease" {
		t.Errorf("the room has %s after %s", w.inRoom(), steps(w.log))
	}
}

func TestDropOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	four(w)
	for _, id := range []string{"w003-3", "w004-3"} {
		if got := w.act("drop", `{"item_id":"`+id+`"}`); got.Moved != 1 || got.Status != deadletter.Completed {
			t.Errorf("got %+v", got)
		}
	}
	if w.inRoom() != "w001 w002 w003:dropped w004:dropped" || len(w.sent) != 0 ||
		!strings.HasPrefix(steps(w.log), "audit, lease, enter, record, settle as dropped, unlease, ") {
		t.Errorf("the room has %s after %s", w.inRoom(), steps(w.log))
	}
	for n, want := range []attempt.Record{
		{WebhookID: "evt_3", MessageID: "w003", URL: "https://a.test/other?t=1", EventType: "e"},
		{WebhookID: "evt_4", MessageID: "w004", Notification: true, Channel: "email"},
	} {
		want.Attempt, want.At, want.Tenant, want.Origin = 4, start, "beta", "origin"
		want.Verdict, want.Dropped, want.Reason = attempt.Permanent, true, "dropped from the waiting room by ann"
		shown := get[Delivery](w, "GET", "/api/v1/deliveries/"+want.WebhookID, "").Attempts
		if diff := cmp.Diff([]attempt.Record{want}, shown); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
		if w.entries[n].Action != "waiting.drop" {
			t.Errorf("the ledger has %+v", w.entries[n])
		}
	}
	if w.entries[1].Resource != "queue=notifications, channel=email" {
		t.Errorf("the ledger has %+v", w.entries[1])
	}
	if got, _ := listed(w, ""); got != "" {
		t.Errorf("dead letters are %s", got)
	}
}

// TestActByFilter: an act takes what the list under the same filter shows, and
// nothing else.
func TestActByFilter(t *testing.T) {
	t.Parallel()
	for _, c := range waitingFilters {
		for verb, state := range map[string]waiting.State{"release": waiting.Sent, "drop": waiting.Dropped} {
			t.Run(verb+c.body, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				four(w)
				task := w.act(verb, c.body)
				var did []string
				for _, i := range w.store.Room() {
					if i.State == state {
						did = append(did, i.MessageID)
					}
				}
				if strings.Join(did, " ") != c.want || int(task.Moved) != len(did) || task.Kind != KindFilter ||
					task.Status != deadletter.Completed || task.Examined != 4 || len(w.entries) != len(did) {
					t.Errorf("it did it to %v, and says %+v", did, task)
				}
			})
		}
	}
}

// TestActInParts: where the time of one request is not enough the next goes on,
// and what comes into the room meanwhile, such as what was released and failed
// again, is not meant.
func TestActInParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 120 {
		w.wait(n+1, "acme", "a.test", waiting.Delay)
	}
	w.fault["page"] = func(int) fault { w.now = w.now.Add(passTime); return works }
	var sum Task
	requests := 0
	for body := `{"tenant":"acme"}`; ; requests++ {
		task := w.act("release", body)
		sum.Moved, sum.Examined = sum.Moved+task.Moved, sum.Examined+task.Examined
		if task.Status == deadletter.Completed {
			break
		}
		if task.Status != deadletter.Running || task.Cursor == "" || !task.StartedAt.Equal(start) || requests > 5 {
			t.Fatalf("got %+v", task)
		}
		w.wait(1000-requests, "acme", "a.test", waiting.Delay)
		last := w.store.Room()[len(w.store.Room())-1]
		last.MessageID, last.Since = fmt.Sprint("late", requests), w.now
		if _, err := w.store.Enter(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		body = `{"tenant":"acme","cursor":"` + task.Cursor + `"}`
	}
	if requests < 2 || len(w.sent) != 120+requests || int(sum.Moved) != len(w.sent) || strings.Contains(w.inRoom(), "late0:") {
		t.Errorf("%d requests sent %d: %+v", requests+1, len(w.sent), sum)
	}
}

// TestActWhileAnotherIsThere: what is due is being sent by the clock.
func TestActWhileAnotherIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	four(w)
	taken := w.store.Room()[1]
	if _, err := w.store.Lease(t.Context(), taken.Place(), "the clock", start, start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if out := w.ask("POST", "/api/v1/waiting/drop", `{"item_id":"`+taken.ID()+`"}`); out.Code != http.StatusConflict {
		t.Errorf("of one: %d %s", out.Code, out.Body)
	}
	task := w.act("drop", `{"all":true}`)
	if task.Moved != 3 || task.Failed != 1 || task.Status != deadletter.Completed ||
		!strings.Contains(task.Reason, "try again in two minutes") {
		t.Errorf("of all: %+v", task)
	}
	if records, _ := w.store.OfWebhook(t.Context(), taken.WebhookID); len(records) > 0 {
		t.Errorf("what was not dropped has the record %+v", records)
	}
	w.advance(time.Minute)
	if task = w.act("drop", `{"all":true}`); task.Moved != 1 || task.Failed != 0 {
		t.Errorf("later: %+v", task)
	}
}

// TestActOnWhatIsGone: the list may lag behind what was sent.
func TestActOnWhatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	four(w)
	w.fault["lease"] = func(int) fault {
		for _, i := range w.store.Room() {
			if i.MessageID != "w004" {
				_ = w.store.Settle(t.Context(), []waiting.Item{i}, waiting.Sent)
			}
		}
		return works
	}
	if out := w.ask("POST", "/api/v1/waiting/release", `{"item_id":"w002-3"}`); out.Code != http.StatusNotFound {
		t.Errorf("of one: %d %s", out.Code, out.Body)
	}
	if task := w.act("drop", `{"tenant":"beta"}`); task.Moved != 1 || task.Failed != 0 || len(w.sent) != 0 {
		t.Errorf("of some: %+v", task)
	}
}

// TestWaitingFaults goes through every step of an act and every way for it to go
// wrong. Nothing is done that was not announced; nothing is lost; nothing is sent
// twice but where the process died after the send; and asking again makes it
// good.
func TestWaitingFaults(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"release", "drop"} {
		for _, op := range []string{"page", "audit", "lease", "enter", "record", "send", "settle as sent", "settle as dropped", "unlease"} {
			for f, name := range map[fault]string{fails: "fails", failsButKeeps: "fails but persisted", crash: "crash before",
				crashAfter: "crash after"} {
				t.Run(verb+"/"+op+"/"+name, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					i := w.wait(1, "acme", "a.test", waiting.Delay)
					w.fault[op] = on(1, f)
					w.ask("POST", "/api/v1/waiting/"+verb, `{"all":true}`)
					if w.dead {
						w.exit = newExit(w) // of the next process
					}
					w.dead = false
					if acted := len(w.sent) > 0 || w.inRoom() != "w001"; acted && len(w.entries) == 0 {
						t.Fatal("it was done and not announced")
					}
					w.advance(2 * time.Minute)
					w.ask("POST", "/api/v1/waiting/"+verb, `{"all":true}`)
					records, _ := w.store.OfWebhook(t.Context(), i.WebhookID)
					most := 1
					if op == "send" && (f == failsButKeeps || f == crashAfter) || op == "settle as sent" && f == crash {
						most = 2
					}
					switch verb {
					case "release":
						if w.inRoom() != "w001:sent" || len(w.sent) < 1 || len(w.sent) > most || len(records) > 0 {
							t.Errorf("the room has %s, %d were sent, recorded is %v", w.inRoom(), len(w.sent), records)
						}
					case "drop":
						if w.inRoom() != "w001:dropped" || len(w.sent) > 0 || len(records) != 1 {
							t.Errorf("the room has %s, %d were sent, recorded is %v", w.inRoom(), len(w.sent), records)
						}
					}
				})
			}
		}
	}
}

// TestActBreaksOff: what was done is told, though the rest could not be.
func TestActBreaksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 120 {
		w.wait(n+1, "acme", "a.test", waiting.Delay)
	}
	w.fault["audit"] = on(2, fails)
	task := w.act("release", `{"all":true}`)
	const why = "nothing was done: the audit queue can't be written; what is left waits on"
	if task.Moved != 50 || task.Status != deadletter.Failed || task.Reason != why {
		t.Errorf("got %+v", task)
	}
	w.fault["audit"] = func(int) fault { return fails }
	if out := w.ask("POST", "/api/v1/waiting/release", `{"all":true}`); out.Code != http.StatusServiceUnavailable || len(w.sent) != 50 {
		t.Errorf("got %d %s", out.Code, out.Body)
	}
}

// TestDropOfWhatWasSent: it was sent, though that could not be marked; it is not
// said to be dropped, and to release it again marks it only.
func TestDropOfWhatWasSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.wait(1, "acme", "a.test", waiting.Delay)
	w.fault["settle as sent"] = on(1, fails)
	w.act("release", `{"all":true}`)
	if task := w.act("drop", `{"all":true}`); task.Moved != 0 || w.inRoom() != "w001" {
		t.Errorf("the room has %s after %+v", w.inRoom(), task)
	}
	if records, _ := w.store.OfWebhook(t.Context(), i.WebhookID); len(records) > 0 {
		t.Errorf("it has the record %+v", records)
	}
	if w.act("release", `{"all":true}`); w.inRoom() != "w001:sent" || len(w.sent) != 1 {
		t.Errorf("the room has %s after %d sends", w.inRoom(), len(w.sent))
	}
}
