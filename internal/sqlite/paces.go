package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/efferent/efferent/internal/pace"
)

// The paces: their times are in microseconds since 1970, 0 for none.
const pacesSchema = `CREATE TABLE paces (
	pace TEXT PRIMARY KEY,
	go INTEGER NOT NULL,
	line INTEGER NOT NULL,
	interval INTEGER NOT NULL,
	learned INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`

var expiringPaces = expiringSome("paces", "pace")

// Paces keeps paces, as pace.Store has it.
type Paces struct{ db *DB }

// NewPaces returns the paces in db.
func NewPaces(db *DB) *Paces { return &Paces{db} }

// Take is as pace.Store has it.
func (p *Paces) Take(ctx context.Context, a pace.Ask) (now pace.State, turns []pace.Turn, err error) {
	now, err = p.change(ctx, a.Key, func(s pace.State) (next pace.State) {
		next, turns = pace.Take(s, a)
		return next
	})
	return now, turns, err
}

// Slow is as pace.Store has it.
func (p *Paces) Slow(ctx context.Context, r pace.Slow) (pace.State, error) {
	return p.change(ctx, r.Key, func(s pace.State) pace.State { return pace.Slower(s, r) })
}

func (p *Paces) change(ctx context.Context, key string, f func(pace.State) pace.State) (next pace.State, err error) {
	err = p.db.Do(ctx, func(tx *Tx) error {
		s, _, err := readPace(tx, key)
		if err != nil {
			return err
		}
		if next = f(s); next.Same(s) {
			return nil
		}
		_, err = tx.Exec("INSERT OR REPLACE INTO paces VALUES (?, ?, ?, ?, ?, ?)", key, pace.Micros(next.Go), pace.Micros(next.Line),
			next.Interval.Microseconds(), pace.Micros(next.Learned), next.Rest().Add(pace.Retention).Unix())
		return err
	})
	if err != nil {
		return pace.State{}, fmt.Errorf("change the pace %s: %w", key, err)
	}
	return next, nil
}

// Paces is as pace.Store has it.
func (p *Paces) Paces(ctx context.Context, keys []string) (found map[string]pace.State, err error) {
	err = p.db.Do(ctx, func(tx *Tx) error {
		found = map[string]pace.State{}
		for _, key := range keys {
			s, there, err := readPace(tx, key)
			if err != nil {
				return err
			}
			if there {
				found[key] = s
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %d paces: %w", len(keys), err)
	}
	return found, nil
}

func readPace(tx *Tx, key string) (s pace.State, there bool, err error) {
	stmt, err := tx.Stmt("SELECT go, line, interval, learned FROM paces WHERE pace = ?")
	if err != nil {
		return s, false, err
	}
	var goes, line, interval, learned int64
	switch err := stmt.QueryRow(key).Scan(&goes, &line, &interval, &learned); {
	case errors.Is(err, sql.ErrNoRows):
		return s, false, nil
	case err != nil:
		return s, false, err
	}
	return pace.State{Go: pace.FromMicros(goes), Line: pace.FromMicros(line),
		Interval: time.Duration(interval) * time.Microsecond, Learned: pace.FromMicros(learned)}, true, nil
}

// Expire removes the paces that have been at rest for pace.Retention.
func (p *Paces) Expire(ctx context.Context, now time.Time) error {
	return p.db.expireSome(ctx, expiringPaces, now)
}
