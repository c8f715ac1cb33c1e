// Command deliver is the Lambda function that sends webhooks from the webhooks
// queue. It only wires: settings → adapters → handler.
package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awseventbridge "github.com/efferent/efferent/internal/aws/eventbridge"
	"github.com/efferent/efferent/internal/aws/fromenv"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/deliver"
	"github.com/efferent/efferent/internal/outcome/transitions"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
	"github.com/efferent/efferent/internal/webhook"
)

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("deliver starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("deliver can't start", "error", err)
		os.Exit(1)
	}
	lambda.Start(handler.Handle)
}

func wire(getenv func(string) string, log *slog.Logger) (*deliver.Handler, error) {
	places, err := settings.ReadDeliverPlaces(getenv)
	if err != nil {
		return nil, err
	}
	s, err := settings.ReadWebhooks(getenv)
	if err != nil {
		return nil, err
	}
	aws, err := fromenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	queues, tables, secrets := sqs.NewFromConfig(aws), dynamodb.NewFromConfig(aws), secretsmanager.NewFromConfig(aws)
	sender, err := sending(s, secrets, log)
	if err != nil {
		return nil, err
	}
	redactors := &awssecrets.Redactors{
		API: secrets, Name: s.LedgerKeys, ShowPaths: s.LedgerShowPaths, TTL: s.SecretTTL, Now: time.Now, Log: log,
	}
	audit := &awssqs.Audit{API: queues, URL: places.AuditQueueURL, Lanes: s.AuditLanes}
	metrics := telemetry.LambdaMetrics(getenv, s.FewMetrics)
	place, err := settings.ReadOutcomes(getenv)
	if err != nil {
		return nil, err
	}
	outcomes := place.Teller(awssqs.ToOutcomes(queues), awseventbridge.ToBus(aws))
	journal := &circuit.Journal{Audit: audit, Redactors: redactors, Actor: "efferent:deliver", Metrics: metrics, Log: log}
	registered := &awsdynamodb.Endpoints{API: tables, Table: places.EndpointsTable}
	known := &endpoint.Known{Store: registered, Now: time.Now}
	tell := transitions.Transitions{Teller: outcomes, Endpoints: known, Metrics: metrics, Log: log}
	disabler := &endpoint.Disabler{Store: registered, Audit: audit, Redactors: redactors, Actor: "efferent:deliver", Limit: s.Circuits.Disable,
		Outcomes: outcomes, Metrics: metrics, Now: time.Now, Log: log}
	return deliver.New(deliver.Needs{
		Needs: batch.Needs{
			Attempts:    &awsdynamodb.Attempts{API: tables, Table: places.AttemptsTable},
			Room:        &awsdynamodb.Waiting{API: tables, Table: places.WaitingTable},
			Queue:       &awssqs.Queue{API: queues, URL: places.WebhooksQueueURL},
			Audit:       audit,
			Redactors:   redactors,
			Outcomes:    outcomes,
			Metrics:     metrics,
			Policies:    s.Policies,
			MaxReceives: s.MaxReceives,
			Now:         time.Now,
			Jitter:      rand.Float64,
			Log:         log,
		},
		Sender:  sender,
		Ready:   sender.Ready,
		Secrets: &awssecrets.Signing{API: secrets, TTL: s.SecretTTL, Grace: s.SecretGrace, Now: time.Now},
		Circuits: &circuit.Keeper{
			Store: &awsdynamodb.Circuits{API: tables, Table: places.CircuitsTable}, Limits: s.Circuits,
			Now: time.Now, Jitter: rand.Float64, Log: log,
			Changed: tell.After(journal.Changed), Failing: disabler.Failing,
		},
		Endpoints: known,
		Disabler:  disabler,
		Auth:      &awssecrets.Values{API: secrets, TTL: s.SecretTTL, Now: time.Now},
		Pace: &pace.Keeper{
			Store: &awsdynamodb.Paces{API: tables, Table: places.PaceTable}, Patience: deliver.Patience, Now: time.Now, Log: log,
		},
		MostHeld: s.MaxHeld,
	})
}

// sending is what sends, once the certificates of private authorities are read. A
// function that would not start without them used up its messages' receives: they
// are held while a secret can't be read, or is no bundle, and a file never will be.
func sending(s settings.Webhooks, secrets awssecrets.API, log *slog.Logger) (*webhook.Late, error) {
	late := awssecrets.Client(secrets, s.Client(), s.CABundle, settings.CABundle)
	err := late.Ready(context.Background())
	if err != nil && awssecrets.IsSecret(s.CABundle) {
		log.Error("no webhook can be sent, so all are held until this is mended", "error", err)
		err = nil
	}
	return late, err
}
