package assembly

import (
	"context"
	"log/slog"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/sqlite"
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

// Sweeper takes what has expired out of a data file, while it is in use.
type Sweeper struct {
	db     *sqlite.DB
	swept  []swept
	expire []expiring
	clock  clockwork.Clock
	log    *slog.Logger
}

// NewSweeper makes what deletes what has expired from a data file, and from parts beside it.
func NewSweeper(db *sqlite.DB, kept Stores, clock clockwork.Clock, log *slog.Logger, parts ...swept) *Sweeper {
	return &Sweeper{db: db, swept: parts, expire: kept.expire, clock: clock, log: log}
}

// Run sweeps at once and then by the clock, until ctx ends. Without a data file
// there is nothing to sweep.
func (s *Sweeper) Run(ctx context.Context) {
	if s == nil {
		return
	}
	var next time.Time // when the records are read through again
	ByTheClock(ctx, s.clock, sweepEvery, func(ctx context.Context) {
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

func (s *Sweeper) tell(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.Error("what has expired could not be deleted; it is tried again", "error", err)
	}
}
