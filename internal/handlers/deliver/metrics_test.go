package deliver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/webhook"
)

// counts are events as texts, but for how old what was not delivered is.
type counts []string

func (c *counts) Record(events []metric.Event) {
	for _, e := range events {
		if e.Name != metric.OldestUndelivered {
			*c = append(*c, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %v", e.Name, e.Verdict, e.Reason, e.Value)), " "))
		}
	}
	slices.Sort(*c)
}

// TestMetrics: what comes of a webhook is counted by verdict and reason, and how long
// its exchange took is measured where there was one.
func TestMetrics(t *testing.T) {
	t.Parallel()
	took := 120 * time.Millisecond
	for name, c := range map[string]struct {
		answer webhook.Exchange
		body   string
		err    error
		want   counts
	}{
		"delivered": {webhook.Exchange{Status: 204, Duration: took}, body("evt"), nil,
			counts{"Attempts delivered 1", "ExchangeLatency delivered 120", "TimeToDelivery delivered 0.12"}},
		"refused": {webhook.Exchange{Status: 404, Duration: took}, body("evt"), nil, counts{"Attempts permanent 4xx 1", "DeadLetters 1",
			"ExchangeLatency permanent 4xx 120", "Failures permanent 4xx 1"}},
		"down": {webhook.Exchange{Status: 503, Duration: took}, body("evt"), nil, counts{"Attempts retryable 5xx 1",
			"ExchangeLatency retryable 5xx 120", "Failures retryable 5xx 1"}},
		"malformed": {webhook.Exchange{}, `{"url":"x"}`, nil, counts{"Attempts permanent malformed 1", "DeadLetters 1",
			"Failures permanent malformed 1"}},
		"no secret": {webhook.Exchange{}, body("evt"), webhook.ErrSecretNotFound, counts{"Attempts permanent secret 1", "DeadLetters 1",
			"Failures permanent secret 1"}},
		"a secret that can't be read": {webhook.Exchange{}, body("evt"), errFault, counts{"Held trouble 1"}},
		"interrupted":                 {webhook.Exchange{Interrupted: true}, body("evt"), nil, counts{"Held trouble 1"}},
	} {
		w, got := newWorld(t, c.answer), &counts{}
		w.secretErr = c.err
		h := w.handler()
		h.Metrics = got
		w.handleWith(h, aMessage("evt", c.body, 1))
		if diff := cmp.Diff(c.want, *got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
