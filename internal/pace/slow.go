package pace

import "time"

const (
	// firstLearned is the interval that is learned where none was known, and
	// mostLearned the longest.
	firstLearned = 100 * time.Millisecond
	mostLearned  = time.Minute
	// halves is after how long what was learned is halved, and forgets when it is
	// gone whatever it was.
	halves  = time.Minute
	forgets = 10 * halves
	// MostStopped is for how long a key is stopped at most.
	MostStopped = 24 * time.Hour
)

// Slow is that somebody refused to be sent so much so soon.
type Slow struct {
	Key string
	// Rate is the one that was kept, as far as it was known.
	Rate
	Now time.Time
	// Until is before when nothing shall be sent, if they said so; zero where they did
	// not.
	Until time.Time
	// Seen is as Ask has it.
	Seen State
}

// Slower is the state after a refusal. Nothing goes before Until. Where they did not
// say when, or no rate was known, a slower one is learned: twice the interval. What was
// under way at the same time and is refused too teaches nothing more. It is pure.
func Slower(s State, r Slow) State {
	now, held := floor(r.Now), s.Rate(r.Rate, r.Now)
	if until := now.Add(MostStopped); r.Until.After(until) {
		r.Until = until
	}
	if until := floor(r.Until).Add(held.slack()); r.Until.After(now) && until.After(s.Go) {
		s.Go = until
	}
	said := r.Until.After(now) && r.Rate.Interval > 0
	if said || s.Interval > 0 && now.Sub(s.Learned) < time.Second+2*s.Interval {
		return s
	}
	s.Interval, s.Learned = min(max(2*held.Interval, firstLearned), max(mostLearned, r.Rate.Interval)), now
	return s
}

// learned is what of a learned interval holds at a time.
func (s State) learned(now time.Time) time.Duration {
	age := now.Sub(s.Learned)
	if s.Interval <= 0 || age >= forgets {
		return 0
	}
	d := (s.Interval >> max(int(age/halves), 0)).Truncate(Grain)
	if d < firstLearned/2 {
		return 0
	}
	return d
}

// span is the time around another in which what was learned is not halved.
func (s State) span(at time.Time) (from, to time.Time) {
	switch n := at.Sub(s.Learned) / halves; {
	case s.Interval <= 0:
		return time.Time{}, endless
	case n < 1:
		return time.Time{}, s.Learned.Add(halves)
	case n >= forgets/halves:
		return s.Learned.Add(forgets), endless
	default:
		return s.Learned.Add(n * halves), s.Learned.Add((n + 1) * halves)
	}
}
