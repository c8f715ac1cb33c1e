package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// expireAtOnce is how many rows a transaction looks at for what has expired:
// others wait for it.
const expireAtOnce = 500

// expiring is a table with a key of two texts, and a time expires_at in Unix
// seconds. It has no index by that time, which each write would pay for: it is
// read through, now and then.
type expiring struct{ end, some, rest string }

func newExpiring(table, key1, key2 string) expiring {
	key := "(" + key1 + ", " + key2 + ")"
	return expiring{
		end: fmt.Sprintf("SELECT %s, %s FROM %s WHERE %s > (?1, ?2) ORDER BY %s, %s LIMIT 1 OFFSET %d", key1, key2, table, key, key1, key2,
			expireAtOnce-1),
		some: fmt.Sprintf("DELETE FROM %s WHERE %s > (?1, ?2) AND %s <= (?3, ?4) AND expires_at < ?5", table, key, key),
		rest: fmt.Sprintf("DELETE FROM %s WHERE %s > (?1, ?2) AND expires_at < ?3", table, key),
	}
}

// expire deletes the rows that expired before now, in small transactions.
func (db *DB) expire(ctx context.Context, table expiring, now time.Time) error {
	var from, to [2]string
	for more := true; more; from = to {
		err := db.Do(ctx, func(tx *Tx) error {
			s, err := tx.Stmt(table.end)
			if err != nil {
				return err
			}
			err = s.QueryRow(from[0], from[1]).Scan(&to[0], &to[1])
			if more = err == nil; more {
				_, err = tx.Exec(table.some, from[0], from[1], to[0], to[1], now.Unix())
				return err
			}
			if errors.Is(err, sql.ErrNoRows) {
				_, err = tx.Exec(table.rest, from[0], from[1], now.Unix())
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("delete what has expired: %w", err)
		}
	}
	return nil
}

// expiringSome is the statement that deletes some of what has expired, of a table with
// a key of one text, and a time expires_at in Unix seconds.
func expiringSome(table, key string) string {
	return fmt.Sprintf("DELETE FROM %[1]s WHERE %[2]s IN (SELECT %[2]s FROM %[1]s WHERE expires_at < ? LIMIT %[3]d)", table, key, expireAtOnce)
}

// expireSome runs such a statement until nothing is left that expired before now, in
// small transactions.
func (db *DB) expireSome(ctx context.Context, statement string, now time.Time) error {
	for more := true; more; {
		err := db.Do(ctx, func(tx *Tx) error {
			result, err := tx.Exec(statement, now.Unix())
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			more = n > 0
			return err
		})
		if err != nil {
			return fmt.Errorf("delete what has expired: %w", err)
		}
	}
	return nil
}
