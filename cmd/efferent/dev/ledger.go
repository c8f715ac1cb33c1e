package dev

import (
	"context"
	"strings"

	"github.com/efferent/efferent/cmd/efferent/assembly"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/objects"
	"github.com/efferent/efferent/internal/sqlite"
)

// auditSource wires the handler that the audit Lambda runs to its queue.
func auditSource(f assembly.Feed, queue awssqs.OwnAPI, kept assembly.AuditStores) (*eventsource.Source, error) {
	handle, err := assembly.Auditor(f, queue, kept)
	if err != nil {
		return nil, err
	}
	return eventsource.New(f.Queue(), handle, eventsource.Options{
		Log: f.Log, Grace: f.Grace, BatchSize: assembly.AuditBatch, Concurrency: 1, Rest: assembly.AuditRest,
	}), nil
}

// objectStore keeps what is published of the ledger, and what is signed.
type objectStore interface {
	ledger.KeptObjects
}

// Newest returns a lane's newest signed checkpoint.
func (s LedgerStore) Newest(ctx context.Context, lane string) ([]byte, error) {
	return ledger.Kept{Objects: s}.Newest(ctx, lane)
}

// LedgerStore is the ledger of one process.
type LedgerStore struct {
	*sqlite.Ledger
	objectStore
}

// OpenLedger opens the ledger of a data file. Each lane is a folder in which
// others' tools find a log (c2sp.org/tlog-tiles), up to its newest checkpoint.
func OpenLedger(db *sqlite.DB, data string) LedgerStore {
	if data == ":memory:" {
		return LedgerStore{sqlite.NewLedger(db), objects.NewMemory()}
	}
	return LedgerStore{sqlite.NewLedger(db), objects.NewDirectory(LedgerDirectory(data))}
}

// LedgerDirectory is efferent.ledger for efferent.db.
func LedgerDirectory(data string) string { return strings.TrimSuffix(data, ".db") + ".ledger" }

// attachmentsDirectory is efferent.attachments for efferent.db: a folder in it is a
// bucket.
func attachmentsDirectory(data string) string {
	if data == ":memory:" {
		data = "efferent.db"
	}
	return strings.TrimSuffix(data, ".db") + ".attachments"
}
