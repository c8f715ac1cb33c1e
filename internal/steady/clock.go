// Package steady is a clock that is not set back.
//
// What has to wait is given a time until which it waits. Where the machine's
// clock is set back by an hour, all of it would wait for an hour more. This one
// goes on instead, ahead of the machine's, and is slower than it until that has
// caught up.
package steady

import (
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

const (
	// tolerance is how much the machine's clock may be corrected by, at a time,
	// without being said to be set.
	tolerance = 100 * time.Millisecond
	// slower is the part of the time that passes by which the clock is slower
	// while it is ahead: what waits then waits for a ninth longer.
	slower = 10
)

// Clock is the machine's, unless that is set back. Its timers are the machine's.
type Clock struct {
	clockwork.Clock
	read func() reading

	mu    sync.Mutex
	last  reading
	ahead time.Duration
}

// reading is what the machine says: the time of day, which may be set, and the
// time since some moment, which can't be.
type reading struct {
	day    time.Time
	passed time.Duration
}

// New returns a Clock that agrees with the machine's.
func New() *Clock {
	began := time.Now()
	return newClock(func() reading {
		now := time.Now()
		return reading{day: now.Round(0), passed: now.Sub(began)}
	})
}

func newClock(read func() reading) *Clock {
	return &Clock{Clock: clockwork.NewRealClock(), read: read, last: read()}
}

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.read()
	passed := now.passed - c.last.passed
	set := now.day.Sub(c.last.day) - passed
	if set < -tolerance || set > tolerance {
		c.ahead -= set
	}
	c.ahead = max(0, c.ahead-passed/slower)
	c.last = now
	return now.day.Add(c.ahead)
}

// Since is how long ago t was.
func (c *Clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Until is how long it is until t.
func (c *Clock) Until(t time.Time) time.Duration { return t.Sub(c.Now()) }
