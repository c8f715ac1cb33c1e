package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/report"
	"github.com/efferent/efferent/internal/report/onward"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/waiting"
)

// TestWhoIsSuppressed: only for what a later message can't mend, or who wants none.
func TestWhoIsSuppressed(t *testing.T) {
	t.Parallel()
	twilio := func(r *report.Report) { r.Provider = report.Twilio }
	two := func(r *report.Report) {
		r.All, r.Recipients = 2, []string{"ann@acme.test", "no address", "Bob@acme.test"}
	}
	for name, c := range map[string]struct {
		report string
		want   suppression.Reason
	}{
		"a hard bounce":             {told(attempt.Bounced, hard), suppression.Bounce},
		"a soft bounce":             {told(attempt.Bounced), ""},
		"hard, and not bounced":     {told(attempt.Undelivered, hard), ""},
		"a complaint":               {told(attempt.Complained), suppression.Complaint},
		"a complaint of one of two": {told(attempt.Complained, two), ""},
		"hard bounces of two":       {told(attempt.Bounced, hard, two), suppression.Bounce},
		"opted out, says SES":       {told(attempt.Undelivered, optedOut), ""},
		"not delivered by Twilio":   {told(attempt.Undelivered, twilio), ""},
	} {
		w := newWorld(t)
		w.accept(func(r *attempt.Record) { r.ProviderID = strings.Repeat("i", 300) })
		if left := w.take(1, c.report); left != 0 {
			t.Errorf("%s: it is left", name)
		}
		key := suppression.KeyOf("acme", "email", "ann@acme.test")
		found, err := w.Suppressed(t.Context(), []suppression.Key{key})
		if e := found[key]; err != nil || e.Reason != c.want || c.want != "" && len(e.Source) != suppression.MaxSource {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		if both := name == "hard bounces of two"; w.suppressed("bob@acme.test") != both {
			t.Errorf("%s: the other is suppressed: %v", name, !both)
		}
	}
}

// TestNoTimeToCome: a report of a time to come, or of none, is of now: a suppression of
// next year would outlast what lifts it.
func TestNoTimeToCome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at   time.Duration // before now
		want time.Duration
	}{"earlier": {time.Hour, time.Hour}, "to come": {-time.Hour, 0}, "none": {-1, 0}} {
		w := newWorld(t)
		w.accept()
		w.take(1, told(attempt.Bounced, hard, func(r *report.Report) {
			if r.At = w.now.Add(-c.at); c.at == -1 {
				r.At = time.Time{}
			}
		}))
		key := suppression.KeyOf("acme", "email", "ann@acme.test")
		found, err := w.Suppressed(t.Context(), []suppression.Key{key})
		if since := found[key].Since; err != nil || !since.Equal(w.now.Add(-c.want)) {
			t.Errorf("%s: since %v, %v", name, since, err)
		}
	}
}

// TestProducersAreTold: of each state that is reached once; of what tells of an outcome
// nothing, or outcomes would never end.
func TestProducersAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.outcomes = &outcome.Teller{Sink: w, Kinds: outcome.Kinds{"notification.bounced": true}}
	w.accept()
	w.take(1, told(attempt.Bounced))
	w.take(1, told(attempt.Bounced))
	if len(w.events) != 1 || w.events[0].Kind != "notification.bounced" || w.events[0].Tenant != "acme" {
		t.Errorf("told %+v", w.events)
	}
	own := outcome.OfAttempt(&attempt.Record{WebhookID: "n_1"}).ID
	w.accept(func(r *attempt.Record) { r.WebhookID = own })
	if left := w.take(1, told(attempt.Bounced, func(r *report.Report) { r.Of.WebhookID = own })); left != 0 || len(w.events) != 1 {
		t.Errorf("left %d, told %+v", left, w.events)
	}
}

// TestDespiteOptOut: a message that says so goes on also where the recipient wants no
// more on this channel.
func TestDespiteOptOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.accept()
	packed, err := onward.Message{Item: waiting.Item{Queue: "notifications"}, Deadline: w.now.Add(time.Minute), DespiteOptOut: true}.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.KeepOnward(t.Context(), "n_1", r.SortKey(), packed, w.now); err != nil {
		t.Fatal(err)
	}
	if w.take(1, told(attempt.Undelivered, optedOut)); len(w.sent) != 1 || w.sent[0].Attributes["efferent-released"].Text == "" {
		t.Errorf("sent %+v", w.sent)
	}
}

// TestTroubleIsNotDone: what can't be read or written keeps the report on the queue, the
// counts say nothing of it, and the others of its batch are done with.
func TestTroubleIsNotDone(t *testing.T) {
	t.Parallel()
	answer := func(word string) string {
		body, err := report.Report{Provider: report.Twilio, Word: word, Recipients: []string{"+46701234567"}}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	two := told(attempt.Arrived, hard, func(r *report.Report) { r.State, r.All, r.Recipients = attempt.Bounced, 2, []string{"bob@acme.test"} })
	for name, c := range map[string]struct {
		body  string
		calls int // that may fail
	}{
		"a bounce": {told(attempt.Bounced, hard), 7}, "one of two": {two, 2}, "STOP": {answer(report.Stop), 1},
		"START": {answer(report.Start), 1},
	} {
		for broken := 1; broken <= c.calls; broken++ {
			w := newWorld(t)
			w.accept()
			w.broken = broken
			if left := w.take(1, c.body); left != 1 || w.hidden["r0"] != waits[0] || len(w.counted) != 0 {
				t.Errorf("%s, call %d: left %d, for %v, counted %v", name, broken, left, w.hidden["r0"], w.counted)
			}
		}
		w := newWorld(t)
		w.accept()
		if left := w.take(1, c.body); left != 0 || w.calls != c.calls || len(w.hidden) != 0 {
			t.Errorf("%s: left %d, %d calls, hidden %v", name, left, w.calls, w.hidden)
		}
	}
	w := newWorld(t)
	w.accept()
	left := w.take(3, told(attempt.Arrived), "{", told(attempt.Arrived, func(r *report.Report) { r.Of.Attempt = 2 }))
	if left != 2 || w.hidden["r1"] != 0 || w.hidden["r2"] != waits[2] || len(w.counted) != 2 {
		t.Errorf("left %d, hidden %v, counted %v", left, w.hidden, w.counted)
	}
}

// faster writes another report first.
type faster struct{ *world }

func (f faster) PutReport(context.Context, attempt.Record, attempt.Report) error {
	return fmt.Errorf("the test: %w", attempt.ErrReported)
}

// TestAnotherIsFaster: then a report is decided anew soon, however often it has come.
func TestAnotherIsFaster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accept()
	h := w.handler()
	h.Attempts = faster{w}
	in := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "a", ReceiptHandle: "r0", Body: told(attempt.Bounced, hard),
		Attributes: map[string]string{"ApproximateReceiveCount": "4"}}}}
	out, err := h.Handle(t.Context(), in)
	if err != nil || len(out.BatchItemFailures) != 1 || w.hidden["r0"] != waits[0] || w.suppressed("ann@acme.test") {
		t.Errorf("%+v, %v, hidden %v", out, err, w.hidden)
	}
}

// stuck is a store that answers when its caller has no time left.
type stuck struct{ *world }

func (s stuck) OfMessage(ctx context.Context, _, _ string) ([]attempt.Record, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// TestTimeToHide: of an invocation's time enough is kept to say when messages come back.
func TestTimeToHide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.handler()
	h.Attempts = stuck{w}
	ctx, stop := context.WithTimeout(t.Context(), margin+time.Millisecond)
	defer stop()
	in := events.SQSEvent{Records: []events.SQSMessage{{MessageId: "a", ReceiptHandle: "r0", Body: told(attempt.Arrived)}}}
	if out, err := h.Handle(ctx, in); err != nil || len(out.BatchItemFailures) != 1 || w.hidden["r0"] == 0 || ctx.Err() != nil {
		t.Errorf("%+v, %v, hidden %v, %v", out, err, w.hidden, ctx.Err())
	}
	if !slices.IsSorted(waits) {
		t.Errorf("the waits %v don't grow", waits)
	}
}
