package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/efferent/efferent/internal/localaws/secretserver"
)

// secretsSchema: a secret is one row, versions and values in its JSON.
const secretsSchema = `
CREATE TABLE secrets (
	name   TEXT PRIMARY KEY,
	secret TEXT NOT NULL
) STRICT;
`

var errNotOurs = errors.New("it is not the JSON that was written")

// Secrets keeps the secrets of a secretserver.Server. It is a
// secretserver.Store.
type Secrets struct{ db *DB }

// NewSecrets gives the secrets in db, which stays the caller's to close.
func NewSecrets(db *DB) *Secrets { return &Secrets{db} }

// LoadSecrets gives all secrets, by name.
func (s *Secrets) LoadSecrets(ctx context.Context) (list []secretserver.Secret, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		list = nil
		rows, err := tx.Query(`SELECT name, secret FROM secrets ORDER BY name`)
		if err != nil {
			return fmt.Errorf("read secrets: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var text []byte
			if err := rows.Scan(&name, &text); err != nil {
				return fmt.Errorf("read secrets: %w", err)
			}
			var secret secretserver.Secret
			if json.Unmarshal(text, &secret) != nil {
				// The decoder's own words could quote the value.
				return damagedRow(errNotOurs, "secrets", name)
			}
			list = append(list, secret)
		}
		return rows.Err()
	})
	return list, err
}

// PutSecret creates or replaces a secret.
func (s *Secrets) PutSecret(ctx context.Context, secret secretserver.Secret) error {
	text, err := json.Marshal(secret)
	if err != nil {
		return fmt.Errorf("write secret %s: %w", secret.Name, err)
	}
	return s.db.Do(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(`INSERT OR REPLACE INTO secrets VALUES (?, ?)`, secret.Name, string(text)); err != nil {
			return fmt.Errorf("write secret %s: %w", secret.Name, err)
		}
		return nil
	})
}

// DeleteSecret deletes a secret. One that is not there is no error.
func (s *Secrets) DeleteSecret(ctx context.Context, name string) error {
	return s.db.Do(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(`DELETE FROM secrets WHERE name = ?`, name); err != nil {
			return fmt.Errorf("delete secret %s: %w", name, err)
		}
		return nil
	})
}
