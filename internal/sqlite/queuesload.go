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
			return fmt.Errorf("read queue %s: %w", r.Name, err)
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

func (l *loader) messages() {
	l.each(`SELECT key, queue, seq, id, sent, visible_at, received, received_before, first_received, last_received, leased,
		group_id, dedup_id, source_arn FROM messages ORDER BY seq`, func(scan func(...any) error) error {
		var r sqsserver.MessageRecord
		var id []byte
		var group, dedup, source sql.NullString
		if err := scan(&r.Key, &r.Queue, &r.Seq, &id, &r.Sent, &r.VisibleAt, &r.Received, &r.ReceivedBefore,
			&r.FirstReceived, &r.LastReceived, &r.Leased, &group, &dedup, &source); err != nil {
			return err
		}
		copy(r.ID[:], id)
		r.Group, r.Dedup, r.Source = group.String, dedup.String, source.String
		l.into.LoadMessage(r)
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
