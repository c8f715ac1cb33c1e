// Package transitions tells producers of endpoints that begin to fail, and of those
// that are well again, by what a circuit.Keeper tells of.
package transitions

import (
	"context"
	"log/slog"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/outcome"
)

// Finder says whose a registered endpoint is, and where, as endpoint.Known does.
type Finder interface {
	Where(ctx context.Context, id string) (tenant, url string, err error)
}

// Transitions tells of endpoints that begin to fail, and of those that are well again:
// of each change of a circuit once, whatever the number of messages.
type Transitions struct {
	*outcome.Teller
	// Endpoints are those that are registered; it may be nil.
	Endpoints Finder
	// Metrics counts those that could not be told of. It may be nil.
	Metrics metric.Recorder
	Log     *slog.Logger
}

// Changed is told of a change of a circuit.
type Changed func(ctx context.Context, before, after circuit.State)

// After is what a circuit.Keeper tells of a change: first is told before the outcome.
func (t Transitions) After(first Changed) Changed {
	if t.Teller == nil {
		return first
	}
	return func(ctx context.Context, before, after circuit.State) {
		first(ctx, before, after)
		if before.IsOpen() != after.IsOpen() {
			t.tell(ctx, after)
		}
	}
}

func (t Transitions) tell(ctx context.Context, after circuit.State) {
	var tenant, url string
	if message.CheckEndpoint(after.URL) == "" && t.Endpoints != nil {
		var err error
		if tenant, url, err = t.Endpoints.Where(ctx, after.URL); err != nil {
			t.Log.WarnContext(ctx, "whose endpoint it is that has changed can't be read", "endpoint", after.URL, "error", err)
		}
	}
	e, ok := OfCircuit(after, tenant, url)
	if !ok {
		return
	}
	t.Now(ctx, t.Metrics, t.Log, e)
}

// OfCircuit is the outcome of a circuit that has opened or closed. A host's is
// nobody's, so it has none: ok is false. tenant and url are those of a registered
// endpoint, whose circuit has neither.
func OfCircuit(s circuit.State, tenant, url string) (e outcome.Event, ok bool) {
	if s.Scope != circuit.Endpoint {
		return e, false
	}
	d := outcome.Endpoint{Tenant: s.Tenant, URL: s.URL, Circuit: s.Key(), Version: s.Version}
	if message.CheckEndpoint(s.URL) == "" {
		d.Tenant, d.Endpoint, d.URL = tenant, s.URL, url
	}
	if !s.IsOpen() {
		return outcome.OfChange(outcome.Recovered, s.ClosedAt, s.Change, d), true
	}
	d.Reason = s.Why
	if !s.Forever {
		d.Until = outcome.At(s.Until)
	}
	return outcome.OfChange(outcome.Failing, s.Opened, s.Change, d), true
}
