package sqlite_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/handlers/audit"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/objects"
	"github.com/efferent/efferent/internal/sqlite"
)

// oldQueue is a queue that is never made again.
type oldQueue struct{}

func (oldQueue) Created(context.Context) (int64, error) { return 1, nil }

func (oldQueue) ChangeVisibility(context.Context, []message.Hide) error { return nil }

// reader reads a ledger.
type reader struct {
	*sqlite.Ledger
	*objects.Directory
}

// BenchmarkLedger appends 100 entries a commit to one lane, on a file and in a
// directory, and verifies them.
func BenchmarkLedger(b *testing.B) {
	dir := b.TempDir()
	db, err := sqlite.Open(filepath.Join(dir, "e.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	kept := reader{sqlite.NewLedger(db), objects.NewDirectory(filepath.Join(dir, "e.ledger"))}
	h, err := audit.New(audit.Needs{Heads: kept, Staging: kept, Objects: kept, Queue: oldQueue{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	const each = 100
	entries := int64(0)
	b.Run("append", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			batch := benchBatch(b, entries, each)
			b.StartTimer()
			if r, err := h.Handle(b.Context(), events.SQSEvent{Records: batch}); err != nil || len(r.BatchItemFailures) > 0 {
				b.Fatal(r, err)
			}
			entries += each
		}
		b.ReportMetric(float64(b.N*each)/b.Elapsed().Seconds(), "entries/s")
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			r := ledger.Verifier{Reader: kept, Key: ledger.PublicKey{Origin: "x", Key: make([]byte, 32)}}.Lane(b.Context(), "lane-0", nil)
			if r.Verdict != ledger.Sound || r.Size != entries {
				b.Fatalf("%+v", r)
			}
		}
		b.ReportMetric(float64(int64(b.N)*entries)/b.Elapsed().Seconds(), "entries/s")
	})
}

// benchBatch is ten messages.
func benchBatch(b *testing.B, from int64, entries int) (batch []events.SQSMessage) {
	for i := range 10 {
		var some []ledger.Entry
		for k := range entries / 10 {
			id := uuid.NewString()
			some = append(some, ledger.Entry{Action: ledger.WebhookAttempt, Actor: "efferent:deliver", Attempt: 1, ID: id + "#1", MessageID: id,
				Resource: "url=https://a.test/in, event=invoice.paid", Timestamp: time.Now(), WebhookID: fmt.Sprint("evt_", from+int64(k))})
		}
		bodies, err := ledger.Messages(some, ledger.MessageLimit)
		if err != nil {
			b.Fatal(err)
		}
		batch = append(batch, events.SQSMessage{MessageId: fmt.Sprint(i), Body: string(bodies[0]), EventSourceARN: "arn",
			Attributes: map[string]string{"MessageGroupId": "lane-0", "SequenceNumber": fmt.Sprint(1 + from + int64(i)), "SentTimestamp": "9999"}})
	}
	return batch
}
