// Command endpoints is the Lambda function behind the API of registered endpoints: it
// keeps them and their keys. It only wires: settings → adapters → handler.
package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/akrylysov/algnhsa"
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
	lambda.Start(algnhsa.New(routes, &algnhsa.Options{RequestType: algnhsa.RequestTypeAPIGatewayV2}))
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
	tables, secrets := dynamodb.NewFromConfig(aws), secretsmanager.NewFromConfig(aws)
	caller := gateway.Caller(s.TenantClaim)
	var tokens *access.Tokens
	if s.TokenSecret != "" {
		tokens = &access.Tokens{Keys: &awssecrets.TokenKeys{API: secrets, Name: s.TokenSecret, Now: time.Now}, Now: time.Now}
		caller = tokens.Caller(caller)
	}
	return endpoints.New(endpoints.Needs{
		Endpoints: &awsdynamodb.Endpoints{API: tables, Table: places.EndpointsTable},
		Attempts:  &awsdynamodb.Attempts{API: tables, Table: places.AttemptsTable},
		Secrets:   &awssecrets.Versions{API: secrets},
		Audit:     &awssqs.Audit{API: sqs.NewFromConfig(aws), URL: places.AuditQueueURL, Lanes: s.AuditLanes},
		Redactors: &awssecrets.Redactors{API: secrets, Name: s.LedgerKeys, ShowPaths: s.LedgerShowPaths, Now: time.Now, Log: log},
		Policies:  s.Policies, MaxEndpoints: s.MaxEndpoints, Tokens: tokens, Caller: caller, Now: time.Now, Log: log,
	})
}
