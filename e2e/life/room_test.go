package life

import (
	"context"
	"time"

	"github.com/efferent/efferent/internal/waiting"
)

// Enter tells by its name what it enters: something that waits, or that it need not.
func (s *stores) Enter(ctx context.Context, item waiting.Item) (state waiting.State, err error) {
	err = s.w.calls.do(ctx, "enter "+string(item.State), func() error {
		if state, err = s.Memory.Enter(ctx, item); err == nil && state == waiting.Waiting {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.dues[item.Position()] = item.Due
		}
		return err
	})
	return state, err
}

// due is when the next of what waits is due; zero where nothing waits.
func (s *stores) due() (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, due := range s.dues {
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	return next
}

func (s *stores) In(ctx context.Context, place waiting.Place, from string, limit int) (items []waiting.Item, err error) {
	err = s.w.calls.do(ctx, "read place", func() error {
		items, err = s.Memory.In(ctx, place, from, limit)
		return err
	})
	return items, err
}

func (s *stores) Any(ctx context.Context, place waiting.Place) (some bool, err error) {
	what := "look at an empty place"
	if some, err = s.Memory.Any(ctx, place); some {
		what = "look at a place"
	}
	err = s.w.calls.do(ctx, what, func() error { return err })
	return some && err == nil, err
}

func (s *stores) Settle(ctx context.Context, items []waiting.Item, as waiting.State) error {
	return s.w.calls.do(ctx, "settle "+string(as), func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, item := range items {
			delete(s.dues, item.Position())
		}
		return s.Memory.Settle(ctx, items, as)
	})
}

func (s *stores) Page(ctx context.Context, from string, limit int) (items []waiting.Item, next string, err error) {
	err = s.w.calls.do(ctx, "read page", func() error {
		items, next, err = s.Memory.Page(ctx, from, limit)
		return err
	})
	return items, next, err
}

func (s *stores) Lease(ctx context.Context, place waiting.Place, holder string, now, until time.Time) (ok bool, err error) {
	err = s.w.calls.do(ctx, "lease", func() error {
		ok, err = s.Memory.Lease(ctx, place, holder, now, until)
		return err
	})
	return ok, err
}

func (s *stores) Unlease(ctx context.Context, place waiting.Place, holder string) error {
	return s.w.calls.do(ctx, "unlease", func() error { return s.Memory.Unlease(ctx, place, holder) })
}

func (s *stores) Swept(ctx context.Context) (minute time.Time, err error) {
	err = s.w.calls.do(ctx, "read swept", func() error {
		minute, err = s.Memory.Swept(ctx)
		return err
	})
	return minute, err
}

func (s *stores) Sweep(ctx context.Context, minute time.Time) error {
	return s.w.calls.do(ctx, "sweep", func() error { return s.Memory.Sweep(ctx, minute) })
}
