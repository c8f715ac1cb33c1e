package notify

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/metric"
)

// TestMetrics: each hand-over is counted by its channel, and why it failed by its class.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers[channel.Email] = []channel.Outcome{channel.Failed(channel.Configuration, 535, "refused")}
	w.answers[channel.Slack] = []channel.Outcome{channel.Taken("C1/1", 200)}
	w.run(w.message("n_1",
		`{"id":"n_1","channel":"email","recipient":"ann@acme.test","recipients":{"slack":"C1"},"subject":"s","body":"b"}`))
	var got []string
	for _, e := range w.events {
		if e.Name != metric.TimeToDelivery {
			got = append(got, e.Name+" "+e.Verdict+" "+e.Reason+" "+e.Channel)
		}
	}
	slices.Sort(got)
	want := []string{"Attempts delivered  slack", "Attempts retryable configuration email", "ExchangeLatency delivered  slack",
		"ExchangeLatency retryable configuration email", "Failures retryable configuration email", "Misconfigured   email"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
