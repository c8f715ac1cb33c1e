package replay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/waiting"
)

// four have been waiting, w001 longest not.
func four(w *world) {
	w.wait(1, "acme", "a.test/in", waiting.Delay)
	w.wait(2, "acme", "a.test/in", waiting.Asked)
	w.wait(3, "beta", "a.test/other", waiting.Delay)
	w.wait(4, "beta", "email", waiting.Trouble)
}

// waiters gives the message ids of a list of what waits, in order.
func waiters(w *world, query string) (ids string, page WaitingItems) {
	w.t.Helper()
	page = get[WaitingItems](w, "GET", "/api/v1/waiting"+query, "")
	var all []string
	for _, i := range page.Items {
		all = append(all, i.MessageID)
	}
	slices.Sort(all)
	return strings.Join(all, " "), page
}

// waitingFilters are queries, the same as bodies, and what they take of four.
var waitingFilters = []struct{ query, body, want string }{
	{"queue=webhooks", `{"queue":"webhooks"}`, "w001 w002 w003"},
	{"queue=notifications", `{"queue":"notifications"}`, "w004"},
	{"tenant=beta", `{"tenant":"beta"}`, "w003 w004"},
	{"url_prefix=https://a.test/in", `{"url_prefix":"https://a.test/in"}`, "w001 w002"},
	{"reason=delay", `{"reason":"delay"}`, "w001 w003"},
	{"reason=retry-after", `{"reason":"retry-after"}`, "w002"},
	{"webhook_id=evt_3", `{"webhook_id":"evt_3"}`, "w003"},
	{"tenant=beta&reason=delay", `{"tenant":"beta","reason":"delay"}`, "w003"},
	{"tenant=nobody", `{"tenant":"nobody"}`, ""},
	{"", `{"all":true}`, "w001 w002 w003 w004"},
}

func TestWaitingList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	four(w)
	w.store.Settle(t.Context(), []waiting.Item{w.wait(5, "acme", "a.test/in", waiting.Delay)}, waiting.Sent)
	for _, c := range waitingFilters {
		if got, page := waiters(w, "?"+c.query); got != c.want || page.Cursor != "" {
			t.Errorf("%s: %s, want %s", c.query, got, c.want)
		}
	}
	_, page := waiters(w, "?webhook_id=evt_2")
	want := []WaitingItem{{ItemID: "w002-3", Queue: "webhooks", WebhookID: "evt_2", MessageID: "w002", Origin: "origin", Tenant: "acme",
		URL: "https://a.test/in", Reason: "retry-after", Why: "503", Attempts: 3, Since: start.Add(-2 * time.Minute),
		Due: start.Add(2 * time.Hour)}}
	if diff := cmp.Diff(want, page.Items); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWaitingPages: pages of any length have everything once, whatever the store's
// own pages hold, and a list that takes too long goes on with the next request.
func TestWaitingPages(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 7, 200} {
		for _, slow := range []bool{false, true} {
			t.Run(fmt.Sprint(limit, slow), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				var want []string
				for n := range 450 {
					tenant := []string{"acme", "beta"}[n%2]
					if i := w.wait(n, tenant, "a.test", waiting.Delay); tenant == "acme" {
						want = append(want, i.MessageID)
					}
				}
				if slow {
					w.fault["page"] = func(int) fault { w.now = w.now.Add(listTime); return works }
				}
				var all []string
				for cursor, requests := "", 0; ; requests++ {
					ids, page := waiters(w, fmt.Sprintf("?tenant=acme&limit=%d&cursor=%s", limit, cursor))
					if len(page.Items) > limit || requests > 300 {
						t.Fatalf("%d items in request %d", len(page.Items), requests)
					}
					all = append(all, strings.Fields(ids)...)
					if cursor = page.Cursor; cursor == "" {
						break
					}
				}
				if slices.Sort(all); !slices.Equal(all, want) {
					t.Errorf("listed are %d: %v", len(all), all)
				}
			})
		}
	}
}

func TestWaitingCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	four(w)
	w.wait(6, "acme", "a.test/in", waiting.Delay)
	at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	since := func(n int) time.Time { return start.Add(-time.Duration(n) * time.Minute) }
	want := WaitingCounts{Complete: true, Items: []WaitingCount{
		{"webhooks", "acme", "https://a.test/in", "", "delay", 2, since(6), at(1), at(6)},
		{"notifications", "beta", "", "email", "trouble", 1, since(4), at(4), at(4)},
		{"webhooks", "acme", "https://a.test/in", "", "retry-after", 1, since(2), at(2), at(2)},
		{"webhooks", "beta", "https://a.test/other", "", "delay", 1, since(3), at(3), at(3)},
	}}
	if diff := cmp.Diff(want, get[WaitingCounts](w, "GET", "/api/v1/waiting/counts", "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want.Items = want.Items[3:]
	if diff := cmp.Diff(want, get[WaitingCounts](w, "GET", "/api/v1/waiting/counts?tenant=beta&queue=webhooks", "")); diff != "" {
		t.Errorf("of one tenant (-want +got):\n%s", diff)
	}
}

// TestWaitingCountsInParts: where the time of one request is not enough, the
// counts of several add up.
func TestWaitingCountsInParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 450 {
		w.wait(n, "acme", "a.test", waiting.Delay)
	}
	w.fault["page"] = func(int) fault { w.now = w.now.Add(passTime); return works }
	var sum WaitingCount
	requests := 0
	for cursor := ""; ; requests++ {
		part := get[WaitingCounts](w, "GET", "/api/v1/waiting/counts?cursor="+cursor, "")
		for _, c := range part.Items {
			sum.Add(c)
		}
		if cursor = part.Cursor; part.Complete != (cursor == "") {
			t.Errorf("complete is %v with the cursor %q", part.Complete, cursor)
		}
		if cursor == "" {
			break
		}
	}
	if sum.Count != 450 || requests != 2 || !sum.Since.Equal(start.Add(-449*time.Minute)) || !sum.Until.Equal(start.Add(449*time.Hour)) ||
		!sum.Next.Equal(start) {
		t.Errorf("%d requests gave %+v", requests+1, sum)
	}
}

func TestWaitingIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "?tenat=acme", "", 400, `parameter "tenat": unknown; did you mean "tenant"?`},
		{"GET", "?limit=0", "", 400, "from 1 to 200"},
		{"GET", "?cursor=nonsense", "", 400, "cursor: is not one that this API gave"},
		{"GET", "?queue=webhook-failures", "", 404, `there is no queue "webhook-failures"; there are notifications and webhooks`},
		{"GET", "?reason=503", "", 400, "there are delay, retry-after, trouble, limit"},
		{"GET", "/counts?limit=3", "", 400, `parameter "limit": unknown`},
		{"POST", "/release", "", 400, "the body is empty"},
		{"POST", "/release", "{}", 400, "names nothing"},
		{"POST", "/drop", `{"cursor":"x"}`, 400, "names nothing"},
		{"POST", "/drop", `{"all":false}`, 400, "names nothing"},
		{"POST", "/drop", `{"tenant":""}`, 400, `field "tenant": is empty`},
		{"POST", "/drop", `{"tenat":"acme"}`, 400, `field "tenat": unknown`},
		{"POST", "/drop", `{"all":"yes"}`, 400, `field "all": wrong type`},
		{"POST", "/drop", `[]`, 400, "not a JSON object"},
		{"POST", "/release", `{"all":true,"tenant":"acme"}`, 400, "do not go together"},
		{"POST", "/release", `{"item_id":"w001-3","tenant":"acme"}`, 400, "do not go together"},
		{"POST", "/release", `{"reason":"503"}`, 400, "there are delay"},
		{"POST", "/release", `{"queue":"nobodys"}`, 404, "there is no queue"},
		{"POST", "/release", `{"all":true,"cursor":"!"}`, 400, "cursor: is not one"},
		{"POST", "/release", `{"item_id":"w009-3"}`, 404, "no message waits as item w009-3"},
		{"POST", "/release", `{"item_id":"w001-2"}`, 404, "no message waits as item w001-2"},
		{"GET", "/release", "", 405, "GET is not for /api/v1/waiting/release: use POST"},
	} {
		t.Run(c.method+" "+c.path+c.body, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			four(w)
			if out := w.ask(c.method, "/api/v1/waiting"+c.path, c.body); out.Code != c.status ||
				!strings.Contains(strings.ReplaceAll(out.Body.String(), `\"`, `"`), c.says) {
				t.Errorf("got %d %s, want %d and %q", out.Code, out.Body, c.status, c.says)
			}
			if w.inRoom() != "w001 w002 w003 w004" || len(w.entries) > 0 {
				t.Errorf("the room has %s, the ledger %v", w.inRoom(), w.entries)
			}
		})
	}
}
