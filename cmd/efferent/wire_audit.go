package main

import (
	"strings"

	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/audit"
	"github.com/efferent/efferent/internal/objects"
)

// auditSource wires the handler that the audit Lambda runs to its queue.
func auditSource(f feed, queue awssqs.OwnAPI, l audit.Needs) (*eventsource.Source, error) {
	l.Queue = awssqs.NewOwn(queue, f.url)
	l.Log = f.log
	handler, err := audit.New(l)
	if err != nil {
		return nil, err
	}
	return f.source(handler.Handle), nil
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
