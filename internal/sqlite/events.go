package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/event"
)

// The records of events, by place and key, and the keys of requests that published
// them: each one JSON text, and a record's body beside it.
const (
	eventsSchema = `CREATE TABLE events (
	place TEXT NOT NULL,
	key TEXT NOT NULL,
	expires_at INTEGER NOT NULL,
	record TEXT NOT NULL,
	body BLOB,
	PRIMARY KEY (place, key)
) STRICT`
	eventKeysSchema = `CREATE TABLE event_keys (
	tenant TEXT NOT NULL,
	name TEXT NOT NULL,
	expires_at INTEGER NOT NULL,
	key TEXT NOT NULL,
	PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID`
)

var (
	expiringEvents    = newExpiring("events", "place", "key")
	expiringEventKeys = newExpiring("event_keys", "tenant", "name")
)

// Events keeps what was published, as event.Store and event.Keys have it.
type Events struct {
	db *DB
	// Retention is how long a record is kept; 0 is event.Retention.
	Retention time.Duration
}

// NewEvents returns the events in db.
func NewEvents(db *DB) *Events { return &Events{db: db} }

// KeepEvent is as event.Store has it.
func (s *Events) KeepEvent(ctx context.Context, r event.Record) (recipients []string, err error) {
	body := r.Body
	if len(body) > event.MaxKept {
		body = nil
	}
	kept := r
	kept.Body = nil
	text, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", r.ID, err)
	}
	err = s.db.Do(ctx, func(tx *Tx) error {
		there, err := tx.Stmt("SELECT record FROM events WHERE place = ? AND key = ?")
		if err != nil {
			return err
		}
		var found []byte
		switch err := there.QueryRow(r.Place(), r.Key()).Scan(&found); {
		case errors.Is(err, sql.ErrNoRows):
			recipients = r.Recipients
			_, err := tx.Exec("INSERT INTO events VALUES (?, ?, ?, ?, ?)",
				r.Place(), r.Key(), r.At.Add(cmp.Or(s.Retention, event.Retention)).Unix(), string(text), body)
			return err
		case err != nil:
			return err
		}
		var first event.Record
		if err := json.Unmarshal(found, &first); err != nil {
			return damagedRow(err, "events", r.Place()+" "+r.Key())
		}
		recipients = first.Recipients
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("keep the event %s: %w", r.ID, err)
	}
	return recipients, nil
}

// EventsOf is as event.Store has it.
func (s *Events) EventsOf(ctx context.Context, place, after string, limit int) (records []event.Record, next string, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		records, err = readEvents(tx, place, after, limit+1)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("read the events of %s: %w", place, err)
	}
	if len(records) > limit {
		records = records[:limit]
		next = records[limit-1].Key()
	}
	return records, next, nil
}

func readEvents(tx *Tx, place, after string, limit int) (records []event.Record, err error) {
	rows, err := tx.Query("SELECT record, body FROM events WHERE place = ? AND key > ? ORDER BY key LIMIT ?", place, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		var r event.Record
		var body []byte
		if err := rows.Scan(&text, &body); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, damagedRow(err, "events", place)
		}
		r.Body = body
		records = append(records, r)
	}
	return records, rows.Err()
}

// TakeKey is as event.Keys has it.
func (s *Events) TakeKey(ctx context.Context, k event.Key) (kept event.Key, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		there, err := tx.Stmt("SELECT key FROM event_keys WHERE tenant = ? AND name = ?")
		if err != nil {
			return err
		}
		var found []byte
		if err := there.QueryRow(k.Tenant, k.Name).Scan(&found); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		kept = event.Key{}
		if found != nil {
			if err := json.Unmarshal(found, &kept); err != nil {
				return damagedRow(err, "event_keys", k.Tenant+" "+k.Name)
			}
			if k.At.Sub(kept.At) < event.KeyRetention {
				return nil
			}
		}
		kept = k
		return writeEventKey(tx, k)
	})
	if err != nil {
		return event.Key{}, fmt.Errorf("keep the key of a request: %w", err)
	}
	return kept, nil
}

// PutKey is as event.Keys has it.
func (s *Events) PutKey(ctx context.Context, k event.Key) error {
	if err := s.db.Do(ctx, func(tx *Tx) error { return writeEventKey(tx, k) }); err != nil {
		return fmt.Errorf("keep the key of a request: %w", err)
	}
	return nil
}

func writeEventKey(tx *Tx, k event.Key) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT OR REPLACE INTO event_keys VALUES (?, ?, ?, ?)",
		k.Tenant, k.Name, k.At.Add(event.KeyRetention).Unix(), string(text))
	return err
}

// Expire removes the records and the keys whose time is over.
func (s *Events) Expire(ctx context.Context, now time.Time) error {
	return errors.Join(s.db.expire(ctx, expiringEvents, now), s.db.expire(ctx, expiringEventKeys, now))
}
