package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/suppression"
)

// The suppressed addresses, each as one JSON text, and in the place of those that were
// lifted when they were, in milliseconds since 1970, until expires_at.
const suppressionsSchema = `CREATE TABLE suppressions (
	tenant TEXT NOT NULL,
	id TEXT NOT NULL,
	entry TEXT,
	lifted INTEGER,
	expires_at INTEGER,
	PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID`

var expiringSuppressions = newExpiring("suppressions", "tenant", "id")

// Suppressions keeps suppressed addresses, as suppression.Store has it.
type Suppressions struct{ db *DB }

// NewSuppressions returns the suppressed addresses in db.
func NewSuppressions(db *DB) *Suppressions { return &Suppressions{db} }

// Suppressed is as suppression.Store has it.
func (s *Suppressions) Suppressed(ctx context.Context, keys []suppression.Key) (found map[suppression.Key]suppression.Entry, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		found = map[suppression.Key]suppression.Entry{}
		for _, key := range keys {
			kept, err := readSuppression(tx, key)
			if err != nil {
				return err
			}
			if kept.There() {
				found[key] = kept.Entry
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for %d addresses on the suppression list: %w", len(keys), err)
	}
	return found, nil
}

// AddSuppression is as suppression.Store has it.
func (s *Suppressions) AddSuppression(ctx context.Context, e suppression.Entry) (added bool, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		kept, err := readSuppression(tx, e.Key())
		if err != nil {
			return err
		}
		if added = kept.Takes(e); !added {
			return nil
		}
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = tx.Exec("INSERT OR REPLACE INTO suppressions VALUES (?, ?, ?, NULL, NULL)", e.Tenant, e.ID, string(text))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("keep the suppression %s: %w", e.ID, err)
	}
	return added, nil
}

// LiftSuppression is as suppression.Store has it.
func (s *Suppressions) LiftSuppression(ctx context.Context, l suppression.Lifting) (lifted bool, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		kept, err := readSuppression(tx, l.Key)
		if err != nil || !kept.Lifts(l) {
			lifted = false
			return err
		}
		lifted = kept.There()
		_, err = tx.Exec("INSERT OR REPLACE INTO suppressions VALUES (?, ?, NULL, ?, ?)", l.Tenant, l.ID, l.At.UnixMilli(),
			l.At.Add(suppression.Retention).Unix())
		return err
	})
	if err != nil {
		return false, fmt.Errorf("lift the suppression %s: %w", l.ID, err)
	}
	return lifted, nil
}

func readSuppression(tx *Tx, key suppression.Key) (k suppression.Kept, err error) {
	stmt, err := tx.Stmt("SELECT entry, lifted FROM suppressions WHERE tenant = ? AND id = ?")
	if err != nil {
		return k, err
	}
	var text sql.NullString
	var lifted sql.NullInt64
	switch err := stmt.QueryRow(key.Tenant, key.ID).Scan(&text, &lifted); {
	case errors.Is(err, sql.ErrNoRows):
		return k, nil
	case err != nil:
		return k, err
	case !text.Valid:
		k.Lifted = time.UnixMilli(lifted.Int64)
		return k, nil
	}
	k.Entry, err = readEntry(key, text.String)
	return k, err
}

func readEntry(key suppression.Key, text string) (e suppression.Entry, err error) {
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return e, damagedRow(err, "suppressions", key.ID)
	}
	return e, nil
}

// mostListed is how many rows a page is looked for in, of which others may be left out.
const mostListed = 2000

// ListSuppressions is as suppression.Store has it.
func (s *Suppressions) ListSuppressions(ctx context.Context, p suppression.Page) (page []suppression.Entry, next string, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		page, next, err = listSuppressions(tx, p)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the suppressed addresses of the tenant %q: %w", p.Tenant, err)
	}
	return page, next, nil
}

func listSuppressions(tx *Tx, p suppression.Page) (page []suppression.Entry, next string, err error) {
	rows, err := tx.Query(`SELECT id, entry FROM suppressions WHERE tenant = ? AND id > ? AND entry IS NOT NULL ORDER BY id LIMIT ?`,
		p.Tenant, p.After, mostListed+1)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	for looked, last := 0, p.After; rows.Next(); looked++ {
		if len(page) == p.Limit || looked == mostListed {
			return page, last, nil
		}
		key, text := suppression.Key{Tenant: p.Tenant}, ""
		if err := rows.Scan(&key.ID, &text); err != nil {
			return nil, "", err
		}
		e, err := readEntry(key, text)
		if err != nil {
			return nil, "", err
		}
		if last = key.ID; p.Shows(e) {
			page = append(page, e)
		}
	}
	return page, "", rows.Err()
}

// Expire forgets liftings that are older than suppression.Retention.
func (s *Suppressions) Expire(ctx context.Context, now time.Time) error {
	return s.db.expire(ctx, expiringSuppressions, now)
}
