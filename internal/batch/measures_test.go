package batch

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/waiting"
)

// recorded are events as texts, a batch's in order; calls is how often something was
// recorded.
type recorded struct {
	events []string
	calls  int
}

func (r *recorded) Record(events []metric.Event) {
	r.calls++
	for _, e := range events {
		text := e.Name
		for _, label := range []string{e.Verdict, e.Reason, e.Channel, e.Action} {
			if label != "" {
				text += " " + label
			}
		}
		r.events = append(r.events, fmt.Sprintf("%s %v", text, e.Value))
	}
	slices.Sort(r.events)
}

// TestUndelivered: the oldest of what a batch did not deliver is told of.
func TestUndelivered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		messages []string
		want     []string
	}{
		"all sent":           {[]string{"a send 1", "b send 1"}, []string{}},
		"one fails":          {[]string{"a send 1", "b fail 1"}, []string{"OldestUndelivered 3600"}},
		"nothing":            {nil, nil},
		"what is in its way": {[]string{"a refuse 1"}, []string{"OldestUndelivered 3600"}},
		"two fail":           {[]string{"a fail 1", "b fail 1"}, []string{"OldestUndelivered 7200"}},
		"sent and untold":    {[]string{"z send 1"}, []string{}},
	} {
		d := newDesk()
		d.fails["audit delivered:z#1"] = true // it comes back for that, and is delivered all the same
		n, told := d.needs(), &recorded{}
		n.Now, n.Metrics = func() time.Time { return noon }, told
		event := eventOf(c.messages)
		for i := range event.Records {
			age := time.Duration(len(event.Records)-i) * time.Hour
			event.Records[i].Attributes["ApproximateFirstReceiveTimestamp"] = strconv.FormatInt(noon.Add(-age).UnixMilli(), 10)
		}
		n.Handle(t.Context(), event, Kind{Job: func(i *Item) Job { return &errand{Item: i, d: d, during: nothing} }})
		told.events = slices.DeleteFunc(told.events, func(e string) bool { return e[:3] != "Old" })
		if diff := cmp.Diff(c.want, told.events); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// measured is a job that does what a test wants.
type measured struct {
	*errand
	run func(i *Item, r attempt.Record)
}

func (m *measured) Prepare(ctx context.Context) {
	if m.Identify("", "acme"); m.Resume(ctx) {
		m.State = Ready
	}
}

func (m *measured) Run(context.Context) {
	r := m.Begin()
	r.At = noon
	m.run(m.Item, r)
}

// TestMeasures: what becomes of a message is told once, with its batch.
func TestMeasures(t *testing.T) {
	t.Parallel()
	sent := noon.Add(-90 * time.Second)
	end := func(v attempt.Verdict) func(i *Item, r attempt.Record) {
		return func(i *Item, r attempt.Record) {
			i.Exchanged(250*time.Millisecond, metric.Server)
			r.Verdict = v
			i.End(r)
		}
	}
	hold := func(h Hold) func(i *Item, r attempt.Record) {
		return func(i *Item, r attempt.Record) { i.HoldFor(r, h) }
	}
	for name, c := range map[string]struct {
		receives int
		carried  message.Carried
		fails    string
		run      func(i *Item, r attempt.Record)
		want     []string
	}{
		"delivered": {1, message.Carried{}, "", func(i *Item, r attempt.Record) {
			i.Exchanged(250*time.Millisecond, "")
			r.Verdict, r.DurationMS, r.Channel = attempt.Delivered, 250, "sms"
			i.Sent(r)
		}, []string{"Attempts delivered sms 1", "ExchangeLatency delivered sms 250", "TimeToDelivery delivered sms 90.25"}},
		"delivered, out of the room": {1, message.Carried{Origin: "m-0", Attempts: 1, First: noon.Add(-time.Hour), Released: sent}, "",
			func(i *Item, r attempt.Record) { r.Verdict = attempt.Delivered; i.Sent(r) },
			[]string{"Attempts delivered 1", "TimeToDelivery delivered 3600"}},
		"failed, and tried again in its queue": {1, message.Carried{}, "", func(i *Item, r attempt.Record) {
			i.Exchanged(time.Second, metric.DNS)
			r.Verdict = attempt.Retryable
			i.Wait(r, time.Second, waiting.Delay)
		}, []string{"Attempts retryable dns 1", "ExchangeLatency retryable dns 1000", "Failures retryable dns 1", "OldestUndelivered 60"}},
		"failed, and tried again after a day": {1, message.Carried{}, "", func(i *Item, r attempt.Record) {
			i.FailedBy(metric.Malformed)
			r.Verdict = attempt.Retryable
			i.Wait(r, 24*time.Hour, waiting.Delay)
		}, []string{"Attempts retryable malformed 1", "Failures retryable malformed 1", "OldestUndelivered 60", "RoomEntered 1"}},
		"failed for good": {1, message.Carried{}, "", end(attempt.Permanent), []string{"Attempts permanent 5xx 1", "DeadLetters 1",
			"ExchangeLatency permanent 5xx 250", "Failures permanent 5xx 1", "OldestUndelivered 60"}},
		"failed, and nobody can write it down": {1, message.Carried{}, "put", end(attempt.Permanent), []string{"Attempts permanent 5xx 1",
			"ExchangeLatency permanent 5xx 250", "Failures permanent 5xx 1", "OldestUndelivered 60"}},
		"its outcome is missing": {20, message.Carried{}, "audit 250:m#1", func(i *Item, r attempt.Record) {
			r.Verdict = attempt.Delivered
			i.Sent(r)
		}, []string{"Attempts delivered 1", "OutcomesMissing delivered 1", "TimeToDelivery delivered 90"}},
		"our own trouble": {1, message.Carried{}, "", func(i *Item, r attempt.Record) { i.Hold(r, "no key") },
			[]string{"Held trouble 1", "OldestUndelivered 60"}},
		"an open circuit": {1, message.Carried{}, "", hold(Hold{Reason: waiting.Circuit, Wait: time.Minute, Circuit: "c", Leave: true}),
			[]string{"Held circuit 1", "OldestUndelivered 60", "RoomEntered 1"}},
		"an operator's": {1, message.Carried{}, "", hold(Hold{Reason: waiting.Delay, Wait: time.Minute, Circuit: "c"}),
			[]string{"Held pause 1", "OldestUndelivered 60"}},
		"a Retry-After": {1, message.Carried{}, "", hold(Hold{Reason: waiting.Asked, Wait: time.Minute}),
			[]string{"Held retry-after 1", "OldestUndelivered 60"}},
		"a provider's limit": {1, message.Carried{}, "", hold(Hold{Reason: waiting.Limit, Wait: time.Minute}),
			[]string{"Held limit 1", "OldestUndelivered 60"}},
		"not its turn": {1, message.Carried{}, "", func(i *Item, r attempt.Record) { i.PutBack(r, time.Second, "later") },
			[]string{"Held turn 1", "OldestUndelivered 60"}},
		"held for too long": {1, message.Carried{}, "", hold(Hold{Reason: waiting.Circuit, Wait: time.Hour, Most: time.Minute}),
			[]string{"Attempts exhausted overdue 1", "DeadLetters 1", "Failures exhausted overdue 1", "OldestUndelivered 60"}},
		"tried before, too": {1, message.Carried{}, "", func(i *Item, r attempt.Record) {
			i.Exchanged(time.Second, metric.Closed)
			r.Verdict, r.Uncounted = attempt.Retryable, true
			i.Keep(r)
			next := i.Begin()
			next.At, next.Verdict = noon, attempt.Delivered
			i.Sent(next)
		}, []string{"Attempts delivered 1", "Attempts retryable closed 1", "ExchangeLatency retryable closed 1000",
			"Failures retryable closed 1", "TimeToDelivery delivered 90"}},
	} {
		d, told := newDesk(), &recorded{}
		if c.fails != "" {
			d.fails[c.fails] = true
			d.fails["audit delivered:m#1"] = c.receives == 20
		}
		n := d.needs()
		n.Now, n.Metrics, n.Policies = func() time.Time { return noon }, told, retry.Policies{}
		m := one(c.receives, c.carried)
		m.Attributes["SentTimestamp"] = strconv.FormatInt(sent.UnixMilli(), 10)
		m.Attributes["ApproximateFirstReceiveTimestamp"] = strconv.FormatInt(noon.Add(-time.Minute).UnixMilli(), 10)
		n.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{m}}, Kind{Job: func(i *Item) Job {
			i.Await = func(context.Context, *waiting.Item) error { return nil }
			return &measured{&errand{Item: i, d: d, during: nothing}, c.run}
		}})
		if diff := cmp.Diff(c.want, told.events); diff != "" || told.calls != 1 {
			t.Errorf("%s: told in %d calls (-want +got):\n%s", name, told.calls, diff)
		}
	}
}
