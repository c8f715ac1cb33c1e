// Command fanout is the Lambda function that turns events into messages to the
// endpoints that subscribe. It only wires: settings → adapters → handler.
package main

import (
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
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/fanout"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
)

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("fanout starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("fanout can't start", "error", err)
		os.Exit(1)
	}
	lambda.Start(handler.Handle)
}

func wire(getenv func(string) string, log *slog.Logger) (*fanout.Handler, error) {
	s, err := settings.ReadFanout(getenv)
	if err != nil {
		return nil, err
	}
	place, err := settings.ReadOutcomes(getenv)
	if err != nil {
		return nil, err
	}
	aws, err := fromenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	queues, tables := sqs.NewFromConfig(aws), dynamodb.NewFromConfig(aws)
	return fanout.New(fanout.Needs{
		Needs: batch.Needs{
			Attempts: &awsdynamodb.Attempts{API: tables, Table: s.AttemptsTable},
			Room:     &awsdynamodb.Waiting{API: tables, Table: s.WaitingTable},
			Queue:    &awssqs.Queue{API: queues, URL: s.EventsQueueURL},
			Audit:    &awssqs.Audit{API: queues, URL: s.AuditQueueURL, Lanes: s.AuditLanes},
			Redactors: &awssecrets.Redactors{API: secretsmanager.NewFromConfig(aws), Name: s.LedgerKeys, ShowPaths: s.LedgerShowPaths,
				TTL: s.SecretTTL, Now: time.Now, Log: log},
			Outcomes:    place.Teller(awssqs.ToOutcomes(queues), awseventbridge.ToBus(aws)),
			Metrics:     telemetry.LambdaMetrics(getenv, s.FewMetrics),
			Policies:    s.Policies,
			MaxReceives: s.MaxReceives,
			Now:         time.Now,
			Jitter:      rand.Float64,
			Log:         log,
		},
		Endpoints: &endpoint.Book{Store: &awsdynamodb.Endpoints{API: tables, Table: s.EndpointsTable}},
		Events:    &awsdynamodb.Events{API: tables, Table: s.EventsTable, Retention: s.EventRetention},
		Sender:    &awssqs.Outgoing{API: queues, URLs: map[string]string{settings.WebhooksQueue: s.WebhooksQueueURL}},
	})
}
