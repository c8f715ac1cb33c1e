// Command directory is the Lambda function behind the API of what is known of those
// who are notified. It only wires: settings → adapters → handler.
package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/internal/access"
	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/aws/fromenv"
	"github.com/efferent/efferent/internal/aws/gateway"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/handlers/directory"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
)

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("directory starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("directory can't start", "error", err)
		os.Exit(1)
	}
	routes := access.Doors(handler.Routes())
	lambda.Start(gateway.Function(routes))
}

func wire(getenv func(string) string, log *slog.Logger) (*directory.Handler, error) {
	s, err := settings.ReadDirectory(getenv)
	if err != nil {
		return nil, err
	}
	aws, err := fromenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	tables, secrets := dynamodb.NewFromConfig(aws), secretsmanager.NewFromConfig(aws)
	caller := gateway.Caller(s.TenantClaim)
	if s.TokenSecret != "" {
		tokens := &access.Tokens{Keys: &awssecrets.TokenKeys{API: secrets, Name: s.TokenSecret, Now: time.Now}, Now: time.Now}
		caller = tokens.Caller(caller)
	}
	return directory.New(directory.Needs{
		Suppressions: &awsdynamodb.Suppressions{API: tables, Table: s.DirectoryTable},
		Templates:    &awsdynamodb.Templates{API: tables, Table: s.DirectoryTable},
		MaxTemplates: s.MaxTemplates,
		Recipients:   &awsdynamodb.Recipients{API: tables, Table: s.DirectoryTable},
		Audit:        &awssqs.Audit{API: sqs.NewFromConfig(aws), URL: s.AuditQueueURL, Lanes: s.AuditLanes},
		Redactors:    &awssecrets.Redactors{API: secrets, Name: s.LedgerKeys, ShowPaths: s.LedgerShowPaths, Now: time.Now, Log: log},
		Caller:       caller, Now: time.Now, Log: log,
	})
}
