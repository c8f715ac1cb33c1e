package sqlite

import (
	"context"
	"fmt"
	"os"
)

const (
	// slackPages are free pages that the file keeps to be used again, besides a
	// quarter of all: 4 KiB each.
	slackPages = 256
	// giveBackAtOnce is how many free pages a transaction gives back.
	giveBackAtOnce = 128
)

// Tidy gives most of the file's free pages back to the system, in small
// transactions, and empties the log, in which what was deleted still stands.
func (db *DB) Tidy(ctx context.Context) error {
	for more := true; more; {
		err := db.Do(ctx, func(tx *Tx) error {
			var free, all int
			s, err := tx.Stmt("SELECT freelist_count, page_count FROM pragma_freelist_count, pragma_page_count")
			if err == nil {
				err = s.QueryRow().Scan(&free, &all)
			}
			if more = free > slackPages+all/4; err != nil || !more {
				return err
			}
			_, err = tx.Exec(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", giveBackAtOnce))
			return err
		})
		if err != nil {
			return fmt.Errorf("make the data file smaller: %w", err)
		}
	}
	if info, err := os.Stat(db.path + "-wal"); err != nil || info.Size() == 0 {
		return nil
	}
	err := db.do(ctx, &unit{alone: true, run: func(tx *Tx) error {
		_, err := tx.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		return err
	}})
	if err != nil {
		return fmt.Errorf("empty the data file's log: %w", err)
	}
	return nil
}
