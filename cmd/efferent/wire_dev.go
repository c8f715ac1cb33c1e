package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"
	"golang.org/x/sync/errgroup"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/checkpoint"
	"github.com/efferent/efferent/internal/handlers/release"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/localaws/credential"
	"github.com/efferent/efferent/internal/localaws/secretserver"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/localaws/stsserver"
	"github.com/efferent/efferent/internal/objects"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/steady"
	"github.com/efferent/efferent/internal/writelog"
)

// The account that the local endpoint speaks for.
const (
	localRegion  = "us-east-1"
	localAccount = "000000000000"
)

// localConfig is how a local Efferent runs; AWS, HTTP, Data and AllowHosts are
// dev's flags.
type localConfig struct {
	AWS, HTTP, Data string
	AllowHosts      []string
	Getenv          func(string) string
	// Clock is what waits are measured by; nil is the machine's, steadied.
	Clock clockwork.Clock
	Log   *slog.Logger
}

// local is all of Efferent in one process.
type local struct {
	awsURL, httpURL string
	// allowed are the host names beside those of the loopback.
	allowed []string
	// attachments is the directory that emails' files are read from.
	attachments string
	log         *slog.Logger
	clock       clockwork.Clock
	db          *sqlite.DB
	recent      *writelog.Queues // nil where the data is in memory
	closeStores func()           // nil until they are open
	engine      *sqsserver.Engine
	poller      *sqsserver.Poller
	servers     []*http.Server
	listeners   []net.Listener
	sources     []*eventsource.Source
	kept        ledgerStore
	signer      *checkpoint.Handler
	releaser    *release.Handler
	redactors   ledger.Redactors
	outcomes    *outcome.Teller
	sweeper     *sweeper
	watch       watch
}

// openLocal opens the state and the two addresses. Errors name the flag that
// can mend them.
func openLocal(ctx context.Context, c localConfig) (_ *local, err error) {
	delivery, err := localDelivery(c.Getenv)
	if err != nil {
		return nil, err
	}
	notification, err := notificationSettings(c.Getenv)
	if err != nil {
		return nil, err
	}
	notification.Network = delivery.Network // on one machine, as there
	registration, err := settings.ReadEndpoints(c.Getenv)
	if err != nil {
		return nil, err
	}
	for _, name := range c.AllowHosts {
		if err := sqsserver.CheckHost(name); err != nil {
			return nil, fmt.Errorf("--allow-host: %w", err)
		}
	}
	l := &local{log: c.Log, clock: c.Clock, allowed: c.AllowHosts, attachments: attachmentsDirectory(c.Data)}
	if l.clock == nil {
		l.clock = steady.New()
	}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.watch, err = newWatch(ctx, c.Getenv, c.Log); err != nil {
		return nil, err
	}
	if l.db, err = sqlite.Open(c.Data); err != nil {
		return nil, fmt.Errorf("--data %s: %w", c.Data, err)
	}
	queues, err := l.openQueues(ctx, c.Data)
	if err != nil {
		return nil, fmt.Errorf("--data %s: %w", c.Data, err)
	}
	if l.engine, err = sqsserver.Open(ctx, queues,
		sqsserver.Options{Clock: l.clock, Region: localRegion, Account: localAccount, Own: devQueues(), Logger: c.Log}); err != nil {
		return nil, fmt.Errorf("--data %s: %w", c.Data, err)
	}
	l.poller = l.engine.Poller()
	if err := createQueues(ctx, l.engine, delivery.MaxReceives); err != nil {
		return nil, err
	}
	secrets, err := secretserver.Open(ctx, sqlite.NewSecrets(l.db),
		secretserver.Options{Region: localRegion, Account: localAccount, Logger: c.Log})
	if err != nil {
		return nil, fmt.Errorf("--data %s: %w", c.Data, err)
	}
	if err := fillSecrets(ctx, secrets, notification.ChannelSecrets, c.Getenv); err != nil {
		return nil, err
	}
	l.redactors = redactors(delivery.Redaction, secrets, c.Log)
	kept, err := l.localStores(ctx, c.Data)
	if err != nil {
		return nil, fmt.Errorf("--data %s: %w", c.Data, err)
	}
	kept.keepEvents(registration.EventRetention)
	l.sweeper = newSweeper(l.db, kept, l.clock, c.Log, l.engine, secrets)

	aws := awsRouter(sqsserver.NewHandler(l.engine), secretserver.NewHandler(secrets), stsserver.NewHandler(localAccount))
	if l.awsURL, err = l.listen("--aws", c.AWS, aws); err != nil {
		return nil, err
	}
	url := func(name string) (string, error) { return queueURL(l.awsURL, name), nil }
	l.kept = openLedger(l.db, c.Data)
	if l.signer, err = localSigner(ctx, l.kept, secrets, delivery.Sending, c.Log); err != nil {
		return nil, fmt.Errorf("--data %s: %w", c.Data, err)
	}
	if l.outcomes, err = localOutcomes(c.Getenv, l.engine, url); err != nil {
		return nil, err
	}
	exit, err := wayOut(kept.room, l.engine, url, l.clock.Now)
	if err != nil {
		return nil, err
	}
	if l.releaser, err = releaser(kept, exit, delivery, devReleaseEvery, l.watch, c.Log); err != nil {
		return nil, err
	}
	caller, tokens := localCallers("local", registration, secrets, l.clock.Now)
	api, err := replayHandler(replayParts{
		queues: l.poller, exact: true, attempts: kept.attempts, claims: kept.claims, room: kept.room, exit: exit,
		circuits: kept.circuits, outcomes: l.outcomes, endpoints: kept.endpoints, lanes: delivery.AuditLanes, caller: caller, reports: true,
		url: url, redactors: l.redactors, log: c.Log, book: l.kept,
		sign: l.signer.Handle, watch: l.watch})
	if err != nil {
		return nil, err
	}
	all, err := served(api, endpointParts{Endpoints: registration, kept: kept, secrets: secrets, queues: l.poller, url: url,
		prober:  awssecrets.Client(secrets, delivery.Client(), delivery.CABundle, settings.CABundle),
		refuses: delivery.Client().Refuses, outcomes: l.outcomes, watch: l.watch,
		redactors: l.redactors, caller: caller, tokens: tokens, now: l.clock.Now, log: c.Log})
	if err != nil {
		return nil, err
	}
	back, err := callbacks(l.poller, queueURL(l.awsURL, settings.ReportsQueue), notification, secrets, l.clock.Now, c.Log)
	if err != nil {
		return nil, err
	}
	if l.httpURL, err = l.listen("--http", c.HTTP, l.watch.beside(withCallbacks(back, all))); err != nil {
		return nil, err
	}
	l.watch.ask(l.engine, url, kept.circuits)
	err = l.handle(delivery, notification, secrets, kept)
	return l, err
}

// openQueues opens what the queues are kept in: the data file, with a log before
// it.
func (l *local) openQueues(ctx context.Context, data string) (sqsserver.Store, error) {
	queues := sqlite.NewQueues(l.db)
	if data == ":memory:" {
		return queues, nil
	}
	var err error
	l.recent, err = writelog.OpenQueues(ctx, data, l.db.ID(), queues, writelog.Options{Clock: l.clock, Logger: l.log})
	return l.recent, err
}

// localStores are those of a data file. This process alone has the file: who
// held something in it is dead.
func (l *local) localStores(ctx context.Context, data string) (stores, error) {
	kept, err := openStores(ctx, l.db, data, l.clock.Now, l.log)
	if err != nil {
		return kept, err
	}
	l.closeStores = kept.close
	claims := sqlite.NewClaims(l.db)
	err = sqlite.NewWaiting(l.db).Abandon(ctx)
	for _, queue := range []string{deadletter.WebhookFailures, deadletter.NotificationFailures, deadletter.EventFailures,
		deadletter.ReportFailures} {
		err = errors.Join(err, claims.Abandon(ctx, queue))
	}
	return kept, err
}

// handle feeds the handlers that the Lambdas run.
func (l *local) handle(w settings.Webhooks, n settings.Notifications, secrets *secretserver.Server, kept stores) error {
	entries, err := auditSource(l.feed(settings.AuditQueue, kept), l.poller, l.kept)
	if err != nil {
		return err
	}
	webhooks, err := webhooksSource(l.feed(settings.WebhooksQueue, kept), w, secrets, kept)
	if err != nil {
		return err
	}
	notifications, err := notificationsSource(l.feed(settings.NotificationsQueue, kept), notices{
		n, providers(n, secrets), kept, objects.NewFiles(l.attachments)})
	if err != nil {
		return err
	}
	events, err := eventsSource(l.feed(settings.EventsQueue, kept), queueURL(l.awsURL, settings.WebhooksQueue), w.Sending, kept)
	if err != nil {
		return err
	}
	reports, err := reportsSource(l.feed(settings.ReportsQueue, kept), queueURL(l.awsURL, settings.NotificationsQueue), n.Sending, kept)
	if err != nil {
		return err
	}
	l.sources = []*eventsource.Source{entries, webhooks, notifications, events, reports}
	return nil
}

// feed is one of the queues, for its handler.
func (l *local) feed(name string, kept stores) feed {
	return feed{
		queues: l.poller, url: queueURL(l.awsURL, name), arn: queueARN(name), region: localRegion,
		auditURL: queueURL(l.awsURL, settings.AuditQueue), redactors: l.redactors, outcomes: l.outcomes, room: kept.room,
		log: l.log, now: l.clock.Now,
		name: name, watch: l.watch,
	}
}

// devSecretTTL is how long dev uses a signing secret before it reads it again,
// which costs nothing there: a rotation is to be seen.
const devSecretTTL = time.Second

// localDelivery is what the environment says, but for what makes sense on one
// machine only: loopback may be connected to, by plain http too, and secrets are
// read often.
func localDelivery(getenv func(string) string) (settings.Webhooks, error) {
	d, err := settings.ReadWebhooks(func(name string) string {
		if name == settings.AllowHTTP && getenv(name) == "" {
			return "loopback"
		}
		return getenv(name)
	})
	d.SecretTTL = cmp.Or(d.SecretTTL, devSecretTTL)
	d.AllowCIDRs = append(d.AllowCIDRs, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	return d, err
}

// listen opens an address for requests from this machine only.
func (l *local) listen(flag, address string, h http.Handler) (string, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w; choose another address or port with %s", flag, address, err, flag)
	}
	l.listeners = append(l.listeners, listener)
	l.servers = append(l.servers, &http.Server{
		Handler:           sqsserver.LoopbackOnly(h, l.allowed...),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       5 * time.Minute,
		ErrorLog:          slog.NewLogLogger(l.log.Handler(), slog.LevelWarn),
	})
	return "http://" + listener.Addr().String(), nil
}

// awsRouter sends each AWS request to the service that its target names, or
// that it is signed for.
func awsRouter(sqs, secrets, sts http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch target := r.Header.Get("X-Amz-Target"); {
		case strings.HasPrefix(target, "secretsmanager."):
			secrets.ServeHTTP(w, r)
		case target == "" && credential.Of(r).Service == "sts":
			sts.ServeHTTP(w, r)
		default:
			sqs.ServeHTTP(w, r)
		}
	})
}

// Run serves until ctx ends or a part fails. What was in hand then is visible
// again before it returns.
func (l *local) Run(ctx context.Context) error {
	defer l.close()
	g, ctx := errgroup.WithContext(ctx)
	for i, s := range l.servers {
		g.Go(func() error {
			if err := s.Serve(l.listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		g.Go(func() error { <-ctx.Done(); return s.Close() })
	}
	for _, s := range l.sources {
		g.Go(func() error { s.Run(ctx); return nil })
	}
	g.Go(func() error { l.sweeper.run(ctx); return nil })
	g.Go(func() error { signByTheClock(ctx, l.signer, l.clock); return nil })
	g.Go(func() error { releaseByTheClock(ctx, l.releaser, devReleaseEvery, l.clock); return nil })
	return g.Wait()
}

func (l *local) close() {
	for _, listener := range l.listeners {
		listener.Close()
	}
	if l.poller != nil {
		ctx, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		if err := l.poller.Release(ctx); err != nil {
			l.log.Error("messages in hand were not made visible again; the next start does it", "error", err)
		}
	}
	if l.watch.close != nil {
		l.watch.close()
	}
	if l.engine != nil {
		l.engine.Close()
	}
	if l.closeStores != nil {
		l.closeStores()
	}
	if l.recent != nil {
		if err := l.recent.Close(); err != nil {
			l.log.Error("the queues' last changes did not get to the data file; the next start brings them there", "error", err)
		}
	}
	if l.db != nil {
		if err := l.db.Close(); err != nil {
			l.log.Error("closing the data file failed", "error", err)
		}
	}
}
