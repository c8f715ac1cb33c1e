package deliver

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/waiting"
	"github.com/efferent/efferent/internal/webhook"
)

// find gives a message to a registered endpoint what that has: where it goes, and
// what signs it, as of now. It reports whether the message may go on.
func (d *delivery) find(ctx context.Context) bool {
	id := d.webhook.EndpointID
	if id == "" {
		return true
	}
	to, err := d.needs.Endpoints.Endpoint(ctx, id)
	if err == nil && d.webhook.Tenant != "" && d.webhook.Tenant != to.Tenant {
		err = endpoint.ErrNotFound // who may name one tenant's must not learn of another's
	}
	var malformed *message.FieldError
	switch {
	case errors.Is(err, endpoint.ErrNotFound):
		d.refuse(&message.FieldError{Field: "endpoint", Problem: "there is no endpoint " + id + "; it may have been deleted"})
		d.FailedBy(metric.Endpoint)
		return false
	case errors.As(err, &malformed):
		d.refuse(fmt.Errorf("the endpoint %s: %w", id, err))
		return false
	case err != nil:
		d.Trouble(fmt.Sprintf("the endpoint %s can't be read: %v", id, err))
		return false
	}
	d.to = to
	d.webhook, d.Tenant = d.webhook.To(to.Target), to.Tenant
	d.record.URL, d.record.Tenant = d.webhook.URL, to.Tenant
	if to.State != endpoint.Enabled {
		d.Later(func() { d.holdPaused(&to.Endpoint) })
		return false
	}
	return true
}

// disable disables the endpoint, which wants no more, and says so.
func (d *delivery) disable(ctx context.Context, x webhook.Exchange) string {
	const asked = "it wants no more webhooks"
	err := d.needs.Disabler.Disable(context.WithoutCancel(ctx), d.to.ID, asked+": it answered "+strconv.Itoa(x.Status), d.record.At)
	if err != nil {
		d.Log.WarnContext(d.Writes(), "an endpoint that wants no more is not disabled", d.Names(), "endpoint", d.to.ID, "error", err)
		return asked
	}
	return "the endpoint is disabled"
}

// waitDisabled has the message that was refused so wait until somebody enables the
// endpoint again. Where that could not be disabled it is soon let out, and is refused
// again.
func (d *delivery) waitDisabled(reason string) {
	d.record.Verdict, d.record.Reason, d.record.Uncounted = attempt.Retryable, reason, true
	h := d.untilEnabled(&d.to.Endpoint)
	d.logFailure(h.Wait)
	d.WaitFor(d.record, h)
}

// untilEnabled is how a message waits for its endpoint: nobody knows for how long. What
// is too large for the room has its receives for it.
func (d *delivery) untilEnabled(e *endpoint.Endpoint) batch.Hold {
	return batch.Hold{Reason: waiting.Paused, Circuit: endpoint.Circuit(e.ID).Key(), Leave: true, Wait: retry.Blind(d.Receives)}
}

// holdPaused has the message wait for its endpoint, which takes nothing.
func (d *delivery) holdPaused(e *endpoint.Endpoint) {
	h := d.untilEnabled(e)
	h.Why = fmt.Sprintf("not sent: the endpoint %s is %s", e.ID, e.State)
	if e.Why != "" {
		h.Why += ": " + e.Why
	}
	d.HoldFor(d.record, h)
}
