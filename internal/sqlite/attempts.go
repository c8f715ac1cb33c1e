package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
)

// attemptsSchema keeps a record as one JSON text: nothing is searched for by
// its fields.
const attemptsSchema = `CREATE TABLE attempts (
	webhook_id TEXT NOT NULL,
	message_attempt TEXT NOT NULL,
	record TEXT NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (webhook_id, message_attempt)
) WITHOUT ROWID`

// Attempts keeps attempt records, as attempt.Store has it.
type Attempts struct{ db *DB }

// NewAttempts returns the attempts in db.
func NewAttempts(db *DB) *Attempts { return &Attempts{db} }

// putAttempt replaces a record of the same attempt unless that one settles more:
// only where there is one is its verdict looked at.
var putAttempt = `INSERT INTO attempts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?8, ?9) ON CONFLICT DO UPDATE SET
	record = excluded.record, expires_at = excluded.expires_at, failed_in = excluded.failed_in, failed_at = excluded.failed_at,
	endpoint = excluded.endpoint, endpoint_at = excluded.endpoint_at
	WHERE ` + rankOf("attempts.record ->> 'verdict'") + ` <= ?7`

// rankOf is attempt.Verdict.Rank in SQL.
func rankOf(verdict string) string {
	s := "CASE " + verdict
	for _, v := range []attempt.Verdict{attempt.Delivered, attempt.Permanent, attempt.Exhausted, attempt.Held} {
		s += fmt.Sprintf(" WHEN '%s' THEN %d", v, v.Rank())
	}
	return s + fmt.Sprintf(" ELSE %d END", attempt.Retryable.Rank())
}

var expiringAttempts = newExpiring("attempts", "webhook_id", "message_attempt")

// Put keeps records, all or none.
func (a *Attempts) Put(ctx context.Context, records []attempt.Record) error {
	texts := make([]string, len(records))
	for i, r := range records {
		b, err := json.Marshal(r.Own())
		if err != nil {
			return fmt.Errorf("attempt %s of %s: %w", r.SortKey(), r.WebhookID, err)
		}
		texts[i] = string(b)
	}
	return a.db.Do(ctx, func(tx *Tx) error {
		for i, r := range records {
			_, err := tx.Exec(putAttempt, r.WebhookID, r.SortKey(), texts[i], r.At.Add(attempt.Retention).Unix(),
				orNull(deadletter.QueueOf(r)), failurePosition(r), r.Verdict.Rank(), orNull(r.Endpoint), endpointPosition(r))
			if err != nil {
				return fmt.Errorf("keep attempt %s of %s: %w", r.SortKey(), r.WebhookID, err)
			}
		}
		return nil
	})
}

// OfMessage returns the attempts of one SQS message in order.
func (a *Attempts) OfMessage(ctx context.Context, webhookID, messageID string) ([]attempt.Record, error) {
	from := attempt.SortKeyPrefix(messageID)
	// The prefix ends in '#', and '$' is the next character.
	to := from[:len(from)-1] + "$"
	return a.query(ctx, selectAttempts+" WHERE webhook_id = ? AND message_attempt >= ? AND message_attempt < ? ORDER BY message_attempt",
		webhookID, from, to)
}

// OfWebhook returns all attempts under a webhook id, message by message.
func (a *Attempts) OfWebhook(ctx context.Context, webhookID string) ([]attempt.Record, error) {
	return a.query(ctx, selectAttempts+" WHERE webhook_id = ? ORDER BY message_attempt", webhookID)
}

// Expire removes the records whose time is over.
func (a *Attempts) Expire(ctx context.Context, now time.Time) error {
	return errors.Join(a.db.expire(ctx, expiringAttempts, now), a.db.expire(ctx, expiringReports, now), a.db.expire(ctx, expiringOnward, now))
}

func (a *Attempts) query(ctx context.Context, query string, args ...any) (records []attempt.Record, err error) {
	err = a.db.Do(ctx, func(tx *Tx) error {
		records, err = readRecords(tx, query, args)
		return err
	})
	return records, err
}

// readRecords reads records, and what was reported of them where that is a second column.
func readRecords(tx *Tx, query string, args []any) ([]attempt.Record, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, fmt.Errorf("read attempts: %w", err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("read attempts: %w", err)
	}
	var records []attempt.Record
	for rows.Next() {
		var text, reported []byte
		if err := rows.Scan([]any{&text, &reported}[:len(columns)]...); err != nil {
			return nil, fmt.Errorf("read attempts: %w", err)
		}
		r, err := readRecord(text, reported)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, rows.Err()
}

func readRecord(text, reported []byte) (r attempt.Record, err error) {
	if err := json.Unmarshal(text, &r); err != nil {
		return r, damagedRow(err, "attempts", "")
	}
	if reported == nil {
		return r, nil
	}
	var rep attempt.Report
	if err := json.Unmarshal(reported, &rep); err != nil {
		return r, damagedRow(err, "reports", "")
	}
	return r.With(rep), nil
}
