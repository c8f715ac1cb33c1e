package channel

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"
)

func TestPace(t *testing.T) {
	t.Parallel()
	clock := clockwork.NewFakeClockAt(noon)
	var p pace
	for i, want := range []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second} {
		if got := p.take(clock.Now(), time.Second, 3*time.Second); got != want {
			t.Errorf("turn %d: got %v, want %v", i, got, want)
		}
	}
	for range 2 { // one that is not taken costs nothing
		if got, err := p.wait(t.Context(), clock, time.Second, 3*time.Second); got != 4*time.Second || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
	}
	clock.Advance(4 * time.Second)
	if got := p.take(clock.Now(), time.Second, 0); got != 0 {
		t.Errorf("after the wait: got %v", got)
	}
	p.hold(clock.Now().Add(time.Minute))
	p.hold(clock.Now()) // an earlier one changes nothing
	if got := p.take(clock.Now(), time.Second, 0); got != time.Minute {
		t.Errorf("held: got %v", got)
	}
}

func TestPaceWaits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(*clockwork.FakeClock, context.CancelFunc)
		want error
	}{
		{"its turn", func(clock *clockwork.FakeClock, _ context.CancelFunc) { clock.Advance(time.Second) }, nil},
		{"cancelled", func(_ *clockwork.FakeClock, cancel context.CancelFunc) { cancel() }, context.Canceled},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			clock := clockwork.NewFakeClockAt(noon)
			var p pace
			p.take(clock.Now(), time.Second, 0)
			done := make(chan error)
			go func() {
				_, err := p.wait(ctx, clock, time.Second, time.Minute)
				done <- err
			}()
			if err := clock.BlockUntilContext(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			c.end(clock, cancel)
			if err := <-done; err != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// The fourth message after the first would wait too long, and so would any
// after a 429: they come back at once.
func TestSlackWebhookPace(t *testing.T) {
	t.Parallel()
	clock := clockwork.NewFakeClockAt(noon)
	p, ctx := newProvider(t, answer{status: 429, header: map[string]string{"Retry-After": "30"}})
	s := NewSlackWebhook(SlackConfig{WebhookURL: p.url}, NewTransport(), clock)
	h := Handover{ID: "n_7", Body: theBody}
	check(t, s.Send(ctx, h), Outcome{Class: Transient, Status: 429, RetryAfter: 30 * time.Second, Reason: "too many requests"})
	check(t, s.Send(ctx, h), Outcome{Class: Transient, RetryAfter: 30 * time.Second, Paced: true, Reason: "1 a second"})
	clock.Advance(30 * time.Second)
	p.mu.Lock()
	p.answer = answer{status: 200, body: "ok"}
	p.mu.Unlock()
	check(t, s.Send(ctx, h), Outcome{Status: 200})
	requests, _ := p.seen()
	if diff := cmp.Diff(2, len(requests)); diff != "" {
		t.Error(diff)
	}
}
