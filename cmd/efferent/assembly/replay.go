package assembly

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/efferent/efferent/internal/api"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/waiting"
)

// replayQueues is what looking at dead-letter queues and replaying them takes.
type replayQueues interface {
	awssqs.LettersAPI
	awssqs.SendAPI
	awssqs.MovesAPI
}

// ReplayParts is what the API takes, wherever the queues are.
type ReplayParts struct {
	Queues   replayQueues
	Attempts attemptsStore
	Claims   replay.Claims
	Room     replay.Room
	Circuits circuit.Store
	// Outcomes tells producers, and may be nil; endpoints says whose a registered one is.
	Outcomes  *outcome.Teller
	Endpoints endpoint.Store
	Exit      *waiting.Exit
	// Exact: the queues' counts are.
	Exact  bool
	Lanes  int
	Caller func(*http.Request) (api.Caller, error)
	// Redactors are the ledger's.
	Redactors ledger.Redactors
	// Reports: there are delivery reports, and their queues.
	Reports bool
	// URL finds one of the queues.
	URL  func(name string) (string, error)
	Log  *slog.Logger
	Book ledger.Book
	// Watch is told of circuits, and of what leaves the waiting room.
	Watch Watch
	Sign  func(context.Context) error
}

// ReplayHandler wires the handler that the replay Lambda runs.
func ReplayHandler(p ReplayParts) (*replay.Handler, error) {
	audit, err := p.URL(settings.AuditQueue)
	if err != nil {
		return nil, err
	}
	n := replay.Needs{
		History: p.Attempts, Failures: p.Attempts, Records: p.Attempts, Claims: p.Claims,
		Room: p.Room, Exit: p.Exit, Circuits: p.Circuits, Outcomes: p.Outcomes,
		Endpoints:   &endpoint.Known{Store: p.Endpoints, Now: p.Exit.Now},
		ExactCounts: p.Exact, Book: p.Book, Lanes: p.Lanes, Sign: p.Sign,
		Audit: &awssqs.Audit{API: p.Queues, URL: audit, Lanes: p.Lanes}, Redactors: p.Redactors,
		Caller: p.Caller, Metrics: p.Watch.of("replay"), Now: p.Exit.Now, Wait: pause, Log: p.Log,
	}
	if n.Queues, err = p.deadLetters(); err != nil {
		return nil, err
	}
	return replay.New(n)
}

// deadLetters are the dead-letter queues that there are.
func (p ReplayParts) deadLetters() (all []replay.Queue, err error) {
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
		if ofReports && !p.Reports {
			continue
		}
		source, err := p.URL(q.source)
		if err != nil {
			return nil, err
		}
		failures, err := p.URL(q.failures)
		if err != nil {
			return nil, err
		}
		all = append(all, replay.Queue{
			Name: q.failures, From: q.source, Read: q.read, Unrecorded: ofReports,
			Letters: &awssqs.Letters{API: p.Queues, URL: failures},
			Source:  &awssqs.Source{API: p.Queues, URL: source},
			Moves:   &awssqs.Moves{API: p.Queues, URL: failures},
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
