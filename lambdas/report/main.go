// Command report is the Lambda function that takes in what providers report of
// notifications. It only wires: settings → adapters → handler.
package main

import (
	"log/slog"
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
	"github.com/efferent/efferent/internal/handlers/report"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
)

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("report starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("report can't start", "error", err)
		os.Exit(1)
	}
	lambda.Start(handler.Handle)
}

func wire(getenv func(string) string, log *slog.Logger) (*report.Handler, error) {
	s, err := settings.ReadReports(getenv)
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
	attempts := &awsdynamodb.Attempts{API: tables, Table: s.AttemptsTable}
	return report.New(report.Needs{
		Attempts: attempts, Messages: attempts,
		Suppressions:  &awsdynamodb.Suppressions{API: tables, Table: s.DirectoryTable},
		Queue:         &awssqs.Queue{API: queues, URL: s.ReportsQueueURL},
		Notifications: &awssqs.Outgoing{API: queues, URLs: map[string]string{settings.NotificationsQueue: s.NotificationsQueueURL}},
		Audit:         &awssqs.Audit{API: queues, URL: s.AuditQueueURL, Lanes: s.AuditLanes},
		Redactors: &awssecrets.Redactors{API: secretsmanager.NewFromConfig(aws), Name: s.LedgerKeys, ShowPaths: s.LedgerShowPaths,
			TTL: s.SecretTTL, Now: time.Now, Log: log},
		Outcomes:    place.Teller(awssqs.ToOutcomes(queues), awseventbridge.ToBus(aws)),
		Metrics:     telemetry.LambdaMetrics(getenv, s.FewMetrics),
		MaxReceives: s.MaxReceives, Now: time.Now, Log: log,
	})
}
