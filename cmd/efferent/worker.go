package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jonboulle/clockwork"
	"golang.org/x/sync/errgroup"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/telemetry"
	"github.com/efferent/efferent/internal/template"
	"github.com/efferent/efferent/internal/waiting"
)

// workerGrace is how long a batch in hand may take after SIGTERM: longer than
// an exchange with its second try, shorter than what container platforms allow
// (30 s: terminationGracePeriodSeconds of Kubernetes, stopTimeout of Fargate).
const workerGrace = 25 * time.Second

type workerCommand struct {
	queueFlags
	Queues []string `default:"webhooks,notifications" placeholder:"NAME" help:"The queues to work on (${default}); events and audit.fifo too."`
	Store  string   `default:"dynamodb" placeholder:"STORE" help:"Where state is: dynamodb (ATTEMPTS_TABLE, …) or sqlite:FILE."`
	workerHTTP
	Health string `env:"EFFERENT_HEALTH" placeholder:"HOST:PORT" help:"Serve /healthz and /readyz here, and nothing else, to everybody."`
}

// eventStore is a store of events as fanout and the API need it.
type eventStore interface {
	event.Store
	event.Keys
}

// stores is where the handlers keep what they must not forget.
type stores struct {
	attempts attemptsStore
	claims   replay.Claims
	room     waiting.Store
	circuits circuit.Store
	// endpoints are those that are registered.
	endpoints endpoint.Store
	// events are those that were published, and the keys of their requests.
	events eventStore
	paces  pace.Store
	// recipients are the people that messages name.
	recipients recipient.Store
	// suppressed are the addresses that nothing is sent to.
	suppressed suppression.Store
	// templates are those that notifications name.
	templates template.Store
	close     func()
	// expire are the stores that nobody else deletes what has expired from.
	expire []expiring
	// sweeper has them do so, in a worker; nil where DynamoDB does it by itself.
	sweeper *sweeper
}

// keepEvents has events be kept for so long.
func (s *stores) keepEvents(retention time.Duration) {
	switch events := s.events.(type) {
	case *sqlite.Events:
		events.Retention = retention
	case *awsdynamodb.Events:
		events.Retention = retention
	}
}

func (c *workerCommand) Run(ctx context.Context) error {
	log := telemetry.Log(os.Stderr, "INFO")
	if err := c.check(); err != nil {
		return misused(err)
	}
	config, err := c.config(ctx)
	if err != nil {
		return err
	}
	w := &worker{workerCommand: c, config: tried(config), log: log}
	if w.delivery, err = settings.ReadWebhooks(os.Getenv); err != nil {
		return err
	}
	if w.outcomes, err = awsOutcomes(os.Getenv, w.config); err != nil {
		return err
	}
	registration, err := settings.ReadEndpoints(os.Getenv)
	if err != nil {
		return err
	}
	if w.kept, err = c.stores(w.config, log); err != nil {
		return err
	}
	w.kept.keepEvents(registration.EventRetention)
	defer w.kept.close()
	if w.watch, err = newWatch(ctx, os.Getenv, log); err != nil {
		return err
	}
	defer w.watch.close()
	if err := w.open(ctx); err != nil {
		return err
	}
	fmt.Println(w.ready())
	return w.work(ctx)
}

// check refuses flags that can't be meant.
func (c *workerCommand) check() error {
	for i, q := range c.Queues {
		switch {
		case q != settings.AuditQueue && !slices.Contains(waitedFor, q):
			return fmt.Errorf("--queues %s: there is no handler for this queue", q)
		case slices.Contains(c.Queues[:i], q):
			return fmt.Errorf("--queues %s: it is named twice", q)
		}
	}
	if len(c.Queues) == 0 {
		return errors.New("--queues: name one at least")
	}
	return c.workerHTTP.check()
}

// worker is the command at work.
type worker struct {
	*workerCommand
	config   aws.Config
	delivery settings.Webhooks
	kept     stores
	log      *slog.Logger
	outcomes *outcome.Teller
	// watch is told how all of it is.
	watch watch
	// found are the queues, by their names without the prefix.
	found   map[string]workable
	watches []*queueWatch
	sources []*eventsource.Source
	release func(context.Context)
	servers []*server
}

// open finds the queues, and makes what is to run. Nothing does yet.
func (w *worker) open(ctx context.Context) (err error) {
	check := &queueCheck{api: sqs.NewFromConfig(w.config), flags: &w.queueFlags}
	if w.found, err = check.all(ctx, w.Queues, w.needed()); err != nil {
		return err
	}
	w.warn()
	if err := w.openSources(check); err != nil {
		return err
	}
	if w.release, err = w.releasing(); err != nil {
		return err
	}
	return w.openServers(ctx)
}

// needed are the queues that it does not work on, and that must be there.
func (w *worker) needed() (names []string) {
	needed := []string{settings.AuditQueue}
	if w.sends() {
		needed = append(needed, waitedFor...) // the way out of the waiting room
	}
	if w.HTTP != "" {
		needed = ownQueues()
		if slices.Contains(w.Queues, settings.ReportsQueue) {
			needed = append(needed, deadletter.ReportFailures)
		}
	}
	for _, name := range needed {
		if !slices.Contains(w.Queues, name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// sends: what waits in the room is its to release.
func (w *worker) sends() bool {
	return slices.ContainsFunc(waitedFor, func(q string) bool { return slices.Contains(w.Queues, q) })
}

// warn tells what an operator should know of the queues.
func (w *worker) warn() {
	for _, name := range w.Queues {
		for _, text := range w.found[name].warnings {
			w.log.Warn(text, "queue", name)
		}
	}
	if os.Getenv(settings.MaxReceives) != "" {
		w.log.Warn("not heeded: a worker takes the maxReceiveCount of each queue from the queue", "variable", settings.MaxReceives)
	}
}

// url is where one of the queues is that it needs.
func (w *worker) url(name string) (string, error) {
	q, ok := w.found[name]
	if !ok {
		return "", fmt.Errorf("the queue %s is not needed here", name)
	}
	return q.url, nil
}

// ready is the line that says that it works.
func (w *worker) ready() string {
	text := fmt.Sprintf("ready queues=%s store=%s", strings.Join(w.Queues, ","), w.Store)
	for _, s := range w.servers {
		text += fmt.Sprintf(" %s=http://%s", s.name, s.listener.Addr())
	}
	return text
}

// work runs until ctx ends; the batches in hand are finished first, and the
// servers answer until then.
func (w *worker) work(ctx context.Context) error {
	sweeping, stop := context.WithCancel(ctx)
	var aside, busy sync.WaitGroup
	defer func() { stop(); aside.Wait() }()
	aside.Go(func() { w.kept.sweeper.run(sweeping) })
	g, ctx := errgroup.WithContext(ctx)
	busy.Go(func() { w.release(ctx) })
	for i, s := range w.sources {
		busy.Go(func() { s.Run(ctx) })
		aside.Go(func() { w.watches[i].run(sweeping) })
	}
	for _, s := range w.servers {
		g.Go(s.serve)
	}
	g.Go(func() error {
		<-ctx.Done()
		busy.Wait()
		for _, s := range w.servers {
			s.end()
		}
		return nil
	})
	return g.Wait()
}

// releasing sends what is due in the waiting room, until its ctx ends, where what
// waits there is the worker's.
func (w *worker) releasing() (func(context.Context), error) {
	if !w.sends() {
		return func(context.Context) {}, nil
	}
	exit, err := wayOut(w.kept.room, sqs.NewFromConfig(w.config), w.url, time.Now)
	if err != nil {
		return nil, err
	}
	h, err := releaser(w.kept, exit, w.delivery, workerReleaseEvery, w.watch, w.log)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) { releaseByTheClock(ctx, h, workerReleaseEvery, clockwork.NewRealClock()) }, nil
}

// stores opens what --store names.
func (c *workerCommand) stores(config aws.Config, log *slog.Logger) (stores, error) {
	if file, ok := strings.CutPrefix(c.Store, "sqlite:"); ok {
		db, err := sqlite.Open(file)
		if err != nil {
			return stores{}, fmt.Errorf("--store %s: %w", c.Store, err)
		}
		kept, err := openStores(context.Background(), db, file, time.Now, log)
		if err != nil {
			return stores{}, errors.Join(fmt.Errorf("--store %s: %w", c.Store, err), db.Close())
		}
		closeLog := kept.close
		kept.close, kept.sweeper = func() { closeLog(); _ = db.Close() }, newSweeper(db, kept, clockwork.NewRealClock(), log)
		return kept, nil
	}
	tables := map[string]string{settings.AttemptsTable: "", settings.WaitingTable: "", settings.CircuitsTable: "", settings.PaceTable: "",
		settings.EndpointsTable: "", settings.EventsTable: "", settings.DirectoryTable: ""}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		if tables[name] = os.Getenv(name); tables[name] == "" {
			missing = append(missing, name)
		}
	}
	if c.Store != "dynamodb" || len(missing) > 0 {
		return stores{}, fmt.Errorf("--store %s: must be sqlite:FILE, or dynamodb with %s naming the tables; missing: %s", c.Store,
			strings.Join(slices.Sorted(maps.Keys(tables)), ", "), strings.Join(missing, ", "))
	}
	client := dynamodb.NewFromConfig(config)
	return stores{
		attempts:  &awsdynamodb.Attempts{API: client, Table: tables[settings.AttemptsTable]},
		claims:    &awsdynamodb.Claims{API: client, Table: tables[settings.AttemptsTable]},
		room:      &awsdynamodb.Waiting{API: client, Table: tables[settings.WaitingTable]},
		circuits:  &awsdynamodb.Circuits{API: client, Table: tables[settings.CircuitsTable]},
		paces:     &awsdynamodb.Paces{API: client, Table: tables[settings.PaceTable]},
		endpoints: &awsdynamodb.Endpoints{API: client, Table: tables[settings.EndpointsTable]},
		events:    &awsdynamodb.Events{API: client, Table: tables[settings.EventsTable]}, close: func() {},
		suppressed: &awsdynamodb.Suppressions{API: client, Table: tables[settings.DirectoryTable]},
		templates:  &awsdynamodb.Templates{API: client, Table: tables[settings.DirectoryTable]},
		recipients: &awsdynamodb.Recipients{API: client, Table: tables[settings.DirectoryTable]},
	}, nil
}
