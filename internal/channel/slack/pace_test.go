package slack

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
	"github.com/efferent/efferent/internal/channel/exchange"
)

func TestPace(t *testing.T) {
	t.Parallel()
	clock := clockwork.NewFakeClockAt(channeltest.Noon)
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
			clock := clockwork.NewFakeClockAt(channeltest.Noon)
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
	clock := clockwork.NewFakeClockAt(channeltest.Noon)
	p, ctx := channeltest.Start(t, answer{Status: 429, Header: map[string]string{"Retry-After": "30"}})
	s := NewWebhook(channel.SlackConfig{WebhookURL: p.URL}, exchange.NewTransport(), clock)
	h := channel.Handover{ID: "n_7", Body: channeltest.Body}
	channeltest.Check(t, s.Send(ctx, h),
		channel.Outcome{Class: channel.Transient, Status: 429, RetryAfter: 30 * time.Second, Reason: "too many requests"})
	channeltest.Check(t, s.Send(ctx, h),
		channel.Outcome{Class: channel.Transient, RetryAfter: 30 * time.Second, Paced: true, Reason: "1 a second"})
	clock.Advance(30 * time.Second)
	p.Say(answer{Status: 200, Body: "ok"})
	channeltest.Check(t, s.Send(ctx, h), channel.Outcome{Status: 200})
	requests, _ := p.Seen()
	if diff := cmp.Diff(2, len(requests)); diff != "" {
		t.Error(diff)
	}
}
