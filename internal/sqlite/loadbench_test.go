package sqlite_test

import (
	"testing"
	"time"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/sqlite"
)

// manyMessages fills a queue, as sends have it, without sending.
const manyMessages = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
	INSERT INTO messages SELECT i, 1, i, randomblob(16), 1764000000000 + i, 1764000000000, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL,
	'a small message, of a length that many are like: 64 characters.' FROM n`

// BenchmarkOpen opens a queue of a million small messages.
func BenchmarkOpen(b *testing.B) {
	path := b.TempDir() + "/b.db"
	db, err := sqlite.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := db.Do(b.Context(), func(tx *sqlite.Tx) error {
		if _, err := tx.Exec(`INSERT INTO queues VALUES (1, 'q', 1, 1, '{"MessageRetentionPeriod":"1209600"}', '{}')`); err != nil {
			return err
		}
		_, err := tx.Exec(manyMessages)
		return err
	}); err != nil {
		b.Fatal(err)
	}
	db.Close()
	for b.Loop() {
		began := time.Now()
		db, err := sqlite.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		e, err := sqsserver.Open(b.Context(), sqlite.NewQueues(db), sqsserver.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/open")
		e.Close()
		db.Close()
	}
}
