package notify

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/waiting"
)

// stores are what the handler keeps things in, and what its tests look at.
type stores interface {
	attempt.Store
	claim.Store
	pace.Store
	recipient.Store
	suppression.Store
	batch.Room
	ClaimsOn(ctx context.Context, queue string, itemIDs []string) ([]claim.Claim, error)
	Page(ctx context.Context, from string, limit int) (items []waiting.Item, next string, err error)
	Settle(ctx context.Context, items []waiting.Item, as waiting.State) error
}

// kinds are the stores that the faults are walked through with: the tests' own, and
// those of dev and worker.
var kinds = map[string]func(*testing.T) stores{
	"memory": func(*testing.T) stores { return &storetest.Memory{} },
	"SQLite": func(t *testing.T) stores { return onDisk(t, ":memory:") },
}

// pacesOnDisk has another name than its method.
type pacesOnDisk = sqlite.Paces

// rest is what is kept of tenants, in memory with either kind.
type rest struct{ *storetest.Memory }

// real are SQLite's.
type real struct {
	*sqlite.Attempts
	*sqlite.Claims
	*pacesOnDisk
	room *sqlite.Waiting
	rest
}

func onDisk(t *testing.T, path string) real {
	t.Helper()
	if path != ":memory:" {
		path = filepath.Join(t.TempDir(), path)
	}
	db, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return real{sqlite.NewAttempts(db), sqlite.NewClaims(db), sqlite.NewPaces(db), sqlite.NewWaiting(db), rest{&storetest.Memory{}}}
}

func (r real) Enter(ctx context.Context, item waiting.Item) (waiting.State, error) {
	return r.room.Enter(ctx, item)
}

func (r real) Page(ctx context.Context, from string, limit int) ([]waiting.Item, string, error) {
	return r.room.Page(ctx, from, limit)
}

func (r real) Settle(ctx context.Context, items []waiting.Item, as waiting.State) error {
	return r.room.Settle(ctx, items, as)
}
