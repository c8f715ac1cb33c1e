// Command release is the Lambda function that sends what is due in the waiting
// room back to its queue, by the clock. It only wires: settings → adapters →
// handler.
package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/aws/fromenv"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/handlers/release"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
	"github.com/efferent/efferent/internal/waiting"
)

// every is how often the deployed stack has it run.
const every = time.Minute

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("release starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("release can't start", "error", err)
		os.Exit(1)
	}
	// The event only says what time it is.
	lambda.Start(func(ctx context.Context) error { return handler.Handle(ctx) })
}

func wire(getenv func(string) string, log *slog.Logger) (*release.Handler, error) {
	s, err := settings.ReadReleasePlaces(getenv)
	if err != nil {
		return nil, err
	}
	config, err := fromenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	table := dynamodb.NewFromConfig(config)
	room := &awsdynamodb.Waiting{API: table, Table: s.WaitingTable}
	return release.New(release.Needs{
		Room: room, Circuits: &awsdynamodb.Circuits{API: table, Table: s.CircuitsTable}, MostHeld: s.MaxHeld, Every: every,
		Endpoints: &awsdynamodb.Endpoints{API: table, Table: s.EndpointsTable},
		Exit: &waiting.Exit{
			Places: room,
			Sender: &awssqs.Outgoing{API: sqs.NewFromConfig(config), URLs: s.Queues()},
			Now:    time.Now, Holder: rand.Text(),
		},
		Metrics: telemetry.LambdaMetrics(getenv, s.FewMetrics), Now: time.Now, Log: log,
	})
}
