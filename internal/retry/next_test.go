package retry

import (
	"slices"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"pgregory.net/rapid"

	"github.com/efferent/efferent/internal/attempt"
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
	seed, replay := policy(t, "seed"), policy(t, "replay")
	half := Policy{Name: "half", Delays: []time.Duration{1500 * time.Millisecond, 10 * time.Second}}
	again := func(d time.Duration) Step { return Step{Verdict: attempt.Retryable, Delay: d} }
	over := func(why string) Step { return Step{Verdict: attempt.Exhausted, Reason: why} }
	const retryable, most = attempt.Retryable, 0.9999999
	cases := []struct {
		name   string
		tried  Tried
		jitter float64
		want   Step
	}{
		{"delivered", Tried{seed, 1, attempt.Delivered, 0, 1, 20}, 0, Step{Verdict: attempt.Delivered}},
		{"delivered at the last", Tried{seed, 4, attempt.Delivered, 0, 20, 20}, 0, Step{Verdict: attempt.Delivered}},
		{"permanent", Tried{seed, 1, attempt.Permanent, 9 * time.Second, 1, 20}, 0, Step{Verdict: attempt.Permanent}},
		{"first of seed", Tried{seed, 1, retryable, 0, 1, 20}, most, again(1 * time.Second)},
		{"second of seed", Tried{seed, 2, retryable, 0, 2, 20}, most, again(2 * time.Second)},
		{"third of seed", Tried{seed, 3, retryable, 0, 3, 20}, most, again(4 * time.Second)},
		{"last of seed", Tried{seed, 4, retryable, 0, 4, 20}, most, over("4 of 4 attempts failed")},
		{"one over, after a changed secret", Tried{seed, 5, retryable, 0, 4, 20}, most, over("5 of 5 attempts failed")},
		{"only one attempt", Tried{Policy{Name: "once"}, 1, retryable, 0, 1, 20}, 0, over("1 of 1 attempts failed")},
		{"no policy known: one attempt", Tried{Policy{}, 1, retryable, 0, 1, 20}, 0, over("1 of 1 attempts failed")},
		{"5 s: exact", Tried{replay, 1, retryable, 0, 1, 20}, most, again(5 * time.Second)},
		{"10 s without jitter", Tried{replay, 2, retryable, 0, 2, 20}, 0, again(10 * time.Second)},
		{"10 s with the most", Tried{replay, 2, retryable, 0, 2, 20}, most, again(11 * time.Second)},
		{"80 s with the most", Tried{replay, 5, retryable, 0, 5, 20}, most, again(88 * time.Second)},
		{"a source that says 1", Tried{replay, 5, retryable, 0, 5, 20}, 1, again(88 * time.Second)},
		{"rounded up", Tried{half, 1, retryable, 0, 1, 20}, 0, again(2 * time.Second)},
		{"Retry-After shorter than the schedule", Tried{seed, 3, retryable, time.Second, 3, 20}, 0, again(4 * time.Second)},
		{"Retry-After longer", Tried{seed, 1, retryable, 7 * time.Second, 1, 20}, most, again(7 * time.Second)},
		{"Retry-After of a part of a second", Tried{seed, 1, retryable, 2*time.Second + 1, 1, 20}, 0, again(3 * time.Second)},
		{"Retry-After with jitter", Tried{seed, 1, retryable, 100 * time.Second, 1, 20}, most, again(110 * time.Second)},
		{"Retry-After of 11 h", Tried{seed, 1, retryable, 11 * time.Hour, 1, 20}, most, again(11 * time.Hour)},
		{"Retry-After of a day", Tried{seed, 1, retryable, 24 * time.Hour, 1, 20}, 0, again(11 * time.Hour)},
		{"Retry-After without end", Tried{seed, 1, retryable, 1<<63 - 1, 1, 20}, most, again(11 * time.Hour)},
		{"Retry-After in the past", Tried{seed, 1, retryable, -time.Hour, 1, 20}, 0, again(time.Second)},
		{"one receive left", Tried{seed, 1, retryable, 0, 19, 20}, 0, again(time.Second)},
		{"no receive left", Tried{seed, 2, retryable, 0, 20, 20}, 0,
			over("receive budget used up: received 20 of at most 20 times, for 2 of 4 attempts")},
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

// A queue whose message fails every time, under a clock that stands still
// unless somebody waits.
func TestScheduleByTheClock(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]time.Duration{
		"seed":   seconds(0, 1, 3, 7),
		"replay": seconds(0, 5, 15, 35, 75, 155),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := clockwork.NewFakeClock()
			start := clock.Now()
			var at []time.Duration
			step := Step{Verdict: attempt.Retryable}
			for n := 1; step.Verdict == attempt.Retryable; n++ {
				nextAt := clock.Now().Add(step.Delay)
				for wait := Remaining(clock.Now(), nextAt); wait > 0; wait = Remaining(clock.Now(), nextAt) {
					clock.Advance(wait)
				}
				at = append(at, clock.Since(start))
				step = Next(Tried{policy(t, name), n, attempt.Retryable, 0, n, 20}, jitter(0))
			}
			if step.Verdict != attempt.Exhausted || !slices.Equal(at, want) {
				t.Errorf("tried at %v and %s, want %v", at, step.Verdict, want)
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

// Whatever the policy, the answers, the crashes that use up receives and the
// jitter: a message ends, within its attempts, and never waits too little.
func TestNextAlwaysEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		delay := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(1, int64(MaxDelay)).Draw(t, "delay"))
		})
		p := Policy{Name: "p", Delays: rapid.SliceOfN(delay, 0, 30).Draw(t, "delays")}
		maxReceives := rapid.IntRange(1, 40).Draw(t, "maxReceives")
		attempts := 0
		for receive := 1; ; receive++ {
			if receive > maxReceives {
				return // the queue moves it: drained
			}
			if rapid.Float64Range(0, 1).Draw(t, "killed") < 0.1 {
				continue // a receive without a try
			}
			attempts++
			tried := Tried{
				Policy: p, Attempt: attempts, Receives: receive, MaxReceives: maxReceives,
				Verdict: rapid.SampledFrom([]attempt.Verdict{attempt.Retryable, attempt.Retryable, attempt.Retryable, attempt.Delivered,
					attempt.Permanent}).Draw(t, "verdict"),
				RetryAfter: time.Duration(rapid.Int64().Draw(t, "retryAfter")),
			}
			step := Next(tried, func() float64 { return rapid.Float64Range(0, 0.999).Draw(t, "jitter") })
			check(t, tried, step)
			if step.Verdict.Final() {
				return
			}
		}
	})
}

func check(t *rapid.T, tried Tried, step Step) {
	if tried.Attempt > tried.Policy.Attempts() {
		t.Fatalf("attempt %d of %d", tried.Attempt, tried.Policy.Attempts())
	}
	switch {
	case tried.Verdict != attempt.Retryable && step.Verdict != tried.Verdict:
		t.Fatalf("%s became %s", tried.Verdict, step.Verdict)
	case tried.Verdict == attempt.Retryable && step.Verdict != attempt.Retryable && step.Verdict != attempt.Exhausted:
		t.Fatalf("retryable became %s", step.Verdict)
	case (step.Verdict == attempt.Exhausted) != (step.Reason != ""):
		t.Fatalf("%s because %q", step.Verdict, step.Reason)
	case step.Verdict != attempt.Retryable && step.Delay != 0:
		t.Fatalf("%s, yet a delay of %v", step.Verdict, step.Delay)
	}
	if step.Verdict != attempt.Retryable {
		return
	}
	wanted := min(max(tried.Policy.Delays[tried.Attempt-1], tried.RetryAfter), MaxWait)
	switch {
	case tried.Receives >= tried.MaxReceives:
		t.Fatal("a next try, but no receive for it")
	case step.Delay%time.Second != 0 || step.Delay < wanted:
		t.Fatalf("waits %v where %v was wanted", step.Delay, wanted)
	case step.Delay > MaxWait || step.Delay > (wanted+time.Second)*11/10:
		t.Fatalf("waits %v, far more than %v", step.Delay, wanted)
	}
}
