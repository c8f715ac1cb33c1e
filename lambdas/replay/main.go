// Command replay is the Lambda function behind the HTTP API: it shows what was
// sent and what failed, and replays it. It only wires: settings → adapters →
// handler.
package main

import (
	"log/slog"
	"net/http"
	"os"

	"github.com/akrylysov/algnhsa"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/aws/fromenv"
	"github.com/efferent/efferent/internal/replay"
	"github.com/efferent/efferent/internal/settings"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	routes, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("replay can't start", "error", err)
		os.Exit(1)
	}
	lambda.Start(algnhsa.New(routes, &algnhsa.Options{RequestType: algnhsa.RequestTypeAPIGatewayV2}))
}

func wire(getenv func(string) string, log *slog.Logger) (http.Handler, error) {
	places, err := settings.ReadReplay(getenv)
	if err != nil {
		return nil, err
	}
	aws, err := fromenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	h := &replay.Handler{
		History: &awsdynamodb.Attempts{API: dynamodb.NewFromConfig(aws), Table: places.AttemptsTable},
		Log:     log,
	}
	return h.Routes(), nil
}
