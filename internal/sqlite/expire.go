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
