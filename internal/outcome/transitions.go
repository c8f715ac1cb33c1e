package outcome

import (
	"context"
	"log/slog"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
)

// Finder says whose a registered endpoint is, and where, as endpoint.Known does.
type Finder interface {
	Where(ctx context.Context, id string) (tenant, url string, err error)
}

// Transitions tells of endpoints that begin to fail, and of those that are well again:
// of each change of a circuit once, whatever the number of messages.
type Transitions struct {
	*Teller
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
	t.Now(ctx, e, t.Metrics, t.Log)
}

// Now tells of an event that nothing comes back for: where that fails a line of the
// log is what there is of it.
func (t *Teller) Now(ctx context.Context, e Event, m metric.Recorder, log *slog.Logger) {
	if err := t.Tell(ctx, e); err != nil {
		log.ErrorContext(ctx, "an outcome was told to nobody", "outcome", e.Kind, "id", e.ID, "tenant", e.Tenant, "subject", e.Subject,
			"error", err)
		metric.To(m, metric.Event{Name: metric.OutcomesUntold, Value: 1, Labels: metric.Labels{Action: string(e.Kind)}})
	}
}
