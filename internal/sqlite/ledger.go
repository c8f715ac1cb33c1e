package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/efferent/efferent/internal/ledger"
)

const (
	ledgerHeadsSchema = `CREATE TABLE ledger_heads (
	lane TEXT PRIMARY KEY,
	version INTEGER NOT NULL,
	size INTEGER NOT NULL,
	edge BLOB NOT NULL,
	published INTEGER NOT NULL,
	source_arn TEXT NOT NULL,
	source_created INTEGER NOT NULL,
	sequence TEXT NOT NULL
) WITHOUT ROWID`
	ledgerStagedSchema = `CREATE TABLE ledger_staged (
	lane TEXT NOT NULL,
	ends INTEGER NOT NULL,
	root BLOB NOT NULL,
	starts INTEGER NOT NULL,
	before BLOB NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (lane, ends, root)
)`
)

// Ledger keeps the heads of the ledger's lanes, and entries until they are
// published. It may be used by many goroutines at once.
type Ledger struct{ db *DB }

// NewLedger returns the ledger in db.
func NewLedger(db *DB) *Ledger { return &Ledger{db} }

// Head returns the lane's head, the zero Head for a new lane.
func (l *Ledger) Head(ctx context.Context, lane string) (h ledger.Head, err error) {
	err = l.db.Do(ctx, func(tx *Tx) error {
		h, err = readHead(tx, lane)
		return err
	})
	return h, err
}

func readHead(tx *Tx, lane string) (h ledger.Head, err error) {
	s, err := tx.Stmt("SELECT version, size, edge, published, source_arn, source_created, sequence FROM ledger_heads WHERE lane = ?")
	if err != nil {
		return h, err
	}
	var size int64
	var edge []byte
	err = s.QueryRow(lane).Scan(&h.Version, &size, &edge, &h.Published, &h.Source.ARN, &h.Source.Created, &h.Sequence)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Head{}, nil
	}
	if err == nil {
		h.Edge, err = ledger.ParseEdge(size, edge)
	}
	if err != nil {
		return h, fmt.Errorf("read the head of %s: %w", lane, err)
	}
	return h, nil
}

// Move replaces the head of version now.Version-1 with now, or is
// ledger.ErrMoved.
func (l *Ledger) Move(ctx context.Context, lane string, now ledger.Head) error {
	moved := false
	err := l.db.Do(ctx, func(tx *Tx) error {
		moved = false
		was, err := readHead(tx, lane)
		if err != nil {
			return err
		}
		if moved = was.Version != now.Version-1; moved {
			return nil
		}
		_, err = tx.Exec("INSERT OR REPLACE INTO ledger_heads VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			lane, now.Version, now.Size, now.AppendBytes([]byte{}), now.Published, now.Source.ARN, now.Source.Created, now.Sequence)
		return err
	})
	if moved && err == nil {
		err = ledger.ErrMoved
	}
	if err != nil {
		return fmt.Errorf("move the head of %s to version %d: %w", lane, now.Version, err)
	}
	return nil
}

// Stage keeps s beside what else is staged.
func (l *Ledger) Stage(ctx context.Context, lane string, s ledger.Staged) error {
	err := l.db.Do(ctx, func(tx *Tx) error {
		_, err := tx.Exec("INSERT OR REPLACE INTO ledger_staged VALUES (?, ?, ?, ?, ?, ?)",
			lane, s.End, s.Root[:], s.Start, s.Before[:], s.Data)
		return err
	})
	if err != nil {
		return fmt.Errorf("stage entries %d to %d of %s: %w", s.Start, s.End-1, lane, err)
	}
	return nil
}

// Staged returns all that is staged in a lane, in order of End.
func (l *Ledger) Staged(ctx context.Context, lane string) (all []ledger.Staged, err error) {
	err = l.db.Do(ctx, func(tx *Tx) error {
		all, err = readStaged(tx, lane)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what is staged in %s: %w", lane, err)
	}
	return all, nil
}

func readStaged(tx *Tx, lane string) (all []ledger.Staged, err error) {
	rows, err := tx.Query("SELECT ends, root, starts, before, data FROM ledger_staged WHERE lane = ? ORDER BY ends, root", lane)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s ledger.Staged
		var root, before []byte
		if err := rows.Scan(&s.End, &root, &s.Start, &before, &s.Data); err != nil {
			return nil, err
		}
		if len(root) != len(s.Root) || len(before) != len(s.Before) {
			return nil, fmt.Errorf("a row up to entry %d has no hashes: %w", s.End-1, ledger.ErrChanged)
		}
		s.Root, s.Before = ledger.Hash(root), ledger.Hash(before)
		all = append(all, s)
	}
	return all, rows.Err()
}

// Drop removes what is staged, as Staged returned it.
func (l *Ledger) Drop(ctx context.Context, lane string, staged []ledger.Staged) error {
	err := l.db.Do(ctx, func(tx *Tx) error {
		for _, s := range staged {
			if _, err := tx.Exec("DELETE FROM ledger_staged WHERE lane = ? AND ends = ? AND root = ?", lane, s.End, s.Root[:]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("drop what was staged in %s: %w", lane, err)
	}
	return nil
}
