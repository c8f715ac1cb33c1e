package notify

import (
	"cmp"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/waiting"
)

// Ended says in one line of the log who got the message by which way and why, or why
// nobody did, and counts it for its tenant. Who was not reached is not named.
func (n *notice) Ended(r attempt.Record) {
	n.count(&r)
	held, paced := n.Held.Total(), n.Held[string(waiting.Limit)]
	if r.Verdict == attempt.Delivered {
		n.Log.InfoContext(n.Writes(), "sent", n.Names(), "tenant", r.Tenant, "to", r.To, "topic", r.Topic, "template", r.Template,
			"channel", r.Channel, "failed_channels", r.FailedChannels, "failed_as", n.failedAs(&r), "recipient", r.Recipient,
			"provider_id", r.ProviderID, "attempts", r.Attempt-n.Base, "took_s", n.took(&r), "held_s", held.Seconds(),
			"paced_s", paced.Seconds(), "reason", r.Reason)
		return
	}
	n.Log.InfoContext(n.Writes(), "not sent", n.Names(), "tenant", r.Tenant, "to", r.To, "topic", r.Topic, "template", r.Template,
		"channel", r.Channel, "failed_channels", r.FailedChannels, "failed_as", n.failedAs(&r), "class", r.Class, "status", r.Status,
		"verdict", r.Verdict, "attempts", r.Attempt-n.Base, "took_s", n.took(&r), "held_s", held.Seconds(),
		"paced_s", paced.Seconds(), "reason", r.Reason)
}

// took is how long it was since somebody sent the message, in seconds.
func (n *notice) took(r *attempt.Record) float64 {
	return max(0, r.Ended().Sub(n.begun())).Truncate(time.Millisecond).Seconds()
}

// failure is why a channel was left, as a line of the log has it.
type failure struct {
	Channel string `json:"channel"`
	Class   string `json:"class"`
	Status  int    `json:"status,omitzero"`
	Reason  string `json:"reason"`
}

// failedAs are the last failures on the channels that were left, in order.
func (n *notice) failedAs(r *attempt.Record) (all []failure) {
	for _, on := range r.FailedChannels {
		last := attempt.LastOn(n.History, on)
		if r.Channel == on {
			last = *r
		}
		all = append(all, failure{on, last.Class, last.Status, last.Reason})
	}
	return all
}

// count counts, for the message's tenant, the channel that it went by or ended on, and
// each that was left for another.
func (n *notice) count(r *attempt.Record) {
	tenant := n.needs.Tenants.Label(n.message.Tenant)
	if tenant == "" {
		return
	}
	note := func(on, outcome string) {
		on = cmp.Or(on, metric.Other) // none was tried
		n.Note(metric.Event{Name: metric.Notifications, Value: 1, Labels: metric.Labels{Tenant: tenant, Channel: on, Outcome: outcome}})
	}
	for _, on := range r.FailedChannels {
		if on != r.Channel {
			note(on, metric.Left)
		}
	}
	if r.Verdict == attempt.Delivered {
		note(r.Channel, metric.Sent)
		return
	}
	note(r.Channel, metric.NotSent)
}
