package sqlite

import (
	"context"

	"github.com/efferent/efferent/internal/attempt"
)

// The index of attempts at registered endpoints is on two columns that only those
// have: the endpoint, and the position.
const (
	endpointColumn     = `ALTER TABLE attempts ADD COLUMN endpoint TEXT; ALTER TABLE attempts ADD COLUMN endpoint_at TEXT`
	attemptsOfEndpoint = `CREATE INDEX attempts_of_endpoint ON attempts (endpoint, endpoint_at) WHERE endpoint IS NOT NULL`
)

// newestOfEndpoint is refused by SQLite if it can't use the index.
const newestOfEndpoint = `SELECT record FROM attempts INDEXED BY attempts_of_endpoint
	WHERE endpoint = ? AND endpoint_at >= ? AND endpoint_at < ? ORDER BY endpoint_at DESC LIMIT ?`

// NewestOfEndpoint is as attempt.OfEndpoints has it.
func (a *Attempts) NewestOfEndpoint(ctx context.Context, endpoint string, from, before attempt.Position, limit int) ([]attempt.Record,
	error) {
	if before == "" {
		before = "~" // after every time
	}
	return a.query(ctx, newestOfEndpoint, endpoint, string(from), string(before), limit)
}

func endpointPosition(r attempt.Record) any {
	if r.Endpoint == "" {
		return nil
	}
	return string(r.Position())
}
