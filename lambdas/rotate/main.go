// Command rotate is the Lambda function that Secrets Manager has replace the keys
// that sign webhooks, on a schedule. It only wires: settings → adapters → handler.
package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/internal/aws/fromenv"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/handlers/rotate"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
)

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("rotate starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("rotate can't start", "error", err)
		os.Exit(1)
	}
	lambda.Start(handler.Handle)
}

func wire(getenv func(string) string, log *slog.Logger) (*rotate.Handler, error) {
	s, err := settings.ReadRotate(getenv)
	if err != nil {
		return nil, err
	}
	config, err := fromenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	client := secretsmanager.NewFromConfig(config)
	return rotate.New(rotate.Needs{
		Secrets: struct {
			*awssecrets.Versions
			*awssecrets.Labels
		}{&awssecrets.Versions{API: client}, &awssecrets.Labels{API: client}},
		Grace: s.SecretGrace, Now: time.Now, Log: log,
	})
}
