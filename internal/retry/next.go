package retry

import (
	"fmt"
	"time"

	"github.com/efferent/efferent/internal/attempt"
)

// MaxWait is the longest wait that is asked of SQS. A visibility timeout ends
// at most 12 hours after the receive ("Amazon SQS visibility timeout"); the
// hour less is room for the batch. Once there is a waiting room, Retry-After
// may ask for 24 hours.
const MaxWait = 11 * time.Hour

// jitterFrom is the delay from which on jitter is added: shorter ones are
// promised exactly.
const jitterFrom = 10 * time.Second

// Tried is what is known after a try.
type Tried struct {
	Policy Policy
	// Attempt is the number of the try just made, from 1.
	Attempt int
	Verdict attempt.Verdict
	// RetryAfter is how long the other side asked to wait; 0 where it did not.
	RetryAfter time.Duration
	// Receives is the message's ApproximateReceiveCount, MaxReceives the
	// maxReceiveCount of its queue: the receive after that many moves the
	// message to the dead-letter queue, so it can't carry a try.
	Receives, MaxReceives int
}

// Step is what comes next.
type Step struct {
	// Verdict is the try's own, except that a Retryable one without a next
	// try is Exhausted.
	Verdict attempt.Verdict
	// Delay until the next try, in whole seconds; 0 unless Retryable.
	Delay time.Duration
	// Reason says why there is no next try; "" unless Exhausted.
	Reason string
}

// Next decides what comes after a try. The delay is at least the policy's and
// at least RetryAfter, though never over MaxWait; from 10 s on it has up to
// 10 % more, as jitter says (0 ≤ jitter() < 1; 0 is none).
func Next(t Tried, jitter func() float64) Step {
	if t.Verdict.Final() {
		return Step{Verdict: t.Verdict}
	}
	made := max(t.Attempt, 1)
	if allowed := t.Policy.Attempts(); made >= allowed {
		return Step{Verdict: attempt.Exhausted, Reason: fmt.Sprintf("%d of %d attempts failed", made, max(made, allowed))}
	}
	if t.Receives >= t.MaxReceives {
		return Step{Verdict: attempt.Exhausted, Reason: fmt.Sprintf(
			"receive budget used up: received %d of at most %d times, for %d of %d attempts",
			t.Receives, t.MaxReceives, made, t.Policy.Attempts())}
	}
	wait := max(t.Policy.Delays[made-1], t.RetryAfter)
	return Step{Verdict: attempt.Retryable, Delay: min(spread(wholeSeconds(wait), jitter), MaxWait)}
}

// spread adds jitter: whole seconds, all equally likely, up to a tenth of d.
func spread(d time.Duration, jitter func() float64) time.Duration {
	if d < jitterFrom {
		return d
	}
	most := int64(d / 10 / time.Second)
	return d + time.Duration(min(most, int64(jitter()*float64(most+1))))*time.Second
}

// Remaining is how much longer a message must wait that was received before
// its next try is due, as happens after a crash: whole seconds, at least 1 and
// at most MaxWait; 0 when the try is due.
func Remaining(now, nextAt time.Time) time.Duration {
	wait := nextAt.Sub(now)
	if wait <= 0 {
		return 0
	}
	return min(wholeSeconds(wait), MaxWait)
}

// wholeSeconds rounds up: what is more than MaxWait need not be exact.
func wholeSeconds(d time.Duration) time.Duration {
	d = min(d, MaxWait)
	return (d + time.Second - 1) / time.Second * time.Second
}
