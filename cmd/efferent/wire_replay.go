package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/report/onward"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/waiting"
)

// replayQueues is what looking at dead-letter queues and replaying them takes.
type replayQueues interface {
	awssqs.LettersAPI
	awssqs.SendAPI
	awssqs.MovesAPI
}

// attemptsStore is a store of attempts as both rooms need it.
type attemptsStore interface {
	batch.Attempts
	replay.History
	replay.Failures
	endpoints.Attempts
	attempt.Reports
	onward.Store
}

// replayParts is what the API takes, wherever the queues are.
type replayParts struct {
	queues   replayQueues
	attempts attemptsStore
	claims   replay.Claims
	room     replay.Room
	circuits circuit.Store
	// outcomes tells producers, and may be nil; endpoints says whose a registered one is.
	outcomes  *outcome.Teller
	endpoints endpoint.Store
	exit      *waiting.Exit
	// exact: the queues' counts are.
	exact  bool
	lanes  int
	caller func(*http.Request) (api.Caller, error)
	// redactors are the ledger's.
	redactors ledger.Redactors
	// reports: there are delivery reports, and their queues.
	reports bool
	// url finds one of the queues.
	url  func(name string) (string, error)
	log  *slog.Logger
	book ledger.Book
	// watch is told of circuits, and of what leaves the waiting room.
	watch watch
	sign  func(context.Context) error
}

// replayHandler wires the handler that the replay Lambda runs.
func replayHandler(p replayParts) (*replay.Handler, error) {
	audit, err := p.url(settings.AuditQueue)
	if err != nil {
		return nil, err
	}
	n := replay.Needs{
		History: p.attempts, Failures: p.attempts, Records: p.attempts, Claims: p.claims,
		Room: p.room, Exit: p.exit, Circuits: p.circuits, Outcomes: p.outcomes,
		Endpoints:   &endpoint.Known{Store: p.endpoints, Now: p.exit.Now},
		ExactCounts: p.exact, Book: p.book, Lanes: p.lanes, Sign: p.sign,
		Audit: &awssqs.Audit{API: p.queues, URL: audit, Lanes: p.lanes}, Redactors: p.redactors,
		Caller: p.caller, Metrics: p.watch.of("replay"), Now: p.exit.Now, Wait: pause, Log: p.log,
	}
	if n.Queues, err = p.deadLetters(); err != nil {
		return nil, err
	}
	return replay.New(n)
}

// deadLetters are the dead-letter queues that there are.
func (p replayParts) deadLetters() (all []replay.Queue, err error) {
	for _, q := range []struct {
		source, failures string
		read             func(string) replay.Item
	}{
		{settings.WebhooksQueue, deadletter.WebhookFailures, replay.ReadWebhook},
		{settings.NotificationsQueue, deadletter.NotificationFailures, replay.ReadNotification},
		{settings.EventsQueue, deadletter.EventFailures, replay.ReadEvent},
		{settings.ReportsQueue, deadletter.ReportFailures, replay.ReadReport},
	} {
		ofReports := q.source == settings.ReportsQueue
		if ofReports && !p.reports {
			continue
		}
		source, err := p.url(q.source)
		if err != nil {
			return nil, err
		}
		failures, err := p.url(q.failures)
		if err != nil {
			return nil, err
		}
		all = append(all, replay.Queue{
			Name: q.failures, From: q.source, Read: q.read, Unrecorded: ofReports,
			Letters: &awssqs.Letters{API: p.queues, URL: failures},
			Source:  &awssqs.Source{API: p.queues, URL: source},
			Moves:   &awssqs.Moves{API: p.queues, URL: failures},
		})
	}
	return all, nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
