package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/writelog"
)

const (
	// sweepEvery is how often messages past their retention are deleted, and the
	// data file gives back what it does not need.
	sweepEvery = time.Minute
	// expireEvery is how often the records are read through for those whose time
	// is over: they live for days.
	expireEvery = time.Hour
)

// expiring is a store whose rows have their time. Expire deletes those whose
// time is over by now, and holds nobody up.
type expiring interface {
	Expire(ctx context.Context, now time.Time) error
}

// swept deletes by its own clock what has expired.
type swept interface {
	Sweep(context.Context) error
}

// sqliteStores are the stores in a data file.
func sqliteStores(db *sqlite.DB, now func() time.Time) stores {
	attempts, claims, room := sqlite.NewAttempts(db), sqlite.NewClaims(db), sqlite.NewWaiting(db)
	circuits, paces, events := sqlite.NewCircuits(db), sqlite.NewPaces(db), sqlite.NewEvents(db)
	suppressed := sqlite.NewSuppressions(db)
	room.Now, circuits.Now = now, now
	return stores{
		attempts: attempts, claims: claims, room: room, circuits: circuits, paces: paces,
		endpoints: sqlite.NewEndpoints(db), events: events, recipients: sqlite.NewRecipients(db), suppressed: suppressed,
		templates: sqlite.NewTemplates(db),
		expire:    []expiring{attempts, claims, room, circuits, paces, events, suppressed},
		close:     func() {},
	}
}

// openStores are those with the attempts' log before the data file at a path. They must
// be closed before that.
func openStores(ctx context.Context, db *sqlite.DB, path string, now func() time.Time, log *slog.Logger) (stores, error) {
	kept := sqliteStores(db, now)
	if path == ":memory:" {
		return kept, nil
	}
	attempts, err := writelog.OpenAttempts(ctx, path, db.ID(), sqlite.NewAttempts(db), writelog.Options{Logger: log})
	if err != nil {
		return stores{}, err
	}
	kept.attempts = attempts
	kept.close = func() {
		if err := attempts.Close(); err != nil {
			log.Error("the last records of attempts did not get to the data file; the next start brings them there", "error", err)
		}
	}
	return kept, nil
}

// sweeper takes what has expired out of a data file, while it is in use.
type sweeper struct {
	db     *sqlite.DB
	swept  []swept
	expire []expiring
	clock  clockwork.Clock
	log    *slog.Logger
}

func newSweeper(db *sqlite.DB, kept stores, clock clockwork.Clock, log *slog.Logger, parts ...swept) *sweeper {
	return &sweeper{db: db, swept: parts, expire: kept.expire, clock: clock, log: log}
}

// run sweeps at once and then by the clock, until ctx ends. Without a data file
// there is nothing to sweep.
func (s *sweeper) run(ctx context.Context) {
	if s == nil {
		return
	}
	var next time.Time // when the records are read through again
	byTheClock(ctx, s.clock, sweepEvery, func(ctx context.Context) {
		for _, part := range s.swept {
			s.tell(ctx, part.Sweep(ctx))
		}
		if now := s.clock.Now(); !now.Before(next) {
			next = now.Add(expireEvery)
			for _, store := range s.expire {
				s.tell(ctx, store.Expire(ctx, now))
			}
		}
		s.tell(ctx, s.db.Tidy(ctx))
	})
}

func (s *sweeper) tell(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.Error("what has expired could not be deleted; it is tried again", "error", err)
	}
}
