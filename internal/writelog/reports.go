package writelog

import (
	"context"
	"time"

	"github.com/efferent/efferent/internal/attempt"
)

// PutReport is as attempt.Reports has it. Every read takes the report from the store
// behind, beside the record there: one that is in the log only is brought there first.
func (a *Attempts) PutReport(ctx context.Context, r attempt.Record, rep attempt.Report) error {
	if a.holds(r) {
		if err := a.bring(ctx); err != nil {
			return err
		}
	}
	return a.behind.PutReport(ctx, r, rep)
}

func (a *Attempts) holds(r attempt.Record) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.recent.fold.holds(r) || a.leaving != nil && a.leaving.fold.holds(r)
}

// KeepOnward is the store's behind.
func (a *Attempts) KeepOnward(ctx context.Context, webhookID, sortKey string, message []byte, until time.Time) error {
	return a.behind.KeepOnward(ctx, webhookID, sortKey, message, until)
}

// Onward is the store's behind.
func (a *Attempts) Onward(ctx context.Context, webhookID, sortKey string) ([]byte, error) {
	return a.behind.Onward(ctx, webhookID, sortKey)
}
