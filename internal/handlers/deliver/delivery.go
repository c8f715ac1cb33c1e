package deliver

import (
	"context"
	"errors"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/webhook"
)

// delivery is one message in one invocation.
type delivery struct {
	*batch.Item
	needs   *Needs
	webhook webhook.Message
	policy  retry.Policy
	keys    webhook.Keys
	// record is the attempt at hand.
	record attempt.Record
}

// Prepare decides what is to be done with the message.
func (d *delivery) Prepare(ctx context.Context) {
	var malformed error
	d.webhook, malformed = webhook.Decode([]byte(d.Msg.Body))
	d.Identify(d.webhook.ID, d.webhook.Tenant)
	if !d.Resume(ctx) {
		return
	}
	d.begin()
	if malformed == nil {
		d.policy, malformed = d.Policy(d.webhook.Retry)
	}
	if malformed != nil {
		d.refuse(attempt.Permanent, malformed)
		return
	}
	var err error
	if d.keys, err = d.needs.Secrets.Keys(ctx, d.webhook.Secret, d.LastEnded()); err != nil {
		d.refuse(secretVerdict(err), err)
		return
	}
	d.State = batch.Ready
}

// begin makes the record of the attempt to come.
func (d *delivery) begin() {
	d.record = d.Begin()
	d.record.URL, d.record.EventType, d.record.Tenant = d.webhook.URL, d.webhook.EventType, d.webhook.Tenant
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
	d.State = batch.Refused
}

// Run makes the exchange that was announced, or settles what can't be sent.
func (d *delivery) Run(ctx context.Context) {
	if d.State == batch.Refused {
		d.record.At = d.Now()
		d.settle(d.record.Verdict, d.record.Reason, 0)
		return
	}
	for d.exchange(ctx) {
	}
}

// exchange sends once, settles what came of it, and reports whether another
// exchange is to follow at once. One that the end of the invocation cut stays
// unrecorded: the message comes back.
func (d *delivery) exchange(ctx context.Context) (again bool) {
	d.record.At = d.Now()
	x := d.needs.Sender.Post(ctx, d.webhook.Request(d.record.WebhookID, d.keys.Secrets, d.record.At))
	if x.Interrupted {
		d.Log.Warn("the invocation ended before the exchange did; the message comes back", d.Names())
		d.State = batch.Left
		return false
	}
	d.record.Status, d.record.DurationMS = x.Status, x.Duration.Milliseconds()
	d.record.Response, d.record.Truncated = x.Response, x.Truncated
	verdict, reason := webhook.Classify(x)
	if why := d.atOnce(ctx, x, verdict); why != "" {
		return d.tryAgain(batch.Because(reason, why))
	}
	d.settle(verdict, reason, x.RetryAfter)
	return false
}

// atOnce says why the next try is made at once, whatever the policy says; empty
// where it is not. Neither is the endpoint's fault, and each happens once: what
// became of a kept connection, and a secret that was replaced since it was
// cached.
func (d *delivery) atOnce(ctx context.Context, x webhook.Exchange, v attempt.Verdict) string {
	switch {
	case x.Lost && !d.triedAtOnce(0):
		return "the connection was kept from before, so trying again at once"
	case v == attempt.Permanent && x.Status/100 == 4 && !d.triedAtOnce(x.Status) && d.renewKeys(ctx):
		return "the secret has changed since it was cached, so trying again at once"
	}
	return ""
}

// triedAtOnce reports whether the message has had its try at once for an
// answer; status 0 is for none.
func (d *delivery) triedAtOnce(status int) bool {
	for _, r := range d.History {
		if r.Uncounted && (r.Status == 0) == (status == 0) {
			return true
		}
	}
	return false
}

// renewKeys reports whether the keys that an endpoint just refused have been
// replaced since they were read.
func (d *delivery) renewKeys(ctx context.Context) bool {
	keys, err := d.needs.Secrets.Keys(ctx, d.webhook.Secret, d.Now())
	if err != nil || keys.Version == d.keys.Version {
		return false
	}
	d.keys = keys
	return true
}

// tryAgain settles the attempt at hand and announces the next one, which is an
// attempt of its own, and reports whether that may be made.
func (d *delivery) tryAgain(reason string) bool {
	d.record.Verdict, d.record.Reason, d.record.Uncounted, d.record.NextAt = attempt.Retryable, reason, true, d.Now()
	d.logFailure(0)
	if !d.Keep(d.record) {
		return false
	}
	d.begin()
	return d.Announce()
}
