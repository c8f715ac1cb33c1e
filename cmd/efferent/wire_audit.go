package main

import (
	"context"
	"strings"
	"time"

	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/audit"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/objects"
	"github.com/efferent/efferent/internal/sqlite"
)

// The ledger pays by the commit, so its messages are gathered: nobody waits for
// them.
const (
	auditBatch = 1000
	auditRest  = 200 * time.Millisecond
)

// auditStores is what the ledger is appended to.
type auditStores interface {
	audit.Heads
	audit.Staging
	audit.Objects
}

// auditSource wires the handler that the audit Lambda runs to its queue.
func auditSource(f feed, queue awssqs.OwnAPI, kept auditStores) (*eventsource.Source, error) {
	handle, err := auditor(f, queue, kept)
	if err != nil {
		return nil, err
	}
	return eventsource.New(f.queue(), handle, eventsource.Options{
		Log: f.log, Grace: f.grace, BatchSize: auditBatch, Concurrency: 1, Rest: auditRest,
	}), nil
}

// auditor is that handler.
func auditor(f feed, queue awssqs.OwnAPI, kept auditStores) (eventsource.Handler, error) {
	handler, err := audit.New(audit.Needs{Heads: kept, Staging: kept, Objects: kept, Queue: awssqs.NewOwn(queue, f.url),
		Metrics: f.watch.of("audit"), Log: f.log})
	if err != nil {
		return nil, err
	}
	return handler.Handle, nil
}

// objectStore keeps what is published of the ledger, and what is signed.
type objectStore interface {
	ledger.KeptObjects
}

// Newest returns a lane's newest signed checkpoint.
func (s ledgerStore) Newest(ctx context.Context, lane string) ([]byte, error) {
	return ledger.Kept{Objects: s}.Newest(ctx, lane)
}

// ledgerStore is the ledger of one process.
type ledgerStore struct {
	*sqlite.Ledger
	objectStore
}

// openLedger opens the ledger of a data file. Each lane is a folder in which
// others' tools find a log (c2sp.org/tlog-tiles), up to its newest checkpoint.
func openLedger(db *sqlite.DB, data string) ledgerStore {
	if data == ":memory:" {
		return ledgerStore{sqlite.NewLedger(db), objects.NewMemory()}
	}
	return ledgerStore{sqlite.NewLedger(db), objects.NewDirectory(ledgerDirectory(data))}
}

// ledgerDirectory is efferent.ledger for efferent.db.
func ledgerDirectory(data string) string { return strings.TrimSuffix(data, ".db") + ".ledger" }

// attachmentsDirectory is efferent.attachments for efferent.db: a folder in it is a
// bucket.
func attachmentsDirectory(data string) string {
	if data == ":memory:" {
		data = "efferent.db"
	}
	return strings.TrimSuffix(data, ".db") + ".attachments"
}
