package batch

import (
	"cmp"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/waiting"
)

// try is what the job says of the attempt at hand before it is settled.
type try struct {
	made   bool
	took   time.Duration
	reason string
}

// Exchanged says how long the exchange of the attempt at hand took, and why it
// failed, by one of metric's reasons; empty where it did not.
func (i *Item) Exchanged(took time.Duration, reason string) { i.try = try{true, took, reason} }

// FailedBy says why an attempt ends that is not made.
func (i *Item) FailedBy(reason string) { i.try = try{reason: reason} }

// Note keeps an event until the batch ends: all of it is one line in a log then.
func (i *Item) Note(e metric.Event) {
	if i.Metrics == nil {
		return
	}
	if i.events == nil {
		i.events = make([]metric.Event, 0, 3) // an attempt's
	}
	i.events = append(i.events, e)
}

func (i *Item) note(name string, value float64, l metric.Labels) {
	i.Note(metric.Event{Name: name, Value: value, Labels: l})
}

// settled notes what came of the attempt at hand.
func (i *Item) settled(r *attempt.Record) {
	l := metric.Labels{Verdict: string(r.Verdict), Channel: r.Channel}
	if r.Verdict != attempt.Delivered {
		l.Reason = cmp.Or(i.try.reason, metric.Other)
	}
	i.end = end{r.Attempt, string(r.Verdict), l.Reason}
	if r.Verdict != attempt.Delivered {
		i.note(metric.Failures, 1, l)
	}
	i.note(metric.Attempts, 1, l)
	if i.try.made {
		i.note(metric.ExchangeLatency, float64(i.try.took.Milliseconds()), l)
	}
	if r.Verdict == attempt.Delivered {
		i.note(metric.TimeToDelivery, max(0, r.Ended().Sub(i.sentAt()).Seconds()), l)
	}
	i.try = try{}
}

// ended tells the job of its message's end, if it wants to know.
func (i *Item) ended(r attempt.Record) {
	if job, ok := i.job.(Ender); ok {
		job.Ended(r)
	}
}

// isHeld notes that the message is held.
func (i *Item) isHeld(by string) {
	i.end = end{i.Number, string(attempt.Held), by}
	i.note(metric.Held, 1, metric.Labels{Reason: by})
}

// sentAt is when the producer sent the message; of one that was sent anew since, when
// it was first received.
func (i *Item) sentAt() time.Time {
	if sent := message.SentAt(i.Msg.Attributes); i.Origin == i.Msg.MessageId && !sent.IsZero() {
		return sent
	}
	return i.First
}

// heldBy is what holds a message. Nobody knows for how long an operator's circuit does,
// or that of an endpoint that wants no more: it holds by delay.
func heldBy(r waiting.Reason) string {
	switch r {
	case waiting.Delay, waiting.Paused:
		return metric.Paused
	case waiting.Circuit:
		return metric.OpenByFail
	case waiting.Asked:
		return metric.RetryAfter
	case waiting.Limit:
		return metric.Limit
	case waiting.Trouble:
		return metric.Trouble
	}
	return metric.Other
}

// measure notes how old the oldest message is that was not delivered. What comes back
// only to be told of is.
func (b *batch) measure() {
	var oldest time.Duration
	for _, i := range b.items {
		if i.State != Done && !i.First.IsZero() {
			oldest = max(oldest, b.Now().Sub(i.First))
		}
	}
	if oldest > 0 {
		b.oldest = append(b.oldest, metric.Event{Name: metric.OldestUndelivered, Value: oldest.Seconds()})
	}
}

// record tells of all that was noted.
func (b *batch) record() {
	events := len(b.oldest)
	for _, i := range b.items {
		events += len(i.events)
	}
	all := make([]metric.Event, 0, events)
	for _, i := range b.items {
		all = append(all, i.events...)
	}
	metric.To(b.Metrics, append(all, b.oldest...)...)
}
