package assembly

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/deliver"
	"github.com/efferent/efferent/internal/outcome/transitions"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/webhook"
)

// Deliverer is that handler, with what one instance of it knows.
func Deliverer(f Feed, s settings.Webhooks, secrets awssecrets.API, kept Stores) (*deliver.Handler, error) {
	sending := s.Client()
	sending.MaxConnections = connections()
	var err error
	if sending.TLS, err = awssecrets.Trust(context.Background(), secrets, s.CABundle); err != nil {
		return nil, fmt.Errorf("environment variable %s: %w", settings.CABundle, err)
	}
	known := &endpoint.Known{Store: kept.Endpoints, Now: f.Now}
	disabler := &endpoint.Disabler{
		Store: kept.Endpoints, Audit: f.audit(s.AuditLanes), Redactors: f.Redactors, Actor: "efferent:deliver", Limit: s.Circuits.Disable,
		Outcomes: f.Outcomes, Metrics: f.Watch.of("deliver"), Now: f.Now, Log: f.Log,
	}
	return deliver.New(deliver.Needs{
		Needs:   f.needs("deliver", s.Sending, kept.Attempts),
		Day:     time.Now,
		Sender:  webhook.NewClient(sending),
		Secrets: &awssecrets.Signing{API: secrets, TTL: s.SecretTTL, Grace: s.SecretGrace, Now: f.Now},
		Circuits: &circuit.Keeper{
			Store: kept.Circuits, Limits: s.Circuits, Now: f.Now, Jitter: rand.Float64, Log: f.Log, Changed: f.changed(s.AuditLanes, known),
			Failing: disabler.Failing,
		},
		Endpoints: known, Disabler: disabler, Auth: &awssecrets.Values{API: secrets, TTL: s.SecretTTL, Now: f.Now},
		Pace:     &pace.Keeper{Store: kept.Paces, Patience: deliver.Patience, Now: f.Now, Log: f.Log},
		MostHeld: s.MaxHeld, Places: min(sending.MaxConnections, MostInFlight),
	})
}

// changed tells the ledger of a change of a circuit, and then whoever listens.
func (f Feed) changed(lanes int, known *endpoint.Known) transitions.Changed {
	metrics := f.Watch.of("deliver")
	journal := &circuit.Journal{Audit: f.audit(lanes), Redactors: f.Redactors, Actor: "efferent:deliver", Metrics: metrics, Log: f.Log}
	tell := transitions.Transitions{Teller: f.Outcomes, Endpoints: known, Metrics: metrics, Log: f.Log}
	return tell.After(journal.Changed)
}
