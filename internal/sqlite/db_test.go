package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/efferent/efferent/internal/sqlite"
)

func open(t *testing.T, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func dataFile(t *testing.T) string { return filepath.Join(t.TempDir(), "a b?c#%.db") }

const makeTable = `CREATE TABLE IF NOT EXISTS n (n INTEGER PRIMARY KEY)`

func insert(n int) func(*sqlite.Tx) error {
	return func(tx *sqlite.Tx) error {
		_, err := tx.Exec(`INSERT INTO n VALUES (?)`, n)
		return err
	}
}

func numbers(t *testing.T, db *sqlite.DB) (list []int) {
	t.Helper()
	err := db.Do(t.Context(), func(tx *sqlite.Tx) error {
		list = nil
		rows, err := tx.Query(`SELECT n FROM n ORDER BY n`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n int
			if err := rows.Scan(&n); err != nil {
				return err
			}
			list = append(list, n)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func run(query string) func(*sqlite.Tx) error {
	return func(tx *sqlite.Tx) error {
		_, err := tx.Exec(query)
		return err
	}
}

// hold keeps the writer busy until the function it returns is called, so that
// the units handed in meanwhile form one group.
func hold(t *testing.T, db *sqlite.DB) (letGo func()) {
	busy, free, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- db.Do(context.Background(), func(*sqlite.Tx) error {
			close(busy)
			<-free
			return nil
		})
	}()
	<-busy
	return func() { close(free); must(t, <-done) }
}

func TestAFailingUnitFailsAlone(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for name, bad := range map[string]func(*sqlite.Tx) error{
		"after a write": func(tx *sqlite.Tx) error { return errors.Join(insert(100)(tx), boom) },
		"a constraint":  func(tx *sqlite.Tx) error { return errors.Join(insert(1)(tx), insert(1)(tx), boom) },
		"a panic": func(tx *sqlite.Tx) error {
			if err := insert(100)(tx); err != nil {
				return err
			}
			panic(boom)
		},
		"a whole rollback by SQLite": func(tx *sqlite.Tx) error {
			_, err := tx.Exec(`INSERT OR ROLLBACK INTO n VALUES (0)`)
			return errors.Join(err, boom)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, dataFile(t))
			must(t, db.Do(t.Context(), run(makeTable)))
			must(t, db.Do(t.Context(), insert(0)))
			letGo := hold(t, db)
			units := []func(*sqlite.Tx) error{insert(2), bad, insert(3)}
			results := make([]error, len(units))
			var wg sync.WaitGroup
			for i, u := range units {
				wg.Go(func() { results[i] = db.Do(context.Background(), u) })
			}
			letGo()
			wg.Wait()
			if results[0] != nil || results[2] != nil || !strings.Contains(fmt.Sprint(results[1]), "boom") {
				t.Fatalf("results %v", results)
			}
			if got := numbers(t, db); !slices.Equal(got, []int{0, 2, 3}) {
				t.Fatalf("kept %v", got)
			}
		})
	}
}

func TestContextEndsAUnitThatHasNotBegun(t *testing.T) {
	t.Parallel()
	db := open(t, ":memory:")
	must(t, db.Do(t.Context(), run(makeTable)))
	letGo := hold(t, db)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the caller left")
	cancel(why)
	if err := db.Do(ctx, insert(1)); !errors.Is(err, why) {
		t.Fatalf("got %v", err)
	}
	letGo()
	if got := numbers(t, db); len(got) != 0 {
		t.Fatalf("kept %v", got)
	}
}

// A unit that finds nobody at work is run by its caller: its panic must not
// leave the file locked up.
func TestAPanicOfALoneUnit(t *testing.T) {
	t.Parallel()
	db := open(t, ":memory:")
	must(t, db.Do(t.Context(), run(makeTable)))
	err := db.Do(t.Context(), func(tx *sqlite.Tx) error {
		if err := insert(1)(tx); err != nil {
			return err
		}
		panic("boom")
	})
	if err == nil || !strings.Contains(err.Error(), "boom") {
		t.Fatalf("got %v", err)
	}
	must(t, db.Do(t.Context(), insert(2)))
	if got := numbers(t, db); !slices.Equal(got, []int{2}) {
		t.Fatalf("kept %v", got)
	}
}

func TestContextDoesNotEndAUnitThatHasBegun(t *testing.T) {
	t.Parallel()
	db := open(t, ":memory:")
	must(t, db.Do(t.Context(), run(makeTable)))
	ctx, cancel := context.WithCancel(t.Context())
	must(t, db.Do(ctx, func(tx *sqlite.Tx) error { cancel(); return insert(1)(tx) }))
	if got := numbers(t, db); !slices.Equal(got, []int{1}) {
		t.Fatalf("kept %v", got)
	}
}

func TestCloseFinishesWhatWasHandedIn(t *testing.T) {
	t.Parallel()
	path := dataFile(t)
	db := open(t, path)
	must(t, db.Do(t.Context(), run(makeTable)))
	letGo := hold(t, db)
	results := make(chan error, 10)
	for i := range 10 {
		go func() { results <- db.Do(context.Background(), insert(i)) }()
	}
	letGo()
	must(t, db.Close())
	kept := 0
	for range 10 {
		switch err := <-results; {
		case err == nil:
			kept++
		case !errors.Is(err, sqlite.ErrClosed):
			t.Fatal(err)
		}
	}
	if got := numbers(t, open(t, path)); len(got) != kept {
		t.Fatalf("%d acknowledged, %v kept", kept, got)
	}
	if err := db.Do(t.Context(), insert(99)); !errors.Is(err, sqlite.ErrClosed) {
		t.Fatalf("after Close: %v", err)
	}
	must(t, db.Close())
}

// foreign writes a file with database/sql alone.
func foreign(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path))
	must(t, err)
	defer db.Close()
	for _, s := range statements {
		_, err := db.Exec(s)
		must(t, err)
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make  func(t *testing.T, path string)
		want  error
		names string // what the message must say beside the path
	}{
		"in use": {func(t *testing.T, path string) { open(t, path) }, sqlite.ErrInUse, "in use by another process"},
		"newer": {func(t *testing.T, path string) {
			must(t, open(t, path).Close())
			foreign(t, path, `PRAGMA user_version = 1000`)
		}, sqlite.ErrVersion, "1000"},
		"from before the first release": {func(t *testing.T, path string) {
			must(t, open(t, path).Close())
			foreign(t, path, `PRAGMA user_version = 1`)
		}, sqlite.ErrVersion, "its version is 1, from before the first release"},
		"another program's": {func(t *testing.T, path string) {
			foreign(t, path, `CREATE TABLE x (y)`)
		}, sqlite.ErrVersion, "another program's"},
		"another program's, marked": {func(t *testing.T, path string) {
			foreign(t, path, `PRAGMA application_id = 7`, `PRAGMA user_version = 1`)
		}, sqlite.ErrVersion, "another program's"},
		"no database": {func(t *testing.T, path string) {
			must(t, os.WriteFile(path, []byte(strings.Repeat("not a database\n", 100)), 0o600))
		}, sqlite.ErrNotDatabase, "not a SQLite database"},
		"a folder": {func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }, nil, "data file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := dataFile(t)
			c.make(t, path)
			db, err := sqlite.Open(path)
			if err == nil {
				db.Close()
				t.Fatal("it was opened")
			}
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.names) {
				t.Errorf("the message does not help: %v", err)
			}
		})
	}
}

func TestAFileIsOpenedAgain(t *testing.T) {
	t.Parallel()
	path := dataFile(t)
	db := open(t, path)
	must(t, db.Do(t.Context(), run(makeTable)))
	must(t, db.Do(t.Context(), insert(7)))
	must(t, db.Close())
	if got := numbers(t, open(t, path)); !slices.Equal(got, []int{7}) {
		t.Fatalf("kept %v", got)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the file has another name: %v", err)
	}
}
