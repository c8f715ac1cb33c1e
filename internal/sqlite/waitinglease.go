package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/efferent/efferent/internal/waiting"
)

// Lease is as waiting.Store has it.
func (w *Waiting) Lease(ctx context.Context, place waiting.Place, holder string, now, until time.Time) (ok bool, err error) {
	err = w.db.Do(ctx, func(tx *Tx) error {
		result, err := tx.Exec(`INSERT INTO waiting_leases VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE
			SET holder = excluded.holder, until = excluded.until
			WHERE waiting_leases.holder = excluded.holder OR waiting_leases.until <= ?4`, place, holder, until.UnixNano(), now.UnixNano())
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		ok = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("lease %s: %w", place, err)
	}
	return ok, nil
}

// Unlease is as waiting.Store has it.
func (w *Waiting) Unlease(ctx context.Context, place waiting.Place, holder string) error {
	err := w.db.Do(ctx, func(tx *Tx) error {
		_, err := tx.Exec("DELETE FROM waiting_leases WHERE place = ? AND holder = ?", place, holder)
		return err
	})
	if err != nil {
		return fmt.Errorf("give the lease of %s back: %w", place, err)
	}
	return nil
}

// Abandon removes all leases. It is for a start, when those who held them are
// known to be dead.
func (w *Waiting) Abandon(ctx context.Context) error {
	return w.db.Do(ctx, func(tx *Tx) error {
		_, err := tx.Exec("DELETE FROM waiting_leases")
		return err
	})
}

// Swept is as waiting.Store has it.
func (w *Waiting) Swept(ctx context.Context) (minute time.Time, err error) {
	err = w.db.Do(ctx, func(tx *Tx) error {
		minute = time.Time{}
		s, err := tx.Stmt("SELECT minute FROM waiting_swept")
		if err != nil {
			return err
		}
		var nanos int64
		switch err := s.QueryRow().Scan(&nanos); {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return err
		}
		minute = time.Unix(0, nanos).UTC()
		return nil
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("read what was swept: %w", err)
	}
	return minute, nil
}

// Sweep is as waiting.Store has it.
func (w *Waiting) Sweep(ctx context.Context, minute time.Time) error {
	err := w.db.Do(ctx, func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO waiting_swept VALUES (1, ?) ON CONFLICT DO UPDATE SET minute = max(minute, excluded.minute)",
			minute.UnixNano())
		return err
	})
	if err != nil {
		return fmt.Errorf("say what was swept: %w", err)
	}
	return nil
}
