package sqlite

import (
	"context"
	"fmt"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
)

// The index of failures is on two columns of attempts that only failures have:
// the dead-letter queue, and the position in it. The records of version 2 files
// are webhooks', and get theirs by SQL.
const (
	failuresColumn = `ALTER TABLE attempts ADD COLUMN failed_in TEXT; ALTER TABLE attempts ADD COLUMN failed_at TEXT`
	// Times are RFC 3339 in the zone of the machine that wrote them, with as many
	// digits of a second as they need. SQLite's functions bring them to UTC, but
	// would round the second to thousandths: its digits are taken as they stand.
	failuresQueues = `WITH
		texts AS (SELECT webhook_id, message_attempt, record ->> 'at' AS at FROM attempts
			WHERE record ->> 'verdict' IN ('permanent', 'exhausted')),
		zones AS (SELECT *, CASE WHEN at LIKE '%Z' THEN 'Z' ELSE substr(at, -6) END AS zone FROM texts),
		parts AS (SELECT *, strftime('%Y-%m-%dT%H:%M:%S', substr(at, 1, 19) || zone) AS second,
			substr(substr(at, 21, max(0, length(at) - 20 - length(zone))) || '000000000', 1, 9) AS nanos FROM zones)
		UPDATE attempts SET failed_in = 'webhook-failures', failed_at = second || '.' || nanos || 'Z#' || parts.message_attempt
		FROM parts WHERE parts.webhook_id = attempts.webhook_id AND parts.message_attempt = attempts.message_attempt`
	failuresIndex = `CREATE INDEX failures ON attempts (failed_in, failed_at) WHERE failed_in IS NOT NULL`
)

// newestFailures is refused by SQLite if it can't use the index.
const newestFailures = `SELECT record FROM attempts INDEXED BY failures
	WHERE failed_in = ? AND failed_at >= ? AND failed_at < ? ORDER BY failed_at DESC LIMIT ?`

// NewestFailures returns up to limit failures of a dead-letter queue, newest
// first, whose Position is less than before, if that is given, and not less
// than from. They come without their Response.
func (a *Attempts) NewestFailures(ctx context.Context, queue string, from, before attempt.Position, limit int) ([]attempt.Record, error) {
	if before == "" {
		before = "~" // after every time
	}
	records, err := a.query(ctx, newestFailures, queue, string(from), string(before), limit)
	for i := range records {
		records[i].Response = ""
	}
	return records, err
}

// ForgetFailures takes failures out of the index; the records stay.
func (a *Attempts) ForgetFailures(ctx context.Context, records []attempt.Record) error {
	return a.db.Do(ctx, func(tx *Tx) error {
		for _, r := range records {
			if _, err := tx.Exec("UPDATE attempts SET failed_in = NULL, failed_at = NULL WHERE webhook_id = ? AND message_attempt = ?", r.WebhookID,
				r.SortKey()); err != nil {
				return fmt.Errorf("take attempt %s of %s out of the failures: %w", r.SortKey(), r.WebhookID, err)
			}
		}
		return nil
	})
}

func failurePosition(r attempt.Record) any {
	if deadletter.QueueOf(r) == "" {
		return nil
	}
	return string(r.Position())
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
