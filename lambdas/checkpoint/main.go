// Command checkpoint is the Lambda function that signs the ledger, by the
// clock. It only wires: settings → adapters → handler.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/aws/fromenv"
	awskms "github.com/efferent/efferent/internal/aws/kms"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/handlers/checkpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
)

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("checkpoint starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("checkpoint can't start", "error", err)
		os.Exit(1)
	}
	// The event only says what time it is.
	lambda.Start(func(ctx context.Context) error { return handler.Handle(ctx) })
}

func wire(getenv func(string) string, log *slog.Logger) (*checkpoint.Handler, error) {
	s, err := settings.ReadCheckpoint(getenv)
	if err != nil {
		return nil, err
	}
	config, err := fromenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	client := awss3.NewClient(config)
	tiles := &awss3.Objects{API: client, Bucket: s.LedgerBucket}
	return checkpoint.New(checkpoint.Needs{
		Ledger: struct {
			*awsdynamodb.Ledger
			*awss3.Objects
		}{&awsdynamodb.Ledger{API: dynamodb.NewFromConfig(config), Table: s.LedgerTable}, tiles},
		Tiles:     tiles,
		Kept:      ledger.Kept{Objects: &awss3.Objects{API: client, Bucket: s.CheckpointsBucket}},
		Key:       signingKey(s, config),
		MonthKeys: &awssecrets.MonthKeys{API: secretsmanager.NewFromConfig(config), Name: s.LedgerKeys},
		Now:       time.Now,
		Origin:    s.Origin, Lanes: s.AuditLanes, Log: log,
	})
}

func signingKey(s settings.Checkpoint, config aws.Config) ledger.SigningKey {
	if s.KMSKey != "" {
		return &awskms.Key{API: kms.NewFromConfig(config), ID: s.KMSKey}
	}
	return &awssecrets.LedgerKey{API: secretsmanager.NewFromConfig(config), Name: s.KeySecret}
}
