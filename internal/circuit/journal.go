package circuit

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
)

// Journal says of each change of phase that it happened: by a log line, a count
// and an entry of the ledger.
type Journal struct {
	Audit ledger.Audit
	// Redactors keep out of the ledger what must stay erasable.
	Redactors ledger.Redactors
	// Actor is who changes circuits.
	Actor string
	// Metrics counts a change, by the phase. It may be nil.
	Metrics metric.Recorder
	Log     *slog.Logger
}

// Changed is what a Keeper tells of a change.
func (j *Journal) Changed(ctx context.Context, _, after State) {
	action, at := ledger.CircuitClosed, after.ClosedAt
	log := j.Log.With("circuit", after.Key(), "scope", after.Scope, "url", after.URL, "tenant", after.Tenant)
	if after.IsOpen() {
		action, at = ledger.CircuitOpened, after.Opened
		var until any = after.Until
		if after.Forever {
			until = "an operator closes it"
		}
		log.WarnContext(ctx, "the circuit is open now", "why", after.Why, "until", until)
	} else {
		log.InfoContext(ctx, "the circuit is closed now")
	}
	metric.To(j.Metrics, metric.Event{Name: metric.CircuitChanges, Value: 1, Labels: metric.Labels{Phase: string(after.Phase)}})
	entry := ledger.Entry{
		Action: action, Actor: j.Actor, ID: after.Key() + "#" + strconv.FormatInt(after.Version, 10), Tenant: after.Tenant, Timestamp: at,
		Resource: j.Redactors.Redactor(ctx, at).URL(after.URL),
	}
	if err := j.Audit.Append(ctx, after.Key(), []ledger.Entry{entry}); err != nil {
		j.Log.ErrorContext(ctx, "the ledger was not told that a circuit has changed", "circuit", after.Key(), "phase", after.Phase, "error", err)
	}
}
