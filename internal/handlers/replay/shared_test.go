package replay

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
)

// shareAnID parks letters m1 to m5 under one webhook-id: an event for endpoints
// of two tenants, to one of which the producer has sent it twice. The nth was
// tried n times, and last n seconds after the start.
func shareAnID(w *world) (ids []string) {
	for i, kind := range []string{"acme/a", "acme/b", "acme/b", "beta/a", "beta/c"} {
		n, id := i+1, fmt.Sprint("m", i+1)
		tenant, path, _ := strings.Cut(kind, "/")
		url := "https://a.test/" + path
		w.letters[id] = &parkedLetter{msg: events.SQSMessage{
			MessageId: id, ReceiptHandle: "r-" + id, Attributes: map[string]string{"SentTimestamp": "1"},
			Body: `{"id":"evt","url":"` + url + `","secret":"efferent/webhooks/a","event_type":"e","tenant":"` + tenant + `","body":1}`,
		}}
		for k := range n {
			r := attempt.Record{WebhookID: "evt", Origin: id, MessageID: id, Attempt: k + 1, URL: url, EventType: "e", Tenant: tenant,
				At: start.Add(time.Duration(n)*time.Second - time.Duration(n-k-1)*time.Hour), Status: 500 + n, Verdict: attempt.Retryable}
			if k+1 == n {
				r.Verdict, r.Reason = attempt.Exhausted, fmt.Sprint("the ", n)
			}
			w.record(r)
		}
		ids = append(ids, id)
	}
	w.advance(time.Minute)
	return ids
}

// comeBack has what was replayed refused again, and in the queue: its new id is
// new1 and so on, and SQS's clock is behind ours.
func (w *world) comeBack(behind time.Duration) {
	for i, s := range w.sent {
		id := fmt.Sprint("new", i+1)
		if _, known := w.letters[id]; known {
			continue
		}
		w.letters[id] = &parkedLetter{msg: events.SQSMessage{MessageId: id, ReceiptHandle: "r-" + id, Body: s.body,
			Attributes:        map[string]string{"SentTimestamp": strconv.FormatInt(w.now.Add(-behind).UnixMilli(), 10)},
			MessageAttributes: map[string]events.SQSMessageAttribute{}}}
		for name, value := range s.attributes {
			w.letters[id].msg.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
		}
		made, _ := strconv.Atoi(s.attributes["efferent-attempts"])
		w.record(attempt.Record{WebhookID: "evt", Origin: s.attributes["efferent-origin"], MessageID: id, Attempt: made + 1, At: w.now,
			URL: ReadWebhook(s.body).URL, EventType: "e", Tenant: ReadWebhook(s.body).Tenant, Status: 404, Verdict: attempt.Permanent,
			Reason: "again"})
	}
}

// TestSharedIDs: each letter has its own attempts, in the list, in the queue, and
// when it is shown.
func TestSharedIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := shareAnID(w)
	for _, source := range []string{"index", "queue"} {
		got, page := listed(w, "&source="+source)
		if got != "m5 m4 m3 m2 m1" || w.store.Forgotten() > 0 {
			t.Fatalf("%s: listed are %q; %d were forgotten", source, got, w.store.Forgotten())
		}
		for i, item := range page.Items {
			n := 5 - i
			want := Item{ItemID: ids[n-1], WebhookID: "evt", EventType: "e", URL: item.URL, Tenant: item.Tenant, Reason: fmt.Sprint("the ", n),
				LastStatus: 500 + n, Attempts: n, LastAt: start.Add(time.Duration(n) * time.Second)}
			want.FirstAt = want.LastAt.Add(-time.Duration(n-1) * time.Hour)
			if item != want || item.URL != ReadWebhook(w.letters[item.ItemID].msg.Body).URL {
				t.Errorf("%s: got %+v, want %+v", source, item, want)
			}
			if shown := get[Letter](w, "GET", path("/"+item.ItemID), ""); shown.Item != item || len(shown.Attempts) != n ||
				slices.ContainsFunc(shown.Attempts, func(r attempt.Record) bool { return r.MessageID != item.ItemID }) {
				t.Errorf("shown is %+v", shown)
			}
		}
	}
	if reads := w.calls["history"]; reads > 1+5+2*5 { // the list's one, the queue's five, and those shown
		t.Errorf("the histories were read %d times", reads)
	}
}

// TestActsOnOneOfManyThatShareAnID: that one is discarded or replayed, and no
// other; what was replayed and fails again is listed with all of its attempts.
func TestActsOnOneOfManyThatShareAnID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shareAnID(w)
	if out := w.ask("DELETE", path("/m2"), ""); out.Code != http.StatusNoContent || len(w.entries) != 1 || w.entries[0].MessageID != "m2" {
		t.Errorf("discarded: %d %s, %+v", out.Code, out.Body, w.entries)
	}
	get[Started](w, "POST", path("/replay/m4"), "")
	if got, _ := listed(w, ""); got != "m5 m3 m1" || w.visible() != "m1 m3 m5" {
		t.Errorf("listed are %s of %s", got, w.visible())
	}
	for name, want := range map[string]string{"efferent-origin": "m4", "efferent-id": "evt", "efferent-attempts": "4"} {
		if got := w.sent[0].attributes[name]; got != want {
			t.Errorf("the replayed one carries %s %q, want %q", name, got, want)
		}
	}
	w.advance(time.Second)
	w.comeBack(0)
	got, page := listed(w, "")
	if got != "new1 m5 m3 m1" || page.Items[0].Attempts != 5 || !page.Items[0].FirstAt.Equal(start.Add(4*time.Second-3*time.Hour)) {
		t.Errorf("listed are %s, the first as %+v", got, page.Items)
	}
	if shown := get[Letter](w, "GET", path("/new1"), ""); len(shown.Attempts) != 5 || shown.Item != page.Items[0] {
		t.Errorf("shown are %d attempts of %+v", len(shown.Attempts), shown.Item)
	}
	get[Started](w, "POST", path("/replay/new1"), "")
	if a := w.sent[1].attributes; a["efferent-origin"] != "m4" || a["efferent-attempts"] != "5" {
		t.Errorf("replayed again it carries %v", a)
	}
}

// TestListAndReplayAgree: under every filter a replay takes what the list lists,
// each once.
func TestListAndReplayAgree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, filter, want string }{
		{"tenant=acme", `{"tenant":"acme"}`, "m1 m2 m3"},
		{"tenant=beta", `{"tenant":"beta"}`, "m4 m5"},
		{"url_prefix=https://a.test/b", `{"url_prefix":"https://a.test/b"}`, "m2 m3"},
		{"reason=the+3", `{"reason":"the 3"}`, "m3"},
		{"event_type=e", `{"event_type":"e"}`, "m1 m2 m3 m4 m5"},
		{"since=2026-11-24T08:00:02Z&until=2026-11-24T08:00:04Z", `{"since":"2026-11-24T08:00:02Z","until":"2026-11-24T08:00:04Z"}`, "m2 m3"},
	} {
		t.Run(c.query, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			shareAnID(w)
			got, _ := listed(w, "&"+c.query)
			all := strings.Fields(got)
			slices.Sort(all)
			if strings.Join(all, " ") != c.want {
				t.Errorf("listed are %v, want %s", all, c.want)
			}
			get[Started](w, "POST", path("/replay"), c.filter)
			var origins []string
			for _, s := range w.sent {
				origins = append(origins, s.attributes["efferent-origin"])
			}
			slices.Sort(origins)
			if strings.Join(origins, " ") != c.want {
				t.Errorf("replayed are %v, want %s", origins, c.want)
			}
			if got, _ := listed(w, "&"+c.query); got != "" {
				t.Errorf("after it %s are listed", got)
			}
		})
	}
}

// TestFilterReplaysOneMessageOnce: what it replayed is refused at once, and comes
// back while the walk is under way, whatever SQS's clock shows.
func TestFilterReplaysOneMessageOnce(t *testing.T) {
	t.Parallel()
	for _, behind := range []time.Duration{0, time.Millisecond, 10 * time.Second} {
		t.Run(behind.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			shareAnID(w)
			w.advance(900 * time.Microsecond) // of a millisecond that SQS cuts
			w.fault["delete"] = func(n int) fault {
				if n < 50 { // a walk that replays its own again and again is to end
					w.comeBack(behind)
				}
				return works
			}
			task := get[Started](w, "POST", path("/replay"), `{"event_type":"e"}`).Task
			if task.Moved != 5 || len(w.sent) != 5 || task.Status != deadletter.Completed || len(w.letters) != 5 {
				t.Errorf("sent %d, %d are in the queue: %+v", len(w.sent), len(w.letters), task)
			}
			w.advance(time.Second)
			w.fault = nil
			if task = get[Started](w, "POST", path("/replay"), `{"event_type":"e"}`).Task; task.Moved != 5 || len(w.sent) != 10 {
				t.Errorf("the next replay: sent %d: %+v", len(w.sent), task)
			}
		})
	}
}

// TestOriginsFromBefore: letters and records from before there were origins, and
// a handler that is not yet of this version.
func TestOriginsFromBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.park(1, "evt", "acme")
	old := attempt.Record{WebhookID: "evt", MessageID: "m00001", Attempt: 5, At: start.Add(time.Second), URL: "u", Tenant: "acme", Status: 500,
		Verdict: attempt.Exhausted, Reason: "old"}
	w.record(old)
	w.claim(claim.Claim{ItemID: "m00001", At: start.Add(-time.Second), Settled: true})
	got, page := listed(w, "")
	if got != "m00001" || page.Items[0].Attempts != 2 || page.Items[0].LastStatus != 500 {
		t.Errorf("listed are %s, %+v", got, page.Items)
	}
	origin := "m00000"
	w.letters["m00001"].msg.MessageAttributes = map[string]events.SQSMessageAttribute{"efferent-origin": {StringValue: &origin}}
	if shown := get[Letter](w, "GET", path("/m00001"), ""); len(shown.Attempts) != 2 || shown.Item.LastStatus != 500 {
		t.Errorf("shown are %+v", shown)
	}
}
