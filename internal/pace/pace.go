// Package pace says when what must not go out faster than somebody takes it may go:
// notifications at their providers' limits, webhooks at an endpoint's rate. One state
// per key is shared by all processes. It has two registers, both of which move on by
// an interval for each that asks:
//
//   - Go is when the next may be sent. Who gets a time of it sends at that very time,
//     which is at most some seconds away, so that it is waited for in hand.
//   - Line is when the next who can't be sent that soon shall come back and ask again.
//     Who comes back goes before those who ask for the first time, so that nobody is
//     overtaken; who comes late has lost nothing.
//
// It is the generic cell rate algorithm (ITU-T I.371, its virtual scheduling), twice. It
// has no clock and no store of its own.
package pace

import "time"

// Rate is how fast something may go out.
type Rate struct {
	// Interval is between two; 0 where no limit is known.
	Interval time.Duration
	// Burst is how many may go at once after a rest; less than 1 means 1.
	Burst int
}

// PerSecond is the rate of so many a second; of 0 or less none is known.
func PerSecond(n float64) Rate {
	if n <= 0 {
		return Rate{}
	}
	return Rate{Interval: max(time.Duration(float64(time.Second)/n), Grain)}
}

// Grain is how exactly times are kept.
const Grain = time.Microsecond

// slack is how much earlier than by the interval alone the first of a burst may go.
func (r Rate) slack() time.Duration { return time.Duration(max(r.Burst, 1)-1) * r.Interval }

// State is what is known of a key. Its zero is that of one at rest. A Line that is not
// after Go says nothing: nobody is in line.
type State struct {
	Go, Line time.Time
	// Interval was learned from what was refused, at Learned. It counts where it is
	// longer than the rate's, and is halved for each minute since.
	Interval time.Duration
	Learned  time.Time
}

// Wish is that of one message.
type Wish struct {
	// Back says that it has waited for its turn before.
	Back bool
	// Until is how long it can wait at most; zero is without end.
	Until time.Time
}

// Turn is what a Wish gets.
type Turn struct {
	// Go says that it is to be sent at a time, and not before; otherwise it is to come
	// back and ask again then.
	Go bool
	// At is that time; zero where there is none by the Wish's Until. Then nothing was
	// taken for it.
	At time.Time
}

// Ask is what is asked of a key.
type Ask struct {
	// Key names what is paced: 1 to 256 bytes. It must hold nothing secret.
	Key string
	Rate
	// Wishes are in the order in which they get their turns.
	Wishes []Wish
	Now    time.Time
	// Patience is how far ahead a turn to go may be.
	Patience time.Duration
	// Seen is what was last known of the key, to go by first; its zero will do.
	Seen State
}

// Take gives each wish its turn, and what the state is then. It is pure.
func Take(s State, a Ask) (next State, turns []Turn) {
	rate, now := s.Rate(a.Rate, a.Now), floor(a.Now)
	next, turns = s, make([]Turn, len(a.Wishes))
	if rate.Interval == 0 && !s.Go.After(now) {
		for n := range turns {
			turns[n] = Turn{true, now}
		}
		return s, turns
	}
	slack := rate.slack()
	alone := !s.Line.After(later(s.Go, now))
	for n, w := range a.Wishes {
		due := later(next.Go, now)
		at := later(due.Add(-slack), now)
		if (w.Back || alone) && !at.After(now.Add(a.Patience)) {
			if !w.late(at) {
				next.Go, turns[n] = due.Add(rate.Interval), Turn{true, at}
			}
			continue
		}
		alone = false
		due = later(next.Line, due)
		then := s.lineRate(a.Rate, due)
		if at = later(due.Add(-then.slack()), now); !w.late(at) {
			next.Line, turns[n] = due.Add(then.Interval), Turn{false, at}
		}
	}
	return next, turns
}

func (w Wish) late(at time.Time) bool { return !w.Until.IsZero() && at.After(w.Until) }

// Rate is the one that holds: r, or what was learned where that is slower.
func (s State) Rate(r Rate, now time.Time) Rate {
	if learned := s.learned(now); learned > r.Interval {
		return Rate{Interval: learned}
	}
	r.Interval = r.Interval.Truncate(Grain)
	return r
}

// lineRate is the rate at which who is in line at a time comes back: what was learned
// will have been halved by then, unless more is refused, and then they only ask once
// more. So a line does not keep the pace of the minute in which it was made.
func (s State) lineRate(r Rate, at time.Time) Rate {
	r = s.Rate(r, at)
	if r.Interval == 0 && s.Interval > 0 {
		r.Interval = firstLearned / 2
	}
	return r
}

// LineSteady is from when and to when lineRate is what it is at Line; ok is false where
// it changes within so many wishes. They are for stores, as LatestLine.
func (s State) LineSteady(a Ask) (from, to time.Time, ok bool) {
	from, to = s.span(later(s.Line, floor(a.Now)))
	to = to.Add(-time.Duration(len(a.Wishes)) * s.lineRate(a.Rate, from).Interval)
	return from, to, !s.Line.After(to)
}

// Rest is when nothing of a state counts any more.
func (s State) Rest() time.Time {
	rest := later(s.Go, s.Line)
	if s.Interval > 0 {
		rest = later(rest, s.Learned.Add(forgets))
	}
	return rest
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func floor(t time.Time) time.Time { return t.Truncate(Grain).UTC() }

// LatestGo and LatestLine are the latest that Go, or Line, may be for every wish of an
// Ask to get its turn there. They are for stores that move a register on wherever it
// stands.
func (s State) LatestGo(a Ask) time.Time {
	return s.Rate(a.Rate, a.Now).latest(a, floor(a.Now).Add(a.Patience))
}

// LatestLine is as LatestGo has it.
func (s State) LatestLine(a Ask) time.Time {
	return s.lineRate(a.Rate, later(s.Line, floor(a.Now))).latest(a, endless)
}

// endless is later than anything waits.
var endless = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func (r Rate) latest(a Ask, most time.Time) time.Time {
	latest := endless
	for n, w := range a.Wishes {
		bound := most
		if !w.Until.IsZero() && w.Until.Before(bound) {
			bound = w.Until
		}
		if bound = bound.Add(r.slack() - time.Duration(n)*r.Interval); bound.Before(latest) {
			latest = bound
		}
	}
	return latest
}

// Micros is a time as stores keep it: in microseconds since 1970, 0 where there is none.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros is the time that Micros was given.
func FromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// Same reports whether two states are.
func (s State) Same(other State) bool {
	return s.Go.Equal(other.Go) && s.Line.Equal(other.Line) && s.Interval == other.Interval && s.Learned.Equal(other.Learned)
}
