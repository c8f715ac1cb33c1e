package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/claim"
)

const claimsSchema = `CREATE TABLE claims (
	queue TEXT NOT NULL,
	item_id TEXT NOT NULL,
	claim TEXT NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (queue, item_id)
) WITHOUT ROWID`

var expiringClaims = newExpiring("claims", "queue", "item_id")

// Claims keeps who acts on what, as claim.Store has it.
type Claims struct{ db *DB }

// NewClaims returns the claims in db.
func NewClaims(db *DB) *Claims { return &Claims{db} }

// TakeClaim is as claim.Store has it.
func (s *Claims) TakeClaim(ctx context.Context, c claim.Claim) (other claim.Claim, err error) {
	err = s.db.Do(ctx, func(tx *Tx) error {
		other = claim.Claim{}
		found, ok, err := readClaim(tx, c.Queue, c.ItemID)
		if err != nil {
			return err
		}
		if ok && found.Blocks(c) {
			other = found
			return nil
		}
		return writeClaim(tx, c)
	})
	if err == nil && other.Token != "" {
		err = fmt.Errorf("item %s of %s: %w", c.ItemID, c.Queue, claim.ErrTaken)
	}
	return other, err
}

// PutClaim keeps c instead of any other claim on its item.
func (s *Claims) PutClaim(ctx context.Context, c claim.Claim) error {
	return s.db.Do(ctx, func(tx *Tx) error { return writeClaim(tx, c) })
}

// DropClaim is as claim.Store has it.
func (s *Claims) DropClaim(ctx context.Context, c claim.Claim) error {
	return s.db.Do(ctx, func(tx *Tx) error {
		found, ok, err := readClaim(tx, c.Queue, c.ItemID)
		if err != nil || !ok || found.Token != c.Token || found.Settled {
			return err
		}
		_, err = tx.Exec("DELETE FROM claims WHERE queue = ? AND item_id = ?", c.Queue, c.ItemID)
		return err
	})
}

// ClaimsOn returns the claims on these items, once each.
func (s *Claims) ClaimsOn(ctx context.Context, queue string, itemIDs []string) (claims []claim.Claim, err error) {
	ids := slices.Compact(slices.Sorted(slices.Values(itemIDs)))
	err = s.db.Do(ctx, func(tx *Tx) error {
		claims = nil
		for _, id := range ids {
			c, ok, err := readClaim(tx, queue, id)
			if err != nil {
				return err
			}
			if ok {
				claims = append(claims, c)
			}
		}
		return nil
	})
	return claims, err
}

// Expire removes the claims whose time is over.
func (s *Claims) Expire(ctx context.Context, now time.Time) error {
	return s.db.expire(ctx, expiringClaims, now)
}

// Abandon removes the claims on a queue and on its items that are not settled.
// It is for a start, when those who held them are known to be dead.
func (s *Claims) Abandon(ctx context.Context, queue string) error {
	return s.db.Do(ctx, func(tx *Tx) error {
		_, err := tx.Exec("DELETE FROM claims WHERE queue = ? AND NOT json_extract(claim, '$.settled')", queue)
		return err
	})
}

func readClaim(tx *Tx, queue, itemID string) (c claim.Claim, ok bool, err error) {
	stmt, err := tx.Stmt("SELECT claim FROM claims WHERE queue = ? AND item_id = ?")
	if err != nil {
		return c, false, err
	}
	var text []byte
	switch err := stmt.QueryRow(queue, itemID).Scan(&text); {
	case errors.Is(err, sql.ErrNoRows):
		return c, false, nil
	case err != nil:
		return c, false, fmt.Errorf("read the claim on item %s of %s: %w", itemID, queue, err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, false, damagedRow(err, "claims", queue+" "+itemID)
	}
	return c, true, nil
}

func writeClaim(tx *Tx, c claim.Claim) error {
	text, err := json.Marshal(c)
	if err == nil {
		_, err = tx.Exec("INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)", c.Queue, c.ItemID, string(text), c.At.Add(claim.Retention).Unix())
	}
	if err != nil {
		return fmt.Errorf("keep the claim on item %s of %s: %w", c.ItemID, c.Queue, err)
	}
	return nil
}
