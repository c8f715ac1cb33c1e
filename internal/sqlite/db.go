// Package sqlite keeps state in one SQLite file.
//
// Work comes as units, and one goroutine at a time runs them: that of a unit
// which finds nobody at work, so that a lone caller waits for no other
// goroutine. All units that wait meanwhile are run in one transaction, so that
// many small writers share one commit.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
)

// ErrClosed is what Do answers once Close has been called.
var ErrClosed = errors.New("the data file is closed")

// DB is one open data file. Its methods may be called concurrently.
type DB struct {
	path string
	id   string
	pool *sql.DB
	conn *sql.Conn
	tx   Tx

	mu      sync.Mutex
	queue   []*unit
	spare   []*unit // the last queue, empty, to be used again
	working bool    // somebody runs units, and will look at queue again
	rested  sync.Cond
	closed  bool
}

// unit is one piece of work and, once done is closed, its outcome.
type unit struct {
	run  func(*Tx) error
	err  error
	done chan struct{}
	// alone: it is run outside of any transaction.
	alone bool
}

// Open opens or creates the data file at path; ":memory:" keeps the state in
// memory. The file belongs to this process until Close.
//
// What is deleted from the file is overwritten, and only its owner may read it.
//
// Errors: ErrInUse when another process has the file, ErrVersion when the
// file's schema is newer than this program, from before its first release or
// not its own, ErrNotDatabase when it is no SQLite file, ErrNoName when path is
// empty, and those of Do.
func Open(path string) (*DB, error) {
	db := &DB{path: path}
	db.rested.L = &db.mu
	if err := db.open(path); err != nil {
		err = explain(path, err)
		if !strings.HasPrefix(err.Error(), "data file ") {
			err = fmt.Errorf("data file %s: %w", path, err)
		}
		return nil, errors.Join(err, db.closeFile())
	}
	db.tx = Tx{conn: db.conn, stmts: map[string]*sql.Stmt{}}
	return db, nil
}

// ID tells this data file from all others. What is kept beside it names it.
func (db *DB) ID() string { return db.id }

// Do runs unit inside a transaction and returns after its commit: what unit
// wrote then outlives the process, though not a failure of the machine's
// power in the seconds before (synchronous=NORMAL).
//
// Units that wait together share a transaction. When one of them fails, all
// of them are rolled back and run again one by one, so unit must give the
// same result when it is run twice. It may run on another goroutine than the
// caller's and must not call Do. A panic in it is its error.
//
// When ctx ends before unit was begun, unit is not run and Do returns ctx's
// error. Later than that ctx has no effect.
//
// Errors that come of the file, the disk or a row say what to do about it:
// ErrReadOnly, ErrFull, ErrDamaged.
func (db *DB) Do(ctx context.Context, run func(*Tx) error) error {
	return db.do(ctx, &unit{run: run})
}

func (db *DB) do(ctx context.Context, u *unit) error {
	first, err := db.enqueue(ctx, u)
	if err != nil {
		return err
	}
	if first {
		if db.round() {
			go db.drain()
		}
		return u.err
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
	for db.working {
		db.rested.Wait()
	}
	db.mu.Unlock()
	if again {
		return nil
	}
	return db.closeFile()
}

// enqueue adds a unit to the queue. first: nobody is at work, so that the
// caller is from now on.
func (db *DB) enqueue(ctx context.Context, u *unit) (first bool, err error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	u.done = make(chan struct{})
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return false, ErrClosed
	}
	db.queue = append(db.queue, u)
	first = !db.working
	db.working = true
	return first, nil
}

// withdraw takes u out of the queue; false when it has been begun.
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

// round commits what is queued. It never waits for a group to fill, but lets run
// first who can: on a busy machine nine units share a commit then, instead of
// one or two. more: the caller is still the one at work.
func (db *DB) round() (more bool) {
	runtime.Gosched()
	db.mu.Lock()
	group := db.queue
	db.queue = db.spare[:0]
	db.mu.Unlock()
	db.work(group)
	clear(group)
	db.mu.Lock()
	defer db.mu.Unlock()
	db.spare = group
	if len(db.queue) > 0 {
		return true
	}
	db.working = false
	db.rested.Broadcast()
	return false
}

// work runs units in their order: together what may be.
func (db *DB) work(group []*unit) {
	for len(group) > 0 {
		n := slices.IndexFunc(group, func(u *unit) bool { return u.alone })
		switch n {
		case -1:
			n = len(group)
			db.commit(group)
		case 0:
			n = 1
			group[0].end(db, group[0].try(&db.tx))
		default:
			db.commit(group[:n])
		}
		group = group[n:]
	}
}

func (db *DB) drain() {
	for db.round() {
	}
}

// commit runs the group in one transaction, or, when that fails, each of its
// units in one of its own.
func (db *DB) commit(group []*unit) {
	err := db.transact(group)
	for i, u := range group {
		if err != nil && len(group) > 1 {
			u.end(db, db.transact(group[i:i+1]))
		} else {
			u.end(db, err)
		}
	}
}

// end gives u its outcome.
func (u *unit) end(db *DB, err error) {
	u.err = explain(db.path, err)
	close(u.done)
}

func (db *DB) transact(group []*unit) error {
	if _, err := db.tx.Exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for _, u := range group {
		if err := u.try(&db.tx); err != nil {
			return errors.Join(err, db.rollback())
		}
	}
	if _, err := db.tx.Exec("COMMIT"); err != nil {
		return errors.Join(fmt.Errorf("commit: %w", err), db.rollback())
	}
	return nil
}

// try runs u. A panic would otherwise leave the transaction open, in whoever's
// goroutine it is.
func (u *unit) try(tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a unit of work: %v\n%s", p, debug.Stack())
		}
	}()
	return u.run(tx)
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
