package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/waiting"
)

// The waiting room: an item is one JSON text. What waits has an index of its
// own, so that what does not is in nobody's way. Leases, and how far the room
// was swept, are in nanoseconds since 1970.
const (
	waitingSchema = `CREATE TABLE waiting (
	place TEXT NOT NULL,
	position TEXT NOT NULL,
	state TEXT NOT NULL,
	expires_at INTEGER NOT NULL,
	item TEXT NOT NULL,
	PRIMARY KEY (place, position)
)`
	waitsIndex          = `CREATE INDEX waits ON waiting (place, position) WHERE state = 'waiting'`
	waitingLeasesSchema = `CREATE TABLE waiting_leases (
	place TEXT PRIMARY KEY,
	holder TEXT NOT NULL,
	until INTEGER NOT NULL
) WITHOUT ROWID`
	waitingSweptSchema = `CREATE TABLE waiting_swept (
	only INTEGER PRIMARY KEY CHECK (only = 1),
	minute INTEGER NOT NULL
)`
)

// What is asked of the index. SQLite refuses it if it can't be used.
const (
	waitsIn = `SELECT item FROM waiting INDEXED BY waits WHERE state = 'waiting' AND place = ? AND position >= ?
		ORDER BY position LIMIT ?`
	anyWaits     = `SELECT EXISTS (SELECT 1 FROM waiting INDEXED BY waits WHERE state = 'waiting' AND place = ?)`
	countOfWaits = `SELECT count(*) FROM (SELECT 1 FROM waiting INDEXED BY waits WHERE state = 'waiting' AND place = ? LIMIT ?)`
	pageOfWaits  = `SELECT item FROM waiting INDEXED BY waits WHERE state = 'waiting' AND (place, position) > (?, ?)
		ORDER BY place, position LIMIT ?`
)

var expiringWaiting = newExpiring("waiting", "place", "position")

// Waiting keeps the waiting room, as waiting.Store has it.
type Waiting struct {
	db *DB
	// Now says when something was settled. Nil is the machine's clock.
	Now func() time.Time
}

// NewWaiting returns the waiting room in db.
func NewWaiting(db *DB) *Waiting { return &Waiting{db: db} }

// Enter is as waiting.Store has it.
func (w *Waiting) Enter(ctx context.Context, item waiting.Item) (state waiting.State, err error) {
	expires := item.Stays()
	if item.State != waiting.Waiting {
		item, expires = item.Settled(item.State), w.now().Add(waiting.Retention)
	}
	text, err := json.Marshal(item)
	if err != nil {
		return "", fmt.Errorf("item %s: %w", item.ID(), err)
	}
	err = w.db.Do(ctx, func(tx *Tx) error {
		there, err := tx.Stmt("SELECT state FROM waiting WHERE place = ? AND position = ?")
		if err != nil {
			return err
		}
		if err := there.QueryRow(item.Place(), item.Position()).Scan(&state); !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		state = item.State
		return keepItem(tx, item, text, expires)
	})
	if err != nil {
		return "", fmt.Errorf("put %s into the waiting room: %w", item.ID(), err)
	}
	return state, nil
}

// keepItem writes an item, whatever is there, to stay until it expires.
func keepItem(tx *Tx, item waiting.Item, text []byte, expires time.Time) error {
	_, err := tx.Exec(`INSERT INTO waiting (place, position, state, expires_at, item) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET state = excluded.state, expires_at = excluded.expires_at, item = excluded.item`,
		item.Place(), item.Position(), item.State, expires.Unix(), string(text))
	return err
}

func (w *Waiting) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}

// In is as waiting.Store has it.
func (w *Waiting) In(ctx context.Context, place waiting.Place, from string, limit int) ([]waiting.Item, error) {
	return w.items(ctx, waitsIn, place, from, limit)
}

// Any is as waiting.Store has it.
func (w *Waiting) Any(ctx context.Context, place waiting.Place) (any bool, err error) {
	err = w.db.Do(ctx, func(tx *Tx) error {
		s, err := tx.Stmt(anyWaits)
		if err != nil {
			return err
		}
		return s.QueryRow(place).Scan(&any)
	})
	if err != nil {
		return false, fmt.Errorf("read whether any wait in %s: %w", place, err)
	}
	return any, nil
}

// Count is as waiting.Store has it.
func (w *Waiting) Count(ctx context.Context, place waiting.Place, limit int) (n int, more bool, err error) {
	err = w.db.Do(ctx, func(tx *Tx) error {
		s, err := tx.Stmt(countOfWaits)
		if err != nil {
			return err
		}
		return s.QueryRow(place, limit+1).Scan(&n)
	})
	if err != nil {
		return 0, false, fmt.Errorf("count what waits in %s: %w", place, err)
	}
	return min(n, limit), n > limit, nil
}

// Settle is as waiting.Store has it, for all of the items or none.
func (w *Waiting) Settle(ctx context.Context, items []waiting.Item, as waiting.State) error {
	now := w.now()
	err := w.db.Do(ctx, func(tx *Tx) error {
		for _, i := range items {
			settled := i.Settled(as)
			text, err := json.Marshal(settled)
			if err == nil {
				err = keepItem(tx, settled, text, now.Add(waiting.Retention))
			}
			if err != nil {
				return fmt.Errorf("item %s: %w", i.ID(), err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle %d items of the waiting room: %w", len(items), err)
	}
	return nil
}

// Page is as waiting.Store has it. Errors: waiting.ErrCursor.
func (w *Waiting) Page(ctx context.Context, from string, limit int) (items []waiting.Item, next string, err error) {
	place, position, err := waiting.ParseCursor(from)
	if err != nil {
		return nil, "", err
	}
	items, err = w.items(ctx, pageOfWaits, place, position, limit)
	if n := len(items); err == nil && n > 0 && n == limit {
		next = waiting.Cursor(items[n-1].Place(), items[n-1].Position())
	}
	return items, next, err
}

// Expire removes what was settled Retention ago, what waits and was due then,
// and leases that have lapsed.
func (w *Waiting) Expire(ctx context.Context, now time.Time) error {
	if err := w.db.expire(ctx, expiringWaiting, now); err != nil {
		return err
	}
	return w.db.Do(ctx, func(tx *Tx) error {
		_, err := tx.Exec("DELETE FROM waiting_leases WHERE until <= ?", now.UnixNano())
		return err
	})
}

func (w *Waiting) items(ctx context.Context, query string, args ...any) (items []waiting.Item, err error) {
	err = w.db.Do(ctx, func(tx *Tx) error {
		items, err = readItems(tx, query, args)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	return items, nil
}

func readItems(tx *Tx, query string, args []any) (items []waiting.Item, err error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		var i waiting.Item
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &i); err != nil {
			return nil, damagedRow(err, "waiting", "")
		}
		items = append(items, i)
	}
	return items, rows.Err()
}
