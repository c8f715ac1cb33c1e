package replay

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/storetest"
)

func listed(w *world, query string) (ids string, page Items) {
	page = get[Items](w, "GET", "/api/v1/dlq?queue="+queueName+query, "")
	var all []string
	for _, i := range page.Items {
		all = append(all, i.ItemID)
	}
	return strings.Join(all, " "), page
}

func TestList(t *testing.T) {
	t.Parallel()
	later := func(id, origin, message string) attempt.Record {
		return attempt.Record{WebhookID: id, Origin: origin, MessageID: message, Attempt: 1, At: start.Add(time.Minute),
			URL: "https://a.test/m00002?t=1", EventType: "e.acme", Tenant: "acme", Verdict: attempt.Delivered}
	}
	moved := func(status string, after time.Duration) func(*world) {
		return func(w *world) { w.moves = []deadletter.Move{{Status: status, Started: start.Add(after)}} }
	}
	empty := func(w *world) { clear(w.letters) }
	for _, c := range []struct {
		name, query string
		setup       func(*world)
		want        string
	}{
		{name: "newest first", want: "m00003 m00002 m00001"},
		{name: "tried again under its origin, and gone", setup: func(w *world) {
			w.record(later("evt_2", "m00002", "other"))
			delete(w.letters, "m00002")
		}, want: "m00003 m00001"},
		{name: "a twin was tried under its origin", setup: func(w *world) { w.record(later("evt_2", "m00002", "other")) },
			want: "m00003 m00002 m00001"},
		{name: "another under its id was tried", setup: func(w *world) { w.record(later("evt_2", "other", "other")) },
			want: "m00003 m00002 m00001"},
		{name: "another under its id was tried, from before there were origins",
			setup: func(w *world) { w.record(later("evt_2", "", "other")) }, want: "m00003 m00002 m00001"},
		{name: "tried again under its message id", setup: func(w *world) {
			r := later("evt_2", "m00002", "m00002")
			r.Attempt = 5
			w.record(r)
		}, want: "m00003 m00001"},
		{name: "tried before", setup: func(w *world) {
			r := later("evt_2", "m00002", "before")
			r.At = start.Add(-time.Hour)
			w.record(r)
		}, want: "m00003 m00002 m00001"},
		{name: "replayed", setup: func(w *world) {
			w.claim(claim.Claim{ItemID: "m00003", At: start.Add(time.Second), Settled: true})
		}, want: "m00002 m00001"},
		{name: "replayed before it failed", setup: func(w *world) {
			w.claim(claim.Claim{ItemID: "m00003", At: start.Add(-time.Second), Settled: true})
		}, want: "m00003 m00002 m00001"},
		{name: "held", setup: func(w *world) {
			w.claim(claim.Claim{ItemID: "m00003", At: start.Add(time.Second), Until: start.Add(time.Hour)})
		}, want: "m00003 m00002 m00001"},
		{name: "a move task has ended", setup: moved(deadletter.Completed, time.Minute), want: ""},
		{name: "a move task runs", setup: moved(deadletter.Running, time.Minute), want: "m00003 m00002 m00001"},
		{name: "a move task was cancelled", setup: moved(deadletter.Cancelled, time.Minute), want: "m00003 m00002 m00001"},
		{name: "a move task has ended before", setup: moved(deadletter.Completed, -time.Minute), want: "m00003 m00002 m00001"},
		{name: "a move task began just after", setup: moved(deadletter.Completed, time.Second), want: "m00003 m00002 m00001"},
		{name: "a move task began just after, and the queue is empty",
			setup: func(w *world) { moved(deadletter.Completed, time.Second)(w); empty(w) }},
		{name: "a move task began just after, and what is there came later", setup: func(w *world) {
			moved(deadletter.Completed, time.Second)(w)
			empty(w)
			w.advance(2 * time.Second)
			w.park(4, "evt_4", "acme")
		}, want: "m00004"},
		{name: "a slow attempt ended just before a move task began", setup: func(w *world) {
			moved(deadletter.Completed, time.Minute)(w)
			delete(w.letters, "m00001")
			delete(w.letters, "m00002")
			slow, _ := w.store.OfWebhook(w.t.Context(), "evt_3")
			slow[0].DurationMS = 40_000
			w.record(slow...)
		}, want: "m00003"},
		{name: "older than the queue keeps", setup: func(w *world) { w.advance(14*24*time.Hour + 2*time.Millisecond) }, want: "m00003 m00002"},
		{name: "by tenant", query: "&tenant=beta", want: "m00003 m00001"},
		{name: "by url", query: "&url_prefix=https://a.test/m00002", want: "m00002"},
		{name: "by reason", query: "&reason=UNAVAILABLE", want: "m00003 m00002 m00001"},
		{name: "by time", query: "&since=2026-11-24T08:00:00.002Z&until=2026-11-24T08:00:00.003Z", want: "m00002"},
		{name: "by event type", query: "&event_type=e.acme", want: "m00002"},
		{name: "the queue itself", query: "&source=queue", want: "m00003 m00002 m00001"},
		{name: "the queue itself, filtered", query: "&source=queue&tenant=acme", want: "m00002"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for n := 1; n <= 3; n++ {
				w.park(n, fmt.Sprint("evt_", n), []string{"acme", "beta"}[n%2])
			}
			before := len(w.letters)
			if c.setup != nil {
				c.setup(w)
				before = len(w.letters)
			}
			got, page := listed(w, c.query)
			if got != c.want || page.ApproximateTotal != before {
				t.Errorf("got %q of %d, want %q of %d", got, page.ApproximateTotal, c.want, before)
			}
			if again, _ := listed(w, c.query); again != got {
				t.Errorf("a second look gives %q", again)
			}
			if len(strings.Fields(w.visible())) != before {
				t.Errorf("after the look only %q are visible", w.visible())
			}
		})
	}
}

// TestListForgets: what was dealt with costs a listing one look, not one for
// ever; what may still be there is not forgotten.
func TestListForgets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 3 {
		w.park(n, fmt.Sprint("evt_", n), "acme")
	}
	w.claim(claim.Claim{ItemID: "m00001", At: start.Add(time.Second), Settled: true})
	listed(w, "")
	if w.store.Forgotten() != 1 {
		t.Errorf("%d failures were forgotten, want the one that was replayed", w.store.Forgotten())
	}
	w.fault["forget"] = func(int) fault { return fails }
	w.store.Remember()
	if got, _ := listed(w, ""); got != "m00002 m00000" {
		t.Errorf("with an index that can't be written: %s", got)
	}
}

// TestGhosts: what failed just before a move task, and is not in the queue, is
// forgotten once SQS must have counted it.
func TestGhosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.park(1, "", "acme")
	w.moves = []deadletter.Move{{Status: deadletter.Completed, Started: start.Add(time.Second)}}
	clear(w.letters)
	if got, _ := listed(w, ""); got != "" || w.store.Forgotten() != 0 {
		t.Errorf("at once: %q, forgotten %v", got, w.store.Forgotten())
	}
	w.advance(countTime + time.Second)
	if got, _ := listed(w, ""); got != "" || w.store.Forgotten() != 1 {
		t.Errorf("later: %q, forgotten %v", got, w.store.Forgotten())
	}
}

// TestPurged: what a purge took, which nothing tells of, is not listed.
func TestPurged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		exact     bool
		after     time.Duration
		more      int // came since
		want      string
		forgotten int
	}{
		"counts that may be too low":       {false, 10 * time.Minute, 0, "m00002 m00001", 0},
		"exact, at once":                   {true, time.Second, 0, "m00002 m00001", 0}, // they may not have arrived yet
		"exact, when it was there":         {true, drainTime + time.Second, 0, "", 2},
		"exact, others came since":         {true, drainTime + time.Second, 1, "m00009", 0},
		"exact, and one was sent by hand ": {true, drainTime + time.Second, 2, "m00009 m00002", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.exact = c.exact
			w.park(1, "evt_1", "acme")
			w.park(2, "evt_2", "acme")
			clear(w.letters)
			w.advance(c.after)
			if c.more > 0 {
				w.park(9, "evt_9", "acme")
			}
			if c.more > 1 {
				w.letters["by hand"] = w.letters["m00009"]
			}
			if got, _ := listed(w, ""); got != c.want || w.store.Forgotten() != c.forgotten {
				t.Errorf("listed %q, %d forgotten", got, w.store.Forgotten())
			}
		})
	}
}

// TestBadUTF8: what of a request is no UTF-8 makes no answer that is no JSON.
func TestBadUTF8(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/api/v1/%ff", "/api/v1/dlq/%ff/x", "/api/v1/dlq/webhook-failures/%ff", "/api/v1/deliveries/%ff",
		"/api/v1/dlq?queue=%ff", "/api/v1/circuits/%ff", "/api/v1/dlq/webhook-failures/tasks/%ff", "/api/v1/audit/proofs/%ff"} {
		w.ask("GET", path, "") // which looks at each problem
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 7, 50, 200} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for n := range 120 {
				w.park(n, fmt.Sprint("evt_", n), "acme")
				if n%3 == 0 { // a third was replayed
					w.claim(claim.Claim{ItemID: fmt.Sprintf("m%05d", n), At: start.Add(time.Hour), Settled: true})
				}
			}
			var all []string
			for cursor, pages := "", 0; ; pages++ {
				ids, page := listed(w, fmt.Sprintf("&limit=%d&cursor=%s", limit, cursor))
				if len(page.Items) > limit || pages > 200 {
					t.Fatalf("%d items on page %d", len(page.Items), pages)
				}
				all = append(all, strings.Fields(ids)...)
				if cursor = page.Cursor; cursor == "" {
					break
				}
			}
			var want []string
			for n := 119; n >= 0; n-- {
				if n%3 != 0 {
					want = append(want, fmt.Sprintf("m%05d", n))
				}
			}
			if strings.Join(all, " ") != strings.Join(want, " ") {
				t.Errorf("got %v", all)
			}
		})
	}
}

// TestQueueShowsWhatDiedWithoutAHandler: the index has no record of it.
func TestQueueShowsWhatDiedWithoutAHandler(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.park(1, "evt_1", "acme")
	w.store = &storetest.Memory{}
	if got, page := listed(w, ""); got != "" || page.ApproximateTotal != 1 {
		t.Errorf("the index has %q of %d", got, page.ApproximateTotal)
	}
	got, page := listed(w, "&source=queue")
	if got != "m00001" || page.Items[0].WebhookID != "evt_1" || !strings.Contains(page.Items[0].Reason, "died without a handler") {
		t.Errorf("the queue has %+v", page.Items)
	}
	if task := get[Started](w, "POST", path("/replay/m00001"), "").Task; task.Moved != 1 || len(w.sent) != 1 {
		t.Errorf("replayed: %+v", task)
	}
}

func TestListFaults(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"moves", "count", "failures", "history", "claims"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.park(1, "evt_1", "acme")
			w.fault[op] = on(1, fails)
			if out := w.ask("GET", "/api/v1/dlq?queue="+queueName, ""); out.Code != 503 {
				t.Errorf("got %d %s", out.Code, out.Body)
			}
		})
	}
}
