// Command audit is the Lambda function that appends audit messages to the
// ledger. It only wires: settings → adapters → handler.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/aws/fromenv"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/handlers/audit"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
)

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("audit starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("audit can't start", "error", err)
		os.Exit(1)
	}
	lambda.Start(handler.Handle)
}

func wire(getenv func(string) string, log *slog.Logger) (*audit.Handler, error) {
	s, err := settings.ReadAudit(getenv)
	if err != nil {
		return nil, err
	}
	aws, err := fromenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	store := &awsdynamodb.Ledger{API: dynamodb.NewFromConfig(aws), Table: s.LedgerTable}
	return audit.New(audit.Needs{
		Heads: store, Staging: store,
		Objects: &awss3.Objects{API: awss3.NewClient(aws), Bucket: s.LedgerBucket},
		Queue:   awssqs.NewOwn(sqs.NewFromConfig(aws), s.AuditQueueURL),
		Metrics: telemetry.LambdaMetrics(getenv, s.FewMetrics),
		Log:     log,
	})
}
