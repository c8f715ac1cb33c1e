package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrInUse: another process has the data file open.
	ErrInUse = errors.New("in use by another process")
	// ErrNotDatabase: the file exists and is no SQLite database.
	ErrNotDatabase = errors.New("not a SQLite database")
	// ErrNoName: no file was named.
	ErrNoName = errors.New("no data file is named; name one, or :memory: for none")
	// ErrReadOnly: the file or its folder may not be written to.
	ErrReadOnly = errors.New("can't be written to: let yourself write to it and to its folder, or choose another one")
	// ErrFull: the disk is.
	ErrFull = errors.New("the disk is full: make room, and try again; what was acknowledged is kept")
	// ErrDamaged: the file, or a row of it, is not what was written.
	ErrDamaged = errors.New("damaged: stop what uses it, and run `efferent data check` on it, " +
		"which says what is damaged and what can be saved")
)

// pragmas are run in this order on the fresh connection. The exclusive lock
// comes first: it keeps a second process out and spares WAL its shared-memory
// file. Checkpoints are made every 4000 pages (16 MiB), as each one costs two
// fsyncs.
var pragmas = []string{
	"locking_mode = EXCLUSIVE",
	"secure_delete = ON",
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
	if path == "" {
		return ErrNoName
	}
	if err := create(path); err != nil {
		return err
	}
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
	if err := migrate(ctx, db.conn); err != nil {
		return err
	}
	if err := keepPrivate(path); err != nil {
		return err
	}
	if err := db.shrinkable(ctx); err != nil {
		return err
	}
	return db.conn.QueryRowContext(ctx, "SELECT id FROM file").Scan(&db.id)
}

// create makes an empty file, which only its owner may use, where there is none:
// SQLite would let others read it.
func create(path string) error {
	if path == ":memory:" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil // it is there, or SQLite says why it can't be made
	}
	return f.Close()
}

// keepPrivate takes the rights of others away from a file of an earlier version.
func keepPrivate(path string) error {
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil || path == ":memory:" || info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err := os.Chmod(name, 0o600); err != nil {
			return fmt.Errorf("others may read it, and that can't be changed; run chmod 600 on it as its owner, or choose another one: %w", err)
		}
	}
	return nil
}

// shrinkable has a file give back free pages. One of an earlier version is
// written anew for that, once. Where there is no room to do that it stays as it
// is, till another start.
func (db *DB) shrinkable(ctx context.Context) error {
	var mode int
	if err := db.conn.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&mode); err != nil || mode != 0 {
		return err
	}
	if _, err := db.conn.ExecContext(ctx, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM"); code(err) != sqlite3.SQLITE_FULL {
		return err
	}
	return nil
}

// dsn is the connection string of a path, which may hold any character.
func dsn(path string) string {
	if path == ":memory:" {
		return path
	}
	return "file:" + strings.ReplaceAll(url.PathEscape(path), "%2F", "/")
}

// explain turns what SQLite says of a file into what the person who named the
// file can act on. Other errors stay as they are.
func explain(path string, err error) error {
	switch code(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("data file %s is %w", path, ErrInUse)
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("data file %s is %w", path, ErrNotDatabase)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return fmt.Errorf("data file %s %w (%w)", path, ErrReadOnly, err)
	case sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("data file %s can't be opened: its folder must exist, and let you make files; see to that or choose another one (%w)",
			path, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("data file %s: %w (%w)", path, ErrFull, err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("data file %s can't be read or written: look at the disk, and in the system's log for its errors (%w)", path, err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("data file %s is %w (%w)", path, ErrDamaged, err)
	}
	if errors.Is(err, ErrDamaged) {
		return fmt.Errorf("data file %s is %w", path, err)
	}
	return err
}

// damagedRow is the error of a row that is not what was written. key may be
// empty.
func damagedRow(err error, table, key string) error {
	return fmt.Errorf("%w; a row of %s %q can't be read: %w", ErrDamaged, table, key, err)
}

// corrupt is the code of a file whose pages don't hold what they should.
const corrupt = sqlite3.SQLITE_CORRUPT

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
