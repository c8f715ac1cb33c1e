package circuit

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	hook = Name{Endpoint, "acme", "https://a.test/in"}
	std  = Limits{}.Defaults()
)

func still() float64 { return 0 }

// step is what happens to a circuit, some time after the step before.
type step struct {
	after time.Duration
	do    func(s State, now time.Time) State
}

func saw(total, bad, run int) func(State, time.Time) State {
	return func(s State, now time.Time) State { return s.Count(Seen{total, bad, run}, now, std, still) }
}

func probeFails(s State, now time.Time) State { return s.ProbeFailed("down", now, std, still) }
func closes(s State, now time.Time) State     { return s.Close(now) }
func asks(d time.Duration) func(State, time.Time) State {
	return func(s State, now time.Time) State { return s.LeaveAlone("503", now, now.Add(d)) }
}
func gives(s State, now time.Time) State { return s.GiveUp("410", now) }
func halts(s State, now time.Time) State { return s.Halt("by ann", now) }

// TestState walks circuits through what happens to them.
func TestState(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		steps []step
		// open is for how long after the last step, -1 for ever, 0 not at all.
		open time.Duration
		rest bool
		why  string
	}{
		"nothing":       {nil, 0, true, ""},
		"success":       {[]step{{0, saw(9, 0, 0)}}, 0, true, ""},
		"four in a row": {[]step{{0, saw(4, 4, 4)}}, 0, false, ""},
		"five in a row": {[]step{{0, saw(5, 5, 5)}}, 30 * time.Second, false, "5 failures in a row"},
		"five in a row, of two": {[]step{{0, saw(3, 3, 3)}, {time.Hour, saw(2, 2, 2)}}, 30 * time.Second, false,
			"5 failures in a row"},
		"a success between":    {[]step{{0, saw(4, 4, 4)}, {0, saw(1, 0, 0)}, {0, saw(4, 4, 4)}}, 0, false, ""},
		"a success in between": {[]step{{0, saw(4, 4, 4)}, {0, saw(5, 4, 4)}}, 0, false, ""},
		"every second of 20": {[]step{{0, saw(10, 5, 1)}, {59 * time.Second, saw(10, 5, 1)}}, 30 * time.Second, false,
			"10 of 20 exchanges"},
		"every second of 19":           {[]step{{0, saw(19, 10, 1)}}, 0, false, ""},
		"less than half":               {[]step{{0, saw(21, 10, 1)}}, 0, false, ""},
		"every second, a minute later": {[]step{{0, saw(10, 5, 1)}, {time.Minute, saw(10, 5, 1)}}, 0, false, ""},
		"slow":                         {[]step{{0, saw(20, 10, 0)}}, 30 * time.Second, false, "or were slow"},
		"at rest after a minute": {[]step{{0, saw(3, 1, 0)}, {time.Minute, func(s State, _ time.Time) State { return s }}}, 0, true,
			""},
		"its probe fails": {[]step{{0, saw(5, 5, 5)}, {time.Minute, probeFails}}, time.Minute, false, "down"},
		"its third probe fails": {[]step{{0, saw(5, 5, 5)}, {0, probeFails}, {0, probeFails}, {0, probeFails}}, 4 * time.Minute, false,
			"down"},
		"its hundredth": {append([]step{{0, saw(5, 5, 5)}}, times(99, probeFails)...), 15 * time.Minute, false, "down"},
		"closed":        {[]step{{0, saw(5, 5, 5)}, {0, probeFails}, {0, closes}}, 0, true, ""},
		"closed and open again": {[]step{{0, saw(5, 5, 5)}, {0, probeFails}, {0, closes}, {0, saw(5, 5, 5)}}, 30 * time.Second, false,
			"5"},
		"asks to be left alone":            {[]step{{0, asks(time.Hour)}}, time.Hour, false, "503"},
		"asks for less than it is open":    {[]step{{0, asks(time.Hour)}, {time.Minute, asks(time.Second)}}, 59 * time.Minute, false, "503"},
		"asks for more":                    {[]step{{0, saw(5, 5, 5)}, {0, asks(time.Hour)}}, time.Hour, false, "503"},
		"gone":                             {[]step{{0, gives}}, -1, false, "410"},
		"gone, and asks":                   {[]step{{0, gives}, {0, asks(time.Hour)}}, -1, false, "410"},
		"gone, and somebody has closed it": {[]step{{0, gives}, {0, closes}}, 0, true, ""},
		"opened by hand":                   {[]step{{0, halts}, {0, asks(time.Hour)}}, -1, false, "by ann"},
		"opened by hand, and gone":         {[]step{{0, halts}, {0, gives}}, -1, false, "by ann"},
		"gone, and opened by hand":         {[]step{{0, gives}, {0, halts}}, -1, false, "by ann"},
	} {
		s, now := State{Name: hook, Version: 7}, noon
		for _, step := range c.steps {
			now = now.Add(step.after)
			s = step.do(s, now)
		}
		if s.IsOpen() != (c.open != 0) || s.Forever != (c.open < 0) || c.open > 0 && !s.Until.Equal(now.Add(c.open)) {
			t.Errorf("%s: %+v", name, s)
		}
		if s.Gone != (s.Why == "410") || s.Halted() != (s.Why == "by ann") {
			t.Errorf("%s: %+v", name, s)
		}
		if s.AtRest(now) != c.rest || !strings.Contains(s.Why, c.why) || s.Name != hook || s.Version != 7 {
			t.Errorf("%s: at rest: %v; %+v", name, s.AtRest(now), s)
		}
	}
}

func times(n int, do func(State, time.Time) State) (all []step) {
	for range n {
		all = append(all, step{0, do})
	}
	return all
}

// TestAskingIsNotCountedBesides: a Retry-After that is longer than what failing
// comes to leaves the backoff as it was; a shorter one is a failure like others.
func TestAskingIsNotCountedBesides(t *testing.T) {
	t.Parallel()
	opened := saw(5, 5, 5)(State{Name: hook}, noon)
	due := opened.Lease(opened.Until)
	now := due.Until
	for name, c := range map[string]struct {
		s     State
		n     news
		until time.Duration
		asked bool
		opens int // and, where it stays open, with the probe after it
	}{
		"a probe, for an hour":     {due, news{probe: true, probeFailed: true, until: now.Add(time.Hour)}, time.Hour, true, 1},
		"a probe, for a second":    {due, news{probe: true, probeFailed: true, until: now.Add(time.Second)}, time.Minute, false, 2},
		"a probe, for as long":     {due, news{probe: true, probeFailed: true, until: now.Add(time.Minute)}, time.Minute, true, 1},
		"another, for an hour":     {due, news{Seen: Seen{1, 1, 1}, until: now.Add(time.Hour)}, time.Hour, true, 1},
		"a probe, and it is over":  {due, news{probe: true, probeFailed: true, until: now.Add(-1)}, time.Minute, false, 2},
		"the fifth, for an hour":   {State{Run: 4}, news{Seen: Seen{1, 1, 1}, until: now.Add(time.Hour)}, time.Hour, true, 0},
		"the fifth, for a second":  {State{Run: 4}, news{Seen: Seen{1, 1, 1}, until: now.Add(time.Second)}, 30 * time.Second, false, 1},
		"the first, for a second":  {State{}, news{Seen: Seen{1, 1, 1}, until: now.Add(time.Second)}, time.Second, true, 0},
		"the first, and it's over": {State{}, news{Seen: Seen{1, 1, 1}, until: now}, 0, false, 0},
	} {
		got, changed := c.s.learn(c.n, now, std, still)
		if !changed || got.IsOpen() != (c.until > 0) || got.Asked != c.asked || got.Opens != c.opens ||
			got.IsOpen() && !got.Until.Equal(now.Add(c.until)) {
			t.Errorf("%s: %+v", name, got)
		}
		if !got.IsOpen() && got.Run != 1 {
			t.Errorf("%s: the failure does not count: %+v", name, got)
		}
	}
}

// TestCounts: of a wait only what the circuit was open for its failures counts.
func TestCounts(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	s := State{Name: hook}
	failing := s.open("down", noon.Add(h), std, still)
	for name, c := range map[string]struct {
		s    State
		want time.Duration // of a wait from noon to four hours later
	}{
		"closed":                {s, 0},
		"open":                  {failing, 3 * h},
		"opened before":         {s.open("down", noon.Add(-h), std, still), 4 * h},
		"its probe fails":       {failing.ProbeFailed("down", noon.Add(2*h), std, still), 3 * h},
		"closed again":          {failing.Close(noon.Add(3 * h)), 2 * h},
		"asked for":             {failing.LeaveAlone("429", noon.Add(2*h), noon.Add(9*h)), 0},
		"asked for, and closed": {failing.LeaveAlone("429", noon.Add(2*h), noon.Add(9*h)).Close(noon.Add(3 * h)), 0},
		"asked for, and then down": {failing.LeaveAlone("429", noon.Add(2*h), noon.Add(3*h)).ProbeFailed("down", noon.Add(3*h), std, still),
			h},
		"by hand":             {failing.Halt("ann", noon.Add(2*h)), 0},
		"by hand, and closed": {failing.Halt("ann", noon.Add(2*h)).Close(noon.Add(3 * h)), 0},
	} {
		if got := c.s.Counts(noon, noon.Add(4*h)); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestProbes: one at a time, when it is due, and another once its lease is over.
func TestProbes(t *testing.T) {
	t.Parallel()
	s := saw(5, 5, 5)(State{Name: hook}, noon)
	due := noon.Add(30 * time.Second)
	if s.ProbeDue(due.Add(-1)) || !s.ProbeDue(due) || !s.NextProbe().Equal(due) {
		t.Errorf("%+v", s)
	}
	s = s.Lease(due)
	if over := due.Add(LeaseTime); s.ProbeDue(over.Add(-1)) || !s.ProbeDue(over) || !s.NextProbe().Equal(over) {
		t.Errorf("leased: %+v", s)
	}
	if (State{}).ProbeDue(noon) || gives(s, noon).ProbeDue(noon.Add(time.Hour)) {
		t.Error("one that is closed, or open for ever, has no probe")
	}
}

// TestJitter: up to a tenth longer, so that not all endpoints of a host are tried
// at once.
func TestJitter(t *testing.T) {
	t.Parallel()
	s := (State{}).Count(Seen{5, 5, 5}, noon, std, func() float64 { return 0.5 })
	if want := noon.Add(31500 * time.Millisecond); !s.Until.Equal(want) {
		t.Errorf("until %v, want %v", s.Until, want)
	}
}

// TestSeen counts as they come.
func TestSeen(t *testing.T) {
	t.Parallel()
	var s Seen
	for _, x := range []struct{ failed, slow bool }{{true, true}, {false, false}, {false, true}, {true, false}, {true, false}} {
		s.Add(x.failed, x.slow)
	}
	if diff := cmp.Diff(Seen{5, 4, 2}, s); diff != "" {
		t.Error(diff)
	}
}

// TestNames: nobody's circuit is another's.
func TestNames(t *testing.T) {
	t.Parallel()
	all := map[string]Name{}
	for _, n := range []Name{hook, {Host, "acme", "https://a.test/in"}, {Endpoint, "", "https://a.test/in"},
		{Endpoint, "acmeh", "ttps://a.test/in"}, {Endpoint, "acme", "https://a.test/in/"}, {Endpoint, "acme", "http://a.test/in"}} {
		if other, ok := all[n.Key()]; ok {
			t.Errorf("%+v and %+v are both %s", n, other, n.Key())
		}
		if key := n.Key(); !IsKey(key) || IsKey(key[1:]) || IsKey(key+"0") {
			t.Errorf("%s, and nothing shorter or longer, is a key", key)
		}
		all[n.Key()] = n
	}
}
