package sqlite

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/circuit"
)

// The circuits: a state is one JSON text. Only closed ones expire.
const (
	circuitsSchema = `CREATE TABLE circuits (
	circuit TEXT PRIMARY KEY,
	expires_at INTEGER,
	state TEXT NOT NULL
) WITHOUT ROWID`
	circuitsExpire = `CREATE INDEX circuits_expire ON circuits (expires_at) WHERE expires_at IS NOT NULL`
)

var expiringCircuits = expiringSome("circuits", "circuit")

// Circuits keeps the circuits of endpoints, as circuit.Store has it.
type Circuits struct {
	db *DB
	// Now says when a circuit was changed. Nil is the machine's clock.
	Now func() time.Time
}

// NewCircuits returns the circuits in db.
func NewCircuits(db *DB) *Circuits { return &Circuits{db: db} }

// Circuits is as circuit.Store has it.
func (c *Circuits) Circuits(ctx context.Context, names []circuit.Name) ([]circuit.State, error) {
	return c.KeptCircuits(ctx, circuit.Keys(names))
}

// KeptCircuits is as circuit.Store has it.
func (c *Circuits) KeptCircuits(ctx context.Context, keys []string) (states []circuit.State, err error) {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	err = c.db.Do(ctx, func(tx *Tx) error {
		states = nil
		for _, key := range slices.Compact(keys) {
			found, err := readCircuits(tx, "SELECT state FROM circuits WHERE circuit = ?", key)
			if err != nil {
				return err
			}
			states = append(states, found...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %d circuits: %w", len(keys), err)
	}
	return states, nil
}

// PutCircuit is as circuit.Store has it.
func (c *Circuits) PutCircuit(ctx context.Context, s circuit.State) (now circuit.State, err error) {
	text, err := json.Marshal(s)
	if err != nil {
		return now, fmt.Errorf("the circuit of %s: %w", s.URL, err)
	}
	var expires any
	if at := s.Expires(c.now()); !at.IsZero() {
		expires = at.Unix()
	}
	var changed bool
	err = c.db.Do(ctx, func(tx *Tx) error {
		now, changed = circuit.State{Name: s.Name}, false
		kept, err := readCircuits(tx, "SELECT state FROM circuits WHERE circuit = ?", s.Key())
		if err != nil {
			return err
		}
		if len(kept) > 0 {
			now = kept[0]
		}
		if changed = now.Version != s.Version-1; changed {
			return nil
		}
		now = s
		_, err = tx.Exec("INSERT OR REPLACE INTO circuits VALUES (?, ?, ?)", s.Key(), expires, string(text))
		return err
	})
	switch {
	case err != nil:
		return circuit.State{}, fmt.Errorf("keep the circuit of %s: %w", s.URL, err)
	case changed:
		return now, circuit.ErrChanged
	}
	return now, nil
}

func (c *Circuits) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// PageCircuits is as circuit.Store has it. Error: circuit.ErrCursor.
func (c *Circuits) PageCircuits(ctx context.Context, from string, limit int) (states []circuit.State, next string, err error) {
	if from != "" && !circuit.IsKey(from) {
		return nil, "", circuit.ErrCursor
	}
	err = c.db.Do(ctx, func(tx *Tx) error {
		states, err = readCircuits(tx, "SELECT state FROM circuits WHERE circuit > ? ORDER BY circuit LIMIT ?", from, limit)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("read circuits: %w", err)
	}
	if n := len(states); n > 0 && n == limit {
		next = states[n-1].Key()
	}
	return states, next, nil
}

// Expire removes the closed circuits that were changed Retention ago.
func (c *Circuits) Expire(ctx context.Context, now time.Time) error {
	return c.db.expireSome(ctx, expiringCircuits, now)
}

func readCircuits(tx *Tx, query string, args ...any) (states []circuit.State, err error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		var s circuit.State
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, damagedRow(err, "circuits", "")
		}
		states = append(states, s)
	}
	return states, rows.Err()
}
