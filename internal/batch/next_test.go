package batch

import (
	"testing"
	"time"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/retry"
)

// TestNextIsTold: what is known of a message reaches the rule about what comes
// next: what the other side asks for, how old it is, and the jitter.
func TestNextIsTold(t *testing.T) {
	t.Parallel()
	policy := retry.Policy{Delays: []time.Duration{20 * time.Second, 20 * time.Second}}
	for _, c := range []struct {
		name       string
		jitter     float64
		made       int
		retryAfter time.Duration
		age        time.Duration
		delay      time.Duration // 0: no more
		asked      time.Duration
	}{
		{"as the policy says", 0, 1, 0, 0, 20 * time.Second, 0},
		{"with jitter", 0.99, 1, 0, 0, 22 * time.Second, 0},
		{"as the other side asks", 0, 1, time.Minute, 0, time.Minute, time.Minute},
		{"as it asks, with jitter", 0.99, 1, time.Minute, 0, 66 * time.Second, 66 * time.Second},
		{"after the policy's last", 0, 3, 0, 0, 0, 0},
		{"almost 14 days old", 0, 1, time.Minute, MaxAge - time.Second, time.Minute, time.Minute},
		{"14 days old", 0, 1, time.Minute, MaxAge, 0, 0},
	} {
		needs := newDesk().needs()
		needs.Jitter = func() float64 { return c.jitter }
		now := time.Now()
		needs.Now = func() time.Time { return now }
		i := &Item{batch: &batch{Needs: needs}, First: now.Add(-c.age)}
		if got := i.Next(policy, c.made, c.retryAfter); got.Again != (c.delay > 0) || got.Delay != c.delay {
			t.Errorf("%s: got %+v", c.name, got)
		}
		if got := i.Asked(policy, c.retryAfter); got != c.asked {
			t.Errorf("%s: asked for %v", c.name, got)
		}
	}
	needs := newDesk().needs()
	i := &Item{batch: &batch{Needs: needs}, First: needs.Now(), Held: message.Held{"retry-after": 5 * time.Minute}}
	if got := i.Asked(policy, time.Minute); got != 5*time.Minute {
		t.Errorf("who has asked for 5 minutes so far waits %v", got)
	}
}
