package batch

import (
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/retry"
)

// TestNextIsTold: what is known of a message reaches the rule about what comes
// next: its receives, what the other side asks for, and the jitter.
func TestNextIsTold(t *testing.T) {
	t.Parallel()
	policy := retry.Policy{Delays: []time.Duration{20 * time.Second, 20 * time.Second}}
	for _, c := range []struct {
		name           string
		jitter         float64
		made, receives int
		retryAfter     time.Duration
		verdict        attempt.Verdict
		delay          time.Duration
	}{
		{"as the policy says", 0, 1, 1, 0, attempt.Retryable, 20 * time.Second},
		{"with jitter", 0.99, 1, 1, 0, attempt.Retryable, 22 * time.Second},
		{"as the other side asks", 0, 1, 1, time.Minute, attempt.Retryable, time.Minute},
		{"after the policy's last", 0, 3, 3, 0, attempt.Exhausted, 0},
		{"after the last receive", 0, 1, 20, 0, attempt.Exhausted, 0},
	} {
		needs := newDesk().needs()
		needs.Jitter = func() float64 { return c.jitter }
		i := &Item{batch: &batch{Needs: needs}, Receives: c.receives}
		if got := i.Next(policy, c.made, attempt.Retryable, c.retryAfter); got.Verdict != c.verdict || got.Delay != c.delay {
			t.Errorf("%s: got %+v", c.name, got)
		}
	}
}
