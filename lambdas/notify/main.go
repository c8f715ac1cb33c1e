// Command notify is the Lambda function that sends notifications from the
// notifications queue. It only wires: settings → adapters → handler.
package main

import (
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jonboulle/clockwork"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awseventbridge "github.com/efferent/efferent/internal/aws/eventbridge"
	"github.com/efferent/efferent/internal/aws/fromenv"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awsses "github.com/efferent/efferent/internal/aws/ses"
	awssms "github.com/efferent/efferent/internal/aws/sms"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
	"github.com/efferent/efferent/internal/channel/senders"
	"github.com/efferent/efferent/internal/handlers/notify"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/version"
)

func main() {
	log := telemetry.Log(os.Stdout, os.Getenv(telemetry.LevelVariable))
	log.Info("notify starts", "version", version.Read().Version)
	handler, err := wire(os.Getenv, log)
	if err != nil {
		log.Error("notify can't start", "error", err)
		os.Exit(1)
	}
	lambda.Start(handler.Handle)
}

func wire(getenv func(string) string, log *slog.Logger) (*notify.Handler, error) {
	places, err := settings.ReadNotifyPlaces(getenv)
	if err != nil {
		return nil, err
	}
	s, err := settings.ReadNotifications(getenv)
	if err != nil {
		return nil, err
	}
	aws, err := fromenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	queues, tables, secrets := sqs.NewFromConfig(aws), dynamodb.NewFromConfig(aws), secretsmanager.NewFromConfig(aws)
	place, err := settings.ReadOutcomes(getenv)
	if err != nil {
		return nil, err
	}
	redactors := &awssecrets.Redactors{
		API: secrets, Name: s.LedgerKeys, ShowPaths: s.LedgerShowPaths, TTL: s.SecretTTL, Now: time.Now, Log: log,
	}
	return notify.New(notify.Needs{
		Needs: batch.Needs{
			Attempts:    &awsdynamodb.Attempts{API: tables, Table: places.AttemptsTable},
			Room:        &awsdynamodb.Waiting{API: tables, Table: places.WaitingTable},
			Queue:       &awssqs.Queue{API: queues, URL: places.NotificationsQueueURL},
			Audit:       &awssqs.Audit{API: queues, URL: places.AuditQueueURL, Lanes: s.AuditLanes},
			Redactors:   redactors,
			Outcomes:    place.Teller(awssqs.ToOutcomes(queues), awseventbridge.ToBus(aws)),
			Metrics:     telemetry.LambdaMetrics(getenv, s.FewMetrics),
			Policies:    s.Policies,
			MaxReceives: s.MaxReceives,
			Now:         time.Now,
			Jitter:      rand.Float64,
			Log:         log,
		},
		Senders: &senders.Maker{
			Prefix:           s.ChannelSecrets,
			Secrets:          &awssecrets.Texts{API: secrets, TTL: s.SecretTTL, Now: time.Now},
			SES:              func(c channel.EmailConfig) channel.Sender { return awsses.New(aws, c) },
			EndUserMessaging: func(c channel.SMSConfig) channel.Sender { return awssms.New(aws, c) },
			HTTP:             exchange.NewTransportBy(s.Proxy),
			Webhooks:         awssecrets.Client(secrets, s.Client(), s.CABundle, settings.CABundle),
			Clock:            clockwork.NewRealClock(),
		},
		Recipients:   &awsdynamodb.Recipients{API: tables, Table: places.DirectoryTable},
		Claims:       &awsdynamodb.Claims{API: tables, Table: places.AttemptsTable},
		Suppressions: &awsdynamodb.Suppressions{API: tables, Table: places.DirectoryTable},
		Pace: &pace.Keeper{Store: &awsdynamodb.Paces{API: tables, Table: places.PaceTable}, Patience: notify.Patience,
			Now: time.Now, Log: log},
		Parts:   &awssqs.Outgoing{API: queues, URLs: map[string]string{settings.NotificationsQueue: places.NotificationsQueueURL}},
		Tenants: s.Tenants,
		Files:   &awss3.Files{API: awss3.NewClient(aws), Places: s.Attachments},
	})
}
