// Package circuit is the circuit breaker of an endpoint: it says when an endpoint
// is left alone, because it fails, is slow, or asks for it, and when it is tried
// again. What is shared by all invocations is a State in a Store; a Keeper asks
// and tells it. It has no clock and no store of its own.
package circuit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"time"
)

// Scope is what a circuit stands for.
type Scope string

// The scopes. What an endpoint answers counts for that endpoint alone: thousands of
// customers share a host. Only failures to connect count for the host too.
const (
	Endpoint Scope = "endpoint"
	Host     Scope = "host"
)

// Name is whose circuit it is.
type Name struct {
	Scope Scope `json:"scope"`
	// Tenant is whose endpoint it is; a host is nobody's.
	Tenant string `json:"tenant,omitzero"`
	// URL is scheme, host and port, and of an endpoint the path; without the query. Of
	// a registered endpoint it is the id, and there is no Tenant.
	URL string `json:"url"`
}

// Key is the name as a short text of letters, digits and hyphens.
func (n Name) Key() string {
	h := sha256.New()
	for _, part := range []string{string(n.Scope), n.Tenant, n.URL} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return string(n.Scope) + "-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// Keys are the keys of names, in their order.
func Keys(names []Name) []string {
	keys := make([]string, len(names))
	for i, n := range names {
		keys[i] = n.Key()
	}
	return keys
}

var keys = regexp.MustCompile(`^(endpoint|host)-[0-9a-f]{32}$`)

// IsKey reports whether a text can be the key of a name.
func IsKey(text string) bool { return keys.MatchString(text) }

// Phase is whether messages pass.
type Phase string

// The phases. A circuit is half open while it is open and its probe is under way.
const (
	Closed Phase = "closed"
	Open   Phase = "open"
)

// State is what is shared of a circuit. The zero State of a name is closed and at
// rest.
type State struct {
	Name
	Phase Phase `json:"phase,omitzero"`
	// Version counts the changes, and Change is a text of the last one alone: who
	// made it knows it again where the answer was lost.
	Version int64  `json:"version"`
	Change  string `json:"change,omitzero"`

	// Of a closed one: the failures in a row, and of the exchanges since Since how
	// many there were, and how many of them failed or were slow.
	Run   int       `json:"run,omitzero"`
	Since time.Time `json:"since,omitzero"`
	Total int       `json:"total,omitzero"`
	Bad   int       `json:"bad,omitzero"`

	// Of an open one: why, since when, and when the next probe is due; never where
	// Forever: it stays open until somebody closes it. Gone says of such a one that its
	// endpoint wants no more, so that nothing waits for it; without that an operator
	// has opened it. Opens is how many probes in a row it was opened for. Probe is until
	// when the one that is under way has its lease. Asked says that the endpoint
	// asked for it by Retry-After.
	Why     string    `json:"why,omitzero"`
	Opened  time.Time `json:"opened,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Forever bool      `json:"forever,omitzero"`
	Gone    bool      `json:"gone,omitzero"`
	Opens   int       `json:"opens,omitzero"`
	Probe   time.Time `json:"probe,omitzero"`
	Asked   bool      `json:"asked,omitzero"`

	// Awaited is when a message last said that it waits for this circuit in the
	// waiting room; zero where none can be there.
	Awaited time.Time `json:"awaited,omitzero"`

	// Of a registered endpoint: when the first of its failures was since the last
	// message that it took, zero where it failed none; how many there were, up to
	// enoughFails, and how often somebody was warned that it will be disabled.
	Failing time.Time `json:"failing,omitzero"`
	Fails   int       `json:"fails,omitzero"`
	Warned  int       `json:"warned,omitzero"`

	// Of one that was closed again: when, and how many of those that waited were let
	// go in the last step since, which ends at Ramped. Opened is as it was last open;
	// so is Asked, which is also set where an operator had opened it.
	ClosedAt time.Time `json:"closed_at,omitzero"`
	Ramp     int       `json:"ramp,omitzero"`
	Ramped   time.Time `json:"ramped,omitzero"`
}

// Limits are when a circuit opens, and for how long. The zero Limits are the
// defaults.
type Limits struct {
	// Threshold is how many failures in a row open it. Default: 5.
	Threshold int
	// Least is of how many exchanges of a minute half must have failed, or been slow,
	// to open it. Default: 20.
	Least int
	// First is how long it opens for at first, and Longest at most: it is twice as
	// long with each probe that fails. Default: 30 s, and 15 minutes.
	First, Longest time.Duration
	// Disable is for how long an endpoint may fail, without a success between, until
	// it is to be disabled; 0 is for ever.
	Disable time.Duration
}

// Defaults are l with what it leaves out.
func (l Limits) Defaults() Limits {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d <= 0 {
			*d = otherwise
		}
	}
	if l.Threshold <= 0 {
		l.Threshold = 5
	}
	if l.Least <= 0 {
		l.Least = 20
	}
	set(&l.First, 30*time.Second)
	set(&l.Longest, 15*time.Minute)
	return l
}

const (
	// window is how long exchanges are counted together.
	window = time.Minute
	// LeaseTime is how long a probe has: longer than any exchange, and what comes
	// before and after it in an invocation.
	LeaseTime = 40 * time.Second
)

// IsOpen reports whether messages have to wait.
func (s State) IsOpen() bool { return s.Phase == Open }

// AtRest reports whether nothing is counted that matters.
func (s State) AtRest(now time.Time) bool {
	return !s.IsOpen() && s.Run == 0 && (s.Bad == 0 || now.Sub(s.Since) >= window)
}

// Seen is what an invocation saw of an endpoint.
type Seen struct {
	// Total is how many exchanges there were, Bad how many of them failed or were
	// slow, and Run how many failed after the last that did not.
	Total, Bad, Run int
}

// Add counts one more exchange.
func (s *Seen) Add(failed, slow bool) {
	s.Total++
	if failed || slow {
		s.Bad++
	}
	if failed {
		s.Run++
	} else {
		s.Run = 0
	}
}

// Count adds what was seen to a closed circuit, and opens it where that is too
// much. Jitter gives numbers in [0,1).
func (s State) Count(seen Seen, now time.Time, l Limits, jitter func() float64) State {
	if now.Sub(s.Since) >= window {
		s.Since, s.Total, s.Bad = now, 0, 0
	}
	s.Total, s.Bad = s.Total+seen.Total, s.Bad+seen.Bad
	if seen.Run < seen.Total {
		s.Run = 0
	}
	s.Run += seen.Run
	switch {
	case s.Run >= l.Threshold:
		return s.open(fmt.Sprintf("%d failures in a row", s.Run), now, l, jitter)
	case s.Total >= l.Least && 2*s.Bad >= s.Total:
		return s.open(fmt.Sprintf("%d of %d exchanges within a minute failed or were slow", s.Bad, s.Total), now, l, jitter)
	}
	return s
}

// open opens it, for twice as long as the last time if its probe has failed since.
func (s State) open(why string, now time.Time, l Limits, jitter func() float64) State {
	wait := l.Longest
	if s.Opens < 16 { // more would overflow, and is the longest anyhow
		wait = min(l.First<<s.Opens, l.Longest)
	}
	wait += time.Duration(jitter() * float64(wait) / 10)
	next := s.anew(Open)
	next.Opens = s.Opens + 1
	next.Why, next.Opened, next.Until = why, now, now.Add(wait)
	if s.IsOpen() && !s.Asked { // what an endpoint asked for is not counted
		next.Opened = s.Opened
	}
	return next
}

// anew is the circuit in a phase, without what belongs to the one before.
func (s State) anew(p Phase) State {
	return State{Name: s.Name, Phase: p, Version: s.Version, Opens: s.Opens, Awaited: s.Awaited,
		Failing: s.Failing, Fails: s.Fails, Warned: s.Warned}
}

// ProbeFailed opens it again, for longer.
func (s State) ProbeFailed(why string, now time.Time, l Limits, jitter func() float64) State {
	return s.open(why, now, l, jitter)
}

// LeaveAlone opens it until the time that the endpoint asked for, which says nothing
// about how well it is.
func (s State) LeaveAlone(why string, now, until time.Time) State {
	if s.IsOpen() && (s.Forever || !until.After(s.Until)) {
		return s
	}
	next := s.anew(Open)
	next.Why, next.Opened, next.Until, next.Asked = why, now, until, true
	return next
}

// GiveUp opens it until somebody closes it: its endpoint wants no more. What somebody
// has opened stays so: nothing of it is to be lost.
func (s State) GiveUp(why string, now time.Time) State {
	if s.Forever {
		return s
	}
	next := s.anew(Open)
	next.Why, next.Opened, next.Forever, next.Gone = why, now, true, true
	return next
}

// Halt opens it until the one who says so, or another, closes it. What is for it
// waits meanwhile.
func (s State) Halt(why string, now time.Time) State {
	if s.Halted() {
		return s
	}
	next := s.anew(Open)
	next.Why, next.Opened, next.Forever = why, now, true
	return next
}

// Halted reports whether somebody has opened it.
func (s State) Halted() bool { return s.Forever && !s.Gone }

// Close lets messages pass again; those that waited go out in a ramp.
func (s State) Close(now time.Time) State {
	next := s.anew(Closed)
	next.Opens, next.ClosedAt = 0, now
	next.Opened, next.Asked = s.Opened, s.Asked || s.Halted()
	return next
}

// awaitedTime is how long saying so holds for those that come after.
const awaitedTime = time.Minute

// Await says that messages wait for it in the room, and reports whether that is
// news.
func (s State) Await(now time.Time) (State, bool) {
	if now.Sub(s.Awaited) < awaitedTime {
		return s, false
	}
	s.Awaited = now
	return s, true
}

// idleTime is how long after the last that came to wait nothing can be on its way
// into the room any more.
const idleTime = 5 * awaitedTime

// Left says that nothing waits for it any more, where that can be known.
func (s State) Left(now time.Time) (State, bool) {
	if s.IsOpen() || s.Awaited.IsZero() || now.Sub(s.Awaited) < idleTime {
		return s, false
	}
	s.Awaited, s.Ramp, s.Ramped = time.Time{}, 0, time.Time{}
	return s, true
}

// ProbeDue reports whether a probe may be made.
func (s State) ProbeDue(now time.Time) bool {
	return s.IsOpen() && !s.Forever && !now.Before(s.Until) && !now.Before(s.Probe)
}

// Lease gives a probe its time.
func (s State) Lease(now time.Time) State {
	s.Probe = now.Add(LeaseTime)
	return s
}

// NextProbe is when the next probe may be made, at the earliest.
func (s State) NextProbe() time.Time {
	if s.Probe.After(s.Until) {
		return s.Probe
	}
	return s.Until
}
