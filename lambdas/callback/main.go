// Command callback is the Lambda function that takes in what Twilio reports, on a route
// that everybody can reach. It only wires: settings → adapters → handler.
package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/internal/aws/fromenv"
	"github.com/efferent/efferent/internal/aws/gateway"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/handlers/callback"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
)

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("callback starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("callback can't start", "error", err)
		os.Exit(1)
	}
	lambda.Start(gateway.Function(handler.Routes()))
}

func wire(getenv func(string) string, log *slog.Logger) (*callback.Handler, error) {
	s, err := settings.ReadCallbacks(getenv)
	if err != nil {
		return nil, err
	}
	aws, err := fromenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	return callback.New(callback.Needs{
		Secrets: &awssecrets.Texts{API: secretsmanager.NewFromConfig(aws), TTL: s.SecretTTL, Now: time.Now},
		Secret:  channel.SecretUnder(s.ChannelSecrets, channel.SMS),
		Sender:  &awssqs.Outgoing{API: sqs.NewFromConfig(aws), URLs: map[string]string{settings.ReportsQueue: s.ReportsQueueURL}},
		Now:     time.Now, Log: log,
	})
}
