package assembly

import (
	"log/slog"
	"math/rand/v2"
	"time"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/waiting"
)

// Feed is a queue that a handler gets its messages from, and the way to the
// ledger, wherever the two are.
type Feed struct {
	Queues interface {
		awssqs.ConsumeAPI
		awssqs.SendAPI
		awssqs.SendBatchAPI
	}
	URL, ARN, Region, AuditURL string
	Redactors                  ledger.Redactors
	Room                       waiting.Store
	Outcomes                   *outcome.Teller
	Log                        *slog.Logger
	// Name is the queue's, and watch what is told of what becomes of its messages.
	Name  string
	Watch Watch
	// Now is the clock that waits are measured by.
	Now func() time.Time
	// Grace is how long a batch in hand may take at the end; 0 is the event
	// source's own.
	Grace time.Duration
}

// Queue is the queue as the handlers of it know it.
func (f Feed) Queue() *awssqs.Queue {
	return &awssqs.Queue{API: f.Queues, URL: f.URL, ARN: f.ARN, Region: f.Region}
}

func (f Feed) audit(lanes int) *awssqs.Audit {
	return &awssqs.Audit{API: f.Queues, URL: f.AuditURL, Lanes: lanes}
}

// needs are what every handler of the queue's batches needs. function is what its
// counts are told apart by.
func (f Feed) needs(function string, s settings.Sending, attempts batch.Attempts) batch.Needs {
	return batch.Needs{
		Attempts: attempts, Room: f.Room, Queue: f.Queue(), Audit: f.audit(s.AuditLanes), Redactors: f.Redactors,
		Outcomes: f.Outcomes,
		Policies: s.Policies, MaxReceives: s.MaxReceives, Waits: eventsource.HandOver,
		Metrics: f.Watch.of(function), Tracer: f.Watch.tracer,
		Now: f.Now, Jitter: rand.Float64, Log: f.Log,
	}
}

// Redactors are the ledger's, by the keys in a secret.
func Redactors(s settings.Redaction, secrets awssecrets.API, log *slog.Logger) ledger.Redactors {
	return &awssecrets.Redactors{API: secrets, Name: s.LedgerKeys, ShowPaths: s.LedgerShowPaths, Now: time.Now, Log: log}
}

// Polled is the queue as it is received from.
func (f Feed) Polled() eventsource.Queue {
	if f.Watch.tracer != nil {
		return traced{f.Queue(), f.Name, f.Watch.tracer}
	}
	return f.Queue()
}

// Source feeds a handler as Lambda's event source mapping does.
// maxBatches are in hand at a time.
func (f Feed) Source(handle eventsource.Handler, maxBatches int) *eventsource.Source {
	return eventsource.New(f.Polled(), handle, eventsource.Options{Log: f.Log, Grace: f.Grace, MaxConcurrency: maxBatches})
}
