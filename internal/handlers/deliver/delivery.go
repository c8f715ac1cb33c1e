package deliver

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/webhook"
)

// state is how far a delivery has come in this invocation.
type state int

const (
	fresh  state = iota
	ready        // it has its keys and its turn: to be sent once it is announced
	failed       // it can't be sent: to be settled without an exchange
	left         // not done with, and its visibility is right as it is
	done         // delivered: to be deleted from the queue
)

// delivery is one message in one invocation.
type delivery struct {
	*batch
	msg      *events.SQSMessage
	state    state
	webhook  webhook.Message
	policy   retry.Policy
	keys     webhook.Keys
	receives int
	// base is how many attempts do not count: those before a redrive that kept
	// the message's id.
	base int
	// record is the attempt at hand; recorded says that it is kept already.
	record   attempt.Record
	recorded bool
	outcomes []ledger.Entry
}

// prepare decides what is to be done with the message, short of doing it.
func (d *delivery) prepare(ctx context.Context) {
	d.receives = message.ReceiveCount(d.msg.Attributes)
	var malformed error
	d.webhook, malformed = webhook.Decode([]byte(d.msg.Body))
	carried := message.CarriedBy(func(name string) *string { return d.msg.MessageAttributes[name].StringValue })
	d.record = attempt.Record{
		// A message without an id keeps the one that it was first tried under.
		WebhookID: cmp.Or(d.webhook.ID, carried.ID, d.msg.MessageId), MessageID: d.msg.MessageId, Attempt: 1,
		Origin: cmp.Or(carried.Origin, d.msg.MessageId),
		URL:    d.webhook.URL, EventType: d.webhook.EventType, Tenant: d.webhook.Tenant,
	}
	if d.receives > 1 && !d.resume(ctx) {
		return
	}
	var err error
	if malformed == nil {
		d.policy, malformed = d.Policies.Lookup(cmp.Or(carried.Retry, d.webhook.Retry))
	}
	if malformed != nil {
		d.refuse(attempt.Permanent, malformed)
		return
	}
	if d.keys, err = d.Secrets.Keys(ctx, d.webhook.Secret, ""); err != nil {
		d.refuse(secretVerdict(err), err)
		return
	}
	d.state = ready
}

func secretVerdict(err error) attempt.Verdict {
	if errors.Is(err, webhook.ErrSecretNotFound) || errors.Is(err, webhook.ErrSecretUnusable) {
		return attempt.Permanent
	}
	return attempt.Retryable
}

// refuse notes that no exchange can be made.
func (d *delivery) refuse(v attempt.Verdict, why error) {
	d.record.Verdict, d.record.Reason = v, why.Error()
	d.state = failed
}

// run makes the exchange that was announced, or settles what can't be sent.
func (d *delivery) run(ctx context.Context) {
	switch d.state {
	case failed:
		d.record.At = d.Now()
		d.settle(d.record.Verdict, d.record.Reason, 0)
	case ready:
		d.send(ctx)
	}
}

func (d *delivery) send(ctx context.Context) {
	x, ok := d.exchange(ctx)
	if !ok {
		return
	}
	if x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden {
		if d.renewKeys(ctx) {
			d.sendAgain(ctx, x)
			return
		}
	}
	d.settleExchange(x)
}

func (d *delivery) settleExchange(x webhook.Exchange) {
	verdict, reason := webhook.Classify(x)
	d.settle(verdict, reason, x.RetryAfter)
}

// exchange sends once and fills the record with what happened. It reports
// false when the invocation ended first: that attempt stays unrecorded, and
// the message comes back.
func (d *delivery) exchange(ctx context.Context) (webhook.Exchange, bool) {
	d.record.At = d.Now()
	x := d.Sender.Post(ctx, d.webhook.Request(d.record.WebhookID, d.keys.Secrets, d.record.At))
	if x.Interrupted {
		d.Log.Warn("the invocation ended before the exchange did; the message comes back", d.id())
		d.state = left
		return x, false
	}
	d.record.Status, d.record.DurationMS = x.Status, x.Duration.Milliseconds()
	d.record.Response, d.record.Truncated = x.Response, x.Truncated
	return x, true
}

// renewKeys reports whether the keys that an endpoint just refused have been
// replaced since they were cached.
func (d *delivery) renewKeys(ctx context.Context) bool {
	keys, err := d.Secrets.Keys(ctx, d.webhook.Secret, d.keys.Version)
	if err != nil || keys.Version == d.keys.Version {
		return false
	}
	d.keys = keys
	return true
}

// sendAgain makes one more attempt at once, recorded and announced as any.
func (d *delivery) sendAgain(ctx context.Context, refused webhook.Exchange) {
	_, reason := webhook.Classify(refused)
	d.record.Verdict, d.record.NextAt = attempt.Retryable, d.Now()
	d.record.Reason = reason + ": the secret has changed since it was cached, trying again at once"
	if !d.keep() {
		return
	}
	d.outcomes = append(d.outcomes, d.outcome())
	d.record = attempt.Record{
		WebhookID: d.record.WebhookID, MessageID: d.record.MessageID, Attempt: d.record.Attempt + 1, Origin: d.record.Origin,
		URL: d.record.URL, EventType: d.record.EventType, Tenant: d.record.Tenant,
	}
	if err := d.Audit.Append(d.writes, d.key, []ledger.Entry{d.intent()}); err != nil {
		d.Log.Error("not sent again: the audit queue can't be written", d.id(), "error", err)
		d.state = left
		return
	}
	if x, ok := d.exchange(ctx); ok {
		d.settleExchange(x)
	}
}

// id is how every log line names its message.
func (d *delivery) id() slog.Attr {
	return slog.Group("", "webhook_id", d.record.WebhookID, "message_id", d.record.MessageID)
}
