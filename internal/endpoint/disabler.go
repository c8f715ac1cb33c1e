package endpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/outcome"
)

// Updater changes endpoints, as Store promises.
type Updater interface {
	Getter
	UpdateEndpoint(ctx context.Context, e Endpoint) error
}

// Disabler disables endpoints that say so, or that fail for too long. It is used by
// many goroutines at once.
type Disabler struct {
	Store Updater
	Audit ledger.Audit
	// Redactors keep out of the ledger what must stay erasable.
	Redactors ledger.Redactors
	// Actor is who disables.
	Actor string
	// Limit is for how long an endpoint may fail.
	Limit time.Duration
	// Outcomes are told of it, and Metrics counts it, by the act. Both may be nil.
	Outcomes *outcome.Teller
	Metrics  metric.Recorder
	Now      func() time.Time
	Log      *slog.Logger
}

// disableTries is how often it is tried where others change the endpoint meanwhile.
const disableTries = 4

// Disable disables an endpoint, and gives why; unless it is not enabled anyhow, is
// there no more, or was enabled after what speaks against it was seen. The ledger is
// told first, without which nothing is done. After an error it may be disabled or not.
func (d *Disabler) Disable(ctx context.Context, id, why string, seen time.Time) error {
	for range disableTries {
		found, err := d.Store.Endpoints(ctx, []string{id})
		if err != nil {
			return fmt.Errorf("disable the endpoint %s: %w", id, err)
		}
		if len(found) == 0 || found[0].State != Enabled || found[0].StateSince().After(seen) {
			return nil
		}
		e := found[0]
		e.State, e.Why, e.Since, e.Updated, e.Version = Disabled, why, d.Now().UTC(), d.Now().UTC(), e.Version+1
		if err = d.keep(ctx, e); !errors.Is(err, ErrChanged) {
			return err
		}
	}
	return fmt.Errorf("disable the endpoint %s: %w", id, ErrChanged)
}

// keep keeps an endpoint that is disabled now, and tells of it.
func (d *Disabler) keep(ctx context.Context, e Endpoint) error {
	entry := ledger.Entry{
		Action: ledger.EndpointDisabled, Actor: d.Actor, ID: e.ID + "#" + strconv.FormatInt(e.Version, 10), Tenant: e.Tenant,
		Timestamp: e.Since, Resource: "endpoint=" + e.ID + ", url=" + d.Redactors.Redactor(ctx, e.Since).URL(e.URL),
	}
	if err := d.Audit.Append(ctx, e.ID, []ledger.Entry{entry}); err != nil {
		return fmt.Errorf("disable the endpoint %s: the audit queue can't be written: %w", e.ID, err)
	}
	switch err := d.Store.UpdateEndpoint(ctx, e); {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("disable the endpoint %s: %w", e.ID, err)
	}
	d.Log.WarnContext(ctx, "the endpoint is disabled now, and what is for it waits", "endpoint", e.ID, "tenant", e.Tenant, "why", e.Why)
	d.tell(ctx, outcome.Disabled, &e, e.Why)
	return nil
}

func (d *Disabler) tell(ctx context.Context, kind outcome.Kind, e *Endpoint, why string) {
	metric.To(d.Metrics, metric.Event{Name: metric.EndpointsFailing, Value: 1, Labels: metric.Labels{Action: string(kind)}})
	d.Outcomes.Now(ctx, d.Metrics, d.Log, outcome.OfEndpoint(kind, d.Now().UTC(), e.ID, outcome.Endpoint{
		Tenant: e.Tenant, URL: e.URL, State: string(e.State), Reason: why, Version: e.Version,
	}))
}

// Failing is told of an endpoint that fails, as a circuit.Keeper tells: it disables
// those that are overdue, and warns of the others.
func (d *Disabler) Failing(ctx context.Context, s circuit.State, overdue bool) {
	const day = "2006-01-02 15:04 UTC"
	since := s.Failing.UTC().Format(day)
	if overdue {
		if err := d.Disable(ctx, s.URL, "it took nothing since "+since, s.Failing); err != nil {
			d.Log.WarnContext(ctx, "an endpoint that fails for too long is not disabled; that is tried again with its next failure", "endpoint",
				s.URL, "error", err)
		}
		return
	}
	until := s.Failing.Add(d.Limit).UTC().Format(day)
	found, err := d.Store.Endpoints(ctx, []string{s.URL})
	if err != nil || len(found) == 0 {
		d.Log.WarnContext(ctx, "an endpoint fails, and whose it is can't be read", "endpoint", s.URL, "since", since, "until", until,
			"error", err)
		return
	}
	e := &found[0]
	d.Log.WarnContext(ctx, "an endpoint fails, and will be disabled", "endpoint", e.ID, "tenant", e.Tenant, "since", since, "until", until)
	d.tell(ctx, outcome.Failing, e, fmt.Sprintf("it took nothing since %s, and will be disabled at %s", since, until))
}
