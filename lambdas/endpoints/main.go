// Command endpoints is the Lambda function behind the API of registered endpoints: it
// keeps them and their keys. It only wires: settings → adapters → handler.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/internal/access"
	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awseventbridge "github.com/efferent/efferent/internal/aws/eventbridge"
	"github.com/efferent/efferent/internal/aws/fromenv"
	"github.com/efferent/efferent/internal/aws/gateway"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
)

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("endpoints starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("endpoints can't start", "error", err)
		os.Exit(1)
	}
	routes := access.Doors(handler.Routes())
	lambda.Start(gateway.Function(routes))
}

func wire(getenv func(string) string, log *slog.Logger) (*endpoints.Handler, error) {
	places, err := settings.ReadEndpointsPlaces(getenv)
	if err != nil {
		return nil, err
	}
	s, err := settings.ReadEndpoints(getenv)
	if err != nil {
		return nil, err
	}
	aws, err := fromenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	place, err := settings.ReadOutcomes(getenv)
	if err != nil {
		return nil, err
	}
	network, err := settings.ReadWebhooks(getenv)
	if err != nil {
		return nil, err
	}
	queues, tables, secrets := sqs.NewFromConfig(aws), dynamodb.NewFromConfig(aws), secretsmanager.NewFromConfig(aws)
	caller := gateway.Caller(s.TenantClaim)
	var tokens *access.Tokens
	if s.TokenSecret != "" {
		tokens = &access.Tokens{Keys: &awssecrets.TokenKeys{API: secrets, Name: s.TokenSecret, Now: time.Now}, Now: time.Now}
		caller = tokens.Caller(caller)
	}
	registered := &awsdynamodb.Endpoints{API: tables, Table: places.EndpointsTable}
	attempts := &awsdynamodb.Attempts{API: tables, Table: places.AttemptsTable}
	published := &awsdynamodb.Events{API: tables, Table: places.EventsTable}
	sender := &awssqs.Outgoing{API: queues, URLs: map[string]string{
		settings.WebhooksQueue: places.WebhooksQueueURL, settings.EventsQueue: places.EventsQueueURL}}
	return endpoints.New(endpoints.Needs{
		Endpoints:  registered,
		Attempts:   attempts,
		Secrets:    &awssecrets.Versions{API: secrets},
		Webhooks:   sender,
		Recovery:   &endpoints.Recovery{Events: published, History: attempts, Retention: s.EventRetention},
		Publishing: &endpoints.Publishing{Book: &endpoint.Book{Store: registered}, Keys: published, Sender: sender, Wait: pause},
		Prober:     awssecrets.Client(secrets, network.Client(), network.CABundle, settings.CABundle), Refuses: network.Client().Refuses,
		Origin: s.Origin, MustVerify: s.MustVerify, OwnSecrets: s.OwnSecrets,
		Outcomes: place.Teller(awssqs.ToOutcomes(queues), awseventbridge.ToBus(aws)), Metrics: telemetry.LambdaMetrics(getenv, places.FewMetrics),
		Audit:     &awssqs.Audit{API: queues, URL: places.AuditQueueURL, Lanes: s.AuditLanes},
		Redactors: &awssecrets.Redactors{API: secrets, Name: s.LedgerKeys, ShowPaths: s.LedgerShowPaths, Now: time.Now, Log: log},
		Policies:  s.Policies, MaxEndpoints: s.MaxEndpoints, Tokens: tokens, Caller: caller, Now: time.Now, Log: log,
	})
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
