package deliver

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// TestExchangesHaveTheMessagesTimeout: as far as the invocation has so much time.
func TestExchangesHaveTheMessagesTimeout(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		field       string
		invocation  time.Duration
		least, most time.Duration
	}{
		"none":                         {"", time.Hour, 0, 0},
		"the longest":                  {`,"timeout":"20s"`, time.Hour, 20 * time.Second, 20 * time.Second},
		"a shorter one":                {`,"timeout":"2s"`, time.Hour, 2 * time.Second, 2 * time.Second},
		"more than the invocation has": {`,"timeout":"20s"`, 20 * time.Second, time.Second, 11 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ok200)
			ctx, stop := context.WithTimeout(t.Context(), c.invocation)
			defer stop()
			text := strings.TrimSuffix(body("a"), "}") + c.field + "}"
			if _, err := w.handler().Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{aMessage("a", text, 1)}}); err != nil {
				t.Fatal(err)
			}
			if len(w.posts) != 1 || w.posts[0].Timeout < c.least || w.posts[0].Timeout > c.most {
				t.Errorf("posts %+v, want one within %v", w.posts, c.most)
			}
		})
	}
}

func TestLongestExchange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		if got := longestExchange(t.Context()); got != 20*time.Second {
			t.Errorf("%v in an invocation without an end", got)
		}
		for invocation, want := range map[time.Duration]time.Duration{
			time.Hour: 20 * time.Second, 30*time.Second - time.Millisecond: 20 * time.Second, 20*time.Second - time.Millisecond: 10 * time.Second,
			time.Second: time.Second,
		} {
			ctx, stop := context.WithTimeout(t.Context(), invocation)
			if got := longestExchange(ctx); got != want {
				t.Errorf("%v in an invocation of %v, want %v", got, invocation, want)
			}
			stop()
		}
	})
}
