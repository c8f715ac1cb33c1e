package main

import (
	"strings"
	"time"

	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/audit"
	"github.com/efferent/efferent/internal/objects"
)

// The ledger pays by the commit, so its messages are gathered: nobody waits for
// them.
const (
	auditBatch = 1000
	auditRest  = 200 * time.Millisecond
)

// auditSource wires the handler that the audit Lambda runs to its queue.
func auditSource(f feed, queue awssqs.AttributesAPI, l audit.Needs) (*eventsource.Source, error) {
	l.Queue = struct {
		*awssqs.Queue
		*awssqs.Identity
	}{f.queue(), &awssqs.Identity{API: queue, URL: f.url}}
	l.Log = f.log
	handler, err := audit.New(l)
	if err != nil {
		return nil, err
	}
	return eventsource.New(f.queue(), handler.Handle, eventsource.Options{
		Log: f.log, Grace: f.grace, BatchSize: auditBatch, Concurrency: 1, Rest: auditRest,
	}), nil
}

// objectStore keeps what is published of the ledger, wherever that is.
type objectStore interface {
	audit.Objects
}

// ledgerObjects is where the ledger's tiles lie, beside the data file.
func ledgerObjects(data string) objectStore {
	if data == ":memory:" {
		return objects.NewMemory()
	}
	return objects.NewDirectory(ledgerDirectory(data))
}

// ledgerDirectory is efferent.ledger for efferent.db.
func ledgerDirectory(data string) string { return strings.TrimSuffix(data, ".db") + ".ledger" }
