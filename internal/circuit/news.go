package circuit

import "time"

// Result is what an exchange says about its endpoint.
type Result struct {
	Endpoint, Host Name
	// Failed says that the endpoint did not do what it should; Unreachable, that it
	// could not even be connected to. An answer that refuses a message is neither.
	// Slow, that it took so long that it is nearly one.
	Failed, Unreachable bool
	Slow                bool
	Why                 string
	// Until is until when it wants to be left alone, zero where it does not say so;
	// Gone, that it wants to be for good.
	Until time.Time
	Gone  bool
	// Probe are the circuits that it was the probe of.
	Probe []Name
	// Of a registered endpoint: since when it is enabled, and whether it took the
	// message, or refused it.
	Enabled            time.Time
	Delivered, Refused bool
}

// news is what results say about one circuit.
type news struct {
	Seen
	// before is how many went well before, and were not told of.
	before well
	// probe says that one of them was its probe, and probeFailed that this failed.
	probe, probeFailed bool
	// What the endpoint asked for: the most of it.
	until time.Time
	gone  bool
	// Of a registered endpoint: since when it is enabled; that it took a message, that
	// something failed, and that something was refused.
	enabled                    time.Time
	delivered, failed, refused bool
	// why is why it was gone, or else is to be left alone, or else its probe failed.
	why string
}

// newsOf sorts results by their circuits. What an endpoint asks for acts on that
// alone; what a probe shows, on those that it was the probe of.
func newsOf(results []Result) map[Name]*news {
	all := map[Name]*news{}
	of := func(n Name) *news {
		if all[n] == nil {
			all[n] = &news{}
		}
		return all[n]
	}
	for _, r := range results {
		of(r.Endpoint).Add(r.Failed || r.Unreachable, r.Slow)
		of(r.Host).Add(r.Unreachable, false)
		for _, n := range r.Probe {
			of(n).probed(r, n.Scope)
		}
		of(r.Endpoint).asked(r)
		of(r.Endpoint).registered(r)
	}
	return all
}

func (n *news) probed(r Result, scope Scope) {
	n.probe, n.probeFailed = true, r.Unreachable || r.Failed && scope == Endpoint
	if n.probeFailed && !n.gone && n.until.IsZero() {
		n.why = r.Why
	}
}

func (n *news) registered(r Result) {
	if r.Enabled.IsZero() {
		return
	}
	if r.Enabled.After(n.enabled) {
		n.enabled = r.Enabled
	}
	n.delivered, n.failed, n.refused = n.delivered || r.Delivered, n.failed || r.Failed, n.refused || r.Refused
}

func (n *news) asked(r Result) {
	switch {
	case r.Gone:
		n.gone, n.why = true, r.Why
	case r.Until.After(n.until) && !n.gone:
		n.until, n.why = r.Until, r.Why
	}
}

// learn is the circuit after news, and whether that is another one. Of one that is
// open only its probe says anything new, and what the endpoint asks for. Where that
// is to be left alone for longer than its failures come to, they do not count besides.
func (s State) learn(n news, now time.Time, l Limits, jitter func() float64) (next State, changed bool) {
	next = s
	switch {
	case !s.IsOpen():
		if n.Bad > 0 || s.Run > 0 {
			next = s.with(n.before).Count(n.Seen, now, l, jitter)
		}
	case !n.probe || s.Forever:
	case !n.probeFailed:
		next = s.Close(now)
	case !s.Probe.IsZero(): // else another has failed since, which counts once
		next = s.ProbeFailed(n.why, now, l, jitter)
	}
	switch {
	case n.gone:
		next = next.GiveUp(n.why, now)
	case n.until.After(now) && !(next.IsOpen() && next.Until.After(n.until)):
		next = s.LeaveAlone(n.why, now, n.until)
	}
	next = next.lasts(n, now, l)
	return next, next != s
}
