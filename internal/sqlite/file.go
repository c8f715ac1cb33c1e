package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrInUse: another process has the data file open.
	ErrInUse = errors.New("in use by another process")
	// ErrNotDatabase: the file exists and is no SQLite database.
	ErrNotDatabase = errors.New("not a SQLite database")
)

// pragmas are run in this order on the fresh connection. The exclusive lock
// comes first: it keeps a second process out and spares WAL its shared-memory
// file. Checkpoints are made every 4000 pages (16 MiB), as each one costs two
// fsyncs.
var pragmas = []string{
	"locking_mode = EXCLUSIVE",
	"journal_mode = WAL",
	"synchronous = NORMAL",
	"wal_autocheckpoint = 4000",
	"journal_size_limit = 67108864",
	"cache_size = -16000",
	"foreign_keys = ON",
}

// open connects, takes the file for this process and migrates its schema.
func (db *DB) open(path string) (err error) {
	ctx := context.Background()
	if db.pool, err = sql.Open("sqlite", dsn(path)); err != nil {
		return err
	}
	if db.conn, err = db.pool.Conn(ctx); err != nil {
		return err
	}
	for _, p := range pragmas {
		if _, err := db.conn.ExecContext(ctx, "PRAGMA "+p); err != nil {
			return err
		}
	}
	return migrate(ctx, db.conn)
}

// dsn is the connection string of a path, which may hold any character.
func dsn(path string) string {
	if path == ":memory:" {
		return path
	}
	return "file:" + strings.ReplaceAll(url.PathEscape(path), "%2F", "/")
}

// explain turns what SQLite says when it opens a file into what the person
// who named the file can act on.
func explain(path string, err error) error {
	switch code(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("data file %s is %w", path, ErrInUse)
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("data file %s is %w", path, ErrNotDatabase)
	}
	return fmt.Errorf("data file %s: %w", path, err)
}

// code is SQLite's primary result code of err, 0 where there is none.
func code(err error) int {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

func isNoTransaction(err error) bool {
	return code(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), "no transaction is active")
}
