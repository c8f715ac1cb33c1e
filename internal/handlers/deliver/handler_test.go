package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/webhook"
)

var (
	ok200       = webhook.Exchange{Status: 200, Duration: 5 * time.Millisecond, Response: "thanks"}
	busy503     = webhook.Exchange{Status: 503, Duration: 5 * time.Millisecond, Response: "busy"}
	gone404     = webhook.Exchange{Status: 404, Response: "who?"}
	denied401   = webhook.Exchange{Status: 401}
	lost        = webhook.Exchange{Err: errors.New("the connection was closed before an answer came"), Lost: true}
	interrupted = webhook.Exchange{Err: context.Canceled, Interrupted: true}
)

// want is what one invocation leaves behind.
type want struct {
	failed   bool
	verdicts []attempt.Verdict
	hidden   time.Duration // -1: its visibility was left alone
	posts    int
	actions  string
	reason   string
}

func TestOneMessage(t *testing.T) {
	t.Parallel()
	const leftAlone = -1
	for _, c := range []struct {
		name    string
		text    string
		answers []webhook.Exchange
		setup   func(*world)
		want    want
	}{
		{name: "delivered", answers: []webhook.Exchange{ok200},
			want: want{verdicts: []attempt.Verdict{attempt.Delivered}, hidden: leftAlone, posts: 1, actions: "webhook.attempt webhook.delivered"}},
		{name: "retryable", answers: []webhook.Exchange{busy503},
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable}, hidden: time.Second, posts: 1,
				actions: "webhook.attempt webhook.failed", reason: "503"}},
		{name: "retryable with Retry-After", answers: []webhook.Exchange{{Status: 429, RetryAfter: 90 * time.Second}},
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable}, hidden: 90 * time.Second, posts: 1,
				actions: "webhook.attempt webhook.failed", reason: "429"}},
		{name: "permanent", answers: []webhook.Exchange{gone404},
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Permanent}, hidden: 0, posts: 1, actions: "webhook.attempt webhook.failed",
				reason: "404"}},
		{name: "exhausted", answers: []webhook.Exchange{busy503}, text: strings.Replace(body("a"), `"id"`, `"retry":"once","id"`, 1),
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Exhausted}, hidden: 0, posts: 1, actions: "webhook.attempt webhook.failed",
				reason: "503"}},
		{name: "malformed", text: strings.Replace(body("a"), `"url"`, `"uri"`, 1),
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Permanent}, hidden: 0, actions: "webhook.failed", reason: `"uri"`}},
		{name: "unknown policy", text: strings.Replace(body("a"), `"id"`, `"retry":"never","id"`, 1),
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Permanent}, hidden: 0, actions: "webhook.failed", reason: "never"}},
		{name: "no such secret", setup: func(w *world) { w.secretErr = fmt.Errorf("%w: %q", webhook.ErrSecretNotFound, "x") },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Permanent}, hidden: 0, actions: "webhook.failed",
				reason: "secret not found"}},
		{name: "unusable secret", setup: func(w *world) { w.secretErr = webhook.ErrSecretUnusable },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Permanent}, hidden: 0, actions: "webhook.failed"}},
		{name: "Secrets Manager is down", setup: func(w *world) { w.secretErr = errFault },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: time.Minute,
				reason: "injected"}},
		{name: "no certificates", setup: func(w *world) { w.readyErr = errFault },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: time.Minute,
				reason: "nothing can be sent: injected"}},
		{name: "no certificates, and it never will be sent", setup: func(w *world) { w.readyErr = errFault },
			text: strings.Replace(body("a"), `"url"`, `"uri"`, 1),
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Permanent}, hidden: 0, actions: "webhook.failed", reason: `"uri"`}},
		{name: "interrupted", answers: []webhook.Exchange{interrupted},
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: time.Minute, posts: 1, actions: "webhook.attempt",
				reason: "the invocation ended"}},

		{name: "no descriptor is left", answers: []webhook.Exchange{{Err: errors.New("too many open files"), Ours: true}},
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: time.Minute, posts: 1, actions: "webhook.attempt",
				reason: "too many open files"}},
		{name: "401, and the secret is as it was", answers: []webhook.Exchange{denied401}, setup: func(w *world) { w.cached = "v1" },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Permanent}, hidden: 0, posts: 1, actions: "webhook.attempt webhook.failed",
				reason: "401"}},
		{name: "401, and the secret is newer", answers: []webhook.Exchange{denied401, ok200}, setup: func(w *world) { w.cached = "v0" },
			want: want{verdicts: []attempt.Verdict{attempt.Retryable, attempt.Delivered}, hidden: leftAlone, posts: 2,
				actions: "webhook.attempt webhook.attempt webhook.failed webhook.delivered"}},
		{name: "401 with the newer secret too", answers: []webhook.Exchange{denied401, denied401}, setup: func(w *world) { w.cached = "v0" },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable, attempt.Permanent}, hidden: 0, posts: 2,
				actions: "webhook.attempt webhook.attempt webhook.failed webhook.failed", reason: "401"}},
		{name: "401, and the second intent can't be written", answers: []webhook.Exchange{denied401, ok200},
			setup: func(w *world) { w.cached, w.auditFault = "v0", on(2, fails) },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable, attempt.Held}, hidden: time.Minute, posts: 1,
				actions: "webhook.attempt webhook.failed"}},

		{name: "404, and the secret is newer", answers: []webhook.Exchange{gone404, ok200}, setup: func(w *world) { w.cached = "v0" },
			want: want{verdicts: []attempt.Verdict{attempt.Retryable, attempt.Delivered}, hidden: leftAlone, posts: 2,
				actions: "webhook.attempt webhook.attempt webhook.failed webhook.delivered"}},
		{name: "503, and the secret is newer: by its policy", answers: []webhook.Exchange{busy503, ok200},
			setup: func(w *world) { w.cached = "v0" },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable}, hidden: time.Second, posts: 1,
				actions: "webhook.attempt webhook.failed"}},
		{name: "302, and the secret is newer: not the secret's fault", answers: []webhook.Exchange{{Status: 302}, ok200},
			setup: func(w *world) { w.cached = "v0" },
			want:  want{failed: true, verdicts: []attempt.Verdict{attempt.Permanent}, posts: 1, actions: "webhook.attempt webhook.failed"}},
		{name: "404, the secret is newer, and then 503", answers: []webhook.Exchange{gone404, busy503},
			setup: func(w *world) { w.cached = "v0" },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable, attempt.Retryable}, hidden: time.Second, posts: 2,
				actions: "webhook.attempt webhook.attempt webhook.failed webhook.failed"}},

		{name: "a kept connection is lost", answers: []webhook.Exchange{lost, ok200},
			want: want{verdicts: []attempt.Verdict{attempt.Retryable, attempt.Delivered}, hidden: leftAlone, posts: 2,
				actions: "webhook.attempt webhook.attempt webhook.failed webhook.delivered"}},
		{name: "a kept connection is lost under a policy of one attempt", answers: []webhook.Exchange{lost, ok200},
			text: strings.Replace(body("a"), `"id"`, `"retry":"once","id"`, 1),
			want: want{verdicts: []attempt.Verdict{attempt.Retryable, attempt.Delivered}, hidden: leftAlone, posts: 2,
				actions: "webhook.attempt webhook.attempt webhook.failed webhook.delivered"}},
		{name: "a kept connection is lost, and then another: once per message", answers: []webhook.Exchange{lost, lost},
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable, attempt.Retryable}, hidden: time.Second, posts: 2,
				actions: "webhook.attempt webhook.attempt webhook.failed webhook.failed"}},
		{name: "a kept connection is lost, then 404, and the secret is newer", answers: []webhook.Exchange{lost, gone404, ok200},
			setup: func(w *world) { w.cached = "v0" },
			want: want{verdicts: []attempt.Verdict{attempt.Retryable, attempt.Retryable, attempt.Delivered}, hidden: leftAlone, posts: 3,
				actions: "webhook.attempt webhook.attempt webhook.attempt webhook.failed webhook.failed webhook.delivered"}},
		{name: "a kept connection is lost, and that can't be recorded", answers: []webhook.Exchange{lost, ok200},
			setup: func(w *world) { w.putFault = on(1, fails) },
			want:  want{failed: true, hidden: time.Minute, posts: 1, actions: "webhook.attempt webhook.failed"}},
		{name: "a kept connection is lost, and the next try can't be announced", answers: []webhook.Exchange{lost, ok200},
			setup: func(w *world) { w.auditFault = on(2, fails) },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable, attempt.Held}, hidden: time.Minute, posts: 1,
				actions: "webhook.attempt webhook.failed"}},

		{name: "intent fails", answers: []webhook.Exchange{ok200}, setup: func(w *world) { w.auditFault = on(1, fails) },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: time.Minute, reason: "audit"}},
		{name: "intent fails, and that can't be recorded", answers: []webhook.Exchange{ok200},
			setup: func(w *world) { w.auditFault, w.putFault = on(1, fails), on(1, fails) },
			want:  want{failed: true, hidden: time.Minute}},
		{name: "intent fails but is kept", answers: []webhook.Exchange{ok200}, setup: func(w *world) { w.auditFault = on(1, failsButKeeps) },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Held}, hidden: time.Minute, actions: "webhook.attempt"}},
		{name: "failure's record fails", answers: []webhook.Exchange{busy503}, setup: func(w *world) { w.putFault = on(1, fails) },
			want: want{failed: true, hidden: time.Minute, posts: 1, actions: "webhook.attempt webhook.failed"}},
		{name: "failure's record fails but is kept", answers: []webhook.Exchange{busy503},
			setup: func(w *world) { w.putFault = on(1, failsButKeeps) },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable}, hidden: time.Minute, posts: 1,
				actions: "webhook.attempt webhook.failed"}},
		{name: "a permanent failure's record fails", answers: []webhook.Exchange{gone404}, setup: func(w *world) { w.putFault = on(1, fails) },
			want: want{failed: true, hidden: time.Minute, posts: 1, actions: "webhook.attempt webhook.failed"}},
		{name: "visibility fails", answers: []webhook.Exchange{busy503}, setup: func(w *world) { w.hideFault = on(1, fails) },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Retryable}, hidden: leftAlone, posts: 1,
				actions: "webhook.attempt webhook.failed"}},
		{name: "delivery's record fails", answers: []webhook.Exchange{ok200}, setup: func(w *world) { w.putFault = on(1, fails) },
			want: want{hidden: leftAlone, posts: 1, actions: "webhook.attempt webhook.delivered"}},
		{name: "outcome fails", answers: []webhook.Exchange{ok200}, setup: func(w *world) { w.auditFault = on(2, fails) },
			want: want{failed: true, verdicts: []attempt.Verdict{attempt.Delivered}, hidden: leftAlone, posts: 1, actions: "webhook.attempt"}},
		{name: "record and outcome fail", answers: []webhook.Exchange{ok200},
			setup: func(w *world) { w.putFault, w.auditFault = on(1, fails), on(2, fails) },
			want:  want{hidden: leftAlone, posts: 1, actions: "webhook.attempt"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.answers...)
			if c.setup != nil {
				c.setup(w)
			}
			if c.text == "" {
				c.text = body("a")
			}
			failed := w.handle(aMessage("a", c.text, 1))
			w.check(t, c.want, len(failed) == 1)
			if w.reads != 0 {
				t.Error("the first receive read the history")
			}
		})
	}
}

func (w *world) check(t *testing.T, want want, failed bool) {
	t.Helper()
	if failed != want.failed {
		t.Errorf("reported as failed: %t, want %t", failed, want.failed)
	}
	var verdicts []attempt.Verdict
	records := w.recorded("a")
	for i, r := range records {
		verdicts = append(verdicts, r.Verdict)
		if r.Attempt != i+1 {
			t.Errorf("record %d has the attempt %d", i, r.Attempt)
		}
	}
	if diff := cmp.Diff(want.verdicts, verdicts); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if hidden, was := w.hidden["r-a"]; was != (want.hidden >= 0) || was && hidden != want.hidden {
		t.Errorf("hidden for %v (%t), want %v", hidden, was, want.hidden)
	}
	if len(w.posts) != want.posts {
		t.Errorf("%d posts, want %d", len(w.posts), want.posts)
	}
	var actions []string
	for _, e := range w.entries {
		actions = append(actions, e.Action)
	}
	if got := strings.Join(actions, " "); got != want.actions {
		t.Errorf("entries %q, want %q", got, want.actions)
	}
	if want.reason != "" && !strings.Contains(records[len(records)-1].Reason, want.reason) {
		t.Errorf("reason %q does not tell %q", records[len(records)-1].Reason, want.reason)
	}
}

func TestOrderOfWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, busy503)
	w.handle(aMessage("a", body("a"), 1))
	want := []string{"audit webhook.attempt a", "post a", "record a 1 retryable", "hide r-a 1s", "audit webhook.failed a"}
	told := func(what string) bool { return what == "circuit endpoint " } // of the failure, by its own clock
	if diff := cmp.Diff(want, slices.DeleteFunc(w.log, told)); diff != "" {
		t.Errorf("failure (-want +got):\n%s", diff)
	}
	w = newWorld(t, ok200)
	w.handle(aMessage("a", body("a"), 1), aMessage("b", body("b"), 1))
	slices.Sort(w.log[2:4])
	slices.Sort(w.log[4:6])
	want = []string{"audit webhook.attempt a", "audit webhook.attempt b", "post a", "post b",
		"record a 1 delivered", "record b 1 delivered", "audit webhook.delivered a", "audit webhook.delivered b"}
	if diff := cmp.Diff(want, w.log); diff != "" {
		t.Errorf("success (-want +got):\n%s", diff)
	}
	if w.audits != 2 || w.puts != 1 {
		t.Errorf("%d audit messages and %d puts for a batch of two, want 2 and 1", w.audits, w.puts)
	}
}

func TestWhatIsSentAndRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, webhook.Exchange{Status: 500, Duration: 1500 * time.Microsecond, Response: "oops", Truncated: true})
	w.handle(aMessage("a", body("a"), 1))
	sent := w.posts[0]
	if sent.ID != "a" || sent.URL != "https://a.test/in?token=t" || string(sent.Body) != `{"n": 1}` || sent.EventType != "e" {
		t.Errorf("sent %+v", sent)
	}
	start := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	want := attempt.Record{
		WebhookID: "a", Origin: "m-a", MessageID: "m-a", Attempt: 1, At: start, URL: "https://a.test/in?token=t", EventType: "e",
		Status: 500, DurationMS: 1, Verdict: attempt.Retryable, Reason: "500 Internal Server Error", Response: "oops", Truncated: true,
		NextAt: start.Add(time.Second + 1500*time.Microsecond),
	}
	got := w.recorded("a")[0]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	november := ledger.NewRedactor([]byte("2026-11"), false)
	if e := w.entries[0]; e.Resource != november.BeforeSending("https://a.test/in", "e") ||
		e.ID != "m-a#1" || e.Action != ledger.WebhookAttempt {
		t.Errorf("intent %+v", e)
	}
	if e := w.entries[1]; e.Resource != november.AfterSending("https://a.test/in", 500) || e.ID != "m-a#1" {
		t.Errorf("outcome %+v", e)
	}
}

func TestDeliveredKeepsNoResponse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ok200)
	w.handle(aMessage("a", body("a"), 1))
	if got := w.recorded("a")[0].Response; got != "" {
		t.Errorf("the record of a delivery keeps the answer %q", got)
	}
}

func TestNoIDMeansTheMessageID(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no id":    strings.Replace(body("a"), `"id":"a",`, "", 1),
		"bad id":   strings.Replace(body("a"), `"id":"a"`, `"id":"ä"`, 1),
		"not JSON": "hello",
		"empty":    "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ok200)
			w.handle(aMessage("a", text, 1))
			if len(w.recorded("m-a")) != 1 {
				t.Errorf("recorded as %v, want it under the message id", w.recorded("a"))
			}
		})
	}
}

func TestNeighboursOfABadMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ok200)
	failed := w.handle(aMessage("a", body("a"), 1), aMessage("b", "no JSON", 1), aMessage("c", body("c"), 1))
	if diff := cmp.Diff([]string{"m-b"}, failed); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	if len(w.posts) != 2 {
		t.Errorf("%d posts, want 2", len(w.posts))
	}
}

func TestNoMessages(t *testing.T) {
	t.Parallel()
	if failed := newWorld(t).handle(); len(failed) != 0 {
		t.Errorf("failed %v of nothing", failed)
	}
}

// TestWhatAMessageCarries: a message that was replayed has a new SQS id and
// carries its webhook-id, where its body has none, and its policy.
func TestWhatAMessageCarries(t *testing.T) {
	t.Parallel()
	noID := strings.Replace(body(""), `"id":"",`, "", 1)
	for _, c := range []struct {
		name, text string
		carried    map[string]string
		id         string
		hidden     time.Duration
	}{
		{name: "nothing", text: noID, id: "m-a", hidden: time.Second},
		{name: "its id and its policy", text: noID, carried: map[string]string{"efferent-id": "first", "efferent-retry": "replay"}, id: "first",
			hidden: 5 * time.Second},
		{name: "an id besides the producer's", text: body("own"), carried: map[string]string{"efferent-id": "first"}, id: "own",
			hidden: time.Second},
		{name: "an id that is none", text: noID, carried: map[string]string{"efferent-id": "a b"}, id: "m-a", hidden: time.Second},
		{name: "a policy over the message's", text: strings.Replace(body("own"), `"id"`, `"retry":"once","id"`, 1),
			carried: map[string]string{"efferent-retry": "replay"}, id: "own", hidden: 5 * time.Second},
		// Anybody can set it: it must not keep the message from being sent.
		{name: "a policy that is none", text: noID, carried: map[string]string{"efferent-retry": "never"}, id: "m-a", hidden: time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, busy503)
			m := aMessage("a", c.text, 1)
			m.MessageAttributes = map[string]events.SQSMessageAttribute{}
			for name, value := range c.carried {
				m.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
			}
			w.handle(m)
			records := w.recorded(c.id)
			if len(records) != 1 || w.hidden["r-a"] != c.hidden {
				t.Errorf("hidden for %s, and recorded %+v", w.hidden["r-a"], records)
			}
		})
	}
}

// TestNewRefuses: a handler is not made without each of its needs.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(*Needs){
		"Sender": func(n *Needs) { n.Sender = nil }, "Secrets": func(n *Needs) { n.Secrets = nil },
		"Jitter": func(n *Needs) { n.Jitter = nil }, "MaxReceives": func(n *Needs) { n.MaxReceives = 0 },
	} {
		n := newWorld(t).handler().Needs
		forget(&n)
		if h, err := New(n); err == nil || h != nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// TestTheNewerSecretSigns: a secret that was found to be replaced signs the try at
// once that it is for.
func TestTheNewerSecretSigns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, webhook.Exchange{Status: 401}, webhook.Exchange{Status: 200})
	w.cached, w.keys = "v0", map[string]webhook.Keys{
		"v0": signingKeys(t, "correct horse battery staple"), "v1": signingKeys(t, "a newer horse battery staple"),
	}
	if failed := w.handle(aMessage("a", body("a"), 1)); len(failed) > 0 || len(w.posts) != 2 {
		t.Fatalf("failed are %v after %d posts", failed, len(w.posts))
	}
	for i, version := range []string{"v0", "v1"} {
		if !slices.Equal(w.posts[i].Secrets, w.keys[version].Secrets) {
			t.Errorf("post %d is not signed by %s", i, version)
		}
	}
}

// TestARecordSaysWhose: a failure's record says when it was, where it went and
// whose it is, also where nothing could be sent.
func TestARecordSaysWhose(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]string{"503": "", "no such policy": `,"retry":"nobody's"`} {
		w := newWorld(t, webhook.Exchange{Status: 503})
		now := w.now
		w.handle(aMessage("a", strings.TrimSuffix(body("a"), "}")+`,"tenant":"acme"`+more+"}", 1))
		records := w.recorded("a")
		if len(records) != 1 {
			t.Fatalf("%s: %+v", name, records)
		}
		if r := records[0]; !r.At.Equal(now) || r.URL != "https://a.test/in?token=t" || r.EventType != "e" || r.Tenant != "acme" ||
			r.Reason == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestAnOutcomeIsAtItsEnd: the ledger has an attempt when it began, and its outcome
// when the answer came.
func TestAnOutcomeIsAtItsEnd(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 503} {
		w := newWorld(t, webhook.Exchange{Status: status, Duration: 3 * time.Second})
		began := w.now
		if w.handle(aMessage("a", body("a"), 1)); len(w.entries) != 2 || !w.entries[0].Timestamp.Equal(began) ||
			!w.entries[1].Timestamp.Equal(began.Add(3*time.Second)) {
			t.Errorf("%d: the ledger has %+v", status, w.entries)
		}
	}
}

// TestADeadMessageDrainsUnread: an instance reads nothing for a message that it has
// seen die; another one looks it up, once.
func TestADeadMessageDrainsUnread(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gone404)
	first, second := w.handler(), w.handler()
	for receives, h := range []*Handler{first, first, first, second, second} {
		if failed := w.handleWith(h, aMessage("a", body("a"), receives+1)); len(failed) != 1 || w.hidden["r-a"] != 0 {
			t.Errorf("receive %d: failed %v, hidden for %v", receives+1, failed, w.hidden["r-a"])
		}
	}
	if w.reads != 1 || len(w.posts) != 1 || len(w.entries) != 2 {
		t.Errorf("%d reads, %d posts, the ledger has %+v", w.reads, len(w.posts), w.entries)
	}
}
