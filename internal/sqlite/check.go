package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Checked is what a table of a data file was found to hold.
type Checked struct {
	Table string `json:"table"`
	// Rows can be read, and hold what they should.
	Rows int `json:"rows"`
	// Damaged are rows that can be read, and hold something else: their keys.
	Damaged []string `json:"damaged,omitempty"`
	// Lost says between which keys rows can't be read; empty when all can.
	Lost string `json:"lost,omitempty"`
}

// Sound: nothing is wrong with the table.
func (c Checked) Sound() bool { return len(c.Damaged) == 0 && c.Lost == "" }

// checks are the tables, what tells their rows apart, and which of their columns
// are JSON.
var checks = []struct {
	table string
	key   []string
	json  []string
}{
	{"file", []string{"id"}, nil},
	{"queues", []string{"name"}, []string{"attributes", "tags"}},
	{"messages", []string{"key"}, nil},
	{"dedups", []string{"key"}, nil},
	{"move_tasks", []string{"handle"}, nil},
	{"secrets", []string{"name"}, []string{"secret"}},
	{"attempts", []string{"webhook_id", "message_attempt"}, []string{"record"}},
	{"claims", []string{"queue", "item_id"}, []string{"claim"}},
	{"waiting", []string{"place", "position"}, []string{"item"}},
	{"circuits", []string{"circuit"}, []string{"state"}},
	{"paces", []string{"pace"}, nil},
	{"ledger_heads", []string{"lane"}, nil},
	{"ledger_staged", []string{"lane", "ends", "root"}, nil},
}

// Check reads a data file row by row, and says what is in each of its tables, and
// what SQLite finds wrong with the file as a whole. It changes nothing, but that
// the log that a killed process left is taken into the file, as at any start. No
// other process may have it. Errors: those of Open.
func Check(ctx context.Context, path string) (tables []Checked, wrong []string, err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, nil, err
	}
	pool, err := sql.Open("sqlite", dsn(path)+"?mode=rw&_pragma=locking_mode(EXCLUSIVE)&_pragma=query_only(1)")
	if err != nil {
		return nil, nil, err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, nil, explain(path, err)
	}
	defer conn.Close()
	if _, err := currentVersion(ctx, conn); err != nil && code(err) != corrupt {
		if code(err) == 0 {
			err = fmt.Errorf("data file %s: %w", path, err)
		}
		return nil, nil, explain(path, err)
	}
	for _, c := range checks {
		k := checking{conn: conn, table: c.table, key: c.key, json: c.json}
		found, err := k.run(ctx)
		if errors.Is(err, errNoTable) {
			continue // the file is of an earlier version
		}
		if err != nil {
			return nil, nil, explain(path, err)
		}
		tables = append(tables, found)
	}
	return tables, integrity(ctx, conn), nil
}

// integrity is what SQLite finds wrong.
func integrity(ctx context.Context, conn *sql.Conn) (wrong []string) {
	rows, err := conn.QueryContext(ctx, "PRAGMA integrity_check(20)")
	if err != nil {
		return []string{err.Error()}
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return append(wrong, err.Error())
		}
		if line != "ok" {
			wrong = append(wrong, strings.Split(line, "\n")...)
		}
	}
	if err := rows.Err(); err != nil {
		wrong = append(wrong, err.Error())
	}
	return wrong
}

// checking reads one table.
type checking struct {
	conn  *sql.Conn
	table string
	key   []string
	json  []string
	found Checked
}

var errNoTable = errors.New("there is no such table")

// run reads from the first row on, and, where it comes to rows that can't be
// read, from the last one back.
func (k *checking) run(ctx context.Context) (Checked, error) {
	k.found.Table = k.table
	first, err := k.read(ctx, "")
	if err == nil || code(err) != corrupt {
		return k.found, err
	}
	last, err := k.read(ctx, " DESC")
	if err != nil && code(err) != corrupt {
		return k.found, err
	}
	k.found.Lost = fmt.Sprintf("rows after %q and before %q", first, last)
	return k.found, nil
}

// read returns the key of the last row that it could read.
func (k *checking) read(ctx context.Context, order string) (last string, err error) {
	rows, err := k.conn.QueryContext(ctx, "SELECT * FROM "+k.table+" ORDER BY "+strings.Join(k.key, order+", ")+order)
	if err != nil {
		if strings.Contains(err.Error(), "no such table") {
			return "", errNoTable
		}
		return "", err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return "", err
	}
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return last, err
		}
		row := map[string]any{}
		for i, name := range names {
			row[name] = values[i]
		}
		last = k.look(row)
	}
	return last, rows.Err()
}

// look checks a row, and returns its key.
func (k *checking) look(row map[string]any) string {
	var parts []string
	for _, name := range k.key {
		if b, ok := row[name].([]byte); ok {
			parts = append(parts, fmt.Sprintf("%x", b))
			continue
		}
		parts = append(parts, fmt.Sprint(row[name]))
	}
	key := strings.Join(parts, " ")
	for _, name := range k.json {
		if !json.Valid(fmt.Append(nil, row[name])) {
			k.found.Damaged = append(k.found.Damaged, key)
			return key
		}
	}
	k.found.Rows++
	return key
}
