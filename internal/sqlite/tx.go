package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// Tx is the transaction that a unit runs in. It is valid only until the unit
// returns, and only on the unit's goroutine. Rows must be closed before the
// unit returns.
type Tx struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// Stmt is the prepared statement for query. Each text is prepared once and
// kept until the file is closed, so query must be one of a few constants.
func (tx *Tx) Stmt(query string) (*sql.Stmt, error) {
	if s, ok := tx.stmts[query]; ok {
		return s, nil
	}
	s, err := tx.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	tx.stmts[query] = s
	return s, nil
}

// Exec runs a statement that gives no rows.
func (tx *Tx) Exec(query string, args ...any) (sql.Result, error) {
	s, err := tx.Stmt(query)
	if err != nil {
		return nil, err
	}
	return s.Exec(args...)
}

// Query runs a statement that gives rows. The caller closes them.
func (tx *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	s, err := tx.Stmt(query)
	if err != nil {
		return nil, err
	}
	return s.Query(args...)
}
