package pace

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return noon.Add(d) }

const sec = time.Second

func goes(d time.Duration) Turn   { return Turn{true, at(d)} }
func places(d time.Duration) Turn { return Turn{false, at(d)} }

func ask(d time.Duration, wishes ...Wish) Ask {
	return Ask{Key: "k", Rate: Rate{Interval: sec}, Now: at(d), Patience: 2 * sec, Wishes: wishes}
}

func until(d time.Duration) Wish { return Wish{Until: at(d)} }

// TestTake goes through one day of a key.
func TestTake(t *testing.T) {
	t.Parallel()
	fresh, back := Wish{}, Wish{Back: true}
	var s State
	for _, c := range []struct {
		name string
		ask  Ask
		want []Turn
	}{
		{"alone", ask(0, fresh), []Turn{goes(0)}},
		{"a burst: some go, others come back, with time between", ask(0, fresh, fresh, fresh, fresh),
			[]Turn{goes(sec), goes(2 * sec), places(3 * sec), places(4 * sec)}},
		{"nobody goes before who waits", ask(sec, fresh), []Turn{places(5 * sec)}},
		{"but who waits does", ask(3*sec, back, fresh), []Turn{goes(3 * sec), places(6 * sec)}},
		{"who comes late", ask(10*sec, back, back), []Turn{goes(10 * sec), goes(11 * sec)}},
		{"who can't wait takes nothing", ask(10*sec, until(10*sec), until(13*sec), until(12*sec), until(11*sec)),
			[]Turn{{}, goes(12 * sec), {}, {}}},
		{"that is seen by the next", ask(10*sec, until(15*sec), until(13*sec), until(14*sec)), []Turn{places(13 * sec), {}, places(14 * sec)}},
		{"all have had their turns", ask(20*sec, fresh), []Turn{goes(20 * sec)}},
	} {
		var got []Turn
		if s, got = Take(s, c.ask); !cmp.Equal(got, c.want) {
			t.Errorf("%s (-want +got):\n%s", c.name, cmp.Diff(c.want, got))
		}
	}
}

// TestBurst: after a rest several go at once, and after that as the rate says.
func TestBurst(t *testing.T) {
	t.Parallel()
	a := ask(0, make([]Wish, 5)...)
	a.Burst = 3
	s, got := Take(State{}, a)
	if want := []Turn{goes(0), goes(0), goes(0), goes(sec), goes(2 * sec)}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	a.Now, a.Wishes = at(4*sec), make([]Wish, 3)
	if _, got = Take(s, a); !cmp.Equal(got, []Turn{goes(4 * sec), goes(4 * sec), goes(5 * sec)}) {
		t.Error(got)
	}
}

// TestSlower: what is refused is learned from, and forgotten.
func TestSlower(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	refused := func(s State, d time.Duration) State { return Slower(s, Slow{Now: at(d)}) }
	s := State{}
	for _, c := range []struct {
		at, learned time.Duration
		refused     bool
	}{
		{0, 100 * ms, true}, {ms, 100 * ms, true}, {sec, 100 * ms, true}, {1201 * ms, 200 * ms, true}, {5 * sec, 400 * ms, true},
		{64 * sec, 400 * ms, false}, {65 * sec, 200 * ms, false}, {126 * sec, 100 * ms, false},
		{186 * sec, 50 * ms, false}, {246 * sec, 0, false},
	} {
		if c.refused {
			s = refused(s, c.at)
		}
		if got := s.Rate(Rate{}, at(c.at)).Interval; got != c.learned {
			t.Errorf("after %v: %v, want %v", c.at, got, c.learned)
		}
	}
	for range 20 {
		s = refused(s, time.Hour)
		s.Learned = s.Learned.Add(-time.Hour / 2)
		s = refused(s, time.Hour)
	}
	if s.Interval > time.Minute {
		t.Errorf("it was slowed down to %v", s.Interval)
	}
}

// TestStopped: nobody goes before they said, and then no faster than was known.
func TestStopped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		slow Slow
		want []Turn
	}{
		"a known rate":     {Slow{Rate: Rate{Interval: sec}, Until: at(600 * sec)}, []Turn{places(600 * sec), places(601 * sec)}},
		"no rate is known": {Slow{Until: at(600 * sec)}, []Turn{places(600 * sec), places(601 * sec)}},
		"soon":             {Slow{Rate: Rate{Interval: sec}, Until: at(sec)}, []Turn{goes(sec), goes(2 * sec)}},
		"in the past":      {Slow{Rate: Rate{Interval: sec}, Until: at(-sec)}, []Turn{goes(0), goes(2 * sec)}},
		"for longer than ever": {Slow{Rate: Rate{Interval: sec}, Until: at(9999 * time.Hour)},
			[]Turn{places(24 * time.Hour), places(24*time.Hour + sec)}},
	} {
		c.slow.Now = noon
		if _, got := Take(Slower(State{}, c.slow), ask(0, Wish{}, Wish{Back: true})); !cmp.Equal(got, c.want) {
			t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(c.want, got))
		}
	}
	s := Slower(State{}, Slow{Until: at(9 * sec), Now: noon})
	if got := s.Rate(Rate{}, noon).Interval; got != 100*time.Millisecond {
		t.Errorf("without a rate nothing was learned: %v", got)
	}
}

// TestPerSecond: none is known of what is no rate, and no interval is shorter than times
// are kept.
func TestPerSecond(t *testing.T) {
	t.Parallel()
	for n, want := range map[float64]time.Duration{0: 0, -1: 0, 0.5: 2 * sec, 10: 100 * time.Millisecond, 1e9: Grain} {
		if got := PerSecond(n).Interval; got != want {
			t.Errorf("%v a second: %v", n, got)
		}
	}
}

// TestRest: nothing of a state counts after its rest, and something before it.
func TestRest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		s    State
		want time.Duration
	}{
		"a turn":           {State{Go: at(sec)}, sec},
		"a line":           {State{Go: at(sec), Line: at(3 * sec)}, 3 * sec},
		"what was learned": {State{Go: at(sec), Interval: time.Hour, Learned: noon}, 10 * time.Minute},
		"and a later turn": {State{Go: at(time.Hour), Interval: sec, Learned: noon}, time.Hour},
	} {
		if got := c.s.Rest(); !got.Equal(at(c.want)) {
			t.Errorf("%s: %v", name, got)
		}
	}
	s := State{Interval: time.Hour, Learned: noon}
	if s.Rate(Rate{}, s.Rest().Add(-1)).Interval == 0 || s.Rate(Rate{}, s.Rest()).Interval != 0 {
		t.Error("what was learned does not end with the rest")
	}
}

// TestLatest: where a register is at its latest, every wish gets a turn by it, and one
// grain later not every one does.
func TestLatest(t *testing.T) {
	t.Parallel()
	back := func(d time.Duration) Wish { return Wish{Back: true, Until: at(d)} }
	for name, c := range map[string]struct {
		wishes []Wish
		burst  int
	}{
		"no bound":          {[]Wish{{Back: true}, {Back: true}}, 0},
		"the first's bound": {[]Wish{back(sec), back(10 * sec)}, 0},
		"the last's bound":  {[]Wish{back(10 * sec), back(1500 * time.Millisecond)}, 0},
		"a burst":           {[]Wish{back(sec), back(sec), back(sec)}, 3},
		"one without":       {[]Wish{{Back: true}, back(1200 * time.Millisecond), {Back: true}}, 0},
	} {
		a := ask(0, c.wishes...)
		a.Burst = c.burst
		all := func(s State) bool {
			_, turns := Take(s, a)
			for _, turn := range turns {
				if !turn.Go {
					return false
				}
			}
			return true
		}
		latest := State{}.LatestGo(a)
		if !all(State{Go: latest}) || all(State{Go: latest.Add(Grain)}) {
			t.Errorf("%s: the latest is %v", name, latest.Sub(noon))
		}
	}
}

// TestPaceHolds: whoever asks, whenever and with whatever, what goes is never faster
// than the rate, and never before it was asked for.
func TestPaceHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := Rate{Interval: time.Duration(rapid.IntRange(1, 2_000_000).Draw(t, "interval")) * Grain}
		rate.Burst = rapid.IntRange(0, 5).Draw(t, "burst")
		burst, now := max(rate.Burst, 1), noon
		var s State
		var sent []time.Time
		for range rapid.IntRange(1, 30).Draw(t, "asks") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3_000_000).Draw(t, "later")) * Grain)
			a := Ask{Rate: rate, Now: now, Patience: 3 * sec}
			for range rapid.IntRange(0, 8).Draw(t, "wishes") {
				w := Wish{Back: rapid.Bool().Draw(t, "back")}
				if rapid.Bool().Draw(t, "bounded") {
					w.Until = now.Add(time.Duration(rapid.IntRange(-1, 9).Draw(t, "until")) * sec)
				}
				a.Wishes = append(a.Wishes, w)
			}
			var turns []Turn
			s, turns = Take(s, a)
			for n, turn := range turns {
				switch w := a.Wishes[n]; {
				case turn.At.IsZero():
				case turn.At.Before(now), turn.Go && turn.At.Sub(now) > a.Patience, !w.Until.IsZero() && turn.At.After(w.Until):
					t.Fatalf("at %v, for %+v: %+v", now, w, turn)
				case turn.Go:
					sent = append(sent, turn.At)
				}
			}
		}
		for n := burst; n < len(sent); n++ {
			if d := sent[n].Sub(sent[n-burst]); d < rate.Interval {
				t.Fatalf("%d go within %v at %+v", burst+1, d, rate)
			}
		}
	})
}
