package worker

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/cmd/efferent/assembly"
	"github.com/efferent/efferent/cmd/efferent/audit"
	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awseventbridge "github.com/efferent/efferent/internal/aws/eventbridge"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/settings"
)

// workerHandler is what works on a queue: how it is made for a maxReceiveCount,
// and how it is fed.
type workerHandler struct {
	build func(assembly.Feed, int) (eventsource.Handler, error)
	fed   eventsource.Options
}

// handlers are those that the Lambdas run, by their queues.
func (w *worker) handlers() (map[string]workerHandler, error) {
	notification, err := assembly.NotificationSettings(os.Getenv)
	if err != nil {
		return nil, err
	}
	secrets := secretsmanager.NewFromConfig(w.config)
	return map[string]workerHandler{
		settings.WebhooksQueue: {func(f assembly.Feed, receives int) (eventsource.Handler, error) {
			d := w.delivery
			d.MaxReceives = receives
			h, err := assembly.Deliverer(f, d, secrets, w.kept)
			if err != nil {
				return nil, err
			}
			return h.Handle, nil
		}, eventsource.Options{MaxConcurrency: 2 * assembly.MostInFlight}},
		settings.NotificationsQueue: {func(f assembly.Feed, receives int) (eventsource.Handler, error) {
			n := notification
			n.MaxReceives = receives
			return assembly.Notifier(f, assembly.Notices{Settings: n, Kept: w.kept,
				Senders: assembly.WithAWS(assembly.Providers(n, secrets), w.config),
				Files:   &awss3.Files{API: awss3.NewClient(w.config), Places: n.Attachments}})
		}, eventsource.Options{MaxConcurrency: assembly.NotifyBatches()}},
		settings.EventsQueue: {func(f assembly.Feed, receives int) (eventsource.Handler, error) {
			s := w.delivery.Sending
			s.MaxReceives = receives
			return assembly.Fanner(f, w.found[settings.WebhooksQueue].URL, s, w.kept)
		}, eventsource.Options{MaxConcurrency: assembly.EventBatches}},
		settings.ReportsQueue: {func(f assembly.Feed, receives int) (eventsource.Handler, error) {
			s := w.delivery.Sending
			s.MaxReceives = receives
			return assembly.Reporter(f, w.found[settings.NotificationsQueue].URL, s, w.kept)
		}, eventsource.Options{MaxConcurrency: assembly.ReportBatches}},
		// A lane has one batch in flight, as in a Lambda function.
		settings.AuditQueue: {func(f assembly.Feed, _ int) (eventsource.Handler, error) { return workerAudit(f, w.config) },
			eventsource.Options{Concurrency: w.delivery.AuditLanes}},
	}, nil
}

// openSources wires the handlers to the queues.
func (w *worker) openSources(check *queueCheck) error {
	handlers, err := w.handlers()
	if err != nil {
		return err
	}
	hashes := assembly.Redactors(w.delivery.Redaction, secretsmanager.NewFromConfig(w.config), w.log)
	for _, name := range w.Queues {
		f := w.feed(name)
		f.Redactors = hashes
		h := handlers[name]
		watch, err := newQueueWatch(&queueWatch{
			name: name, clock: clockwork.NewRealClock(), log: w.log,
			look:  func(ctx context.Context) (workable, error) { return check.look(ctx, name, true) },
			build: func(receives int) (eventsource.Handler, error) { return h.build(f, receives) },
		}, w.found[name].receives)
		if err != nil {
			return err
		}
		h.fed.Log, h.fed.Grace = w.log, workerGrace
		w.watches = append(w.watches, watch)
		w.sources = append(w.sources, eventsource.New(watchedQueue{f.Polled(), watch}, watch.Handle, h.fed))
	}
	return nil
}

// feed is one of the queues, for its handler.
func (w *worker) feed(name string) assembly.Feed {
	q := w.found[name]
	return assembly.Feed{Name: name, Watch: w.watch, Queues: newConsumer(w.config), URL: q.URL, ARN: q.ARN(), Region: w.config.Region,
		AuditURL: w.found[settings.AuditQueue].URL, Room: w.kept.Room, Outcomes: w.outcomes, Log: w.log, Now: time.Now, Grace: workerGrace}
}

// workerAudit appends to the ledger of a stack.
func workerAudit(f assembly.Feed, config aws.Config) (eventsource.Handler, error) {
	table, bucket := os.Getenv(settings.LedgerTable), os.Getenv(settings.LedgerBucket)
	if table == "" || bucket == "" {
		return nil, fmt.Errorf("--queues %s: the environment variables %s and %s must say where the ledger is", settings.AuditQueue,
			settings.LedgerTable, settings.LedgerBucket)
	}
	return assembly.Auditor(f, sqs.NewFromConfig(config), struct {
		*awsdynamodb.Ledger
		*awss3.Objects
	}{&awsdynamodb.Ledger{API: dynamodb.NewFromConfig(config), Table: table},
		&awss3.Objects{API: awss3.NewClient(config), Bucket: bucket}})
}

// workerBook is the ledger that the API shows; none where the environment does
// not say where it is.
func workerBook(config aws.Config, lanes int) ledger.Book {
	table, tiles, checkpoints := os.Getenv(settings.LedgerTable), os.Getenv(settings.LedgerBucket), os.Getenv(settings.CheckpointsBucket)
	if table == "" || tiles == "" || checkpoints == "" {
		return nil
	}
	return audit.StackLedger(config, table, tiles, checkpoints, lanes)
}

// awsOutcomes tells what the environment says.
func awsOutcomes(getenv func(string) string, config aws.Config) (*outcome.Teller, error) {
	p, err := settings.ReadOutcomes(getenv)
	if err != nil {
		return nil, err
	}
	return p.Teller(awssqs.ToOutcomes(sqs.NewFromConfig(config)), awseventbridge.ToBus(config)), nil
}
