package sqlite

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/endpoint"
)

// The endpoints, each as one JSON text, and the rosters of their tenants. A tenant's
// endpoints are ordered by the roster's version that they came with.
const (
	endpointsSchema = `CREATE TABLE endpoints (
	id TEXT PRIMARY KEY,
	tenant TEXT NOT NULL,
	since INTEGER NOT NULL,
	version INTEGER NOT NULL,
	endpoint TEXT NOT NULL
) STRICT, WITHOUT ROWID`
	endpointsOfTenant = `CREATE INDEX endpoints_tenant ON endpoints (tenant, since)`
	rostersSchema     = `CREATE TABLE rosters (tenant TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID`
)

// Endpoints keeps the endpoints of tenants, as endpoint.Store has it.
type Endpoints struct{ db *DB }

// NewEndpoints returns the endpoints in db.
func NewEndpoints(db *DB) *Endpoints { return &Endpoints{db} }

// Endpoints is as endpoint.Store has it.
func (s *Endpoints) Endpoints(ctx context.Context, ids []string) (found []endpoint.Endpoint, err error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	err = s.db.Do(ctx, func(tx *Tx) error {
		found = nil
		for _, id := range slices.Compact(ids) {
			some, err := readEndpoints(tx, id)
			if err != nil {
				return err
			}
			found = append(found, some...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %d endpoints: %w", len(ids), err)
	}
	return found, nil
}

// Roster is as endpoint.Store has it.
func (s *Endpoints) Roster(ctx context.Context, tenant string) (r endpoint.Roster, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		r, err = readRoster(tx, tenant)
		return err
	})
	if err != nil {
		return endpoint.Roster{}, fmt.Errorf("read which endpoints the tenant %q has: %w", tenant, err)
	}
	return r, nil
}

// CreateEndpoint is as endpoint.Store has it.
func (s *Endpoints) CreateEndpoint(ctx context.Context, e endpoint.Endpoint, most int) error {
	return s.write(ctx, "keep", e, func(tx *Tx, kept []endpoint.Endpoint) error {
		if len(kept) > 0 {
			return endpoint.ErrTaken
		}
		r, err := readRoster(tx, e.Tenant)
		if err != nil {
			return err
		}
		if len(r.IDs) >= most {
			return endpoint.ErrTooMany
		}
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = tx.Exec("INSERT INTO endpoints VALUES (?, ?, ?, ?, ?)", e.ID, e.Tenant, r.Version, e.Version, string(text))
		return err
	})
}

// UpdateEndpoint is as endpoint.Store has it.
func (s *Endpoints) UpdateEndpoint(ctx context.Context, e endpoint.Endpoint) error {
	return s.write(ctx, "keep", e, func(tx *Tx, kept []endpoint.Endpoint) error {
		if err := isThere(kept, e, e.Version-1); err != nil {
			return err
		}
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE endpoints SET version = ?, endpoint = ? WHERE id = ?", e.Version, string(text), e.ID)
		return err
	})
}

// DeleteEndpoint is as endpoint.Store has it.
func (s *Endpoints) DeleteEndpoint(ctx context.Context, e endpoint.Endpoint) error {
	return s.write(ctx, "delete", e, func(tx *Tx, kept []endpoint.Endpoint) error {
		if err := isThere(kept, e, e.Version); err != nil {
			return err
		}
		_, err := tx.Exec("DELETE FROM endpoints WHERE id = ?", e.ID)
		return err
	})
}

// write changes an endpoint, and its tenant's roster with it.
func (s *Endpoints) write(ctx context.Context, what string, e endpoint.Endpoint, change func(*Tx, []endpoint.Endpoint) error) error {
	err := s.db.Do(ctx, func(tx *Tx) error {
		kept, err := readEndpoints(tx, e.ID)
		if err != nil {
			return err
		}
		if err := change(tx, kept); err != nil {
			return err
		}
		_, err = tx.Exec("INSERT INTO rosters VALUES (?, 1) ON CONFLICT DO UPDATE SET version = version + 1", e.Tenant)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s the endpoint %s: %w", what, e.ID, err)
	}
	return nil
}

func isThere(kept []endpoint.Endpoint, e endpoint.Endpoint, version int64) error {
	switch {
	case len(kept) == 0 || kept[0].Tenant != e.Tenant:
		return endpoint.ErrNotFound
	case kept[0].Version != version:
		return endpoint.ErrChanged
	}
	return nil
}

func readEndpoints(tx *Tx, id string) (found []endpoint.Endpoint, err error) {
	rows, err := tx.Query("SELECT endpoint FROM endpoints WHERE id = ?", id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		var e endpoint.Endpoint
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &e); err != nil {
			return nil, damagedRow(err, "endpoints", id)
		}
		found = append(found, e)
	}
	return found, rows.Err()
}

func readRoster(tx *Tx, tenant string) (r endpoint.Roster, err error) {
	rows, err := tx.Query(`SELECT rosters.version, id FROM rosters LEFT JOIN endpoints USING (tenant) WHERE tenant = ? ORDER BY since`, tenant)
	if err != nil {
		return r, err
	}
	defer rows.Close()
	for rows.Next() {
		var id *string
		if err := rows.Scan(&r.Version, &id); err != nil {
			return r, err
		}
		if id != nil {
			r.IDs = append(r.IDs, *id)
		}
	}
	return r, rows.Err()
}
