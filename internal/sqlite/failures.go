package sqlite

import (
	"context"
	"fmt"

	"github.com/efferent/efferent/internal/attempt"
)

// The index of failures is on two columns of attempts that only failures have:
// the dead-letter queue, and the position in it. The records of version 2 files
// are webhooks', and get theirs by SQL; their times are RFC 3339 in UTC, with
// as many digits of a second as they need.
const (
	failuresColumn = `ALTER TABLE attempts ADD COLUMN failed_in TEXT; ALTER TABLE attempts ADD COLUMN failed_at TEXT`
	failuresQueues = `UPDATE attempts SET failed_in = 'webhook-failures',
		failed_at = substr(record ->> 'at', 1, 19) || '.'
			|| substr(CASE WHEN instr(record ->> 'at', '.') THEN substr(record ->> 'at', 21, length(record ->> 'at') - 21) ELSE '' END || '000000000', 1, 9)
			|| 'Z#' || message_attempt
		WHERE record ->> 'verdict' IN ('permanent', 'exhausted')`
	failuresIndex = `CREATE INDEX failures ON attempts (failed_in, failed_at) WHERE failed_in IS NOT NULL`
)

// NewestFailures returns up to limit failures of a dead-letter queue, newest
// first, whose Position is less than before, if that is given, and not less
// than from.
func (a *Attempts) NewestFailures(ctx context.Context, queue, from, before string, limit int) ([]attempt.Record, error) {
	if before == "" {
		before = "~" // after every time
	}
	return a.query(ctx, "SELECT record FROM attempts INDEXED BY failures WHERE failed_in = ? AND failed_at >= ? AND failed_at < ? ORDER BY failed_at DESC LIMIT ?",
		queue, from, before, limit)
}

// ForgetFailures takes failures out of the index; the records stay.
func (a *Attempts) ForgetFailures(ctx context.Context, records []attempt.Record) error {
	return a.db.Do(ctx, func(tx *Tx) error {
		for _, r := range records {
			if _, err := tx.Exec("UPDATE attempts SET failed_in = NULL, failed_at = NULL WHERE webhook_id = ? AND message_attempt = ?", r.WebhookID, r.SortKey()); err != nil {
				return fmt.Errorf("take attempt %s of %s out of the failures: %w", r.SortKey(), r.WebhookID, err)
			}
		}
		return nil
	})
}

func failurePosition(r attempt.Record) any {
	if r.FailedIn() == "" {
		return nil
	}
	return r.Position()
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
