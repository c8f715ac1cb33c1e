package main

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

// feed is a queue that a handler gets its messages from, and the way to the
// ledger, wherever the two are.
type feed struct {
	queues interface {
		awssqs.ConsumeAPI
		awssqs.SendAPI
		awssqs.SendBatchAPI
	}
	url, arn, region, auditURL string
	redactors                  ledger.Redactors
	room                       waiting.Store
	outcomes                   *outcome.Teller
	log                        *slog.Logger
	// name is the queue's, and watch what is told of what becomes of its messages.
	name  string
	watch watch
	// now is the clock that waits are measured by.
	now func() time.Time
	// grace is how long a batch in hand may take at the end; 0 is the event
	// source's own.
	grace time.Duration
}

func (f feed) queue() *awssqs.Queue {
	return &awssqs.Queue{API: f.queues, URL: f.url, ARN: f.arn, Region: f.region}
}

func (f feed) audit(lanes int) *awssqs.Audit {
	return &awssqs.Audit{API: f.queues, URL: f.auditURL, Lanes: lanes}
}

// needs are what every handler of the queue's batches needs. function is what its
// counts are told apart by.
func (f feed) needs(function string, s settings.Sending, attempts batch.Attempts) batch.Needs {
	return batch.Needs{
		Attempts: attempts, Room: f.room, Queue: f.queue(), Audit: f.audit(s.AuditLanes), Redactors: f.redactors,
		Outcomes: f.outcomes,
		Policies: s.Policies, MaxReceives: s.MaxReceives, Waits: eventsource.HandOver,
		Metrics: f.watch.of(function), Tracer: f.watch.tracer,
		Now: f.now, Jitter: rand.Float64, Log: f.log,
	}
}

// redactors are the ledger's, by the keys in a secret.
func redactors(s settings.Redaction, secrets awssecrets.API, log *slog.Logger) ledger.Redactors {
	return &awssecrets.Redactors{API: secrets, Name: s.LedgerKeys, ShowPaths: s.LedgerShowPaths, Now: time.Now, Log: log}
}

// polled is the queue as it is received from.
func (f feed) polled() eventsource.Queue {
	if f.watch.tracer != nil {
		return traced{f.queue(), f.name, f.watch.tracer}
	}
	return f.queue()
}

// source feeds a handler as Lambda's event source mapping does.
// maxBatches are in hand at a time.
func (f feed) source(handle eventsource.Handler, maxBatches int) *eventsource.Source {
	return eventsource.New(f.polled(), handle, eventsource.Options{Log: f.log, Grace: f.grace, MaxConcurrency: maxBatches})
}
