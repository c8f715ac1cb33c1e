package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// queuesSchema: times are Unix milliseconds. A message's body comes last, so
// that reading the rest of a row does not read it.
const queuesSchema = `
CREATE TABLE queues (
	id         INTEGER PRIMARY KEY,
	name       TEXT NOT NULL UNIQUE,
	created    INTEGER NOT NULL,
	modified   INTEGER NOT NULL,
	attributes TEXT NOT NULL, -- JSON, as tags
	tags       TEXT NOT NULL
) STRICT;
CREATE TABLE messages (
	key             INTEGER PRIMARY KEY,
	queue           INTEGER NOT NULL,
	seq             INTEGER NOT NULL,
	id              BLOB NOT NULL,
	sent            INTEGER NOT NULL,
	visible_at      INTEGER NOT NULL,
	received        INTEGER NOT NULL,
	received_before INTEGER NOT NULL,
	first_received  INTEGER NOT NULL,
	last_received   INTEGER NOT NULL,
	leased          INTEGER NOT NULL,
	group_id        TEXT,
	dedup_id        TEXT,
	source_arn      TEXT,
	attributes      BLOB,
	body            TEXT NOT NULL
) STRICT;
CREATE TABLE dedups (
	key        INTEGER PRIMARY KEY, -- the message's
	queue      INTEGER NOT NULL,
	scope      TEXT NOT NULL,
	dedup_id   TEXT NOT NULL,
	message_id BLOB NOT NULL,
	sent       INTEGER NOT NULL
) STRICT;
CREATE TABLE move_tasks (
	handle      TEXT PRIMARY KEY,
	source      TEXT NOT NULL,
	destination TEXT NOT NULL,
	rate        INTEGER NOT NULL,
	moved       INTEGER NOT NULL,
	to_move     INTEGER NOT NULL,
	status      TEXT NOT NULL,
	failure     TEXT NOT NULL,
	started     INTEGER NOT NULL
) STRICT;
CREATE TABLE next_key (
	only INTEGER PRIMARY KEY CHECK (only = 1),
	key  INTEGER NOT NULL
) STRICT;
`

// Queues keeps the queues of an sqsserver.Engine. It is a sqsserver.Store.
type Queues struct{ db *DB }

// NewQueues gives the queues in db, which stays the caller's to close.
func NewQueues(db *DB) *Queues { return &Queues{db} }

// Apply makes all of the changes or none.
func (q *Queues) Apply(ctx context.Context, c *sqsserver.Changes) error {
	return q.db.Do(ctx, func(tx *Tx) error {
		w := writer{tx: tx}
		w.putQueues(c.PutQueues)
		w.putTasks(c.PutTasks)
		w.undo(c.Undo)
		w.putMessages(c.PutMessages)
		w.putDedups(c.PutDedups)
		w.setStates(c.SetStates)
		w.move(c.Moves)
		w.delete(c.Deletes)
		w.deleteQueues(c.DeleteQueues)
		if f := c.ForgetDedups; f.Queue != 0 {
			w.exec(`DELETE FROM dedups WHERE key <= ? AND queue = ?`, f.Key, f.Queue)
		}
		if c.NextKey != 0 {
			w.exec(`INSERT INTO next_key VALUES (1, ?) ON CONFLICT DO UPDATE SET key = max(key, excluded.key)`, c.NextKey)
		}
		return w.err
	})
}

// writer runs statements until one fails.
type writer struct {
	tx  *Tx
	err error
}

func (w *writer) exec(query string, args ...any) {
	if w.err != nil {
		return
	}
	if _, err := w.tx.Exec(query, args...); err != nil {
		w.err = fmt.Errorf("write queues: %w", err)
	}
}

func (w *writer) putQueues(list []sqsserver.QueueRecord) {
	for _, r := range list {
		attributes, err := json.Marshal(r.Attributes)
		tags, tagsErr := json.Marshal(r.Tags)
		if err := errors.Join(err, tagsErr); err != nil {
			w.err = fmt.Errorf("write queue %s: %w", r.Name, err)
			return
		}
		w.exec(`INSERT OR REPLACE INTO queues VALUES (?, ?, ?, ?, ?, ?)`,
			r.ID, r.Name, r.Created, r.Modified, string(attributes), string(tags))
	}
}

func (w *writer) deleteQueues(ids []int64) {
	for _, id := range ids {
		w.exec(`DELETE FROM messages WHERE queue = ?`, id)
		w.exec(`DELETE FROM dedups WHERE queue = ?`, id)
		w.exec(`DELETE FROM queues WHERE id = ?`, id)
	}
}

func (w *writer) putTasks(list []sqsserver.TaskRecord) {
	for _, r := range list {
		w.exec(`INSERT OR REPLACE INTO move_tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.Handle, r.Source, r.Destination, r.Rate, r.Moved, r.ToMove, r.Status, r.Failure, r.Started)
	}
}

func (w *writer) undo(keys []int64) {
	for _, key := range keys {
		w.exec(`DELETE FROM messages WHERE key = ?`, key)
		w.exec(`DELETE FROM dedups WHERE key = ?`, key)
	}
}

func (w *writer) putMessages(list []sqsserver.StoredMessage) {
	for i := range list {
		m := &list[i]
		w.exec(`INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			m.Key, m.Queue, m.Seq, m.ID[:], m.Sent, m.VisibleAt, m.Received, m.ReceivedBefore, m.FirstReceived,
			m.LastReceived, m.Leased, text(m.Group), text(m.Dedup), text(m.Source), m.Attributes, m.Body)
	}
}

func (w *writer) putDedups(list []sqsserver.DedupRecord) {
	for i := range list {
		r := &list[i]
		w.exec(`INSERT OR REPLACE INTO dedups VALUES (?, ?, ?, ?, ?, ?)`, r.Key, r.Queue, r.Scope, r.ID, r.MessageID[:], r.Sent)
	}
}

func (w *writer) setStates(list []sqsserver.StateRecord) {
	for i := range list {
		s := &list[i]
		w.exec(`UPDATE messages SET visible_at = ?, received = ?, first_received = ?, last_received = ?, leased = ? WHERE key = ?`,
			s.VisibleAt, s.Received, s.FirstReceived, s.LastReceived, s.Leased, s.Key)
	}
}

func (w *writer) move(list []sqsserver.MessageRecord) {
	for i := range list {
		m := &list[i]
		w.exec(`UPDATE messages SET queue = ?, seq = ?, id = ?, sent = ?, visible_at = ?, received = ?, received_before = ?,
			first_received = ?, last_received = ?, leased = ?, group_id = ?, dedup_id = ?, source_arn = ? WHERE key = ?`,
			m.Queue, m.Seq, m.ID[:], m.Sent, m.VisibleAt, m.Received, m.ReceivedBefore, m.FirstReceived, m.LastReceived, m.Leased,
			text(m.Group), text(m.Dedup), text(m.Source), m.Key)
	}
}

func (w *writer) delete(keys []int64) {
	for _, key := range keys {
		w.exec(`DELETE FROM messages WHERE key = ?`, key)
	}
}

// text is NULL for an empty string.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Messages reads messages whole.
func (q *Queues) Messages(ctx context.Context, keys []int64) (found map[int64]sqsserver.StoredMessage, err error) {
	err = q.db.Do(ctx, func(tx *Tx) error {
		found = make(map[int64]sqsserver.StoredMessage, len(keys))
		s, err := tx.Stmt(`SELECT queue, seq, id, sent, visible_at, received, received_before, first_received, last_received, leased,
			group_id, dedup_id, source_arn, attributes, body FROM messages WHERE key = ?`)
		if err != nil {
			return err
		}
		for _, key := range keys {
			m, err := readMessage(s.QueryRow(key))
			switch {
			case err == nil:
				m.Key = key
				found[key] = m
			case !errors.Is(err, sql.ErrNoRows):
				return fmt.Errorf("read message: %w", err)
			}
		}
		return nil
	})
	return found, err
}

func readMessage(row *sql.Row) (m sqsserver.StoredMessage, err error) {
	var id []byte
	var group, dedup, source sql.NullString
	err = row.Scan(&m.Queue, &m.Seq, &id, &m.Sent, &m.VisibleAt, &m.Received, &m.ReceivedBefore, &m.FirstReceived, &m.LastReceived,
		&m.Leased, &group, &dedup, &source, &m.Attributes, &m.Body)
	copy(m.ID[:], id)
	m.Group, m.Dedup, m.Source = group.String, dedup.String, source.String
	return m, err
}

// Load gives all there is to into.
func (q *Queues) Load(ctx context.Context, into sqsserver.Loader) error {
	return q.db.Do(ctx, func(tx *Tx) error {
		l := loader{tx: tx, into: into}
		l.nextKey()
		l.queues()
		l.tasks()
		l.places()
		l.dedups()
		return l.err
	})
}
