// Command replay is the Lambda function behind the HTTP API: it shows what was
// sent, what waits and what failed, and replays it. It only wires: settings →
// adapters → handler.
package main

import (
	"context"
	"crypto/rand"
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
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
	"github.com/efferent/efferent/internal/waiting"
)

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("replay starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("replay can't start", "error", err)
		os.Exit(1)
	}
	lambda.Start(gateway.Function(access.Doors(handler.Routes())))
}

func wire(getenv func(string) string, log *slog.Logger) (*replay.Handler, error) {
	places, err := settings.ReadReplayPlaces(getenv)
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
	queues, tables, objects := sqs.NewFromConfig(aws), dynamodb.NewFromConfig(aws), awss3.NewClient(aws)
	secrets := secretsmanager.NewFromConfig(aws)
	caller := gateway.Caller(places.TenantClaim)
	if places.TokenSecret != "" {
		tokens := &access.Tokens{Keys: &awssecrets.TokenKeys{API: secrets, Name: places.TokenSecret, Now: time.Now}, Now: time.Now}
		caller = tokens.Caller(caller)
	}
	attempts := &awsdynamodb.Attempts{API: tables, Table: places.AttemptsTable}
	room := &awsdynamodb.Waiting{API: tables, Table: places.WaitingTable}
	return replay.New(replay.Needs{
		Queues:  deadLetters(queues, places),
		History: attempts, Failures: attempts, Records: attempts,
		Circuits: &awsdynamodb.Circuits{API: tables, Table: places.CircuitsTable}, Metrics: telemetry.LambdaMetrics(getenv, places.FewMetrics),
		Endpoints: &endpoint.Known{Store: &awsdynamodb.Endpoints{API: tables, Table: places.EndpointsTable}, Now: time.Now},
		Outcomes:  place.Teller(awssqs.ToOutcomes(queues), awseventbridge.ToBus(aws)),
		Room:      room,
		Exit: &waiting.Exit{
			Places: room,
			Sender: &awssqs.Outgoing{API: queues, URLs: places.Queues()},
			Now:    time.Now, Holder: rand.Text(),
		},
		Claims: &awsdynamodb.Claims{API: tables, Table: places.AttemptsTable},
		Book: struct {
			*awsdynamodb.Ledger
			*awss3.Objects
			ledger.Kept
		}{
			&awsdynamodb.Ledger{API: tables, Table: places.LedgerTable}, &awss3.Objects{API: objects, Bucket: places.LedgerBucket},
			ledger.Kept{Objects: &awss3.Objects{API: objects, Bucket: places.CheckpointsBucket}},
		},
		Lanes: places.AuditLanes,
		Audit: &awssqs.Audit{API: queues, URL: places.AuditQueueURL, Lanes: places.AuditLanes},
		Redactors: &awssecrets.Redactors{
			API: secrets, Name: places.LedgerKeys, ShowPaths: places.LedgerShowPaths, Now: time.Now, Log: log,
		},
		Caller: caller, Now: time.Now, Wait: pause, Log: log,
	})
}

// deadLetters are the dead-letter queues that there are.
func deadLetters(api *sqs.Client, p settings.ReplayPlaces) []replay.Queue {
	one := func(name, from, failures, source string, read func(string) replay.Item) replay.Queue {
		return replay.Queue{
			Name: name, From: from, Read: read,
			Letters: &awssqs.Letters{API: api, URL: failures},
			Source:  &awssqs.Source{API: api, URL: source},
			Moves:   &awssqs.Moves{API: api, URL: failures},
		}
	}
	all := []replay.Queue{one(deadletter.WebhookFailures, settings.WebhooksQueue, p.WebhookFailuresQueueURL, p.WebhooksQueueURL,
		replay.ReadWebhook)}
	if p.NotificationsQueueURL != "" {
		all = append(all, one(deadletter.NotificationFailures, settings.NotificationsQueue, p.NotificationFailuresQueueURL,
			p.NotificationsQueueURL, replay.ReadNotification))
	}
	all = append(all, one(deadletter.EventFailures, settings.EventsQueue, p.EventFailuresQueueURL, p.EventsQueueURL, replay.ReadEvent))
	if p.ReportsQueueURL != "" {
		reports := one(deadletter.ReportFailures, settings.ReportsQueue, p.ReportFailuresQueueURL, p.ReportsQueueURL, replay.ReadReport)
		reports.Unrecorded = true
		all = append(all, reports)
	}
	return all
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
