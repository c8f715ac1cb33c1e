package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/deliver"
	"github.com/efferent/efferent/internal/outcome/transitions"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/webhook"
)

// webhooksSource wires the handler that the deliver Lambda runs to its queue.
func webhooksSource(f feed, s settings.Webhooks, secrets awssecrets.API, kept stores) (*eventsource.Source, error) {
	handler, err := deliverer(f, s, secrets, kept)
	if err != nil {
		return nil, err
	}
	return f.source(handler.Handle, 2*mostInFlight), nil
}

// deliverer is that handler, with what one instance of it knows.
func deliverer(f feed, s settings.Webhooks, secrets awssecrets.API, kept stores) (*deliver.Handler, error) {
	sending := s.Client()
	sending.MaxConnections = connections()
	var err error
	if sending.TLS, err = awssecrets.Trust(context.Background(), secrets, s.CABundle); err != nil {
		return nil, fmt.Errorf("environment variable %s: %w", settings.CABundle, err)
	}
	known := &endpoint.Known{Store: kept.endpoints, Now: f.now}
	disabler := &endpoint.Disabler{
		Store: kept.endpoints, Audit: f.audit(s.AuditLanes), Redactors: f.redactors, Actor: "efferent:deliver", Limit: s.Circuits.Disable,
		Outcomes: f.outcomes, Metrics: f.watch.of("deliver"), Now: f.now, Log: f.log,
	}
	return deliver.New(deliver.Needs{
		Needs:   f.needs("deliver", s.Sending, kept.attempts),
		Day:     time.Now,
		Sender:  webhook.NewClient(sending),
		Secrets: &awssecrets.Signing{API: secrets, TTL: s.SecretTTL, Grace: s.SecretGrace, Now: f.now},
		Circuits: &circuit.Keeper{
			Store: kept.circuits, Limits: s.Circuits, Now: f.now, Jitter: rand.Float64, Log: f.log, Changed: f.changed(s.AuditLanes, known),
			Failing: disabler.Failing,
		},
		Endpoints: known, Disabler: disabler, Auth: &awssecrets.Values{API: secrets, TTL: s.SecretTTL, Now: f.now},
		Pace:     &pace.Keeper{Store: kept.paces, Patience: deliver.Patience, Now: f.now, Log: f.log},
		MostHeld: s.MaxHeld, Places: min(sending.MaxConnections, mostInFlight),
	})
}

// changed tells the ledger of a change of a circuit, and then whoever listens.
func (f feed) changed(lanes int, known *endpoint.Known) transitions.Changed {
	metrics := f.watch.of("deliver")
	journal := &circuit.Journal{Audit: f.audit(lanes), Redactors: f.redactors, Actor: "efferent:deliver", Metrics: metrics, Log: f.log}
	tell := transitions.Transitions{Teller: f.outcomes, Endpoints: known, Metrics: metrics, Log: f.log}
	return tell.After(journal.Changed)
}
