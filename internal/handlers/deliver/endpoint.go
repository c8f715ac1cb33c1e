package deliver

import (
	"context"
	"errors"
	"fmt"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
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
	return true
}
