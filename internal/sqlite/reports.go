package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/attempt"
)

// What is reported of an attempt, and the message that may still go on to another
// channel, are kept beside its record.
const (
	reportsSchema = `CREATE TABLE reports (
	webhook_id TEXT NOT NULL,
	message_attempt TEXT NOT NULL,
	report TEXT NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (webhook_id, message_attempt)
) WITHOUT ROWID`
	onwardSchema = `CREATE TABLE onward (
	webhook_id TEXT NOT NULL,
	message_attempt TEXT NOT NULL,
	message BLOB NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (webhook_id, message_attempt)
) WITHOUT ROWID`
)

var (
	expiringReports = newExpiring("reports", "webhook_id", "message_attempt")
	expiringOnward  = newExpiring("onward", "webhook_id", "message_attempt")
)

const selectAttempts = `SELECT record, (SELECT report FROM reports r WHERE r.webhook_id = attempts.webhook_id
	AND r.message_attempt = attempts.message_attempt) FROM attempts`

// PutReport is as attempt.Reports has it.
func (a *Attempts) PutReport(ctx context.Context, r attempt.Record, rep attempt.Report) error {
	text, err := json.Marshal(rep)
	if err != nil {
		return fmt.Errorf("the report of attempt %s of %s: %w", r.SortKey(), r.WebhookID, err)
	}
	other := false
	err = a.db.Do(ctx, func(tx *Tx) error {
		result, err := tx.Exec(`INSERT INTO reports SELECT ?1, ?2, ?3, ?4 WHERE ?5 = coalesce((SELECT report ->> 'version' FROM reports
			WHERE webhook_id = ?1 AND message_attempt = ?2), 0)
			ON CONFLICT DO UPDATE SET report = excluded.report, expires_at = excluded.expires_at`,
			r.WebhookID, r.SortKey(), string(text), r.At.Add(attempt.Retention).Unix(), rep.Version-1)
		if err != nil {
			return fmt.Errorf("keep the report of attempt %s of %s: %w", r.SortKey(), r.WebhookID, err)
		}
		n, err := result.RowsAffected()
		other = n == 0
		return err
	})
	if err == nil && other {
		return attempt.ErrReported
	}
	return err
}

// KeepOnward is as onward.Store has it.
func (a *Attempts) KeepOnward(ctx context.Context, webhookID, sortKey string, message []byte, until time.Time) error {
	return a.db.Do(ctx, func(tx *Tx) error {
		_, err := tx.Exec("INSERT OR REPLACE INTO onward VALUES (?, ?, ?, ?)", webhookID, sortKey, message, until.Unix())
		return err
	})
}

// Onward is as onward.Store has it.
func (a *Attempts) Onward(ctx context.Context, webhookID, sortKey string) (message []byte, err error) {
	err = a.db.Do(ctx, func(tx *Tx) error {
		s, err := tx.Stmt("SELECT message FROM onward WHERE webhook_id = ? AND message_attempt = ?")
		if err != nil {
			return err
		}
		message = nil
		if err = s.QueryRow(webhookID, sortKey).Scan(&message); errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return err
	})
	return message, err
}
