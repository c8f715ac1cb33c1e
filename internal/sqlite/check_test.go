package sqlite_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/sqlite"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	const fillAttempts = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
		INSERT INTO attempts SELECT printf('w%05d', i), 'm', '{"response":"' || hex(randomblob(300)) || '"}', 1, NULL, NULL, NULL, NULL FROM n`
	for name, c := range map[string]struct {
		harm  func(t *testing.T, path string)
		table string
		want  func(c sqlite.Checked, wrong []string) bool
	}{
		"sound": {func(*testing.T, string) {}, "attempts",
			func(c sqlite.Checked, wrong []string) bool { return c.Sound() && c.Rows == 3000 && len(wrong) == 0 }},
		"messages are counted": {func(*testing.T, string) {}, "messages",
			func(c sqlite.Checked, _ []string) bool { return c.Sound() && c.Rows == 2 }},
		"a row": {func(t *testing.T, path string) {
			foreign(t, path, `UPDATE attempts SET record = 'x' WHERE webhook_id = 'w00007'`)
		}, "attempts", func(c sqlite.Checked, wrong []string) bool {
			return c.Rows == 2999 && slices.Equal(c.Damaged, []string{"w00007 m"}) && c.Lost == "" && len(wrong) == 0
		}},
		"pages": {damage, "attempts", func(c sqlite.Checked, wrong []string) bool {
			// One of them may be a page that names some 30 others.
			return c.Rows > 2500 && c.Rows < 3000 && len(c.Damaged) == 0 && strings.HasPrefix(c.Lost, `rows after "w0`) && len(wrong) > 0
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := dataFile(t)
			db := open(t, path)
			must(t, sqlite.NewQueues(db).Apply(t.Context(), put()))
			must(t, db.Do(t.Context(), run(fillAttempts)))
			must(t, db.Close())
			c.harm(t, path)
			before, err := os.ReadFile(path)
			must(t, err)
			tables, wrong, err := sqlite.Check(t.Context(), path)
			must(t, err)
			i := slices.IndexFunc(tables, func(found sqlite.Checked) bool { return found.Table == c.table })
			if i < 0 || !c.want(tables[i], wrong) {
				t.Errorf("got %+v, %q", tables, wrong)
			}
			if after, err := os.ReadFile(path); err != nil || !slices.Equal(after, before) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

func TestCheckReadsWhatAKilledProcessLeft(t *testing.T) {
	t.Parallel()
	path := dataFile(t)
	db := open(t, path)
	must(t, sqlite.NewQueues(db).Apply(t.Context(), put()))
	if _, _, err := sqlite.Check(t.Context(), path); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("a file in use: %v", err)
	}
	left := dataFile(t) // with its log, as it is now
	for _, end := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + end)
		must(t, err)
		must(t, os.WriteFile(left+end, b, 0o600))
	}
	tables, wrong, err := sqlite.Check(t.Context(), left)
	messages := func(c sqlite.Checked) bool { return c.Table == "messages" && c.Rows == 2 }
	if err != nil || len(wrong) > 0 || !slices.ContainsFunc(tables, messages) {
		t.Errorf("got %+v, %q, %v", tables, wrong, err)
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	other := dataFile(t)
	foreign(t, other, `CREATE TABLE x (y)`)
	if _, _, err := sqlite.Check(t.Context(), other); !errors.Is(err, sqlite.ErrVersion) {
		t.Errorf("another program's file: %v", err)
	}
	none := dataFile(t)
	if _, _, err := sqlite.Check(t.Context(), none); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("it was made")
	}
}
