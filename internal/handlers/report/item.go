package report

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/report"
	"github.com/efferent/efferent/internal/suppression"
)

// item is one message of a batch, and what becomes of it.
type item struct {
	*Handler
	msg      *events.SQSMessage
	receives int
	// done says that it leaves the queue. Otherwise it is shown again after wait.
	done   bool
	wait   time.Duration
	counts []metric.Event
}

// waits are how long a message waits after each receive for what can't be done now: half
// an hour in all, after which SQS moves it to the dead-letter queue. A record is commonly
// written a second after its provider has answered.
var waits = []time.Duration{2 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute}

// again has the message come back, or go to the dead-letter queue.
func (i *item) again(why string, attributes ...any) {
	i.wait = waits[min(max(i.receives, 1), len(waits))-1]
	if i.receives >= i.MaxReceives {
		i.wait = 0
	}
	attributes = append([]any{"message_id", i.msg.MessageId, "reason", why, "wait_s", i.wait.Seconds()}, attributes...)
	i.Log.Warn("a report waits", attributes...)
}

func (i *item) run(ctx context.Context) {
	r, err := report.Decode([]byte(i.msg.Body))
	switch {
	case errors.Is(err, report.ErrNothing):
		i.done = true
	case err != nil: // it is shown at once until SQS moves it
		i.Log.ErrorContext(ctx, "a report can't be read; it goes to the dead-letter queue", "message_id", i.msg.MessageId, "error", err)
		i.count(metric.DeadLetters, metric.Labels{})
	case r.Word != "":
		i.answer(ctx, r)
	default:
		i.attempt(ctx, r)
	}
}

// answer takes in what somebody has answered to an SMS.
func (i *item) answer(ctx context.Context, r report.Report) {
	e, err := suppression.New(r.Tenant, channel.SMS, r.Recipients[0], suppression.Stop, i.at(r))
	switch {
	case err != nil: // no number that could be sent to
		i.done = true
		return
	case r.Word == report.Start:
		for _, key := range suppression.KeysOf(r.Tenant, e.Channel, e.Address) { // the provider sends again for all of them
			_, one := i.Suppressions.LiftSuppression(ctx, suppression.Lifting{Key: key, At: e.Since, Only: suppression.Stop})
			err = errors.Join(err, one)
		}
	default:
		_, err = i.Suppressions.AddSuppression(ctx, e)
	}
	if err != nil {
		i.again("the suppression list can't be written", "error", err)
		return
	}
	i.done = true
	i.Log.InfoContext(ctx, "a recipient has answered by SMS", "reason", r.Word, "tenant", r.Tenant)
}

func (i *item) at(r report.Report) time.Time {
	if r.At.IsZero() || r.At.After(i.Now()) {
		return i.Now()
	}
	return r.At
}

// attempt takes in a report of an attempt.
func (i *item) attempt(ctx context.Context, r report.Report) {
	records, err := i.Attempts.OfMessage(ctx, r.Of.WebhookID, r.Of.MessageID)
	if err != nil {
		i.again("the attempt can't be read", "error", err)
		return
	}
	at := slices.IndexFunc(records, func(one attempt.Record) bool {
		return one.Attempt == r.Of.Attempt && one.Verdict != attempt.Held // one of which nobody knew the outcome is told now
	})
	if at < 0 {
		i.again("the attempt is not recorded yet", "notification_id", r.Of.WebhookID, "attempt", r.Of.Attempt)
		return
	}
	record := records[at]
	if r.All > 1 { // each of them may be told of by itself
		if err := i.suppress(ctx, record, r); err != nil {
			i.again("the suppression list can't be written", "notification_id", r.Of.WebhookID, "error", err)
			return
		}
	}
	now, anew := i.kept(record, r)
	if !anew && now == nil {
		i.done = true // late, or double, or about another recipient
		i.Log.DebugContext(ctx, "a report changes nothing", "notification_id", record.WebhookID, "state", r.State)
		return
	}
	if anew {
		switch err := i.Attempts.PutReport(ctx, record, *now); {
		case errors.Is(err, attempt.ErrReported):
			i.receives = 1 // soon: it is decided anew beside what was faster
			i.again(err.Error())
			return
		case err != nil:
			i.again("the report can't be kept", "error", err)
			return
		}
	}
	i.follow(ctx, record.With(*now), r)
}

// kept is what is kept of a report, and whether that is to be written: it may be there
// already, from a receive before this one that did not come to its end. Nil is for one
// that changes nothing.
func (i *item) kept(record attempt.Record, r report.Report) (now *attempt.Report, anew bool) {
	before := record.Report
	if before != nil && before.By == i.msg.MessageId {
		if !before.Due {
			return nil, false
		}
		return before, false
	}
	k := r.Kept(i.msg.MessageId, i.Now(), before)
	if before != nil && before.Due && before.State == k.State && before.At.Equal(r.At) {
		return before, false // it is the same, out of the dead-letter queue under another id
	}
	if before != nil && k.Rank() <= before.Rank() || !concerns(record, r) {
		return nil, false
	}
	return &k, true
}

// concerns reports whether a report is about whom the notification is to, and not only
// about somebody in copy.
func concerns(record attempt.Record, r report.Report) bool {
	if r.Provider == report.Twilio || r.All <= 1 || len(r.Recipients) == 0 {
		return true
	}
	bare := func(text string) string {
		return suppression.Normalize(channel.Email, channel.Bare(strings.TrimSpace(text)))
	}
	return slices.ContainsFunc(strings.Split(record.Recipient, ","), func(to string) bool {
		return slices.ContainsFunc(r.Recipients, func(of string) bool { return bare(to) == bare(of) })
	})
}

func (i *item) count(name string, l metric.Labels) {
	i.counts = append(i.counts, metric.Event{Name: name, Value: 1, Labels: l})
}
