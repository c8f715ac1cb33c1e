package circuit

import (
	"context"
	"time"
)

const (
	// enoughFails is how many failures show that an endpoint fails: of one that gets a
	// message a week two may be chance.
	enoughFails = 5
	// refusalsOf is how long after a success of a process what it sees refused says
	// nothing about an endpoint: most refuse a message now and then, and each would be
	// two writes.
	refusalsOf = time.Hour
)

// warnAt are the parts of Limits.Disable after which somebody is warned, in percent.
var warnAt = []time.Duration{50, 80}

// lasts is the circuit after what news says of how long its endpoint fails. What was
// before it was enabled does not count.
func (s State) lasts(n news, now time.Time, l Limits) State {
	switch {
	case n.enabled.IsZero():
		return s
	case n.delivered:
		s.Failing, s.Fails, s.Warned = time.Time{}, 0, 0
		return s
	case !n.failed && !n.refused:
		return s
	case s.Failing.Before(n.enabled): // zero too
		s.Failing, s.Fails, s.Warned = now, 0, 0
	}
	s.Fails = min(s.Fails+1, enoughFails)
	if l.Disable > 0 && s.Fails >= enoughFails {
		for nth, part := range warnAt {
			if now.Sub(s.Failing) >= l.Disable*part/100 {
				s.Warned = max(s.Warned, nth+1)
			}
		}
	}
	return s
}

// Overdue reports whether its endpoint has failed for as long as it may.
func (s State) Overdue(now time.Time, l Limits) bool {
	return l.Disable > 0 && !s.Failing.IsZero() && s.Fails >= enoughFails && now.Sub(s.Failing) >= l.Disable
}

// tried has what is known of a circuit decide whether a refusal says anything.
func (k *Keeper) tried(n Name, what *news) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.known[n]
	now := k.Now()
	switch {
	case what.enabled.IsZero() || !ok:
	case what.delivered:
		s.delivered = now
		k.known[n] = s
	case now.Sub(s.delivered) < refusalsOf:
		what.refused = false
	}
}

// fails tells of an endpoint that has failed again.
func (k *Keeper) fails(ctx context.Context, n news, s State, warns bool, l Limits) {
	if k.Failing == nil || n.delivered || !n.failed && !n.refused {
		return
	}
	if overdue := s.Overdue(k.Now(), l) && !s.Failing.Before(n.enabled); overdue || warns {
		k.Failing(context.WithoutCancel(ctx), s, overdue)
	}
}
