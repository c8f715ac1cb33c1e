package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/localaws/secretserver"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/sqlite"
)

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Mode().Perm()
}

func TestOnlyTheOwnerMayReadTheFile(t *testing.T) {
	t.Parallel()
	path := dataFile(t)
	db := open(t, path)
	must(t, db.Do(t.Context(), run(makeTable)))
	if file, log := mode(t, path), mode(t, path+"-wal"); file != 0o600 || log != 0o600 {
		t.Errorf("a new file's rights are %o, its log's %o", file, log)
	}
	must(t, db.Close())
	must(t, os.Chmod(path, 0o644)) // as an earlier version made it
	open(t, path)
	if file := mode(t, path); file != 0o600 {
		t.Errorf("an older file's rights are %o", file)
	}
}

func TestAnotherProgramsFileKeepsItsRights(t *testing.T) {
	t.Parallel()
	path := dataFile(t)
	foreign(t, path, `CREATE TABLE x (y)`)
	must(t, os.Chmod(path, 0o644))
	if _, err := sqlite.Open(path); !errors.Is(err, sqlite.ErrVersion) {
		t.Fatalf("got %v", err)
	}
	if file := mode(t, path); file != 0o644 {
		t.Errorf("its rights are %o", file)
	}
}

// TestWhatIsDeletedIsGone: neither the file nor its log holds it any more.
func TestWhatIsDeletedIsGone(t *testing.T) {
	t.Parallel()
	const secret = "correct horse battery staple"
	long := strings.Repeat(secret, 1000) // over many pages
	for name, c := range map[string]func(t *testing.T, db *sqlite.DB){
		"a message": func(t *testing.T, db *sqlite.DB) {
			q := sqlite.NewQueues(db)
			changes := put()
			changes.PutMessages[0].Body, changes.PutMessages[1].Body = secret, long
			must(t, q.Apply(t.Context(), changes))
			must(t, q.Apply(t.Context(), &sqsserver.Changes{Deletes: []int64{5, 6}}))
		},
		"a queue": func(t *testing.T, db *sqlite.DB) {
			q := sqlite.NewQueues(db)
			changes := put()
			changes.PutMessages[0].Body = secret
			must(t, q.Apply(t.Context(), changes))
			must(t, q.Apply(t.Context(), &sqsserver.Changes{DeleteQueues: []int64{1}}))
		},
		"a secret's value": func(t *testing.T, db *sqlite.DB) {
			s := sqlite.NewSecrets(db)
			value := &secretserver.Secret{Name: "s", Description: long}
			must(t, s.PutSecret(t.Context(), *value))
			value.Description = "another"
			must(t, s.PutSecret(t.Context(), *value))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := dataFile(t)
			db := open(t, path)
			c(t, db)
			must(t, db.Tidy(t.Context()))
			for _, file := range []string{path, path + "-wal"} {
				b, err := os.ReadFile(file)
				must(t, err)
				if bytes.Contains(b, []byte(secret)) {
					t.Errorf("%s still holds it", filepath.Base(file))
				}
			}
		})
	}
}

const fill = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
	INSERT INTO big SELECT i, randomblob(1000) FROM n`

func TestTheFileBecomesSmaller(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(t *testing.T, path string){
		"a new file": func(*testing.T, string) {},
		"a file that could not": func(t *testing.T, path string) {
			must(t, open(t, path).Close())
			foreign(t, path, `PRAGMA auto_vacuum = NONE`, `VACUUM`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := dataFile(t)
			make(t, path)
			db := open(t, path)
			must(t, db.Do(t.Context(), run(`CREATE TABLE big (i INTEGER PRIMARY KEY, b BLOB)`)))
			must(t, db.Do(t.Context(), run(fill)))
			must(t, db.Tidy(t.Context()))
			full := size(t, path)
			must(t, db.Do(t.Context(), run(`DELETE FROM big`)))
			must(t, db.Tidy(t.Context()))
			if now := size(t, path); full < 5_000_000 || now > 2<<20 {
				t.Errorf("%d bytes, and %d when most of it was deleted", full, now)
			}
			if n := integrity(t, db); n != "ok" {
				t.Errorf("integrity: %s", n)
			}
		})
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Size()
}

func integrity(t *testing.T, db *sqlite.DB) (outcome string) {
	t.Helper()
	must(t, db.Do(t.Context(), func(tx *sqlite.Tx) error {
		s, err := tx.Stmt(`PRAGMA integrity_check`)
		if err != nil {
			return err
		}
		return s.QueryRow().Scan(&outcome)
	}))
	return outcome
}

// TestExpiredRowsGoByAndBy: among many, those go whose time is over, and no
// transaction looks at many.
func TestExpiredRowsGoByAndBy(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_764_000_000, 0)
	for table, c := range map[string]struct {
		insert string
		expire func(db *sqlite.DB) error
	}{
		"attempts": {`INSERT INTO attempts SELECT 'w' || (i / 3), i, '{}', %d + i, NULL, NULL, NULL, NULL FROM n`,
			func(db *sqlite.DB) error { return sqlite.NewAttempts(db).Expire(t.Context(), now) }},
		"claims": {`INSERT INTO claims SELECT 'q' || (i / 3), i, '{}', %d + i FROM n`,
			func(db *sqlite.DB) error { return sqlite.NewClaims(db).Expire(t.Context(), now) }},
		"waiting": {`INSERT INTO waiting SELECT 'p' || (i / 3), i, 'waiting', %d + i, '{}' FROM n`,
			func(db *sqlite.DB) error { return sqlite.NewWaiting(db).Expire(t.Context(), now) }},
		"circuits": {`INSERT INTO circuits SELECT i, %d + i, '{}' FROM n`,
			func(db *sqlite.DB) error { return sqlite.NewCircuits(db).Expire(t.Context(), now) }},
		"paces": {`INSERT INTO paces SELECT i, 0, 0, 0, 0, %d + i FROM n`,
			func(db *sqlite.DB) error { return sqlite.NewPaces(db).Expire(t.Context(), now) }},
	} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			db := open(t, ":memory:")
			// Half of the 4,000 expired before now.
			must(t, db.Do(t.Context(), run(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) `+
				fmt.Sprintf(c.insert, now.Unix()-2001))))
			must(t, c.expire(db))
			var left, over int
			must(t, db.Do(t.Context(), func(tx *sqlite.Tx) error {
				s, err := tx.Stmt(`SELECT count(*), ifnull(sum(expires_at < ?), 0) FROM ` + table)
				if err != nil {
					return err
				}
				return s.QueryRow(now.Unix()).Scan(&left, &over)
			}))
			if left != 2000 || over != 0 {
				t.Errorf("%d rows are left, %d of which have expired", left, over)
			}
		})
	}
}

func TestErrorsOfTheFileSayWhatToDo(t *testing.T) {
	t.Parallel()
	full := func(t *testing.T, path string) error {
		db := open(t, path)
		must(t, db.Do(t.Context(), run(`CREATE TABLE big (i INTEGER PRIMARY KEY, b BLOB)`)))
		must(t, db.Do(t.Context(), func(tx *sqlite.Tx) error {
			rows, err := tx.Query(`PRAGMA max_page_count = 100`) // a small disk
			if err != nil {
				return err
			}
			return rows.Close()
		}))
		return db.Do(t.Context(), run(fill))
	}
	for name, c := range map[string]struct {
		cause func(t *testing.T, path string) error
		want  error
		says  string
	}{
		"no name":     {func(*testing.T, string) error { _, err := sqlite.Open(""); return err }, sqlite.ErrNoName, "name one, or :memory:"},
		"a full disk": {full, sqlite.ErrFull, "make room"},
		"no folder": {func(_ *testing.T, path string) error { _, err := sqlite.Open(path + "/x.db"); return err }, nil,
			"its folder must exist"},
		"a read-only file": {func(t *testing.T, path string) error {
			db := open(t, path)
			must(t, db.Do(t.Context(), run(`PRAGMA query_only = ON`)))
			return db.Do(t.Context(), run(`CREATE TABLE x (y)`))
		}, sqlite.ErrReadOnly, "let yourself write to it"},
		"a damaged file": {func(t *testing.T, path string) error {
			db := open(t, path)
			must(t, db.Do(t.Context(), run(`CREATE TABLE big (i INTEGER PRIMARY KEY, b BLOB)`)))
			must(t, db.Do(t.Context(), run(fill)))
			must(t, db.Close())
			damage(t, path)
			db, err := sqlite.Open(path)
			if err != nil {
				return err
			}
			defer db.Close()
			return db.Do(t.Context(), run(`UPDATE big SET b = NULL`))
		}, sqlite.ErrDamaged, "efferent data check"},
		"a damaged row": {func(t *testing.T, path string) error {
			db := open(t, path)
			must(t, sqlite.NewQueues(db).Apply(t.Context(), put()))
			must(t, db.Do(t.Context(), run(`UPDATE queues SET attributes = 'x'`)))
			return sqlite.NewQueues(db).Load(t.Context(), &kept{})
		}, sqlite.ErrDamaged, "efferent data check"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.cause(t, dataFile(t))
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// damage overwrites the middle of a file.
func damage(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	_, err = f.WriteAt(bytes.Repeat([]byte{0xff}, 3*4096), size(t, path)/2/4096*4096)
	must(t, err)
}
