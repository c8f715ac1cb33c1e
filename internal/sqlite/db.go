// Package sqlite keeps state in one SQLite file that one goroutine writes.
//
// Work is handed to that goroutine as units. All units that wait are run in
// one transaction, so that many small writers share one commit.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// ErrClosed is what Do answers once Close has been called.
var ErrClosed = errors.New("the data file is closed")

// DB is one open data file. Its methods may be called concurrently.
type DB struct {
	pool *sql.DB
	conn *sql.Conn
	tx   Tx

	mu      sync.Mutex
	queue   []*unit
	closed  bool
	filled  chan struct{} // holds a token when queue may have units or closed is set
	stopped chan struct{} // closed when the writer has ended
}

// unit is one piece of work and, once done is closed, its outcome.
type unit struct {
	run  func(*Tx) error
	err  error
	done chan struct{}
}

// Open opens or creates the data file at path; ":memory:" keeps the state in
// memory. The file belongs to this process until Close.
//
// Errors: ErrInUse when another process has the file, ErrVersion when the
// file's schema is newer than this program or not its own, ErrNotDatabase
// when it is no SQLite file.
func Open(path string) (*DB, error) {
	db := &DB{filled: make(chan struct{}, 1), stopped: make(chan struct{})}
	if err := db.open(path); err != nil {
		return nil, errors.Join(explain(path, err), db.closeFile())
	}
	db.tx = Tx{conn: db.conn, stmts: map[string]*sql.Stmt{}}
	go db.write()
	return db, nil
}

// Do runs unit inside a transaction and returns after its commit: what unit
// wrote then outlives the process, though not a failure of the machine's
// power in the seconds before (synchronous=NORMAL).
//
// Units that wait together share a transaction. When one of them fails, all
// of them are rolled back and run again one by one, so unit must give the
// same result when it is run twice. It runs on the writer's goroutine and
// must not call Do.
//
// When ctx ends before unit was begun, unit is not run and Do returns ctx's
// error. Later than that ctx has no effect.
func (db *DB) Do(ctx context.Context, unit func(*Tx) error) error {
	u, err := db.enqueue(unit)
	if err != nil {
		return err
	}
	select {
	case <-u.done:
		return u.err
	case <-ctx.Done():
	}
	if db.withdraw(u) {
		return context.Cause(ctx)
	}
	<-u.done
	return u.err
}

// Close finishes the work that was handed in and releases the file. Calling
// it again has no effect.
func (db *DB) Close() error {
	db.mu.Lock()
	again := db.closed
	db.closed = true
	db.mu.Unlock()
	db.signal()
	<-db.stopped
	if again {
		return nil
	}
	return db.closeFile()
}

func (db *DB) enqueue(run func(*Tx) error) (*unit, error) {
	u := &unit{run: run, done: make(chan struct{})}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil, ErrClosed
	}
	db.queue = append(db.queue, u)
	db.signal()
	return u, nil
}

// withdraw takes u out of the queue; false when the writer already has it.
func (db *DB) withdraw(u *unit) bool {
	db.mu.Lock()
	defer db.mu.Unlock()
	i := slices.Index(db.queue, u)
	if i < 0 {
		return false
	}
	db.queue = slices.Delete(db.queue, i, i+1)
	return true
}

func (db *DB) signal() {
	select {
	case db.filled <- struct{}{}:
	default:
	}
}

// write is the writer's goroutine: it takes what is queued, commits it, and
// takes again. It never waits for a group to fill.
func (db *DB) write() {
	defer close(db.stopped)
	var group []*unit
	for range db.filled {
		db.mu.Lock()
		group, db.queue = db.queue, group[:0]
		closed := db.closed
		db.mu.Unlock()
		db.commit(group)
		clear(group)
		if closed {
			return
		}
	}
}

// commit runs the group in one transaction, or, when that fails, each of its
// units in one of its own.
func (db *DB) commit(group []*unit) {
	if len(group) == 0 {
		return
	}
	err := db.transact(group)
	for i, u := range group {
		if err != nil && len(group) > 1 {
			u.err = db.transact(group[i : i+1])
		} else {
			u.err = err
		}
		close(u.done)
	}
}

func (db *DB) transact(group []*unit) error {
	if _, err := db.tx.Exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for _, u := range group {
		if err := u.run(&db.tx); err != nil {
			return errors.Join(err, db.rollback())
		}
	}
	if _, err := db.tx.Exec("COMMIT"); err != nil {
		return errors.Join(fmt.Errorf("commit: %w", err), db.rollback())
	}
	return nil
}

// rollback ends the transaction. SQLite may have ended it by itself, on a
// full disk for one, and then says so; that is no error here.
func (db *DB) rollback() error {
	if _, err := db.tx.Exec("ROLLBACK"); err != nil && !isNoTransaction(err) {
		return fmt.Errorf("rollback: %w", err)
	}
	return nil
}

func (db *DB) closeFile() error {
	var errs []error
	for _, s := range db.tx.stmts {
		errs = append(errs, s.Close())
	}
	if db.conn != nil {
		errs = append(errs, db.conn.Close())
	}
	if db.pool != nil {
		errs = append(errs, db.pool.Close())
	}
	return errors.Join(errs...)
}
