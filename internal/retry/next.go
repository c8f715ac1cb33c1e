package retry

import (
	"fmt"
	"time"
)

// MaxWait is the longest wait between two tries, whether the policy or the
// endpoint asks for it.
const MaxWait = 24 * time.Hour

// InQueue is the longest wait that is spent in SQS: a hidden message counts
// towards the queue's limit of about 120,000 in flight ("Amazon SQS standard
// queue quotas"). Longer ones are spent in the waiting room.
const InQueue = 2 * time.Minute

// jitterFrom is the delay from which on jitter is added: shorter ones are
// promised exactly.
const jitterFrom = 10 * time.Second

// Tried is what is known after a try that failed and may be made again.
type Tried struct {
	Policy Policy
	// Made is how many tries count, the one just made included.
	Made int
	// RetryAfter is how long the other side asked to wait; 0 where it did not.
	RetryAfter time.Duration
}

// Step is what comes next.
type Step struct {
	// Again says that there is another try, after Delay, in whole seconds.
	Again bool
	Delay time.Duration
	// Reason says why there is none.
	Reason string
}

// Next decides what comes after a try. The delay is at least the policy's and
// at least RetryAfter, though never over MaxWait; from 10 s on it has up to
// 10 % more, as jitter says (0 ≤ jitter() < 1; 0 is none).
func Next(t Tried, jitter func() float64) Step {
	made := max(t.Made, 1)
	if allowed := t.Policy.Attempts(); made >= allowed {
		return Step{Reason: fmt.Sprintf("%d of %d attempts failed", made, max(made, allowed))}
	}
	return Step{Again: true, Delay: delay(max(t.Policy.Delays[made-1], t.RetryAfter), jitter)}
}

// maxPatience is the most that is added to what an endpoint asks for again and
// again.
const maxPatience = 15 * time.Minute

// Asked is how long to wait where the other side asked for more than the policy
// has waits for: a policy of seconds must not come to its end by an endpoint that
// wants to be left alone for an hour, so such a try uses up none of it. It is 0
// where the policy decides. So far is how long it has asked for already: who asks
// without end for little is waited for ever longer, up to 15 minutes.
func Asked(p Policy, retryAfter, soFar time.Duration, jitter func() float64) time.Duration {
	if len(p.Delays) == 0 || retryAfter <= p.longest() {
		return 0
	}
	return delay(max(retryAfter, min(soFar, maxPatience)), jitter)
}

// delay is d with its jitter, in whole seconds, at most MaxWait.
func delay(d time.Duration, jitter func() float64) time.Duration {
	return min(spread(wholeSeconds(d), jitter), MaxWait)
}

// spread adds jitter: whole seconds, all equally likely, up to a tenth of d.
func spread(d time.Duration, jitter func() float64) time.Duration {
	if d < jitterFrom {
		return d
	}
	most := int64(d / 10 / time.Second)
	return d + time.Duration(min(most, int64(jitter()*float64(most+1))))*time.Second
}

// firstHold and longestHold bound how long a message is held at a time.
const (
	firstHold   = time.Minute
	longestHold = 15 * time.Minute
)

// Hold is how long to hold a message for a trouble of our own that it has been
// held for so far: a minute, then twice as long each time, up to 15 minutes.
func Hold(soFar time.Duration) time.Duration {
	return min(max(soFar, 0)+firstHold, longestHold)
}

// blind is how long a message waits, by its receives, of which nothing is known
// or nothing can be written down: a day and more from any of its first four.
var blind = []time.Duration{time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 11 * time.Hour, 11 * time.Hour}

// Blind is how long to hide a message that was received so many times and can't
// be gone on with.
func Blind(receives int) time.Duration {
	return blind[min(max(receives, 1), len(blind))-1]
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

// wholeSeconds rounds up, to a second at least: what is more than MaxWait need not
// be exact.
func wholeSeconds(d time.Duration) time.Duration {
	d = min(d, MaxWait)
	return (d + time.Second - 1) / time.Second * time.Second
}
