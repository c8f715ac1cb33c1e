package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/jonboulle/clockwork"
	"golang.org/x/sync/errgroup"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/waiting"
)

// workerGrace is how long a batch in hand may take after SIGTERM: longer than
// an exchange with its second try, shorter than what container platforms allow.
const workerGrace = 25 * time.Second

type workerCommand struct {
	queueFlags
	Queues []string `default:"webhooks,notifications" placeholder:"NAME" help:"The queues to work on (${default}); audit.fifo too."`
	Store  string   `default:"dynamodb" placeholder:"STORE" help:"Where state is: dynamodb (ATTEMPTS_TABLE, …) or sqlite:FILE."`
	HTTP   string   `name:"http" placeholder:"HOST:PORT" help:"Serve the API here, to this machine only."`

	watch watch
}

// stores is where the handlers keep what they must not forget.
type stores struct {
	attempts attemptsStore
	claims   replay.Claims
	room     waiting.Store
	circuits circuit.Store
	close    func()
	// expire are the stores that nobody else deletes what has expired from.
	expire []expiring
	// sweeper has them do so, in a worker; nil where DynamoDB does it by itself.
	sweeper *sweeper
}

func (c *workerCommand) Run(ctx context.Context) error {
	log := telemetry.Log(os.Stderr, "INFO")
	for _, q := range c.Queues {
		if q != settings.WebhooksQueue && q != settings.NotificationsQueue && q != settings.AuditQueue {
			return fmt.Errorf("--queues %s: there is no handler for this queue", q)
		}
	}
	config, err := c.config(ctx)
	if err != nil {
		return err
	}
	config = tried(config)
	delivery, err := settings.ReadWebhooks(os.Getenv)
	if err != nil {
		return err
	}
	kept, err := c.stores(config, log)
	if err != nil {
		return err
	}
	defer kept.close()
	if c.watch, err = newWatch(ctx, os.Getenv, log); err != nil {
		return err
	}
	defer c.watch.close()
	sources, err := c.sources(ctx, config, delivery, kept, log)
	if err != nil {
		return err
	}
	api, handler, err := c.api(ctx, config, delivery, kept, log)
	if err != nil {
		return err
	}
	release, err := c.release(ctx, config, delivery, kept, log)
	if err != nil {
		return err
	}
	fmt.Printf("ready queues=%s store=%s", strings.Join(c.Queues, ","), c.Store)
	if api != nil {
		fmt.Printf(" http=http://%s", api.Addr())
	}
	fmt.Println()
	sweeping, stop := context.WithCancel(ctx)
	swept := make(chan struct{})
	go func() { kept.sweeper.run(sweeping); close(swept) }()
	defer func() { stop(); <-swept }()
	return work(ctx, sources, release, api, handler)
}

// work runs until ctx ends; the batch in hand is finished first.
func work(ctx context.Context, sources []*eventsource.Source, release func(context.Context), api net.Listener, handler http.Handler) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { release(ctx); return nil })
	for _, s := range sources {
		g.Go(func() error { s.Run(ctx); return nil })
	}
	if api != nil {
		server := &http.Server{Handler: sqsserver.LoopbackOnly(handler), ReadHeaderTimeout: 10 * time.Second}
		g.Go(func() error {
			if err := server.Serve(api); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		g.Go(func() error { <-ctx.Done(); return server.Close() })
	}
	return g.Wait()
}

// release sends what is due in the waiting room, until its ctx ends, where what
// waits there is the worker's.
func (c *workerCommand) release(ctx context.Context, config aws.Config, d settings.Webhooks, kept stores, log *slog.Logger) (
	func(context.Context), error) {
	if !slices.Contains(c.Queues, settings.WebhooksQueue) && !slices.Contains(c.Queues, settings.NotificationsQueue) {
		return func(context.Context) {}, nil
	}
	client := sqs.NewFromConfig(config)
	exit, err := wayOut(kept.room, client, func(name string) (string, error) { return c.queueURL(ctx, client, name) }, time.Now)
	if err != nil {
		return nil, err
	}
	h, err := releaser(kept, exit, d, workerReleaseEvery, c.watch, log)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) { releaseByTheClock(ctx, h, workerReleaseEvery, clockwork.NewRealClock()) }, nil
}

// api opens the address of the API, where one is wanted.
func (c *workerCommand) api(ctx context.Context, config aws.Config, d settings.Webhooks, kept stores, log *slog.Logger) (
	net.Listener, http.Handler, error) {
	if c.HTTP == "" {
		return nil, nil, nil
	}
	client := sqs.NewFromConfig(config)
	url := func(name string) (string, error) { return c.queueURL(ctx, client, name) }
	exit, err := wayOut(kept.room, client, url, time.Now)
	if err != nil {
		return nil, nil, err
	}
	handler, err := replayHandler(replayParts{queues: client, attempts: kept.attempts, claims: kept.claims, room: kept.room, exit: exit,
		circuits: kept.circuits, lanes: d.AuditLanes, url: url, redactors: redactors(d.Redaction, secretsmanager.NewFromConfig(config), log),
		log: log, book: workerBook(config, d.AuditLanes), watch: c.watch})
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", c.HTTP)
	if err != nil {
		return nil, nil, fmt.Errorf("--http %s: %w; choose another address or port with --http", c.HTTP, err)
	}
	c.watch.ask(client, url, kept.circuits)
	return l, c.watch.beside(guarded(handler)), nil
}

// stores opens what --store names.
func (c *workerCommand) stores(config aws.Config, log *slog.Logger) (stores, error) {
	if file, ok := strings.CutPrefix(c.Store, "sqlite:"); ok {
		db, err := sqlite.Open(file)
		if err != nil {
			return stores{}, fmt.Errorf("--store %s: %w", c.Store, err)
		}
		kept := sqliteStores(db, time.Now)
		kept.close, kept.sweeper = func() { _ = db.Close() }, newSweeper(db, kept, clockwork.NewRealClock(), log)
		return kept, nil
	}
	table, room, circuits := os.Getenv(settings.AttemptsTable), os.Getenv(settings.WaitingTable), os.Getenv(settings.CircuitsTable)
	if c.Store != "dynamodb" || table == "" || room == "" || circuits == "" {
		return stores{}, fmt.Errorf("--store %s: must be sqlite:FILE, or dynamodb with %s, %s and %s naming the tables", c.Store,
			settings.AttemptsTable, settings.WaitingTable, settings.CircuitsTable)
	}
	client := dynamodb.NewFromConfig(config)
	return stores{
		attempts: &awsdynamodb.Attempts{API: client, Table: table}, claims: &awsdynamodb.Claims{API: client, Table: table},
		room: &awsdynamodb.Waiting{API: client, Table: room}, circuits: &awsdynamodb.Circuits{API: client, Table: circuits}, close: func() {},
	}, nil
}

// sources wires the handlers to the stack's queues.
func (c *workerCommand) sources(ctx context.Context, config aws.Config, delivery settings.Webhooks, kept stores, log *slog.Logger) (
	all []*eventsource.Source, err error) {
	notification, err := settings.ReadNotifications(os.Getenv)
	if err != nil {
		return nil, err
	}
	secrets := secretsmanager.NewFromConfig(config)
	hashes := redactors(delivery.Redaction, secrets, log)
	wires := map[string]func(feed) (*eventsource.Source, error){
		settings.WebhooksQueue: func(f feed) (*eventsource.Source, error) {
			return webhooksSource(f, delivery, secrets, kept)
		},
		settings.NotificationsQueue: func(f feed) (*eventsource.Source, error) {
			return notificationsSource(f, notification, withAWS(providers(notification, secrets), config), kept.attempts, kept.claims)
		},
		settings.AuditQueue: func(f feed) (*eventsource.Source, error) { return workerAudit(f, config) },
	}
	for _, name := range c.Queues {
		f, err := c.feed(ctx, config, name)
		if err != nil {
			return nil, err
		}
		f.log, f.now, f.grace, f.redactors, f.room = log, time.Now, workerGrace, hashes, kept.room
		f.name, f.watch = name, c.watch
		source, err := wires[name](f)
		if err != nil {
			return nil, err
		}
		all = append(all, source)
	}
	return all, nil
}

// feed finds one of the queues.
func (c *workerCommand) feed(ctx context.Context, config aws.Config, name string) (f feed, err error) {
	client := newConsumer(config)
	f.queues, f.region = client, config.Region
	if f.url, err = c.queueURL(ctx, client.Client, name); err != nil {
		return f, err
	}
	if f.auditURL, err = c.queueURL(ctx, client.Client, settings.AuditQueue); err != nil {
		return f, err
	}
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &f.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		return f, fmt.Errorf("the ARN of %s: %w", f.url, err)
	}
	f.arn = out.Attributes[string(types.QueueAttributeNameQueueArn)]
	return f, nil
}

// workerAudit appends to the ledger of a stack.
func workerAudit(f feed, config aws.Config) (*eventsource.Source, error) {
	table, bucket := os.Getenv(settings.LedgerTable), os.Getenv(settings.LedgerBucket)
	if table == "" || bucket == "" {
		return nil, fmt.Errorf("--queues %s: the environment variables %s and %s must say where the ledger is", settings.AuditQueue,
			settings.LedgerTable, settings.LedgerBucket)
	}
	return auditSource(f, sqs.NewFromConfig(config), struct {
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
