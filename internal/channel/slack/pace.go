package slack

import (
	"context"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

// pace lets one message through per interval. The zero value is ready.
type pace struct {
	mu   sync.Mutex
	next time.Time // when the next one may go
}

// wait returns 0 when it is the caller's turn. If that takes longer than
// limit, or than ctx lasts, it returns at once how long, and takes no turn.
func (p *pace) wait(ctx context.Context, clock clockwork.Clock, interval, limit time.Duration) (time.Duration, error) {
	if deadline, ok := ctx.Deadline(); ok {
		limit = max(min(limit, time.Until(deadline)), 0)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	turn := p.take(clock.Now(), interval, limit)
	if turn > limit {
		return turn, nil
	}
	if turn == 0 {
		return 0, nil
	}
	select {
	case <-clock.After(turn):
		return 0, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (p *pace) take(now time.Time, interval, limit time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	turn := max(p.next.Sub(now), 0)
	if turn <= limit {
		p.next = now.Add(turn + interval)
	}
	return turn
}

// hold lets nobody through before a time.
func (p *pace) hold(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.next) {
		p.next = until
	}
}
