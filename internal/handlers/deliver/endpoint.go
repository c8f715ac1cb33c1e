package deliver

import (
	"context"
	"errors"
	"fmt"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/waiting"
)

// find gives a message to a registered endpoint what that has: where it goes, and
// what signs it, as of now. It reports whether the message may go on.
func (d *delivery) find(ctx context.Context) bool {
	id := d.webhook.EndpointID
	if id == "" {
		return true
	}
	if d.needs.Endpoints == nil {
		d.Trouble("the endpoint " + id + " can't be read: no store of endpoints is set")
		return false
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
	d.webhook, d.Tenant = d.webhook.To(to.Target), to.Tenant
	d.record.URL, d.record.Tenant = d.webhook.URL, to.Tenant
	if to.State != endpoint.Enabled {
		d.Later(func() { d.holdPaused(&to.Endpoint) })
		return false
	}
	return true
}

// holdPaused has the message wait for its endpoint, which takes nothing: nobody knows
// for how long. What is too large for the room has its receives for it.
func (d *delivery) holdPaused(e *endpoint.Endpoint) {
	why := fmt.Sprintf("not sent: the endpoint %s is %s", e.ID, e.State)
	if e.Why != "" {
		why += ": " + e.Why
	}
	d.HoldFor(d.record, batch.Hold{
		Why: why, Reason: waiting.Paused, Circuit: endpoint.Circuit(e.ID).Key(), Leave: true, Wait: retry.Blind(d.Receives),
	})
}
