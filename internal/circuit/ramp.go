package circuit

import "time"

const (
	// StepTime is how long a step of the ramp lasts: what goes out in it is to show
	// whether the endpoint bears the next one, twice as large.
	StepTime = 10 * time.Second
	// longestStep is how many go out in one step at most.
	longestStep = 1024
)

// Step is one of the ramp: how many of those that waited go out in it, and how long
// from now.
type Step struct {
	Count int
	In    time.Duration
}

// Resumed is a closed circuit whose ramp begins anew, where its endpoint has been
// paused since that began, and until at.
func (s State) Resumed(at time.Time) State {
	if !s.IsOpen() && at.After(s.ClosedAt) {
		s.ClosedAt, s.Ramp, s.Ramped = at, 0, time.Time{}
	}
	return s
}

// Steps are the steps of a closed circuit that begin within a time from now: 1, 2,
// 4, … go out in them, from when it was closed on. Next is the circuit once they
// are taken.
func (s State) Steps(now time.Time, within time.Duration) (next State, steps []Step) {
	if s.IsOpen() {
		return s, nil
	}
	at := now
	if s.Ramped.After(now) {
		at = s.Ramped
	}
	for ; at.Sub(now) < within; at = at.Add(StepTime) {
		s.Ramp = min(max(1, 2*s.Ramp), longestStep)
		s.Ramped = at.Add(StepTime)
		steps = append(steps, Step{s.Ramp, at.Sub(now)})
	}
	return s, steps
}

// Counts is how much of a wait for the circuit, since some time, counts as such, in
// whole seconds: what it was open, unless that is what its endpoint, or an operator,
// asked for.
func (s State) Counts(since, now time.Time) time.Duration {
	if s.Asked || s.Halted() {
		return 0
	}
	if s.Opened.After(since) {
		since = s.Opened
	}
	if !s.IsOpen() {
		now = s.ClosedAt
	}
	return max(0, now.Sub(since)).Truncate(time.Second)
}
