package retry

import (
	"slices"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"pgregory.net/rapid"
)

func jitter(v float64) func() float64 { return func() float64 { return v } }

func policy(t testing.TB, name string) Policy {
	t.Helper()
	p, err := Policies{}.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNext(t *testing.T) {
	t.Parallel()
	seed, replay, standard := policy(t, "seed"), policy(t, "replay"), policy(t, "standard")
	half := Policy{Name: "half", Delays: []time.Duration{1500 * time.Millisecond, 10 * time.Second}}
	again := func(d time.Duration) Step { return Step{Again: true, Delay: d} }
	over := func(why string) Step { return Step{Reason: why} }
	const most = 0.9999999
	cases := []struct {
		name   string
		tried  Tried
		jitter float64
		want   Step
	}{
		{"first of seed", Tried{seed, 1, 0}, most, again(1 * time.Second)},
		{"second of seed", Tried{seed, 2, 0}, most, again(2 * time.Second)},
		{"third of seed", Tried{seed, 3, 0}, most, again(4 * time.Second)},
		{"last of seed", Tried{seed, 4, 0}, most, over("4 of 4 attempts failed")},
		{"one over", Tried{seed, 5, 0}, most, over("5 of 5 attempts failed")},
		{"only one attempt", Tried{Policy{Name: "once"}, 1, 0}, most, over("1 of 1 attempts failed")},
		{"no policy known: one attempt", Tried{Policy{}, 1, 0}, 0, over("1 of 1 attempts failed")},
		{"none counts yet", Tried{seed, 0, 0}, 0, again(1 * time.Second)},
		{"5 s: exact", Tried{replay, 1, 0}, most, again(5 * time.Second)},
		{"10 s without jitter", Tried{replay, 2, 0}, 0, again(10 * time.Second)},
		{"10 s with the most", Tried{replay, 2, 0}, most, again(11 * time.Second)},
		{"80 s with the most", Tried{replay, 5, 0}, most, again(88 * time.Second)},
		{"a source that says 1", Tried{replay, 5, 0}, 1, again(88 * time.Second)},
		{"rounded up", Tried{half, 1, 0}, 0, again(2 * time.Second)},
		{"5 min of standard", Tried{standard, 2, 0}, most, again(330 * time.Second)},
		{"24 h of standard: never more", Tried{standard, 9, 0}, most, again(24 * time.Hour)},
		{"last of standard", Tried{standard, 10, 24 * time.Hour}, 0, over("10 of 10 attempts failed")},
		{"Retry-After shorter than the schedule", Tried{seed, 3, time.Second}, 0, again(4 * time.Second)},
		{"Retry-After longer", Tried{seed, 1, 7 * time.Second}, most, again(7 * time.Second)},
		{"Retry-After of a part of a second", Tried{seed, 1, 2*time.Second + 1}, 0, again(3 * time.Second)},
		{"Retry-After with jitter", Tried{seed, 1, 100 * time.Second}, most, again(110 * time.Second)},
		{"Retry-After of a day", Tried{standard, 1, 24 * time.Hour}, 0, again(24 * time.Hour)},
		{"Retry-After of more than a day", Tried{standard, 1, 25 * time.Hour}, 0, again(24 * time.Hour)},
		{"Retry-After without end", Tried{seed, 1, 1<<63 - 1}, most, again(24 * time.Hour)},
		{"Retry-After in the past", Tried{seed, 1, -time.Hour}, 0, again(time.Second)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := Next(c.tried, jitter(c.jitter)); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestAsked: what asks for more than the policy waits is waited for, by no
// attempt of the policy's.
func TestAsked(t *testing.T) {
	t.Parallel()
	seed, standard := policy(t, "seed"), policy(t, "standard")
	for name, c := range map[string]struct {
		policy     Policy
		retryAfter time.Duration
		soFar      time.Duration
		jitter     float64
		want       time.Duration
	}{
		"nothing":                              {seed, 0, 0, 0, 0},
		"the policy's longest":                 {seed, 4 * time.Second, time.Hour, 0, 0},
		"more":                                 {seed, 5 * time.Second, 0, 0, 5 * time.Second},
		"an hour, with jitter":                 {seed, time.Hour, 0, 0.9999999, 66 * time.Minute},
		"without end":                          {seed, 1<<63 - 1, 0, 0.5, 24 * time.Hour},
		"little, again and again":              {seed, 5 * time.Second, 40 * time.Second, 0, 40 * time.Second},
		"little, for the hundredth time":       {seed, 5 * time.Second, 30 * time.Hour, 0, 15 * time.Minute},
		"an hour, for the hundredth time":      {seed, time.Hour, 100 * time.Hour, 0, time.Hour},
		"a day, of a policy with a day":        {standard, 24 * time.Hour, 0, 0, 0},
		"a policy that never tries again":      {Policy{Name: "once"}, time.Hour, 0, 0, 0},
		"a day and more, of a policy with one": {standard, 25 * time.Hour, 0, 0, 24 * time.Hour},
	} {
		if got := Asked(c.policy, c.retryAfter, c.soFar, jitter(c.jitter)); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestHold: a minute, then twice as long each time, up to 15.
func TestHold(t *testing.T) {
	t.Parallel()
	var got []time.Duration
	soFar := time.Duration(0)
	for range 6 {
		wait := Hold(soFar)
		got, soFar = append(got, wait), soFar+wait
	}
	if want := minutes(1, 2, 4, 8, 15, 15); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := Hold(-time.Hour); got != time.Minute {
		t.Errorf("after less than nothing: %v", got)
	}
}

// TestBlind: from any of its first four receives a message waits for a day.
func TestBlind(t *testing.T) {
	t.Parallel()
	const receives = 6
	for first := 1; first <= 4; first++ {
		all := time.Duration(0)
		for n := first; n <= receives; n++ {
			all += Blind(n)
		}
		if all < 24*time.Hour {
			t.Errorf("from receive %d on: %v", first, all)
		}
	}
	if Blind(1) != time.Minute || Blind(0) != time.Minute || Blind(100) != 11*time.Hour {
		t.Errorf("%v, %v, %v", Blind(1), Blind(0), Blind(100))
	}
}

func minutes(n ...time.Duration) []time.Duration {
	for i := range n {
		n[i] *= time.Minute
	}
	return n
}

// An endpoint that fails every time, under a clock that stands still unless
// somebody waits.
func TestScheduleByTheClock(t *testing.T) {
	t.Parallel()
	const h = 3600
	for name, want := range map[string][]time.Duration{
		"seed":     seconds(0, 1, 3, 7),
		"replay":   seconds(0, 5, 15, 35, 75, 155),
		"patient":  seconds(0, 5, 35, 155, 755),
		"standard": seconds(0, 5, 305, 2105, 2105+2*h, 2105+7*h, 2105+17*h, 2105+31*h, 2105+51*h, 2105+75*h),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := clockwork.NewFakeClock()
			start := clock.Now()
			var at []time.Duration
			step := Step{Again: true}
			for n := 1; step.Again; n++ {
				nextAt := clock.Now().Add(step.Delay)
				for wait := Remaining(clock.Now(), nextAt); wait > 0; wait = Remaining(clock.Now(), nextAt) {
					clock.Advance(wait)
				}
				at = append(at, clock.Since(start))
				step = Next(Tried{policy(t, name), n, 0}, jitter(0))
			}
			if !slices.Equal(at, want) {
				t.Errorf("tried at %v, want %v", at, want)
			}
		})
	}
}

func TestRemaining(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	for until, want := range map[time.Duration]time.Duration{
		-time.Hour:               0,
		0:                        0,
		1:                        time.Second,
		time.Second:              time.Second,
		time.Second + 1:          2 * time.Second,
		80 * time.Second:         80 * time.Second,
		48 * time.Hour:           MaxWait,
		time.Duration(1<<63 - 1): MaxWait,
	} {
		if got := Remaining(now, now.Add(until)); got != want {
			t.Errorf("%v before it is due: wait %v, want %v", until, got, want)
		}
	}
	if got := Remaining(now, time.Time{}); got != 0 {
		t.Errorf("without a time: %v", got)
	}
}

// Whatever the policy, the answers and the jitter: a message ends, within its
// attempts, and never waits too little.
func TestNextAlwaysEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		delay := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(1, int64(MaxWait)).Draw(t, "delay"))
		})
		p := Policy{Name: "p", Delays: rapid.SliceOfN(delay, 0, 30).Draw(t, "delays")}
		for made := 1; ; made++ {
			if made > p.Attempts() {
				t.Fatalf("attempt %d of %d", made, p.Attempts())
			}
			tried := Tried{p, made, time.Duration(rapid.Int64().Draw(t, "retryAfter"))}
			step := Next(tried, func() float64 { return rapid.Float64Range(0, 0.999).Draw(t, "jitter") })
			check(t, tried, step)
			if !step.Again {
				return
			}
		}
	})
}

func check(t *rapid.T, tried Tried, step Step) {
	switch {
	case step.Again == (step.Reason != ""):
		t.Fatalf("again: %v, because %q", step.Again, step.Reason)
	case !step.Again && step.Delay != 0:
		t.Fatalf("no next try, yet a delay of %v", step.Delay)
	case !step.Again:
		return
	}
	wanted := min(max(tried.Policy.Delays[tried.Made-1], tried.RetryAfter), MaxWait)
	switch {
	case step.Delay%time.Second != 0 || step.Delay < wanted:
		t.Fatalf("waits %v where %v was wanted", step.Delay, wanted)
	case step.Delay > MaxWait || step.Delay > (wanted+time.Second)*11/10:
		t.Fatalf("waits %v, far more than %v", step.Delay, wanted)
	}
}
