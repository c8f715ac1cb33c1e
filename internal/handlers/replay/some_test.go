package replay

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
)

func cursorOf(t *testing.T, out *httptest.ResponseRecorder) string {
	t.Helper()
	var s Started
	if err := json.Unmarshal(out.Body.Bytes(), &s); err != nil {
		t.Fatalf("%v in %s", err, out.Body)
	}
	return s.Task.Cursor
}

func TestReplayByFilter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, filter string
		sent         []int
	}{
		{"tenant", `{"tenant":"acme"}`, []int{0, 2, 4}},
		{"event type", `{"event_type":"e.beta"}`, []int{1, 3}},
		{"url", `{"url_prefix":"https://a.test/m00003"}`, []int{3}},
		{"reason, in any case", `{"reason":"service unavailable"}`, []int{0, 1, 2, 3, 4}},
		{"another reason", `{"reason":"404"}`, nil},
		{"since", `{"since":"2026-11-24T08:00:00.003Z"}`, []int{3, 4}},
		{"until", `{"until":"2026-11-24T08:00:00.003Z"}`, []int{0, 1, 2}},
		{"all of them", `{"tenant":"acme","since":"2026-11-24T08:00:00.001Z","until":"2026-11-24T08:00:00.003Z"}`, []int{2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for n := range 5 {
				w.park(n, "", []string{"acme", "beta"}[n%2])
			}
			task := get[Started](w, "POST", path("/replay"), c.filter).Task
			if task.Kind != KindFilter || task.Status != deadletter.Completed || task.Moved != int64(len(c.sent)) || task.Failed != 0 ||
				task.Examined != 5 {
				t.Errorf("got %+v", task)
			}
			left := "m00000 m00001 m00002 m00003 m00004"
			for _, n := range c.sent {
				left = strings.Replace(left, fmt.Sprintf("m%05d", n), "", 1)
			}
			if got := w.visible(); got != strings.Join(strings.Fields(left), " ") || len(w.sent) != len(c.sent) || len(w.entries) != len(c.sent) {
				t.Errorf("left are %s, sent %d, recorded %d", got, len(w.sent), len(w.entries))
			}
		})
	}
}

// TestFilterIsResumable replays half of 300 messages in requests that each end
// before the queue does.
func TestFilterIsResumable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 300 {
		w.park(n, "", []string{"acme", "beta"}[n%2])
	}
	w.advance(time.Second)
	w.fault["receive"] = func(int) fault { w.now = w.now.Add(time.Second); return works }
	moved, requests, cursor := int64(0), 0, ""
	for {
		task := get[Started](w, "POST", path("/replay"), `{"tenant":"acme"`+cursor+`}`).Task
		moved += task.Moved
		requests++
		if task.Status == deadletter.Completed {
			break
		}
		if task.Cursor == "" || requests > 5 {
			t.Fatalf("request %d: %+v", requests, task)
		}
		cursor = `,"cursor":"` + task.Cursor + `"`
	}
	if moved != 150 || len(w.sent) != 150 || requests < 2 {
		t.Errorf("%d were replayed, sent %d, in %d requests", moved, len(w.sent), requests)
	}
	w.advance(maxHideTime)
	if n := len(strings.Fields(w.visible())); n != 150 {
		t.Errorf("%d are left", n)
	}
}

// TestFilterReplaysOnce: what was replayed and failed at once comes back while
// the walk is still under way.
func TestFilterReplaysOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 20 {
		w.park(n, "", "acme")
	}
	w.advance(time.Second)
	again := 100
	w.fault["delete"] = func(int) fault {
		for range 10 {
			w.park(again, "", "acme")
			again++
			m := w.letters[fmt.Sprintf("m%05d", again-1)].msg
			m.Attributes["SentTimestamp"] = fmt.Sprint(w.now.UnixMilli())
		}
		return works
	}
	task := get[Started](w, "POST", path("/replay"), `{"tenant":"acme"}`).Task
	if task.Status != deadletter.Completed || task.Moved != 20 || len(w.letters) != 20 {
		t.Errorf("got %+v, %d left", task, len(w.letters))
	}
}

func TestFilterFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		setup  func(*world)
		status int
		says   string
		moved  int
	}{
		{"one is too large", func(w *world) { w.letters["m00001"].msg.Body = `{"tenant":"acme","id":"too-large"}` }, 202, "too large", 2},
		{"one is held by another", func(w *world) {
			w.claim(claim.Claim{ItemID: "m00001", Until: start.Add(time.Hour)})
		}, 202, `"moved":2`, 2},
		{"one was replayed already", func(w *world) {
			w.claim(claim.Claim{ItemID: "m00001", At: start.Add(time.Hour), Settled: true})
		}, 202, `"moved":2`, 2},
		{"others hold some", func(w *world) { w.othersOwn = 3 }, 202, "somebody else holds messages", 3},
		{"the audit queue is down", func(w *world) { w.fault["audit"] = on(1, fails) }, 503, "audit queue", 0},
		{"the histories are down", func(w *world) { w.fault["history"] = on(1, fails) }, 503, "attempts can't be read", 0},
		{"one can't be sent", func(w *world) { w.fault["send"] = on(2, fails) }, 202, "can't be sent", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for n := range 3 {
				w.park(n, "", "acme")
			}
			w.advance(time.Second)
			c.setup(w)
			out := w.ask("POST", path("/replay"), `{"tenant":"acme"}`)
			if out.Code != c.status || !strings.Contains(out.Body.String(), c.says) || len(w.sent) != c.moved {
				t.Errorf("got %d %s and sent %d, want %d, %q and %d", out.Code, out.Body, len(w.sent), c.status, c.says, c.moved)
			}
			if len(strings.Fields(w.visible())) != len(w.letters) {
				t.Errorf("of %d left only %s were given back", len(w.letters), w.visible())
			}
		})
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"no JSON", "POST", path("/replay"), "all", 400, "not a JSON object"},
		{"half of it", "POST", path("/replay"), `{"tenant":`, 400, "not a JSON object"},
		{"an array", "POST", path("/replay"), "[]", 400, "not a JSON object"},
		{"nothing", "POST", path("/replay"), " ", 400, "{} replays everything"},
		{"unknown field", "POST", path("/replay"), `{"tennant":"a"}`, 400, `field "tennant": unknown`},
		{"another case", "POST", path("/replay"), `{"Tenant":"a"}`, 400, `field "Tenant": unknown`},
		{"twice", "POST", path("/replay"), `{"tenant":"a","tenant":"b"}`, 400, "duplicate"},
		{"wrong type", "POST", path("/replay"), `{"tenant":1}`, 400, `field "tenant": wrong type`},
		{"no time", "POST", path("/replay"), `{"since":"yesterday"}`, 400, `field "since"`},
		{"an empty filter", "POST", path("/replay"), `{"tenant":""}`, 400, `field "tenant": is empty`},
		{"a null filter", "POST", path("/replay"), `{"tenant":null}`, 400, `field "tenant": is empty`},
		{"no time between", "POST", path("/replay"), `{"since":"2026-11-24T08:00:00Z","until":"2026-11-24T08:00:00Z"}`, 400,
			"since is not before until"},
		{"rate too high", "POST", path("/replay"), `{"rate":501}`, 400, "1 to 500"},
		{"rate 0", "POST", path("/replay"), `{"rate":0}`, 400, "1 to 500"},
		{"an array", "POST", path("/replay"), `[]`, 400, "the body is not a JSON object: it is an array"},
		{"a parameter mistyped", "GET", "/api/v1/dlq?queue=webhook-failures&tennant=acme", "", 400,
			`parameter "tennant": unknown; did you mean "tenant"?`},
		{"rate below 0", "POST", path("/replay"), `{"rate":-1}`, 400, "1 to 500"},
		{"rate of a filter", "POST", path("/replay"), `{"rate":5,"tenant":"a"}`, 400, "everything only"},
		{"cursor of everything", "POST", path("/replay"), `{"cursor":"e30"}`, 400, "by a filter only"},
		{"foreign cursor", "POST", path("/replay"), `{"tenant":"a","cursor":"e30x"}`, 400, "cursor"},
		{"too long", "POST", path("/replay"), `{"tenant":"` + strings.Repeat("a", api.MaxBody) + `"}`, 413, "longer than"},
		{"unknown queue", "POST", "/api/v1/dlq/webhooks/replay", "{}", 404,
			`"webhooks"; there are notification-failures and report-failures and webhook-failures`},
		{"unknown queue of one", "POST", "/api/v1/dlq/x/replay/a", "", 404, `"x"`},
		{"unknown queue to discard from", "DELETE", "/api/v1/dlq/x/a", "", 404, `"x"`},
		{"unknown queue to look into", "GET", "/api/v1/dlq/x/a", "", 404, `"x"`},
		{"unknown queue's tasks", "GET", "/api/v1/dlq/x/tasks", "", 404, `"x"`},
		{"unknown queue to list", "GET", "/api/v1/dlq?queue=x", "", 404, `"x"`},
		{"no queue to list", "GET", "/api/v1/dlq", "", 400, "parameter queue"},
		{"limit 0", "GET", "/api/v1/dlq?queue=webhook-failures&limit=0", "", 400, "1 to 200"},
		{"limit too high", "GET", "/api/v1/dlq?queue=webhook-failures&limit=201", "", 400, "1 to 200"},
		{"limit is no number", "GET", "/api/v1/dlq?queue=webhook-failures&limit=ten", "", 400, `"ten"`},
		{"foreign list cursor", "GET", "/api/v1/dlq?queue=webhook-failures&cursor=abc", "", 400, "cursor"},
		{"unknown source", "GET", "/api/v1/dlq?queue=webhook-failures&source=both", "", 400, "neither index nor queue"},
		{"no time in a query", "GET", "/api/v1/dlq?queue=webhook-failures&since=2h", "", 400, "parameter since"},
		{"unknown task", "DELETE", path("/tasks/1"), "", 404, "no task 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.park(1, "", "a")
			out := w.ask(c.method, c.path, c.body)
			if out.Code != c.status || !strings.Contains(out.Body.String(), strings.ReplaceAll(c.says, `"`, `\"`)) {
				t.Errorf("got %d %s, want %d and %q", out.Code, out.Body, c.status, c.says)
			}
			if len(w.sent)+len(w.entries)+len(w.started) > 0 || w.visible() != "m00001" {
				t.Error("something was done all the same")
			}
		})
	}
}

func TestMoveTasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.park(1, "", "acme")
	task := get[Started](w, "POST", path("/replay"), `{"rate":50}`).Task
	if task.Kind != KindAll || task.Status != deadletter.Running || task.Rate != 50 || task.ToMove != 1 || task.ID == "" ||
		len(w.started) != 1 || w.started[0] != 50 {
		t.Errorf("started %+v", task)
	}
	if out := w.ask("POST", path("/replay"), "{}"); out.Code != 409 || !strings.Contains(out.Body.String(), "running") {
		t.Errorf("a second one was answered %d %s", out.Code, out.Body)
	}
	if all := get[Tasks](w, "GET", path("/tasks"), "").Tasks; len(all) != 1 || all[0] != task {
		t.Errorf("the tasks are %+v", all)
	}
	if cancelled := get[Started](w, "DELETE", path("/tasks/"+task.ID), "").Task; cancelled.Status != deadletter.Cancelling ||
		len(w.cancelled) != 1 || w.cancelled[0] != "handle" {
		t.Errorf("cancelled %+v", cancelled)
	}
	var actions []string
	for _, e := range w.entries {
		actions = append(actions, e.Action+" "+e.Resource+" "+e.Actor)
	}
	if got := strings.Join(actions, ", "); got != "dlq.replay queue=webhook-failures, all ann, dlq.cancel queue=webhook-failures, all ann" {
		t.Errorf("the ledger has %s", got)
	}
	w.moves[0].Status = deadletter.Completed
	if out := w.ask("DELETE", path("/tasks/"+task.ID), ""); out.Code != 409 {
		t.Errorf("cancelling what has ended was answered %d", out.Code)
	}
}

func TestMoveTaskFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		setup  func(*world)
		status int
		says   string
	}{
		{"none here", func(w *world) { w.noMoves = true }, 501, "no message move tasks"},
		{"audit is down", func(w *world) { w.fault["audit"] = on(1, fails) }, 503, "audit queue"},
		{"it does not start", func(w *world) { w.fault["start"] = on(1, fails) }, 503, "can't be started"},
		{"it starts, and can't be read", func(w *world) { w.fault["moves"] = on(2, fails) }, 202, deadletter.Running},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.setup(w)
			out := w.ask("POST", path("/replay"), "{}")
			if out.Code != c.status || !strings.Contains(out.Body.String(), c.says) {
				t.Errorf("got %d %s", out.Code, out.Body)
			}
			if c.name == "audit is down" && len(w.started) > 0 {
				t.Error("it was started unrecorded")
			}
		})
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.park(1, "evt_1", "acme")
	w.park(2, "", "acme")
	w.record(attempt.Record{WebhookID: "evt_1", MessageID: id, Attempt: 1, At: start.Add(-time.Minute),
		Verdict: attempt.Retryable})
	got := get[Letter](w, "GET", path("/"+id), "")
	want := Item{ItemID: id, WebhookID: "evt_1", EventType: "e.acme", URL: "https://a.test/m00001?t=1", Tenant: "acme",
		Reason:     "503 Service Unavailable",
		LastStatus: 503, Attempts: 2, FirstAt: start.Add(-time.Minute), LastAt: start.Add(time.Millisecond)}
	if got.Item != want || len(got.Attempts) != 2 || got.Attempts[0].Attempt != 1 || got.Body != w.letters[id].msg.Body {
		t.Errorf("got %+v", got)
	}
	if w.visible() != "m00001 m00002" || len(w.entries) > 0 {
		t.Errorf("after a look %s are visible, and the ledger has %v", w.visible(), w.entries)
	}
}
