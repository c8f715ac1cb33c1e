package sqlite

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// loader reads tables until one fails.
type loader struct {
	tx   *Tx
	into sqsserver.Loader
	err  error
}

// each calls row for each row of a query.
func (l *loader) each(query string, row func(scan func(...any) error) error) {
	if l.err != nil {
		return
	}
	rows, err := l.tx.Query(query)
	if err != nil {
		l.err = fmt.Errorf("read queues: %w", err)
		return
	}
	defer rows.Close()
	for rows.Next() && l.err == nil {
		l.err = row(rows.Scan)
	}
	if err := rows.Err(); l.err == nil && err != nil {
		l.err = fmt.Errorf("read queues: %w", err)
	}
}

func (l *loader) nextKey() {
	l.each(`SELECT key FROM next_key`, func(scan func(...any) error) error {
		var key int64
		if err := scan(&key); err != nil {
			return err
		}
		l.into.LoadNextKey(key)
		return nil
	})
}

func (l *loader) queues() {
	l.each(`SELECT id, name, created, modified, attributes, tags FROM queues ORDER BY id`, func(scan func(...any) error) error {
		var r sqsserver.QueueRecord
		var attributes, tags []byte
		if err := scan(&r.ID, &r.Name, &r.Created, &r.Modified, &attributes, &tags); err != nil {
			return err
		}
		if err := errors.Join(json.Unmarshal(attributes, &r.Attributes), json.Unmarshal(tags, &r.Tags)); err != nil {
			return damagedRow(err, "queues", r.Name)
		}
		l.into.LoadQueue(r)
		return nil
	})
}

func (l *loader) tasks() {
	l.each(`SELECT handle, source, destination, rate, moved, to_move, status, failure, started FROM move_tasks
		ORDER BY started, rowid`, func(scan func(...any) error) error {
		var r sqsserver.TaskRecord
		if err := scan(&r.Handle, &r.Source, &r.Destination, &r.Rate, &r.Moved, &r.ToMove, &r.Status, &r.Failure, &r.Started); err != nil {
			return err
		}
		l.into.LoadTask(r)
		return nil
	})
}

// places reads no more of each message than its place takes: there may be
// millions.
func (l *loader) places() {
	var r sqsserver.PlaceRecord
	var group sql.NullString
	into := []any{&r.Key, &r.Queue, &r.Seq, &r.Sent, &r.VisibleAt, &r.Leased, &r.ReceivedHere, &group}
	l.each(`SELECT key, queue, seq, sent, visible_at, leased, received > received_before, group_id FROM messages`,
		func(scan func(...any) error) error {
			if err := scan(into...); err != nil {
				return err
			}
			r.Group = group.String
			l.into.LoadPlace(r)
			return nil
		})
}

func (l *loader) dedups() {
	l.each(`SELECT key, queue, scope, dedup_id, message_id, sent FROM dedups ORDER BY key`, func(scan func(...any) error) error {
		var r sqsserver.DedupRecord
		var id []byte
		if err := scan(&r.Key, &r.Queue, &r.Scope, &r.ID, &id, &r.Sent); err != nil {
			return err
		}
		copy(r.MessageID[:], id)
		l.into.LoadDedup(r)
		return nil
	})
}
