package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/deliver"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/replay"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/sqsserver"
)

// workerGrace is how long a batch in hand may take after SIGTERM: longer than
// an exchange with its second try, shorter than what container platforms allow.
const workerGrace = 25 * time.Second

type workerCommand struct {
	awsFlags
	Queues []string `default:"webhooks" placeholder:"NAME" help:"The queues to work on (${default})."`
	Store  string   `default:"dynamodb" placeholder:"STORE" help:"Where attempts are recorded: dynamodb (the table named by ATTEMPTS_TABLE), or sqlite:FILE."`
	HTTP   string   `name:"http" placeholder:"HOST:PORT" help:"Serve the API here, to this machine only."`
}

// history is a store of attempts as both rooms need it.
type history interface {
	deliver.Attempts
	replay.History
}

func (c *workerCommand) Run(ctx context.Context) error {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	for _, q := range c.Queues {
		if q != webhooksQueue {
			return fmt.Errorf("--queues %s: there is no handler for this queue", q)
		}
	}
	config, err := c.config(ctx)
	if err != nil {
		return err
	}
	attempts, closeStore, err := c.store(config)
	if err != nil {
		return err
	}
	defer closeStore()
	source, err := c.source(ctx, config, attempts, log)
	if err != nil {
		return err
	}
	api, err := c.listen()
	if err != nil {
		return err
	}
	fmt.Printf("ready queues=%s store=%s", strings.Join(c.Queues, ","), c.Store)
	if api != nil {
		fmt.Printf(" http=http://%s", api.Addr())
	}
	fmt.Println()
	return work(ctx, source, api, &replay.Handler{History: attempts, Log: log})
}

// work runs until ctx ends; the batch in hand is finished first.
func work(ctx context.Context, source *eventsource.Source, api net.Listener, handler *replay.Handler) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { source.Run(ctx); return nil })
	if api != nil {
		server := &http.Server{Handler: sqsserver.LoopbackOnly(handler.Routes()), ReadHeaderTimeout: 10 * time.Second}
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

func (c *workerCommand) listen() (net.Listener, error) {
	if c.HTTP == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", c.HTTP)
	if err != nil {
		return nil, fmt.Errorf("--http %s: %w; choose another address or port with --http", c.HTTP, err)
	}
	return l, nil
}

// store opens what --store names, and what closes it.
func (c *workerCommand) store(config aws.Config) (history, func(), error) {
	if file, ok := strings.CutPrefix(c.Store, "sqlite:"); ok {
		db, err := sqlite.Open(file)
		if err != nil {
			return nil, nil, fmt.Errorf("--store %s: %w", c.Store, err)
		}
		return sqlite.NewAttempts(db), func() { _ = db.Close() }, nil
	}
	table := os.Getenv(settings.AttemptsTable)
	if c.Store != "dynamodb" || table == "" {
		return nil, nil, fmt.Errorf("--store %s: must be sqlite:FILE, or dynamodb with %s naming the table", c.Store, settings.AttemptsTable)
	}
	return &awsdynamodb.Attempts{API: dynamodb.NewFromConfig(config), Table: table}, func() {}, nil
}

// source wires the handler to the stack's queues.
func (c *workerCommand) source(ctx context.Context, config aws.Config, attempts deliver.Attempts, log *slog.Logger) (*eventsource.Source, error) {
	delivery, err := settings.ReadDelivery(os.Getenv)
	if err != nil {
		return nil, err
	}
	client := sqs.NewFromConfig(config)
	p := webhooksParts{settings: delivery, queues: client, secrets: secretsmanager.NewFromConfig(config), attempts: attempts, log: log, region: config.Region, grace: workerGrace}
	if p.webhooksURL, err = c.queueURL(ctx, client, webhooksQueue); err != nil {
		return nil, err
	}
	if p.auditURL, err = c.queueURL(ctx, client, auditQueue); err != nil {
		return nil, err
	}
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &p.webhooksURL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		return nil, fmt.Errorf("the ARN of %s: %w", p.webhooksURL, err)
	}
	p.webhooksARN = out.Attributes[string(types.QueueAttributeNameQueueArn)]
	return webhooksSource(p), nil
}
