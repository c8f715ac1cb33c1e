package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/report"
	"github.com/efferent/efferent/internal/report/onward"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/waiting"
)

var errFault = errors.New("injected fault")

// world is a handler among fakes. The call number broken fails, before or after it has
// had its effect; dead has all that follow fail too, as if the process had ended.
type world struct {
	storetest.Memory
	t           *testing.T
	mu          sync.Mutex
	now         time.Time
	calls       int
	broken      int
	keeps, dead bool
	sent        []waiting.Outgoing
	told        []string
	outcomes    *outcome.Teller
	events      []outcome.Event
	counted     []metric.Event
	hidden      map[string]time.Duration
}

func newWorld(t *testing.T) *world {
	return &world{t: t, now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), hidden: map[string]time.Duration{}}
}

func (w *world) handler() *Handler {
	h, err := New(Needs{Attempts: w, Messages: w, Suppressions: w, Queue: w, Notifications: w, Audit: w, Redactors: w, MaxReceives: 6,
		Outcomes: w.outcomes, Metrics: w,
		Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func (w *world) call(do func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.calls == w.broken && !w.keeps || w.dead && w.broken > 0 && w.calls > w.broken {
		return errFault
	}
	err := do()
	if w.calls == w.broken {
		return errFault
	}
	return err
}

func (w *world) OfMessage(ctx context.Context, id, message string) (all []attempt.Record, err error) {
	err = w.call(func() (err error) { all, err = w.Memory.OfMessage(ctx, id, message); return err })
	return all, err
}

func (w *world) PutReport(ctx context.Context, r attempt.Record, rep attempt.Report) error {
	return w.call(func() error { return w.Memory.PutReport(ctx, r, rep) })
}

func (w *world) Onward(ctx context.Context, id, key string) (b []byte, err error) {
	err = w.call(func() (err error) { b, err = w.Memory.Onward(ctx, id, key); return err })
	return b, err
}

func (w *world) AddSuppression(ctx context.Context, e suppression.Entry) (added bool, err error) {
	err = w.call(func() (err error) { added, err = w.Memory.AddSuppression(ctx, e); return err })
	return added, err
}

func (w *world) LiftSuppression(ctx context.Context, l suppression.Lifting) (lifted bool, err error) {
	err = w.call(func() (err error) { lifted, err = w.Memory.LiftSuppression(ctx, l); return err })
	return lifted, err
}

func (w *world) Send(_ context.Context, queue string, all []waiting.Outgoing) (sent []int, err error) {
	err = w.call(func() error {
		if queue != "notifications" {
			w.t.Errorf("sent to %s", queue)
		}
		w.sent, sent = append(w.sent, all...), []int{0}
		return nil
	})
	return sent, err
}

func (w *world) Append(_ context.Context, _ string, entries []ledger.Entry) error {
	return w.call(func() error {
		for _, e := range entries {
			w.told = append(w.told, e.Action+" "+e.ID)
			if e.Tenant != "acme" {
				w.t.Errorf("the ledger is told of the tenant %q: %+v", e.Tenant, e)
			}
		}
		return nil
	})
}

func (w *world) Tell(_ context.Context, events []outcome.Event) error {
	return w.call(func() error { w.events = append(w.events, events...); return nil })
}

func (w *world) Record(all []metric.Event) { w.counted = append(w.counted, all...) }

func (w *world) Redactor(context.Context, time.Time) *ledger.Redactor {
	return ledger.NewRedactor([]byte("key"), false)
}

func (w *world) ChangeVisibility(_ context.Context, hides []message.Hide) error {
	for _, h := range hides {
		w.hidden[h.ReceiptHandle] = h.For
	}
	return nil
}

// take has reports received, and gives how many are not done with.
func (w *world) take(receives int, bodies ...string) int {
	w.t.Helper()
	var in events.SQSEvent
	for n, body := range bodies {
		id := fmt.Sprintf("%d-%s", n, body[:min(len(body), 400)])
		in.Records = append(in.Records, events.SQSMessage{MessageId: id, ReceiptHandle: fmt.Sprint("r", n), Body: body,
			Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(receives)}})
	}
	out, err := w.handler().Handle(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(out.BatchItemFailures)
}

// accept records an email that was taken, and that may go on to another channel.
func (w *world) accept(change ...func(*attempt.Record)) attempt.Record {
	w.t.Helper()
	r := attempt.Record{WebhookID: "n_1", Origin: "m", MessageID: "m", Attempt: 1, At: w.now, Tenant: "acme", Notification: true,
		Channel: "email", Recipient: "ann@acme.test", Verdict: attempt.Delivered, State: attempt.Accepted}
	for _, c := range change {
		c(&r)
	}
	kept := onward.Message{Deadline: w.now.Add(15 * time.Minute), Item: waiting.Item{Queue: "notifications", Body: "body", Group: "acme/1",
		Carried: message.Carried{ID: "n_1", Origin: "m", Attempts: 1, First: w.now}}}
	packed, err := kept.Pack()
	if err = errors.Join(err, w.Put(w.t.Context(), []attempt.Record{r}), w.KeepOnward(w.t.Context(), "n_1", r.SortKey(), packed,
		w.now)); err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) record() attempt.Record {
	w.t.Helper()
	all, err := w.Memory.OfMessage(w.t.Context(), "n_1", "m")
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%v, %v", all, err)
	}
	return all[0]
}

func (w *world) suppressed(address string) bool {
	key := suppression.KeyOf("acme", "email", address)
	found, err := w.Suppressed(w.t.Context(), []suppression.Key{key})
	return err == nil && found[key].Address != ""
}

// told is a report of the email.
func told(state attempt.State, change ...func(*report.Report)) string {
	r := report.Report{Provider: report.SES, Of: report.Key{WebhookID: "n_1", MessageID: "m", Attempt: 1}, State: state,
		Recipients: []string{"Ann@acme.test"}, All: 1}
	for _, c := range change {
		c(&r)
	}
	body, err := r.Encode()
	if err != nil {
		panic(err)
	}
	return body
}

func hard(r *report.Report)     { r.Hard = true }
func optedOut(r *report.Report) { r.OptedOut = true }

// TestForwardsOnly: of reports that come in any order the state that is reached is the
// highest, and each moves it once.
func TestForwardsOnly(t *testing.T) {
	t.Parallel()
	arrived, soft, back, spam := told(attempt.Arrived), told(attempt.Bounced), told(attempt.Bounced, hard), told(attempt.Complained, optedOut)
	for name, c := range map[string]struct {
		reports []string
		want    attempt.State
		moves   int // entries of the ledger
		onward  int
	}{
		"arrived":                {[]string{arrived}, attempt.Arrived, 1, 0},
		"twice":                  {[]string{arrived, arrived}, attempt.Arrived, 1, 0},
		"a bounce":               {[]string{back}, attempt.Bounced, 1, 1},
		"a bounce, late arrival": {[]string{back, arrived, back}, attempt.Bounced, 1, 1},
		"a server's late bounce": {[]string{arrived, back}, attempt.Bounced, 2, 1},
		"an automatic answer":    {[]string{arrived, soft}, attempt.Arrived, 1, 0},
		"a complaint":            {[]string{arrived, spam, arrived, back}, attempt.Complained, 2, 0},
	} {
		w := newWorld(t)
		w.accept()
		for _, r := range c.reports {
			if left := w.take(1, r); left != 0 {
				t.Errorf("%s: a report is left", name)
			}
		}
		if r := w.record(); r.State != c.want || r.Report.Due || len(w.told) != c.moves || len(w.sent) != c.onward {
			t.Errorf("%s: %+v, told %v, sent %d", name, r.Report, w.told, len(w.sent))
		}
		if want := slices.Contains(c.reports, back) && c.want == attempt.Bounced || slices.Contains(c.reports,
			spam); w.suppressed("ann@acme.test") != want {
			t.Errorf("%s: the address is suppressed: %v", name, !want)
		}
	}
}

func TestGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		report string
		later  time.Duration
		sent   int
	}{
		"in time":        {told(attempt.Bounced), 14 * time.Minute, 1},
		"not delivered":  {told(attempt.Undelivered), 0, 1},
		"too late":       {told(attempt.Bounced), 15 * time.Minute, 0},
		"who opted out":  {told(attempt.Undelivered, optedOut), 0, 0},
		"what has come":  {told(attempt.Arrived), 0, 0},
		"called spam":    {told(attempt.Complained), 0, 0},
		"about somebody": {told(attempt.Bounced, func(r *report.Report) { r.All, r.Recipients = 2, []string{"bob@acme.test"} }), 0, 0},
	} {
		w := newWorld(t)
		w.accept()
		w.now = w.now.Add(c.later)
		if left := w.take(1, c.report); left != 0 || len(w.sent) != c.sent {
			t.Errorf("%s: left %d, sent %+v", name, left, w.sent)
		}
		for _, m := range w.sent {
			if m.Body != "body" || m.Group != "acme/1" || m.Attributes["efferent-attempts"].Text != "1" ||
				m.Attributes["efferent-origin"].Text != "m" ||
				m.Attributes["efferent-released"].Text == "" {
				t.Errorf("%s: sent %+v", name, m)
			}
		}
	}
}

// TestBeforeItsRecord: it waits, for a time, and is taken in once the record is there.
func TestBeforeItsRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var waited time.Duration
	for receive := 1; receive <= 6; receive++ {
		if w.take(receive, told(attempt.Bounced)) != 1 {
			t.Fatal("it is done with")
		}
		waited += w.hidden["r0"]
	}
	if waited < 20*time.Minute || waited > time.Hour || w.hidden["r0"] != 0 {
		t.Errorf("it waited for %v, at last %v", waited, w.hidden["r0"])
	}
	w.accept()
	if w.take(2, told(attempt.Bounced)) != 0 || w.record().State != attempt.Bounced || len(w.sent) != 1 {
		t.Errorf("then it is %+v, sent %d", w.record().Report, len(w.sent))
	}
	if w.take(1, "{") != 1 || w.hidden["r0"] != 0 {
		t.Error("what can't be read is done with")
	}
}

// TestCrashes has each call fail, with its effect and without, and the process end there
// or go on: at last all has been done, and the next channel has one message, or two
// where it could not be noted that it has one.
func TestCrashes(t *testing.T) {
	t.Parallel()
	const calls = 7
	for broken := 1; broken <= calls; broken++ {
		for _, keeps := range []bool{false, true} {
			for _, dead := range []bool{false, true} {
				w := newWorld(t)
				w.accept()
				w.broken, w.keeps, w.dead = broken, keeps, dead
				left := w.take(1, told(attempt.Bounced, hard))
				w.broken = 0
				for receive := 2; left > 0 && receive < 6; receive++ {
					left = w.take(receive, told(attempt.Bounced, hard))
				}
				most := 1
				if broken >= calls-1 {
					most = 2
				}
				r := w.record()
				if left > 0 || r.State != attempt.Bounced || r.Report.Due || !w.suppressed("ann@acme.test") || len(w.sent) < 1 || len(w.sent) > most ||
					!strings.HasPrefix(strings.Join(w.told, ","), "notification.bounced m#1") {
					t.Errorf("call %d, %v, %v: left %d, %+v, sent %d, told %v", broken, keeps, dead, left, r.Report, len(w.sent), w.told)
				}
			}
		}
	}
}

// TestUnknownOutcome: a report tells what became of an attempt of which nobody knew it.
// It goes nowhere: what has failed has been tried again, or parked, since.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, verdict := range []attempt.Verdict{attempt.Retryable, attempt.Permanent, attempt.Exhausted, attempt.Held} {
		w := newWorld(t)
		w.accept(func(r *attempt.Record) { r.Verdict, r.State = verdict, "" })
		left := w.take(1, told(attempt.Bounced, hard))
		if held := verdict == attempt.Held; held != (left == 1) || len(w.sent) > 0 || w.suppressed("ann@acme.test") == held ||
			(w.record().State == attempt.Bounced) == held {
			t.Errorf("%s: left %d, %+v, sent %d", verdict, left, w.record(), len(w.sent))
		}
		if own := w.record().Own(); verdict != attempt.Held && own.State != "" {
			t.Errorf("%s: its own state is %q", verdict, own.State)
		}
	}
}

// TestWords: STOP to a number holds for the list it is said to; START lifts what STOP, or
// Twilio's refusal to send to the number, has put on the tenant's list or on that of all.
func TestWords(t *testing.T) {
	t.Parallel()
	word := func(word, tenant string, at time.Time) string {
		body, err := report.Report{Provider: report.Twilio, Word: word, Tenant: tenant, Recipients: []string{"+46701234567"}, At: at}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	stop, start := report.Stop, report.Start
	for name, c := range map[string]struct {
		words [][2]string
		want  string // the tenants on whose lists it is
	}{
		"STOP":                           {[][2]string{{stop, ""}}, "[]"},
		"STOP to a tenant":               {[][2]string{{stop, "acme"}}, "[acme]"},
		"START":                          {[][2]string{{stop, ""}, {start, ""}}, ""},
		"START to a tenant":              {[][2]string{{stop, "acme"}, {start, "acme"}}, ""},
		"START to a tenant, STOP to all": {[][2]string{{stop, ""}, {start, "acme"}}, ""},
		"START to all, STOP to a tenant": {[][2]string{{stop, "acme"}, {start, ""}}, "[acme]"},
		"START to another tenant":        {[][2]string{{stop, "acme"}, {start, "beta"}}, "[acme]"},
		"21610":                          {[][2]string{{"21610", ""}}, "[]"},
		"21610, then START":              {[][2]string{{"21610", ""}, {start, "acme"}}, ""},
	} {
		w := newWorld(t)
		w.accept(func(r *attempt.Record) { r.Channel, r.Recipient = "sms", "+46701234567" })
		for _, one := range c.words {
			w.now = w.now.Add(time.Minute)
			body := told(attempt.Undelivered, optedOut, func(r *report.Report) {
				r.Provider, r.Recipients, r.At = report.Twilio, []string{"+46701234567"}, w.now
			})
			if one[0] != "21610" {
				body = word(one[0], one[1], w.now)
			}
			if left := w.take(1, body); left != 0 {
				t.Errorf("%s: it is left", name)
			}
		}
		got := ""
		for _, tenant := range []string{"", "acme", "beta"} {
			if found, err := w.Suppressed(t.Context(), []suppression.Key{suppression.KeyOf(tenant, "sms", "+46701234567")}); err != nil ||
				len(found) > 0 {
				got += "[" + tenant + "]"
			}
		}
		if got != c.want {
			t.Errorf("%s: on the lists %s, want %s", name, got, c.want)
		}
	}
}

// TestWhomItIsAbout: of a mail to one it is who it was sent to that can't be reached,
// whatever address the server names that it was forwarded to; of several it is who is
// named, however the address is written.
func TestWhomItIsAbout(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		to, reported string
		all          int
		state        attempt.State
		listed       string
	}{
		"the one":             {"ann@acme.test", "ann@acme.test", 1, attempt.Bounced, "ann@acme.test"},
		"forwarded":           {"ann@acme.test", "ann@elsewhere.test", 1, attempt.Bounced, "ann@acme.test"},
		"with a name":         {"Ann <ann@acme.test>", "", 1, attempt.Bounced, "ann@acme.test"},
		"one of several":      {"bob@acme.test, Ann <ann@acme.test>", "ANN@acme.test", 2, attempt.Bounced, "ann@acme.test"},
		"of a domain in UTF8": {"bob@acme.test, ann@bücher.test", "ann@xn--bcher-kva.test", 2, attempt.Bounced, "ann@bücher.test"},
		"in copy":             {"bob@acme.test", "ann@acme.test", 2, attempt.Accepted, "ann@acme.test"},
	} {
		w := newWorld(t)
		w.accept(func(r *attempt.Record) { r.Recipient = c.to })
		body := told(attempt.Bounced, hard, func(r *report.Report) {
			if r.Recipients, r.All = nil, c.all; c.reported != "" {
				r.Recipients = []string{c.reported}
			}
		})
		if left := w.take(1, body); left != 0 || w.record().State != c.state || !w.suppressed(c.listed) || w.suppressed("ann@elsewhere.test") {
			t.Errorf("%s: left %d, %+v, suppressed %v", name, left, w.record(), w.suppressed(c.listed))
		}
	}
}
