package sqlite

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/recipient"
)

// The recipients, each as one JSON text.
const recipientsSchema = `CREATE TABLE recipients (
	tenant TEXT NOT NULL,
	id TEXT NOT NULL,
	version INTEGER NOT NULL,
	recipient TEXT NOT NULL,
	PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID`

// Recipients keeps recipients, as recipient.Store has it.
type Recipients struct{ db *DB }

// NewRecipients returns the recipients in db.
func NewRecipients(db *DB) *Recipients { return &Recipients{db} }

// Recipients is as recipient.Store has it.
func (s *Recipients) Recipients(ctx context.Context, keys []recipient.Key) (found []recipient.Recipient, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		found = nil
		asked := map[recipient.Key]bool{}
		for _, k := range keys {
			if asked[k] {
				continue
			}
			asked[k] = true
			some, err := readRecipients(tx, "tenant = ? AND id = ?", k.Tenant, k.ID)
			if err != nil {
				return err
			}
			found = append(found, some...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %d recipients: %w", len(keys), err)
	}
	return found, nil
}

// PutRecipient is as recipient.Store has it.
func (s *Recipients) PutRecipient(ctx context.Context, r recipient.Recipient, was int64) error {
	text, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("keep a recipient: %w", err)
	}
	if was == 0 {
		return s.one(ctx, "keep", "INSERT INTO recipients VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", r.Tenant, r.ID, r.Version, string(text))
	}
	return s.one(ctx, "keep", "UPDATE recipients SET version = ?, recipient = ? WHERE tenant = ? AND id = ? AND version = ?",
		r.Version, string(text), r.Tenant, r.ID, was)
}

// DeleteRecipient is as recipient.Store has it.
func (s *Recipients) DeleteRecipient(ctx context.Context, key recipient.Key, version int64) error {
	return s.one(ctx, "remove", "DELETE FROM recipients WHERE tenant = ? AND id = ? AND version = ?", key.Tenant, key.ID, version)
}

// one makes a change of one row; of none is ErrChanged.
func (s *Recipients) one(ctx context.Context, what, statement string, args ...any) error {
	err := s.db.Do(ctx, func(tx *Tx) error {
		done, err := tx.Exec(statement, args...)
		if err != nil {
			return err
		}
		if rows, err := done.RowsAffected(); err != nil || rows == 0 {
			return orChanged(err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s a recipient: %w", what, err)
	}
	return nil
}

func orChanged(err error) error {
	if err != nil {
		return err
	}
	return recipient.ErrChanged
}

// ListRecipients is as recipient.Store has it.
func (s *Recipients) ListRecipients(ctx context.Context, tenant, after string, limit int) (all []recipient.Recipient, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		all, err = readRecipients(tx, "tenant = ? AND id > ? ORDER BY id LIMIT ?", tenant, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list recipients: %w", err)
	}
	return all, nil
}

func readRecipients(tx *Tx, where string, args ...any) (all []recipient.Recipient, err error) {
	rows, err := tx.Query("SELECT id, recipient FROM recipients WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var text []byte
		var r recipient.Recipient
		if err := rows.Scan(&id, &text); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, damagedRow(err, "recipients", id)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}
