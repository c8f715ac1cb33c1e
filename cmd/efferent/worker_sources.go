package main

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

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/settings"
)

// workerHandler is what works on a queue: how it is made for a maxReceiveCount,
// and how it is fed.
type workerHandler struct {
	build func(feed, int) (eventsource.Handler, error)
	fed   eventsource.Options
}

// handlers are those that the Lambdas run, by their queues.
func (w *worker) handlers() (map[string]workerHandler, error) {
	notification, err := notificationSettings(os.Getenv)
	if err != nil {
		return nil, err
	}
	secrets := secretsmanager.NewFromConfig(w.config)
	return map[string]workerHandler{
		settings.WebhooksQueue: {func(f feed, receives int) (eventsource.Handler, error) {
			d := w.delivery
			d.MaxReceives = receives
			h, err := deliverer(f, d, secrets, w.kept)
			if err != nil {
				return nil, err
			}
			return h.Handle, nil
		}, eventsource.Options{MaxConcurrency: 2 * mostInFlight}},
		settings.NotificationsQueue: {func(f feed, receives int) (eventsource.Handler, error) {
			n := notification
			n.MaxReceives = receives
			return notifier(f, notices{n, withAWS(providers(n, secrets), w.config), w.kept,
				&awss3.Files{API: awss3.NewClient(w.config), Places: n.Attachments}})
		}, eventsource.Options{MaxConcurrency: notifyBatches()}},
		settings.EventsQueue: {func(f feed, receives int) (eventsource.Handler, error) {
			s := w.delivery.Sending
			s.MaxReceives = receives
			return fanner(f, w.found[settings.WebhooksQueue].url, s, w.kept)
		}, eventsource.Options{MaxConcurrency: eventBatches}},
		// A lane has one batch in flight, as in a Lambda function.
		settings.AuditQueue: {func(f feed, _ int) (eventsource.Handler, error) { return workerAudit(f, w.config) },
			eventsource.Options{Concurrency: w.delivery.AuditLanes}},
	}, nil
}

// openSources wires the handlers to the queues.
func (w *worker) openSources(check *queueCheck) error {
	handlers, err := w.handlers()
	if err != nil {
		return err
	}
	hashes := redactors(w.delivery.Redaction, secretsmanager.NewFromConfig(w.config), w.log)
	for _, name := range w.Queues {
		f := w.feed(name)
		f.redactors = hashes
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
		w.sources = append(w.sources, eventsource.New(watchedQueue{f.polled(), watch}, watch.Handle, h.fed))
	}
	return nil
}

// feed is one of the queues, for its handler.
func (w *worker) feed(name string) feed {
	q := w.found[name]
	return feed{name: name, watch: w.watch, queues: newConsumer(w.config), url: q.url, arn: q.arn(), region: w.config.Region,
		auditURL: w.found[settings.AuditQueue].url, room: w.kept.room, outcomes: w.outcomes, log: w.log, now: time.Now, grace: workerGrace}
}

// workerAudit appends to the ledger of a stack.
func workerAudit(f feed, config aws.Config) (eventsource.Handler, error) {
	table, bucket := os.Getenv(settings.LedgerTable), os.Getenv(settings.LedgerBucket)
	if table == "" || bucket == "" {
		return nil, fmt.Errorf("--queues %s: the environment variables %s and %s must say where the ledger is", settings.AuditQueue,
			settings.LedgerTable, settings.LedgerBucket)
	}
	return auditor(f, sqs.NewFromConfig(config), struct {
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
	return stackLedger(config, table, tiles, checkpoints, lanes)
}
